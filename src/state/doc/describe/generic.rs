//! The page of a kind without a page of its own: what the object says beside its metadata, as YAML. Of a Secret's
//! values it gives the sizes.

use super::page::{Page, entries, plain};
use crate::state::cell::Role;
use crate::state::doc::Line;
use crate::state::doc::yaml::{self, SECRET_FIELDS};
use crate::state::time::Epoch;
use serde_json::Value;

pub(super) fn write(page: &mut Page, object: &Value, _now: Epoch) {
    let Some(mut rest) = object.as_object().cloned() else { return };
    for known in ["apiVersion", "kind", "metadata"] {
        rest.shift_remove(known);
    }
    if yaml::is_secret(object) {
        rest.retain(|field, _| !SECRET_FIELDS.contains(&field.as_str()));
        sizes(page, object);
    }
    if let Some(status) = rest.get_mut("status").and_then(Value::as_object_mut) {
        // They have a table of their own.
        status.shift_remove("conditions");
    }
    rest.retain(|_, value| value.as_object().is_none_or(|m| !m.is_empty()));
    if !rest.is_empty() {
        page.lines.push(Line::of(Role::Plain, ""));
        page.lines.extend(yaml::lines(&yaml::print(&Value::Object(rest)), |_| None));
    }
}

fn sizes(page: &mut Page, object: &Value) {
    let values = SECRET_FIELDS.into_iter().flat_map(|field| {
        let row = move |(key, value)| [plain(key), plain(yaml::secret_size(value, field))];
        entries(object, &format!("/{field}")).map(row).collect::<Vec<_>>()
    });
    let values: Vec<_> = values.collect();
    if !values.is_empty() {
        page.heading("Data");
        page.indent = 2;
        page.table(["KEY", "SIZE"], &values);
        page.indent = 0;
    }
}
