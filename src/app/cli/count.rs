//! `wheelhouse print VIEW --count`: how many there are, by lists of one.

use super::format::{Format, json_text};
use super::{Failure, exit};
use crate::app::cluster::count::{Counts, by_namespace, total};
use crate::app::connect::Connection;
use crate::state::cell::grouped;
use crate::state::decl::Gvk;
use crate::state::text::clean;
use crate::views::spec::TableView;
use serde_json::{Value, json};

/// The counts of everything that fills a view, and what is missing from them.
///
/// # Errors
/// No total can be had.
pub(super) async fn count(
    connection: &Connection,
    view: &TableView,
    scope: Option<String>,
    output: Format,
) -> Result<(String, Option<Failure>), Failure> {
    let store = crate::state::store::Store::default();
    let mut all = vec![];
    let mut missing = vec![];
    for kind in store.table(view.table).spec.kinds {
        let gvk = &kind.gvk;
        let counts = counts(connection, gvk, scope.as_deref()).await.map_err(|fault| {
            Failure::failed(format!("{} were not counted: {fault}", gvk.plural))
        })?;
        missing.extend(counts.missing.as_ref().map(|why| format!("{}: {why}", gvk.plural)));
        all.push((gvk, counts));
    }
    let text = match output {
        Format::Json | Format::Yaml => {
            let list = Value::Array(all.iter().map(|(gvk, counts)| object(gvk, counts)).collect());
            json_text(&list)
        }
        _ => all.iter().map(|(gvk, counts)| lines(gvk, counts)).collect(),
    };
    let missing = (!missing.is_empty())
        .then(|| Failure { code: exit::INCOMPLETE, words: missing.join("\n") });
    Ok((text, missing))
}

async fn counts(
    connection: &Connection,
    gvk: &Gvk,
    scope: Option<&str>,
) -> Result<Counts, crate::app::cluster::session::Fault> {
    let client = &connection.client;
    if gvk.namespaced && scope.is_none() {
        return by_namespace(client, gvk.group, gvk.version, gvk.plural).await;
    }
    Ok(Counts { total: total(client, &gvk.collection(scope)).await?, ..Counts::default() })
}

fn object(gvk: &Gvk, counts: &Counts) -> Value {
    let of = |(name, count): &(String, Option<u64>)| json!({ "namespace": name, "count": count });
    json!({
        "resource": gvk.plural,
        "total": counts.total,
        "namespaces": counts.namespaces.iter().map(of).collect::<Vec<_>>(),
    })
}

fn lines(gvk: &Gvk, counts: &Counts) -> String {
    let n = |n: Option<u64>| n.map_or("?".into(), |n| grouped(n as i64));
    let head = format!("{:>11}  {}\n", n(counts.total), gvk.plural);
    let rows = counts.namespaces.iter();
    rows.fold(head, |out, (name, count)| format!("{out}{:>11}  {}\n", n(*count), clean(name)))
}
