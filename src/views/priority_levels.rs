//! Priority levels: who gets how many seats at the API server, what waits, what is turned away.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::priority_levels::{self, STATE, WAITING};
use crate::state::row::Row;
use crate::state::series::is_heard;

/// The view.
pub static VIEW: TableView = TableView {
    id: "levels",
    aliases: &["prioritylevelconfigurations", "prioritylevels", "plc", "apf", "fairness"],
    table: "prioritylevelconfigurations",
    also: &[],
    columns: &[
        "state",
        "name",
        "shares",
        "nominal",
        "current",
        "taken",
        "executing",
        "waiting",
        "queue_fill",
        "dispatched_rate",
        "rejected_rate",
        "timed_out_rate",
        "wait_p50",
        "wait_p99",
        "trend",
        "verdict",
    ],
    wide: &[
        "kind",
        "borrowed",
        "lent",
        "dispatched",
        "rejected",
        "timed_out",
        "lendable",
        "borrowing_limit",
        "queues",
        "window",
        "read",
        "age",
    ],
    narrow: &[
        "uid",
        "labels",
        "age",
        "read",
        "window",
        "queues",
        "borrowing_limit",
        "lendable",
        "timed_out",
        "rejected",
        "dispatched",
        "kind",
        "lent",
        "borrowed",
        "trend",
        "verdict",
        "wait_p50",
        "timed_out_rate",
        "dispatched_rate",
        "queue_fill",
        "shares",
        "wait_p99",
        "nominal",
        "executing",
    ],
    sort: ("state", false),
    enter: ("who is there", enter),
    summary,
    detail: priority_levels::detail,
    help: "The API server's priority and fairness: every level with its seats (NOMINAL by its shares, SEATS now, after lending and \
           borrowing, TAKEN by what executes), what waits, how full its queues are, and what it lets through and turns away a \
           second. Numbers are one server's metrics, every 15 s while this view is open; whose requests they are comes from the \
           debug dump, which holds the dispatcher's lock: it is taken when the view opens, when you ask (look-again), when \
           another level begins to queue, and once a minute while any does, every 10 s at most, and its age is told. Rates are of \
           the last minute or so: until there are two scrapes there are none, unless the server has just begun. WAIT is of what was \
           let through. Without the right to the dumps the metrics alone serve. Enter: the flows of a level; queues, requests and \
           flowschemas are views of their own; `limits` changes shares with the seats worked out before. Headless: wheelhouse apf levels.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    Some(Jump::filtered("flows", &format!("level:={}", row.name())))
}

fn summary(state: &State) -> Vec<Part> {
    let rows = || state.store.rows(VIEW.table);
    let of = |word: &'static str| rows().filter(|r| r.text(STATE) == word).count() as i64;
    let waiting: i64 = rows().map(|r| (r.num(WAITING) - 1).max(0)).sum();
    let link = |filter: &str| Some(Jump::filtered(VIEW.id, filter));
    let mut parts = vec![
        Part::count(of("rejecting"), "rejecting", Role::Bad, link("state:=rejecting")),
        Part::count(of("queueing"), "queueing", Role::Warn, link("state:=queueing")),
        Part::count(of("full"), "full", Role::Warn, link("state:=full")),
        Part::count(
            waiting,
            "requests wait",
            Role::Warn,
            Some(Jump::filtered("requests", "state:=waiting")),
        ),
        Part { link: Some(Jump::filtered("flowschemas", "")), ..Part::say("schemas") },
    ];
    // What was read once is no news of now.
    let is_told = state.store.table_index(VIEW.table).is_some_and(|t| is_heard(&state.store, t));
    if is_told && rows().next().is_some() && !rows().any(priority_levels::is_short) {
        parts.insert(0, Part { role: Role::Ok, ..Part::say("nobody waits for a seat") });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fairness::board::{Sources, lines};
    use crate::state::fairness::seats::Level;
    use crate::state::health::Health;
    use crate::state::kinds::testing::{NOW, store};
    use crate::state::parcel::{Draft, Parcel};

    #[test]
    fn what_was_read_before_the_server_fell_silent_calms_nobody() {
        let mut state = State { store: store(), ..State::default() };
        let table = state.store.table_index(VIEW.table).unwrap();
        let feed = state.store.feeds.iter().find(|f| f.table == table).unwrap().id;
        let levels = [Level { name: "system".into(), ..Level::default() }];
        let line = &lines(&Sources { levels: &levels, ..Sources::default() })[0];
        let (mut draft, spec) = (Draft::default(), &priority_levels::TABLE);
        draft.reset(spec, 0);
        priority_levels::fill(&mut draft, line, 0, NOW, [0; 12]);
        draft.finish(&spec.kinds[0]);
        let mut parcel = Parcel::new(feed, 0, spec);
        parcel.push(&draft, spec);
        state.store.apply(&parcel);
        let calms = |state: &State| summary(state).iter().any(|p| p.text.starts_with("nobody"));
        assert!(calms(&state));
        state.store.set_health(feed, Health::Stale(NOW));
        assert!(!calms(&state));
    }
}
