//! Columns that every table has.

use crate::column;
use crate::state::cell::{Sort, Value};
use crate::state::decl::{Column, TALLIED, Word};
use crate::state::row::Row;

/// `metadata.namespace`.
pub const NAMESPACE: Column = column!("namespace" "NAMESPACE" Left 30 0,
    |r, _| Value::text(r.namespace()).into(), |r| Sort::Text(r.namespace(), ""));

/// `metadata.name`.
pub const NAME: Column = column!("name" "NAME" Left 63 0,
    |r, _| Value::text(r.name()).into(),
    |r| { let (stem, tail) = r.name_parts(); Sort::Text(stem, tail) });

/// Age; its key is the creation time, youngest first, so that no row moves because a second passed.
pub const AGE: Column = column!("age" "AGE" Right 8 0,
    |r, _| Value::time(r.created()).into(), |r| Sort::Int(-r.created().0));

/// `metadata.uid`.
pub const UID: Column = column!("uid" "UID" Left 36 0,
    |r, _| r.key().uid().map_or(Value::Absent, Value::text).into(), |_| Sort::Absent);

/// Labels as kubectl writes them: `k=v,k=v`. Which word holds them is the table's choice, so any change counts.
pub const LABELS: Column = column!("labels" "LABELS" Left 80 !TALLIED,
    |r, _| Value::text(r.set(r.table.spec.labels).collect::<Vec<_>>().join(",")).into(),
    |_| Sort::Absent);

/// Addresses sort by number.
pub fn ip_sort<'a>(r: Row<'a>, word: Word) -> Sort<'a> {
    match r.ip(word).parse::<std::net::Ipv4Addr>() {
        Ok(ip) => Sort::Int(i64::from(u32::from(ip))),
        Err(_) => Sort::Absent,
    }
}
