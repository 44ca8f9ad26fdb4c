//! Who an object is: the part every page begins with.

use super::page::{
    Page, ago, cut, entries, int, items, join, pairs, scalar, str_at, time, when, when_so, yes,
};
use crate::state::cell::Role;
use crate::state::doc::yaml::LAST_APPLIED;
use crate::state::time::Epoch;
use serde_json::Value;

/// Characters of an annotation that are shown.
const ANNOTATION: usize = 100;

pub(super) fn write(page: &mut Page, object: &Value, now: Epoch) {
    page.field("Name", str_at(object, "/metadata/name"));
    page.field("Namespace", str_at(object, "/metadata/namespace"));
    page.field("Kind", join([str_at(object, "/kind"), str_at(object, "/apiVersion")]));
    page.field("Created", when(time(object, "/metadata/creationTimestamp"), now));
    deletion(page, object, now);
    page.list("Owner", items(object, "/metadata/ownerReferences").iter().map(owner));
    page.list("Finalizers", items(object, "/metadata/finalizers").iter().map(scalar));
    page.field("UID", str_at(object, "/metadata/uid"));
    page.list("Labels", pairs(object, "/metadata/labels"));
    // What was applied last is the whole object once more, in a Secret with its values.
    let annotations = entries(object, "/metadata/annotations").filter(|(k, _)| *k != LAST_APPLIED);
    page.list(
        "Annotations",
        annotations.map(|(k, v)| format!("{k}: {}", cut(&scalar(v), ANNOTATION))),
    );
}

/// `deletionTimestamp` is the end of the grace period; the request came that much earlier.
fn deletion(page: &mut Page, object: &Value, now: Epoch) {
    let end = time(object, "/metadata/deletionTimestamp");
    if end.is_set() {
        let grace = int(object, "/metadata/deletionGracePeriodSeconds");
        let asked = ago(Epoch(end.0 - grace), now);
        let over = if end > now { "ends" } else { "ended" };
        let text = format!("asked {asked}, grace of {grace}s {over} {}", ago(end, now));
        page.field_as("Being deleted", Role::Warn, text);
    }
}

fn owner(owner: &Value) -> String {
    let controller = when_so(yes(owner, "/controller"), " (controller)");
    format!("{}/{}{controller}", str_at(owner, "/kind"), str_at(owner, "/name"))
}
