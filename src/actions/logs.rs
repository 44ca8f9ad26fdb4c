//! Logs, by kubectl in the lent terminal until the cockpit has its own.

use super::{Action, ActionSpec, Ask, Kubectl, Offer, Order};

/// Follows the logs of a pod.
pub struct Logs;

impl Action for Logs {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "logs",
            word: "logs",
            help: "logs of the pod, by kubectl",
            tables: &["pods"],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(pod_logs(ask, &["--follow", "--tail=500"]))
    }
}

/// `kubectl logs` of all containers of a pod.
pub(super) fn pod_logs(ask: &Ask<'_>, more: &[&str]) -> Order {
    let pod = &ask.target;
    // By itself kubectl refuses to follow more than five containers.
    let fixed = ["logs", "--namespace", &pod.namespace, &pod.name, "--all-containers", "--prefix"];
    let all = fixed.iter().chain(&["--max-log-requests=50"]).chain(more);
    Order::Kubectl(Kubectl {
        args: all.map(|s| (*s).to_owned()).collect(),
        target: pod.clone(),
        right: ("get", "pods/log"),
        session: false,
    })
}
