//! Logs of the run before, by kubectl in the lent terminal.

use super::logs::pod_logs;
use super::{Action, ActionSpec, Ask, Offer, Order};

/// Shows the logs of the containers' last finished run.
pub struct PreviousLogs;

impl Action for PreviousLogs {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "previous-logs",
            word: "previous",
            help: "logs of the run before the last restart, by kubectl",
            tables: &["pods"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.map_or(0, |row| row.num(crate::state::kinds::pods::RESTARTS)) {
            0 => Offer::No("no container of this pod has restarted".into()),
            _ => Offer::Yes,
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(pod_logs(ask, &["--previous", "--tail=2000"]))
    }
}
