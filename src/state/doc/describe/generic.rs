//! The page of a kind without a page of its own: what the object says beside its metadata, as folded YAML.

use super::page::Page;
use crate::state::cell::Role;
use crate::state::doc::Line;
use crate::state::doc::yaml::{self, Folds};
use crate::state::time::Epoch;
use serde_json::Value;

pub(super) fn write(page: &mut Page, object: &Value, _now: Epoch) {
    let mut rest = object.clone();
    yaml::fold(&mut rest, Folds::default());
    let Some(map) = rest.as_object_mut() else { return };
    for known in ["apiVersion", "kind", "metadata"] {
        map.shift_remove(known);
    }
    if let Some(status) = map.get_mut("status").and_then(Value::as_object_mut) {
        // They have a table of their own.
        status.shift_remove("conditions");
    }
    map.retain(|_, value| value.as_object().is_none_or(|m| !m.is_empty()));
    if !map.is_empty() {
        page.lines.push(Line::of(Role::Plain, ""));
        page.lines.extend(yaml::lines(&yaml::print(&rest), |_| None));
    }
}
