//! What the API server and etcd say about themselves: rows of a scrape, not of a watch.

use super::common;
use super::measured::{self, bars, order, present, put, quantile, time};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::metrics::apiserver::Measured;
use crate::state::metrics::apiserver::limits::Verdict;
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::time::Epoch;
use crate::{column, words};

words! { WORDS:
    /// Labels: the section.
    LABELS = Set;
    /// The part of the board.
    SECTION = Sym;
    /// Its place on the board.
    PLACE = Num;
    /// Thousandths a second and one; 0 is absent. So are the others.
    RATE = Wide;
    /// Thousandths a second and one.
    ERRORS = Wide;
    /// A time as `measured::quantile` writes it.
    P50 = Wide;
    /// A time as `measured::quantile` writes it.
    P99 = Wide;
    /// Observations and one.
    SEEN = Wide;
    /// How many, and one.
    NOW = Wide;
    /// Bytes and one.
    BYTES = Wide;
    /// One word.
    VERDICT = Sym;
    /// What there is to say.
    WHY = Loose;
    /// The metric.
    SOURCE = Sym;
    /// Twelve heights of four bits.
    TREND = Wide;
    /// Seconds the rates are over.
    WINDOW = Num;
    /// When it was measured.
    AT = Time;
}

/// The name of the row that tells which server answered and what the scrape cost.
pub const SCRAPE: &str = "this scrape";

/// Absent is no news; what is slow or full stands out.
fn role(r: Row<'_>) -> Role {
    match r.text(VERDICT) {
        "bad" => Role::Bad,
        "warn" => Role::Warn,
        _ => Role::Plain,
    }
}

static COLUMNS: &[Column] = &[
    column!("section" "SECTION" Left 12 SECTION.bit() | PLACE.bit(),
        |r, _| Value::text(r.text(SECTION)).role(Role::Dim), |r| Sort::Int(r.num(PLACE))),
    common::NAME,
    column!("rate" "RATE" Right 10 RATE.bit(),
        |r, _| present(r, RATE, Value::PerSecond).into(), |r| order(r, RATE)),
    column!("errors" "ERR/S" Right 9 ERRORS.bit(),
        |r, _| match r.num(ERRORS) {
            ..=1 => present(r, ERRORS, Value::PerSecond).into(),
            n => Value::PerSecond(n - 1).role(Role::Warn),
        },
        |r| order(r, ERRORS)),
    column!("p50" "P50" Right 8 P50.bit(), |r, _| time(r, P50).into(), |r| order(r, P50)),
    column!("p99" "P99" Right 8 P99.bit() | VERDICT.bit(),
        |r, _| time(r, P99).role(role(r)), |r| order(r, P99)),
    column!("seen" "SEEN" Right 10 SEEN.bit(),
        |r, _| present(r, SEEN, Value::Int).role(Role::Dim), |r| order(r, SEEN)),
    column!("now" "NOW" Right 11 NOW.bit(),
        |r, _| present(r, NOW, Value::Int).into(), |r| order(r, NOW)),
    column!("bytes" "BYTES" Right 8 BYTES.bit(),
        |r, _| present(r, BYTES, Value::Bytes).into(), |r| order(r, BYTES)),
    column!("trend" "TREND" Left 12 TREND.bit(),
        |r, _| bars(r, TREND).role(Role::Dim), |r| order(r, RATE)),
    column!("verdict" "VERDICT" Left 8 VERDICT.bit(),
        |r, _| Value::text(r.text(VERDICT)).role(role(r)),
        |r| Sort::Int(match r.text(VERDICT) { "bad" => 0, "warn" => 1, "ok" => 2, _ => 3 })),
    column!("why" "WHAT THERE IS TO SAY" Left 240 WHY.bit() | VERDICT.bit(),
        |r, _| Value::text(r.text(WHY)).role(if role(r) == Role::Plain { Role::Dim } else { role(r) }),
        |r| Sort::Text(r.text(WHY), "")),
    column!("source" "METRIC" Left 48 SOURCE.bit(),
        |r, _| Value::text(r.text(SOURCE)).role(Role::Dim), |r| Sort::Text(r.text(SOURCE), "")),
    column!("window" "OVER" Right 8 WINDOW.bit(),
        |r, _| match r.num(WINDOW) {
            0 => Value::Absent.into(),
            n => Value::Micros(n * 1_000_000).role(Role::Dim),
        },
        |r| order(r, WINDOW)),
    column!("age" "AGE" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).into(), |r| Sort::Int(r.time(AT).0)),
    common::LABELS,
    common::UID,
];

/// Writes a row into a draft; its place, when it was measured, and the trend as heights below sixteen. Its age is that of the
/// measurement.
pub fn fill(draft: &mut Draft, row: &Measured, place: usize, at: Epoch, trend: [u32; 12]) {
    draft.set(AT, at.0);
    draft.head.name = draft.keep(&row.name);
    draft.head.uid = draft.keep(&format!("{}/{}", row.section.word(), row.name));
    draft.put(SECTION, row.section.word());
    draft.set(PLACE, place as i64);
    put(draft, RATE, row.rate, 1e3);
    put(draft, ERRORS, row.errors, 1e3);
    quantile(draft, P50, row.p50);
    quantile(draft, P99, row.p99);
    put(draft, SEEN, row.seen, 1.0);
    put(draft, NOW, row.now, 1.0);
    put(draft, BYTES, row.bytes, 1.0);
    draft.put(
        VERDICT,
        match row.verdict {
            Verdict::None => "",
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad",
        },
    );
    draft.put(WHY, &row.why);
    draft.put(SOURCE, row.source);
    measured::trend(draft, TREND, trend);
    if let Some(window) = row.window {
        draft.set(WINDOW, window.round().clamp(1.0, 4e9) as i64);
    }
    draft.pair(LABELS, "section", row.section.word());
}

/// What the last line says of a row: all of its words, and where they come from.
pub fn detail(row: Row<'_>) -> Option<String> {
    let (why, source) = (row.text(WHY), row.text(SOURCE));
    Some(if why.is_empty() { source.to_owned() } else { why.to_owned() }).filter(|w| !w.is_empty())
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "apiserver",
    kinds: &[Kind {
        gvk: Gvk::measured("metrics"),
        paths: &[],
        fold: |_, _, _| {},
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
