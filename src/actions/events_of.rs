//! From any object to what was said of it.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::kinds::{events, subjects};
use crate::state::parcel::Key;
use crate::state::query::quoted;
use crate::state::row::Row;
use crate::state::ui::document::Target;
use crate::views::spec::Jump;

/// The events of an object.
pub struct EventsOf;

impl Action for EventsOf {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "events-of",
            word: "events",
            help: "the events of the object, by its kind and name",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        // They stand in `default` or `kube-system` (client-go `tools/record`, `makeEvent`), whatever namespace is looked at.
        match (&ask.cluster.namespace, ask.target.namespace.as_str()) {
            _ if ask.target.gvk.is_local() => {
                Offer::No("what was done from here has no events of its own".into())
            }
            (Some(ns), "") => Offer::No(format!(
                "events of objects without namespace stand in default or kube-system, and only {ns} is looked at; \
                 :ns all shows them"
            )),
            _ => Offer::Yes,
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let (target, row) = (&ask.target, ask.row);
        let own = row.filter(|row| row.table.spec.id == events::TABLE.id);
        let kind = own.map_or(target.gvk.kind, |row| row.text(events::KIND));
        Some(Order::Go(about(kind, &target.namespace, &target.name)))
    }
}

/// The events about an object. By kind and name and never by uid: kubelets write a node's name for its uid, or nothing
/// (kubernetes #138524), and a hash of the manifest for static pods.
pub fn about(kind: &str, namespace: &str, name: &str) -> Jump {
    let mut scope = format!("kind:={} name:={}", quoted(kind), quoted(name));
    let mut words = format!("of {kind} {name}");
    if !namespace.is_empty() {
        scope.push_str(&format!(" namespace:={}", quoted(namespace)));
        words = format!("of {kind} {namespace}/{name}");
    }
    Jump::about("events", words, scope)
}

/// The object that a row of events is about, if it is of a kind that can be fetched. A node is meant by its name alone.
pub fn subject(row: Row<'_>) -> Option<Target> {
    let (gvk, table) = subjects::find(row.text(events::KIND), row.text(events::API))?;
    let (namespace, name) = (row.namespace().to_owned(), row.name().into_owned());
    let key = match gvk.kind {
        "Node" => Key::of("", "", &name),
        _ => events::subject_key(row),
    };
    Some(Target { table: table.unwrap_or_default(), gvk, namespace, name, key, rv: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::query::Query;

    #[test]
    fn whatever_a_name_holds_the_scope_is_that_name() {
        for name in ["web-1", "a\"b", "x\\", "\\\"", "a b|c", "/re/"] {
            let jump = about("Pod", "shop", name);
            assert!(Query::parse(&jump.scope, &events::TABLE).is_ok(), "{}", jump.scope);
        }
    }
}
