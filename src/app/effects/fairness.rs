//! Pages of priority and fairness: which schema catches a request, and a dump as it came.

use super::Effects;
use crate::app::cluster::Client;
use crate::app::cluster::fairness::{EVERY, Page, all, words};
use crate::app::cluster::feed::fairness::{LEVELS, SCHEMAS};
use crate::app::cluster::session::{Fault, Meter};
use crate::app::cluster::upstream::Upstream;
use crate::app::connect::Connection;
use crate::app::msg::Msg;
use crate::state::cell::Role;
use crate::state::doc::{Doc, Line, whatif};
use crate::state::fairness::question::Question;
use crate::state::fairness::schema::Schema;
use crate::state::fairness::seats::Level;
use crate::state::ui::RouteId;
use crate::state::ui::document::{Fetched, Target};
use std::sync::Arc;
use tokio::time::Instant;

/// Schemas and levels as they are configured.
pub struct Configured {
    /// In no order.
    pub schemas: Vec<Schema>,
    /// In no order.
    pub levels: Vec<Level>,
}

/// Reads them.
///
/// # Errors
/// What kept one of the lists from being read.
pub async fn configured(client: &Client) -> Result<Configured, Fault> {
    let (schemas, levels) = tokio::try_join!(all(client, SCHEMAS), all(client, LEVELS))?;
    Ok(Configured {
        schemas: schemas.iter().map(Schema::of).collect(),
        levels: levels.iter().map(Level::of).collect(),
    })
}

impl Configured {
    /// Names of all levels.
    pub fn level_names(&self) -> Vec<String> {
        self.levels.iter().map(|level| level.name.clone()).collect()
    }

    /// Schema and level that the server named last in the headers of an answer to us.
    pub fn ours(&self, meter: &Meter) -> Option<(String, String)> {
        let (schema, level) = meter.caught()?;
        let schema = self.schemas.iter().find(|s| s.uid == schema)?.name.clone();
        Some((schema, self.levels.iter().find(|l| l.uid == level)?.name.clone()))
    }
}

/// Oneself, as far as the server said who that is: name and groups.
pub fn me(connection: &Connection) -> (String, Vec<String>) {
    match &connection.session {
        Some(session) => (session.identity.name.clone(), session.identity.groups.clone()),
        None => (connection.cluster.user.clone(), vec![]),
    }
}

impl Effects {
    /// Works out the page of a question.
    pub(super) fn which_schema(&self, route: RouteId, question: Question) {
        let (client, meter) = (self.connection.client.clone(), self.connection.meter.clone());
        let (me, post) = (me(&self.connection), self.post.clone());
        self.runtime.spawn(async move {
            let page = asked(&client, &meter, question, &me).await;
            post(Msg::Fetched(route, page.map(paged)));
        });
    }

    /// Reads the dump behind a table, as it came.
    pub(super) fn dump(&self, route: RouteId, target: &Target) {
        let (upstream, post) = (self.connection.upstream.clone(), self.post.clone());
        let table = target.table;
        self.runtime.spawn(async move {
            let page = dumped(&upstream, table).await;
            post(Msg::Fetched(route, page.map(paged)));
        });
    }
}

/// A page that is about no object.
fn paged(page: Doc) -> Fetched {
    Fetched { object: serde_json::Value::Null, events: Ok(vec![]), page: Some(page) }
}

async fn asked(
    client: &Client,
    meter: &Meter,
    question: Question,
    me: &(String, Vec<String>),
) -> Result<Doc, String> {
    let question = question.whole(me);
    let known = configured(client).await.map_err(|fault| fault.to_string())?;
    let ours = known.ours(meter).filter(|_| question.is_me);
    Ok(whatif(&question, &known.schemas, &known.level_names(), ours.as_ref()))
}

/// The dump behind a table, as it came; one that was taken within the last seconds serves.
async fn dumped(upstream: &Arc<Upstream>, table: &str) -> Result<Doc, String> {
    let page = match table {
        "prioritylevelconfigurations" => Page::Levels,
        "queues" => Page::Queues,
        _ => Page::Requests,
    };
    let now = Instant::now();
    let since = now.checked_sub(EVERY).unwrap_or(now);
    let taken = upstream.dumps.take(&upstream.client, page, since, &*upstream.clock).await;
    let taken = taken.map_err(|fault| words(&fault))?;
    let head = format!("# GET {} at {}", page.path(), taken.at.rfc3339());
    let lines = taken.text.lines().map(|line| Line::of(Role::Plain, line.trim_end()));
    let lines = std::iter::once(Line::of(Role::Dim, head)).chain(lines).collect();
    Ok(Doc { title: page.path().to_owned(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{Lock, gated};
    use crate::app::demo::DemoCluster;
    use crate::state::fairness::catch::Asked;
    use crate::state::fairness::question::{of_path, read};

    #[tokio::test]
    async fn the_servers_headers_name_our_own_schema_and_level() {
        let meter = Arc::new(Meter::default());
        let client = gated(DemoCluster::today(), "default", meter.clone(), Lock::new(true));
        assert_eq!(meter.caught(), None, "nothing was asked yet");
        let known = configured(&client).await.unwrap();
        let own = || "global-default".to_owned();
        assert_eq!(known.ours(&meter), Some((own(), own())));
        let me = ("demo-operator".to_owned(), vec!["ops".to_owned()]);
        let ask = |text: &str| asked(&client, &meter, read(text).unwrap(), &me);
        let page = ask("me list pods").await.unwrap().text();
        assert!(page.starts_with("schema global-default catches it: level global-default"));
        assert!(page.contains("By the headers of the server's last answer to us"), "{page}");
        assert!(page.contains("groups ops, system:authenticated"), "{page}");
        let other = ask("jane list pods").await.unwrap().text();
        assert!(!other.contains("By the headers"), "{other}");
        // Whatever a client is called, it is one user and not oneself.
        for name in ["me", "Jane Doe", "x -g system:masters"] {
            let what = of_path("/api/v1/pods");
            let of = Asked { user: name.into(), verb: "list".into(), what, ..Asked::default() };
            let question = Question { asked: of, ..Question::default() };
            let page = asked(&client, &meter, question, &me).await.unwrap().text();
            assert!(
                page.contains(&format!("user {name}, groups system:authenticated\n")),
                "{page}"
            );
            assert!(!page.contains("By the headers"), "{page}");
        }
    }
}
