//! Events: what was said of an object and why, how often, and when last. One row stands for all events that give one
//! reason about one object; the store gathers them (`store/events.rs`).
//!
//! Read as core/v1, which shows everything that `events.k8s.io` does (`core/v1/types.go`, v0.37).

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::{Draft, Key, RawRow, Text};
use crate::state::row::Row;
use crate::state::rules::occurrence::Times;
use crate::state::time::Epoch;
use crate::state::timeline::{Class, Deed, Sighting, Sum};
use crate::{column, paths, words};
use std::borrow::Cow;

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// `involvedObject.kind`.
    KIND = Sym;
    /// `reason`; of an action its id.
    REASON = Sym;
    /// `Normal`, `Warning`, whatever comes; [`YOU`] of an action.
    TYPE = Sym;
    /// `source.component`, else `reportingComponent`.
    SOURCE = Sym;
    /// `source.host`.
    HOST = Sym;
    /// `involvedObject.apiVersion`.
    API = Sym;
    /// `message`.
    MESSAGE = Loose;
    /// First occurrence known.
    FIRST = Time;
    /// Last occurrence.
    LAST = Time;
    /// Occurrences.
    COUNT = Num;
    /// Event objects summed up.
    EVENTS = Num;
    /// When the newest arrived, for ties.
    ARRIVAL = Num;
    /// 1 if it is an action of the operator.
    OWN = Num;
    /// `involvedObject.uid` as a number in two halves; 0 if it is no UUID.
    UID_HIGH = Wide;
    /// See [`UID_HIGH`].
    UID_LOW = Wide;
}

/// The type of the operator's own actions.
pub const YOU: &str = "You";

/// Bytes kept of a message. `events.k8s.io` allows 1,024; core/v1 allows anything.
const LONGEST: usize = 1024;

paths! { PATHS:
    P_KIND = Text [2, 1] "involvedObject.kind";
    P_NAMESPACE = Text [2, 2] "involvedObject.namespace";
    P_NAME = Text [2, 3] "involvedObject.name";
    P_UID = Text [2, 4] "involvedObject.uid";
    P_API = Text [2, 5] "involvedObject.apiVersion";
    P_REASON = Text [3] "reason";
    P_MESSAGE = Text [4] "message";
    P_COMPONENT = Text [5, 1] "source.component";
    P_HOST = Text [5, 2] "source.host";
    P_FIRST = Time [6] "firstTimestamp";
    P_LAST = Time [7] "lastTimestamp";
    P_COUNT = Int [8] "count";
    P_TYPE = Text [9] "type";
    P_EVENT = Time [10] "eventTime";
    P_SERIES_COUNT = Int [11, 1] "series.count";
    P_SERIES_LAST = Time [11, 2] "series.lastObservedTime";
    P_REPORTER = Text [14] "reportingComponent";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_KIND, Hit::Text(t)) => d.put(KIND, t),
        (P_API, Hit::Text(t)) => d.put(API, t),
        (P_REASON, Hit::Text(t)) => d.put(REASON, t),
        (P_MESSAGE, Hit::Text(t)) => d.put(MESSAGE, cut(t)),
        (P_TYPE, Hit::Text(t)) => d.put(TYPE, t),
        (P_HOST, Hit::Text(t)) => d.put(HOST, t),
        (P_COMPONENT, Hit::Text(t)) => d.put(SOURCE, t),
        (P_UID, Hit::Text(t)) => put_uid(d, t),
        (P_NAMESPACE, Hit::Text(t)) => d.note(0, t),
        (P_NAME, Hit::Text(t)) => d.note(1, t),
        (P_REPORTER, Hit::Text(t)) => d.note(2, t),
        (P_FIRST | P_LAST | P_EVENT | P_SERIES_LAST, Hit::Time(Epoch(n)))
        | (P_COUNT | P_SERIES_COUNT, Hit::Int(n)) => {
            let slot = [P_SERIES_LAST, P_LAST, P_EVENT, P_FIRST, P_SERIES_COUNT, P_COUNT];
            let slot = slot.iter().position(|p| *p == path).unwrap_or_default();
            d.item().num[slot] = n;
        }
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let item = d.item().clone();
    let [series, last, event, first] = [0, 1, 2, 3].map(|i| Epoch(item.num[i]));
    let (series_count, count) = (item.num[4], item.num[5]);
    let created = d.head.created;
    let times = Times { series, last, event, first, created, series_count, count };
    d.set(LAST, times.last().0);
    d.set(FIRST, times.first().0);
    d.set(COUNT, times.count());
    if d.word(SOURCE).is_empty() {
        d.point(SOURCE, item.txt[2]);
    }
    stand_for(d, item.txt[0], item.txt[1]);
}

/// The row has the name and the namespace of the object it is about: an event's own name says nothing, and stays unique
/// for ever. Who has no uid is told apart by it before it goes.
fn stand_for(d: &mut Draft, namespace: Text, name: Text) {
    if d.head.uid.is_empty() {
        d.head.uid = d.head.name;
    }
    if !name.is_empty() {
        (d.head.namespace, d.head.name) = (namespace, name);
    }
}

/// A text cut to what is kept of a message, between two characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn put_uid(d: &mut Draft, uid: &str) {
    let Key(bytes, known) = Key::of(uid, "", "");
    if known {
        let [high, low] = [0, 8]
            .map(|from| bytes[from..from + 8].iter().fold(0i64, |n, b| (n << 8) | i64::from(*b)));
        d.set(UID_HIGH, high);
        d.set(UID_LOW, low);
    }
}

/// A deed of the operator's as an event of its own.
pub fn of_deed(d: &mut Draft, deed: &Deed) {
    d.reset(&TABLE, 0);
    // Also told where the terminal has no room for the type.
    let words = format!("you: {}", deed.words);
    d.head.uid = d.keep(&deed.id);
    d.head.namespace = d.keep(&deed.namespace);
    d.head.name = d.keep(&deed.name);
    d.head.created = deed.at;
    for (word, text) in [
        (KIND, deed.kind.as_str()),
        (REASON, deed.action.as_str()),
        (TYPE, YOU),
        (SOURCE, deed.by.as_str()),
        (MESSAGE, cut(&words)),
    ] {
        d.put(word, text);
    }
    for (word, n) in [(FIRST, deed.at.0), (LAST, deed.at.0), (COUNT, 1), (OWN, 1)] {
        d.set(word, n);
    }
}

/// What a row in flight says, for the ring.
pub fn sighting(row: &RawRow<'_>) -> Sighting {
    let text = |word| std::str::from_utf8(row.bytes(word)).unwrap_or_default();
    let small = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let class = match (row.num(OWN), text(TYPE)) {
        (0, "Normal") => Class::Normal,
        (0, _) => Class::Notable,
        _ => Class::Own,
    };
    let what = [text(KIND), "\n", text(REASON)].concat();
    let thing = match class {
        // Each action stands for itself.
        Class::Own => row.key(),
        _ => Key::of(&what, row.text(row.head.namespace), row.text(row.head.name)),
    };
    Sighting {
        event: row.key(),
        thing,
        first: small(row.num(FIRST)),
        last: small(row.num(LAST)),
        count: small(row.num(COUNT)),
        class,
    }
}

/// Writes what is known of a thing into its row's words.
pub fn put_sum(words: &mut [u32], sum: &Sum) {
    for (word, n) in [
        (FIRST, sum.first),
        (LAST, sum.last),
        (COUNT, sum.count),
        (EVENTS, sum.events),
        (ARRIVAL, sum.arrival),
    ] {
        words[usize::from(word.at)] = n;
    }
}

/// The uid of the object a row is about, where the event tells it.
pub fn subject_key(row: Row<'_>) -> Key {
    let (high, low) = (row.num(UID_HIGH) as u64, row.num(UID_LOW) as u64);
    match (high, low) {
        (0, 0) => Key::of("", row.namespace(), &row.name()),
        _ => Key(((u128::from(high) << 64) | u128::from(low)).to_be_bytes(), true),
    }
}

/// The order of time: the last occurrence, then the order of arrival, which repeats after 2^31 events.
fn moment(r: Row<'_>) -> i64 {
    (r.num(LAST) << 31) | (r.num(ARRIVAL) & 0x7fff_ffff)
}

/// Occurrences an hour between the first and the last, but over five minutes at least: three at once are no thousands an
/// hour. None for what happened once.
fn per_hour(r: Row<'_>) -> Option<i64> {
    let (count, span) = (r.num(COUNT), (r.num(LAST) - r.num(FIRST)).max(300));
    (count > 1).then(|| ((count - 1) * 3600 + span / 2) / span)
}

fn weight(r: Row<'_>) -> Role {
    match r.text(TYPE) {
        "Normal" => Role::Plain,
        YOU => Role::Accent,
        _ => Role::Warn,
    }
}

fn source<'a>(r: Row<'a>) -> Cow<'a, str> {
    match (r.text(SOURCE), r.text(HOST)) {
        (source, "") | ("", source) => Cow::Borrowed(source),
        (source, host) => Cow::Owned(format!("{source} {host}")),
    }
}

static COLUMNS: &[Column] = &[
    column!("age" "LAST" Right 8 LAST.bit() | ARRIVAL.bit(),
        |r, _| Value::time(r.time(LAST)).into(), |r| Sort::Int(-moment(r))),
    column!("type" "TYPE" Left 10 TYPE.bit(),
        |r, _| Value::text(r.text(TYPE)).role(weight(r)), |r| Sort::Text(r.text(TYPE), "")),
    column!("reason" "REASON" Left 26 REASON.bit() | TYPE.bit(),
        |r, _| Value::text(r.text(REASON)).role(weight(r)), |r| Sort::Text(r.text(REASON), "")),
    common::NAMESPACE,
    column!("object" "OBJECT" Left 42 KIND.bit(),
        |r, _| Value::text(format!("{}/{}", r.text(KIND), r.name())).into(),
        |r| Sort::Text(r.text(KIND), "")),
    column!("count" "COUNT" Right 7 COUNT.bit(),
        |r, _| Value::Int(r.num(COUNT)).into(), |r| Sort::Int(r.num(COUNT))),
    column!("per_hour" "PER HOUR" Right 8 COUNT.bit() | FIRST.bit() | LAST.bit(),
        |r, _| per_hour(r).map_or(Value::Absent, Value::Int).into(),
        |r| per_hour(r).map_or(Sort::Absent, Sort::Int)),
    column!("last_hour" "LAST HOUR" Left 12 REASON.bit() | COUNT.bit(),
        |r, now| match r.num(OWN) {
            0 => Value::Bars(r.store.timeline().hours.bars(r.sym(REASON), now.0)).into(),
            _ => Value::Absent.into(),
        },
        |_| Sort::Absent),
    column!("source" "SOURCE" Left 40 SOURCE.bit() | HOST.bit(),
        |r, _| Value::text(source(r)).into(), |r| Sort::Text(r.text(SOURCE), r.text(HOST))),
    column!("first" "FIRST" Right 8 FIRST.bit(),
        |r, _| Value::time(r.time(FIRST)).into(), |r| Sort::Int(-r.num(FIRST))),
    column!("events" "EVENTS" Right 6 EVENTS.bit(),
        |r, _| Value::Int(r.num(EVENTS)).into(), |r| Sort::Int(r.num(EVENTS))),
    text_column!("kind" "KIND" 30 KIND),
    common::NAME,
    column!("uid" "UID" Left 36 UID_HIGH.bit() | UID_LOW.bit(),
        |r, _| subject_key(r).uid().map_or(Value::Absent, Value::text).into(), |_| Sort::Absent),
    common::LABELS,
    column!("message" "MESSAGE" Left 1000 MESSAGE.bit(),
        |r, _| Value::text(r.text(MESSAGE).trim()).into(), |r| Sort::Text(r.text(MESSAGE), "")),
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "events",
    kinds: &[Kind {
        gvk: Gvk { group: "", version: "v1", kind: "Event", plural: "events", namespaced: true },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
