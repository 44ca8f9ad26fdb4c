//! PodDisruptionBudgets: which evictions would be refused right now.

use super::spec::{self, Part, TableView};
use crate::state::State;
use crate::state::cell::grouped;

/// The view.
pub static VIEW: TableView = TableView {
    id: "poddisruptionbudgets",
    aliases: &["pdb", "poddisruptionbudget", "budgets"],
    table: "poddisruptionbudgets",
    also: &[],
    columns: &[
        "namespace",
        "name",
        "min_available",
        "max_unavailable",
        "allowed",
        "healthy",
        "expected",
        "status",
        "age",
    ],
    wide: &["unhealthy_policy", "labels"],
    narrow: &["labels", "unhealthy_policy", "age", "expected", "max_unavailable", "min_available"],
    sort: ("namespace", false),
    enter: ("describe", spec::describe),
    summary,
    detail: spec::no_detail,
    help: "ALLOWED is how many pods of the budget may be evicted now. HEALTHY is pods that count as healthy out of \
           those the budget wants. closed: no eviction now. short: fewer healthy pods than wanted. never: as it \
           stands it can never allow one. unused: it selects no pods.",
};

fn summary(state: &State) -> Vec<Part> {
    let n = state.store.table("poddisruptionbudgets").len() as i64;
    vec![Part::say(format!("{} disruption budgets", grouped(n)))]
}
