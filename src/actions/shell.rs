//! A shell in a pod, by kubectl in the lent terminal.

use super::{Action, ActionSpec, Ask, Kubectl, Offer, Order};

/// Opens a shell in a pod.
pub struct Shell;

impl Action for Shell {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "shell",
            word: "shell",
            help: "a shell in the pod, by kubectl",
            tables: &["pods"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        if ask.cluster.read_only {
            Offer::No("read-only: a shell could change anything".into())
        } else {
            Offer::Yes
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let pod = &ask.target;
        let fixed = ["exec", "--stdin", "--tty", "--namespace", &pod.namespace, &pod.name, "--"];
        // The best shell the image has; kubectl says which container it chose.
        let shell = ["sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"];
        Some(Order::Kubectl(Kubectl {
            args: fixed.iter().chain(&shell).map(|s| (*s).to_owned()).collect(),
            target: pod.clone(),
            right: ("create", "pods/exec"),
            session: true,
        }))
    }
}
