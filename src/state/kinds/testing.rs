//! Objects for tests of kinds: JSON walked along a kind's paths into a store. A stand-in for the decoders that is
//! short enough to be read.

use crate::state::cell::Cell;
use crate::state::decl::{Hit, META, Path, TableSpec, Ty, fold_meta};
use crate::state::health::Health;
use crate::state::kinds;
use crate::state::parcel::{Draft, Parcel};
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value as Json;

/// The time at which tests look: 2027-01-15T08:00:00Z.
pub const NOW: Epoch = Epoch(1_800_000_000);

/// Hands what stands at `paths` in `at` to `found`, as a decoder does.
fn walk(at: &Json, name: &str, paths: &[Path], found: &mut dyn FnMut(usize, Hit<'_>)) {
    let path = paths.iter().position(|p| p.json == name);
    let ty = path.map(|i| paths[i].ty);
    let mut hit = |h| found(path.expect("a type comes with its path"), h);
    match (at, ty) {
        (Json::Array(list), _) => list.iter().for_each(|one| walk(one, name, paths, found)),
        (Json::Object(map), Some(Ty::Pairs | Ty::Quantities)) => {
            map.iter().for_each(|(k, v)| hit(Hit::Pair(k, v.as_str().expect("text"))));
        }
        (Json::Object(map), _) => {
            if ty == Some(Ty::Item) {
                hit(Hit::Open);
            }
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(value, &name, paths, found);
            }
            if ty == Some(Ty::Item) {
                found(path.expect("an item has its path"), Hit::Close);
            }
        }
        (Json::String(t), Some(Ty::Time)) => hit(Hit::Time(parse_rfc3339(t).expect("a time"))),
        (Json::String(t), Some(_)) => hit(Hit::Text(t)),
        (Json::Number(n), Some(_)) => hit(Hit::Int(n.as_i64().expect("an integer"))),
        (Json::Bool(yes), Some(_)) => hit(Hit::Int(i64::from(*yes))),
        _ => {}
    }
}

/// The draft of one object of the table's `kind`.
pub fn draft(spec: &'static TableSpec, kind: u8, object: &Json) -> Draft {
    let mut d = Draft::default();
    d.reset(spec, kind);
    walk(object, "", META, &mut |i, hit| fold_meta(&mut d, i, hit, spec.labels));
    let k = &spec.kinds[usize::from(kind)];
    walk(object, "", k.paths, &mut |i, hit| (k.fold)(&mut d, i, hit));
    d.finish(k);
    d
}

/// A store with one live feed over each table.
pub fn store() -> Store {
    let mut store = Store::default();
    for table in 0..kinds::ALL.len() as u8 {
        let feed = store.open_feed(table, 0, None);
        store.set_health(feed, Health::Live(NOW));
    }
    store
}

/// Puts objects, found by their `kind`, into the store.
pub fn put(store: &mut Store, objects: &[Json]) {
    for object in objects {
        let kind = object["kind"].as_str().expect("objects name their kind");
        let (spec, index) = kinds::ALL
            .iter()
            .flat_map(|s| s.kinds.iter().enumerate().map(move |(i, k)| (*s, i, k)))
            .find_map(|(s, i, k)| (k.gvk.kind == kind).then_some((s, i as u8)))
            .expect("a declared kind");
        let table = store.table_index(spec.id).expect("a declared table");
        let feed = store.feeds.iter().find(|f| f.table == table).expect("an open feed").id;
        let mut parcel = Parcel::new(feed, 0, spec);
        parcel.push(&draft(spec, index, object), spec);
        store.apply(&parcel);
    }
}

/// A store that holds the objects.
pub fn store_of(objects: &[Json]) -> Store {
    let mut store = store();
    put(&mut store, objects);
    store
}

/// The row of that name.
pub fn row<'a>(store: &'a Store, table: &str, name: &str) -> Row<'a> {
    store.rows(table).find(|r| r.name() == name).expect("a row of that name")
}

/// The cell of a row.
pub fn cell<'a>(row: Row<'a>, column: &str) -> Cell<'a> {
    let column = row.table.spec.column(column).expect("a declared column");
    (column.cell)(row, NOW)
}

/// The words of several columns, given by their ids with blanks between, joined by ` | `.
pub fn words(row: Row<'_>, columns: &str) -> String {
    let words = |id| cell(row, id).value.words(NOW).into_owned();
    columns.split(' ').map(words).collect::<Vec<_>>().join(" | ")
}
