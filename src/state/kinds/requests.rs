//! Requests that wait or execute at the API server now, as one server dumped them.

use super::common::{self, text_column};
use super::measured::{count, order, present};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::fairness::board;
use crate::state::fairness::catch::Asked;
use crate::state::fairness::dump::RequestNow;
use crate::state::fairness::question::{Question, of_path};
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::time::Epoch;
use crate::{column, words};

words! { WORDS:
    /// Labels: level and state.
    LABELS = Set;
    /// `waiting` or `executing`.
    STATE = Sym;
    /// Its place: what waits longest first.
    PLACE = Num;
    /// Its user, or its flow where the server tells no users.
    USER = Sym;
    /// Its verb.
    VERB = Sym;
    /// What it asks for.
    PATH = Loose;
    /// Its schema and distinguisher.
    FLOW = Sym;
    /// Its schema.
    SCHEMA = Sym;
    /// Its level.
    LEVEL = Sym;
    /// Its queue and one; 0 is absent.
    QUEUE = Num;
    /// Seats it takes or will take, and one.
    SEATS = Num;
    /// When it came.
    ARRIVED = Time;
    /// When it was dumped.
    AT = Time;
}

static COLUMNS: &[Column] = &[
    column!("state" "STATE" Left 9 STATE.bit() | PLACE.bit(),
        |r, _| Value::text(r.text(STATE)).role(if r.text(STATE) == "waiting" { Role::Warn } else { Role::Plain }),
        |r| Sort::Int(r.num(PLACE))),
    column!("arrived" "FOR" Right 6 ARRIVED.bit(),
        |r, _| Value::time(r.time(ARRIVED)).into(), |r| Sort::Int(r.time(ARRIVED).0)),
    text_column!("user" "USER" 60 USER),
    text_column!("verb" "VERB" 12 VERB),
    column!("path" "PATH" Left 200 PATH.bit(),
        |r, _| Value::text(r.text(PATH)).into(), |r| Sort::Text(r.text(PATH), "")),
    text_column!("level" "LEVEL" 40 LEVEL),
    column!("queue" "QUEUE" Right 6 QUEUE.bit(),
        |r, _| present(r, QUEUE, Value::Int).into(), |r| order(r, QUEUE)),
    column!("seats" "SEATS" Right 6 SEATS.bit(),
        |r, _| present(r, SEATS, Value::Int).into(), |r| order(r, SEATS)),
    text_column!("schema" "SCHEMA" 40 SCHEMA),
    text_column!("flow" "FLOW" 80 FLOW),
    common::NAME,
    column!("read" "READ" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).role(Role::Dim), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Writes a request into a draft: its flow, its place and when it was dumped. Requests have no names: it is called by its level and
/// place.
pub fn fill(draft: &mut Draft, request: &RequestNow, flow: &str, place: usize, at: Epoch) {
    let state = if request.waiting { "waiting" } else { "executing" };
    let name = format!("{}/{place}", request.level);
    draft.head.name = draft.keep(&name);
    draft.head.uid = draft.keep(&name);
    draft.put(STATE, state);
    draft.set(PLACE, place as i64);
    draft.put(USER, &board::user(request));
    draft.put(VERB, &request.verb);
    draft.put(PATH, &request.path);
    draft.put(FLOW, flow);
    draft.put(SCHEMA, &request.schema);
    draft.put(LEVEL, &request.level);
    count(draft, QUEUE, request.queue.filter(|queue| *queue >= 0));
    count(draft, SEATS, request.seats);
    draft.set(ARRIVED, request.arrived.map_or(0, |at| at.0));
    draft.set(AT, at.0);
    draft.pair(LABELS, "level", &request.level);
    draft.pair(LABELS, "state", state);
}

/// What a row asks for, as a question of which schema catches it; none where the server tells no details. Dumps hold no groups:
/// those of a kubelet go with its name, as the node authorizer has it (apiserver `pkg/auth/nodeidentifier`).
pub fn question(row: Row<'_>) -> Option<Question> {
    let (user, verb, path) = (row.text(USER), row.text(VERB), row.text(PATH));
    let known = !user.is_empty() && !verb.is_empty() && !path.is_empty();
    let groups = match user.starts_with("system:node:") {
        true => vec!["system:nodes".to_owned()],
        false => vec![],
    };
    let asked = || Asked { user: user.into(), groups, verb: verb.into(), what: of_path(path) };
    let put_in = Some(row.text(SCHEMA)).filter(|schema| !schema.is_empty()).map(str::to_owned);
    known.then(|| Question { asked: asked(), put_in, ..Question::default() })
}

/// What the last line says of a row.
pub fn detail(row: Row<'_>) -> Option<String> {
    Some(format!("{} {}", row.text(VERB), row.text(PATH)).trim().to_owned())
        .filter(|w| !w.is_empty())
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "requests",
    kinds: &[Kind {
        gvk: Gvk::measured("requests"),
        paths: &[],
        fold: |_, _, _| {},
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::parcel::Parcel;
    use crate::state::store::Store;

    #[test]
    fn a_row_asks_with_what_the_dump_told_and_no_word_of_it_is_read() {
        let mut store = Store::default();
        let table = store.table_index(TABLE.id).unwrap();
        let feed = store.open_feed(table, 0, None);
        let (mut parcel, mut draft) = (Parcel::new(feed, 1, &TABLE), Draft::default());
        for (place, user) in ["system:node:n1", "x -g system:masters", ""].into_iter().enumerate() {
            let request = RequestNow {
                level: "system".into(),
                schema: "system-nodes".into(),
                user: user.into(),
                verb: "get".into(),
                path: "/api/v1/namespaces/shop/pods/web".into(),
                ..RequestNow::default()
            };
            draft.reset(&TABLE, 0);
            fill(&mut draft, &request, "system-nodes", place, Epoch(0));
            draft.settle();
            parcel.push(&draft, &TABLE);
        }
        store.apply(&parcel);
        let rows = store.rows(TABLE.id);
        let asked: Vec<_> = rows.filter_map(|row| Some((question(row)?, row.num(PLACE)))).collect();
        let of = |place: i64| asked.iter().find(|(_, at)| *at == place).map(|(q, _)| q.clone());
        let kubelet = of(0).unwrap();
        assert_eq!(
            (&*kubelet.asked.user, &kubelet.asked.groups[..]),
            ("system:node:n1", &["system:nodes".to_owned()][..])
        );
        assert_eq!((kubelet.put_in.as_deref(), kubelet.is_me), (Some("system-nodes"), false));
        assert_eq!(kubelet.asked.what, of_path("/api/v1/namespaces/shop/pods/web"));
        let odd = of(1).unwrap().asked;
        assert_eq!((&*odd.user, odd.groups.len()), ("x -g system:masters", 0));
        assert!(of(2).is_none(), "nothing is known of whose it is");
    }
}
