//! Columns that every table has.

use crate::column;
use crate::state::cell::{Cell, Role, Sort, Value};
use crate::state::decl::{Column, Word};
use crate::state::health::Coverage;
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

/// Labels as kubectl writes them: `k=v,k=v`.
pub const LABELS: Column = column!("labels" "LABELS" Left 80 0,
    |r, _| Value::text(r.set(r.table.spec.labels).collect::<Vec<_>>().join(",")).into(),
    |_| Sort::Absent);

/// Addresses sort by number.
pub fn ip_sort<'a>(r: Row<'a>, word: Word) -> Sort<'a> {
    match r.ip(word).parse::<std::net::Ipv4Addr>() {
        Ok(ip) => Sort::Int(i64::from(u32::from(ip))),
        Err(_) => Sort::Absent,
    }
}

/// A value summed over pods, as far as the pods feed covers the cluster: unknown without one, dim while its list is
/// arriving, old, or limited to some namespaces.
pub fn of_pods<'a>(r: Row<'a>, value: Value<'a>, role: Role) -> Cell<'a> {
    match r.store.coverage("pods") {
        Coverage::Exact => value.role(role),
        Coverage::Partial => value.role(Role::Dim),
        Coverage::None => Value::Unknown("pods are not readable").into(),
    }
}

/// A column that shows and sorts by one text word: `text_column!("os_image" "OS IMAGE" 36 OS)`.
macro_rules! text_column {
    ($id:literal $title:literal $max:literal $word:ident) => {
        column!($id $title Left $max $word.bit(),
            |r, _| Value::text(r.text($word)).into(), |r| Sort::Text(r.text($word), ""))
    };
}
pub(super) use text_column;
