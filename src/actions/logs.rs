//! Logs, by kubectl in the lent terminal until the cockpit has its own.

use super::{Action, ActionSpec, Ask, Offer, Order};

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
        Some(Order::Kubectl(pod_logs(ask, &["--follow", "--tail=500"])))
    }
}

/// Arguments of `kubectl logs` for all containers of a pod.
pub(super) fn pod_logs(ask: &Ask<'_>, more: &[&str]) -> Vec<String> {
    let pod = &ask.target;
    let fixed = ["logs", "--namespace", &pod.namespace, &pod.name, "--all-containers", "--prefix"];
    fixed.iter().chain(more).map(|s| (*s).to_owned()).collect()
}
