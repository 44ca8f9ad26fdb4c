//! From a pod to what owns it.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::kinds::pods;
use crate::views::spec::Jump;

/// From a pod to what owns it.
pub struct GoToOwner;

impl Action for GoToOwner {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "go-to-owner",
            word: "owner",
            help: "the workload that owns the pod",
            tables: &["pods"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match owner(ask) {
            Some(_) => Offer::Yes,
            None => Offer::No("nothing with a view of its own owns this pod".into()),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Go(Jump::to("workloads", &ask.target.namespace, owner(ask)?)))
    }
}

/// The workload that owns the pod. A ReplicaSet stands for its Deployment, whose name it carries with a hash.
fn owner<'a>(ask: &Ask<'a>) -> Option<&'a str> {
    let (kind, name) = ask.row?.text(pods::OWNER).split_once('/')?;
    match kind {
        "ReplicaSet" => name.rsplit_once('-').map(|(deployment, _)| deployment),
        "StatefulSet" | "DaemonSet" | "Job" => Some(name),
        _ => None,
    }
}
