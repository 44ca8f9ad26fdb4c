//! Priority levels: as they are configured, with what goes on in them. Rows are objects that can be changed; they are looked at
//! and not watched, since most of a row is measured.

use super::common::{self, text_column};
use super::measured::{self, bars, count, order, present, put, quantile, time};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::fairness::board::Line;
use crate::state::fairness::verdict::State;
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::time::{Epoch, span};
use crate::{column, words};

words! { WORDS:
    /// Labels: kind and state.
    LABELS = Set;
    /// `Limited` or `Exempt`.
    KIND = Sym;
    /// One word.
    STATE = Sym;
    /// Its place on the board.
    PLACE = Num;
    /// Shares of all seats.
    SHARES = Num;
    /// Seats by its shares.
    NOMINAL = Num;
    /// 1 if the server told them; else they are worked out.
    TOLD = Num;
    /// Seats it has now, and one; 0 is absent. So are the others.
    CURRENT = Num;
    /// Seats of others and one.
    BORROWED = Num;
    /// Seats given to others and one.
    LENT = Num;
    /// Seats taken and one.
    TAKEN = Num;
    /// Requests and one.
    EXECUTING = Num;
    /// Requests and one.
    WAITING = Num;
    /// Requests that its queues hold and one.
    ROOM = Num;
    /// Since the server began, and one.
    DISPATCHED = Wide;
    /// Since the server began, and one.
    REJECTED = Wide;
    /// Since the server began, and one.
    TIMED_OUT = Wide;
    /// Thousandths a second and one.
    DISPATCHED_RATE = Num;
    /// Thousandths a second and one.
    REJECTED_RATE = Num;
    /// Thousandths a second and one.
    TIMED_OUT_RATE = Num;
    /// A time as `measured::quantile` writes it.
    P50 = Wide;
    /// A time as `measured::quantile` writes it.
    P99 = Wide;
    /// Percent of its seats that others may have.
    LENDABLE = Num;
    /// Percent of its seats that it may have of others, and one; 0: no limit.
    BORROWING = Num;
    /// Queues and one.
    QUEUES = Num;
    /// What there is to say.
    WHY = Loose;
    /// Twelve heights of four bits: what waited and executed.
    TREND = Wide;
    /// When it was so: the time of the scrape, or of the dump where that serves.
    AT = Time;
    /// Seconds the rates are over, 0 if there are none.
    WINDOW = Num;
}

fn role(r: Row<'_>) -> Role {
    match r.text(STATE) {
        "rejecting" => Role::Bad,
        "queueing" | "full" => Role::Warn,
        "idle" | "unknown" => Role::Dim,
        _ => Role::Plain,
    }
}

/// What is refused stands out.
fn refused(r: Row<'_>, n: i64, value: Value<'static>) -> crate::state::cell::Cell<'static> {
    match n {
        0 => Value::Absent.into(),
        1 => value.role(Role::Dim),
        _ => value.role(if r.text(STATE) == "rejecting" { Role::Bad } else { Role::Plain }),
    }
}

static COLUMNS: &[Column] = &[
    column!("state" "STATE" Left 9 STATE.bit() | PLACE.bit(),
        |r, _| Value::text(r.text(STATE)).role(role(r)), |r| Sort::Int(r.num(PLACE))),
    common::NAME,
    text_column!("kind" "KIND" 8 KIND),
    column!("shares" "SHARES" Right 7 SHARES.bit(),
        |r, _| Value::Int(r.num(SHARES)).into(), |r| Sort::Int(r.num(SHARES))),
    column!("nominal" "NOMINAL" Right 8 NOMINAL.bit() | TOLD.bit(),
        |r, _| Value::Int(r.num(NOMINAL)).role(if r.num(TOLD) == 0 { Role::Dim } else { Role::Plain }),
        |r| Sort::Int(r.num(NOMINAL))),
    column!("current" "SEATS" Right 6 CURRENT.bit(),
        |r, _| present(r, CURRENT, Value::Int).into(), |r| order(r, CURRENT)),
    column!("borrowed" "BORROWED" Right 8 BORROWED.bit(),
        |r, _| present(r, BORROWED, Value::Int).into(), |r| order(r, BORROWED)),
    column!("lent" "LENT" Right 6 LENT.bit(),
        |r, _| present(r, LENT, Value::Int).into(), |r| order(r, LENT)),
    column!("taken" "TAKEN" Right 6 TAKEN.bit() | STATE.bit(),
        |r, _| present(r, TAKEN, Value::Int).role(role(r)), |r| order(r, TAKEN)),
    column!("executing" "EXEC" Right 6 EXECUTING.bit(),
        |r, _| present(r, EXECUTING, Value::Int).into(), |r| order(r, EXECUTING)),
    column!("waiting" "WAITING" Right 7 WAITING.bit() | STATE.bit(),
        |r, _| present(r, WAITING, Value::Int).role(if r.num(WAITING) > 1 { role(r) } else { Role::Dim }),
        |r| order(r, WAITING)),
    column!("queue_fill" "FILL %" Right 6 WAITING.bit() | ROOM.bit(),
    |r, _| match (r.num(WAITING), r.num(ROOM)) {
        (0, _) | (_, 0 | 1) => Value::Absent.into(),
        (waiting, room) => Value::Int(((waiting - 1) * 100 + room - 2) / (room - 1)).into(),
    },
    |r| match (r.num(WAITING), r.num(ROOM)) {
        (0, _) | (_, 0 | 1) => Sort::Absent,
        (waiting, room) => Sort::Int((waiting - 1) * 10_000 / (room - 1)),
    }),
    column!("dispatched_rate" "DISP/S" Right 9 DISPATCHED_RATE.bit(),
        |r, _| present(r, DISPATCHED_RATE, Value::PerSecond).into(), |r| order(r, DISPATCHED_RATE)),
    column!("rejected_rate" "REJ/S" Right 9 REJECTED_RATE.bit() | STATE.bit(),
        |r, _| refused(r, r.num(REJECTED_RATE), Value::PerSecond(r.num(REJECTED_RATE) - 1)), |r| order(r, REJECTED_RATE)),
    column!("timed_out_rate" "T-OUT/S" Right 9 TIMED_OUT_RATE.bit() | STATE.bit(),
        |r, _| refused(r, r.num(TIMED_OUT_RATE), Value::PerSecond(r.num(TIMED_OUT_RATE) - 1)),
        |r| order(r, TIMED_OUT_RATE)),
    column!("wait_p50" "WAIT P50" Right 8 P50.bit(), |r, _| time(r, P50).into(), |r| order(r, P50)),
    column!("wait_p99" "WAIT P99" Right 8 P99.bit(), |r, _| time(r, P99).into(), |r| order(r, P99)),
    column!("dispatched" "DISPATCHED" Right 12 DISPATCHED.bit(),
        |r, _| present(r, DISPATCHED, Value::Int).into(), |r| order(r, DISPATCHED)),
    column!("rejected" "REJECTED" Right 10 REJECTED.bit() | STATE.bit(),
        |r, _| refused(r, r.num(REJECTED), Value::Int(r.num(REJECTED) - 1)), |r| order(r, REJECTED)),
    column!("timed_out" "TIMED OUT" Right 10 TIMED_OUT.bit() | STATE.bit(),
        |r, _| refused(r, r.num(TIMED_OUT), Value::Int(r.num(TIMED_OUT) - 1)), |r| order(r, TIMED_OUT)),
    column!("lendable" "LEND %" Right 6 LENDABLE.bit(),
        |r, _| Value::Int(r.num(LENDABLE)).into(), |r| Sort::Int(r.num(LENDABLE))),
    column!("borrowing_limit" "BORROW %" Right 8 BORROWING.bit(),
        |r, _| present(r, BORROWING, Value::Int).into(), |r| order(r, BORROWING)),
    column!("queues" "QUEUES" Right 7 QUEUES.bit(),
        |r, _| present(r, QUEUES, Value::Int).into(), |r| order(r, QUEUES)),
    column!("trend" "TREND" Left 12 TREND.bit(),
        |r, _| bars(r, TREND).role(Role::Dim), |r| order(r, WAITING)),
    column!("verdict" "VERDICT" Left 240 WHY.bit() | STATE.bit(),
        |r, _| Value::text(r.text(WHY)).role(role(r)), |r| Sort::Text(r.text(WHY), "")),
    column!("window" "OVER" Right 8 WINDOW.bit(),
        |r, _| match r.num(WINDOW) {
            0 => Value::Absent.into(),
            n => Value::Text(span(n).into()).role(Role::Dim),
        },
        |r| order(r, WINDOW)),
    column!("read" "READ" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).role(Role::Dim), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Writes a line of the board into a draft: its place, when it was so, and the trend as heights below sixteen.
pub fn fill(draft: &mut Draft, line: &Line, place: usize, at: Epoch, trend: [u32; 12]) {
    draft.set(WINDOW, line.window.round().clamp(0.0, 4e9) as i64);
    let (level, now) = (&line.level, &line.now);
    draft.head.name = draft.keep(&level.name);
    draft.head.uid = draft.keep(&level.uid);
    draft.head.created = level.created;
    draft.set_version(&level.version);
    draft.put(KIND, if level.exempt { "Exempt" } else { "Limited" });
    draft.put(STATE, line.state.word());
    draft.set(PLACE, place as i64);
    draft.set(SHARES, level.shares);
    draft.set(NOMINAL, line.seats.nominal);
    draft.set(TOLD, i64::from(now.nominal.is_some()));
    let (borrowed, lent) = line.moved();
    for (word, n) in [
        (CURRENT, now.current),
        (BORROWED, borrowed),
        (LENT, lent),
        (TAKEN, now.seats_taken),
        (EXECUTING, now.executing),
        (WAITING, now.waiting),
        (ROOM, line.room()),
        (DISPATCHED, now.dispatched),
        (REJECTED, now.rejected),
        (TIMED_OUT, now.timed_out),
        (BORROWING, level.borrowing),
        (QUEUES, level.queues.map(|(queues, _)| queues)),
    ] {
        count(draft, word, n);
    }
    put(draft, DISPATCHED_RATE, line.flow.dispatched, 1e3);
    put(draft, REJECTED_RATE, line.flow.rejected, 1e3);
    put(draft, TIMED_OUT_RATE, line.flow.timed_out, 1e3);
    let waited = line.flow.waited.as_ref();
    quantile(draft, P50, waited.and_then(|w| w.quantile(0.5)));
    quantile(draft, P99, waited.and_then(|w| w.quantile(0.99)));
    draft.set(LENDABLE, level.lendable);
    draft.put(WHY, &line.verdict);
    measured::trend(draft, TREND, trend);
    draft.set(AT, at.0);
    draft.pair(LABELS, "state", line.state.word());
}

/// What the last line says of a row.
pub fn detail(row: Row<'_>) -> Option<String> {
    Some(row.text(WHY).to_owned()).filter(|words| !words.is_empty())
}

/// Whether a row is one that an operator should look at.
pub fn is_short(row: Row<'_>) -> bool {
    [State::Rejecting, State::Queueing, State::Full].iter().any(|s| s.word() == row.text(STATE))
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "prioritylevelconfigurations",
    kinds: &[Kind {
        gvk: Gvk {
            group: "flowcontrol.apiserver.k8s.io",
            version: "v1",
            kind: "PriorityLevelConfiguration",
            plural: "prioritylevelconfigurations",
            namespaced: false,
        },
        paths: &[],
        fold: |_, _, _| {},
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
