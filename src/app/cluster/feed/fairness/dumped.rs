//! Queues, flows and requests: what only dumps tell. They are right as of their time and not taken again by themselves.

use super::{configured, several, take};
use crate::app::cluster::fairness::{Page, words};
use crate::app::cluster::feed::measured::{Fill, Look};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::fairness::board::{Queues, flow, queues_of, user};
use crate::state::fairness::dump::{Group, RequestNow, grouped};
use crate::state::kinds::{flows, queues, requests};
use crate::state::time::Epoch;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What is looked at only when asked for is not looked at by itself.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

fn once(rows: Vec<Fill>, unread: Vec<String>) -> Look {
    Look { rows, unread, next: Instant::now() + NEVER }
}

pub(super) async fn in_queues(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let taken = take(up, Page::Queues, since).await?;
    // Whose requests they are and what a queue can hold are a help, no need.
    let asked = take(up, Page::Requests, since).await;
    let levels = configured(up).await.unwrap_or_default();
    let lengths: HashMap<String, i64> =
        levels.into_iter().filter_map(|level| Some((level.name, level.queues?.1))).collect();
    let mut queues = taken.dump.queues();
    let holds = |n: Option<i64>| n.is_some_and(|n| n > 0);
    queues.retain(|q| holds(q.waiting) || holds(q.executing));
    let requests = asked.as_ref().map(|asked| asked.dump.requests()).unwrap_or_default();
    let at = taken.at;
    let rows = queues.into_iter().map(|queue| -> Fill {
        let inside = |r: &&RequestNow| r.level == queue.level && r.queue == queue.index;
        let inside: Vec<RequestNow> = requests.iter().filter(inside).cloned().collect();
        let top = grouped(&inside, user).into_iter().next().map(|g| g.name).unwrap_or_default();
        let length = lengths.get(&queue.level).copied();
        Box::new(move |draft| queues::fill(draft, &queue, length, &top, at))
    });
    let mut unread = taken.dump.doubts();
    match &asked {
        Ok(asked) => unread.extend(asked.dump.doubts()),
        Err(fault) => unread.push(words(fault)),
    }
    unread.extend(several(up, "the queues are one server's, and MOSTLY may be another's"));
    Ok(once(rows.collect(), unread))
}

/// Queues of each level, which say what an empty distinguisher means.
async fn queues(up: &Upstream) -> Queues {
    queues_of(&configured(up).await.unwrap_or_default())
}

const ONE_SERVERS: &str = "these requests are one server's";

pub(super) async fn by_flow(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let taken = take(up, Page::Requests, since).await?;
    let queues = queues(up).await;
    let requests = taken.dump.requests();
    let (all, at) = (requests.len(), taken.at);
    let of = |by: &'static str, name: &dyn Fn(&RequestNow) -> String| {
        let groups = grouped(&requests, name).into_iter();
        let one = |g: &Group| requests.iter().find(|r| name(r) == g.name).cloned();
        groups.map(|g| (by, one(&g).unwrap_or_default(), g)).collect::<Vec<_>>()
    };
    let groups = [of("user", &user), of("flow", &|r| flow(r, &queues))].concat();
    let rows = groups.into_iter().enumerate().map(|(place, (by, one, group))| -> Fill {
        Box::new(move |draft| flows::fill(draft, (by, &group), place, all, &one, at))
    });
    let unread = taken.dump.doubts().into_iter().chain(several(up, ONE_SERVERS));
    Ok(once(rows.collect(), unread.collect()))
}

pub(super) async fn each_request(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let taken = take(up, Page::Requests, since).await?;
    let queues = queues(up).await;
    let (mut requests, at) = (taken.dump.requests(), taken.at);
    requests.sort_by_key(|r| (!r.waiting, r.arrived.map_or(i64::MAX, |at: Epoch| at.0)));
    let rows = requests.into_iter().enumerate().map(|(place, request)| -> Fill {
        let flow = flow(&request, &queues);
        Box::new(move |draft| requests::fill(draft, &request, &flow, place, at))
    });
    let unread = taken.dump.doubts().into_iter().chain(several(up, ONE_SERVERS));
    Ok(once(rows.collect(), unread.collect()))
}
