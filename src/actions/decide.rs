//! What approving and denying certificate requests have in common: one condition, added to the object that was judged and
//! to no other.
//!
//! Kubernetes: a decision is the condition Approved or Denied, written through `/approval`; it is final, and the two
//! exclude each other (`pkg/apis/certificates/validation`, v1.36). Conditions have no merge key, so a JSON patch adds to
//! the list; it tests uid and version of the object that was judged: a request that was deleted and made again, or that
//! changed since, is refused (semantics.md §C).

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::plan::{Method, NoUid, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer, Order, Wish, pending_change};
use crate::state::kinds::certificate_requests::{IS_OPEN, TABLE};
use crate::state::row::Row;
use crate::state::rules::csr::{Asked, Standing, Verdict, World, judge};
use crate::state::store::Store;
use crate::state::ui::document::Target;
use serde_json::{Value, json};

/// The tables a verdict takes.
pub const AMONG: &[&str] =
    &["certificatesigningrequests", "nodes", "services", "clusterrolebindings"];

/// Whether a row is meant.
pub type Is = fn(Row<'_>) -> bool;

/// A decision on requests: each is judged anew, with everything it is compared with read again, before the preview.
pub struct Decide {
    /// What it says of itself.
    pub spec: &'static ActionSpec,
    /// What it takes of the rows on screen, and what it says where there are none; where it takes none by itself, it is
    /// about the request under the cursor, or those that are marked.
    pub all: Option<(Is, &'static str)>,
    /// The plan.
    pub plan: fn(&[Seen], &str, &By, &World) -> Result<Plan, String>,
}

impl Action for Decide {
    fn spec(&self) -> &'static ActionSpec {
        self.spec
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match (self.all, ask.row) {
            (Some((is, none)), _) if shown(ask, is).is_empty() => Offer::No(none.to_owned()),
            (None, Some(row)) if ask.marks() == 0 && row.num(IS_OPEN) == 0 => {
                Offer::No("it was decided already, and that is final".into())
            }
            _ => ask.may_write(),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let action = self.spec.id;
        let Some((is, _)) = self.all else { return pending_change(action, ask) };
        Some(Order::Change(Wish { action, targets: shown(ask, is), argument: String::new() }))
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Decide {
    fn argument(&self) -> Option<Argument> {
        let example = "checked with the owner reason=Checked (or nothing)";
        Some(Argument { label: "message", example })
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "approval")
    }

    /// The right to approve what a signer signs (kubernetes `plugin/pkg/admission/certificates/approval`).
    fn more_rights(&self, on: &[Seen]) -> Vec<[String; 4]> {
        let mut names: Vec<&str> = on.iter().map(|s| text(&s.object, "/spec/signerName")).collect();
        names.sort_unstable();
        names.dedup();
        let right =
            |name: &str| ["approve", "certificates.k8s.io", "signers", name].map(str::to_owned);
        names.into_iter().map(right).collect()
    }

    fn rereads(&self) -> &'static [&'static str] {
        AMONG
    }

    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String> {
        (self.plan)(on, argument, by, &World::unread())
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        (self.plan)(on, argument, by, &World::of(among))
    }
}

/// The kinds of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The signer may sign.
    Approve,
    /// It may not.
    Deny,
}

impl Decision {
    /// The condition's type and the reason where none is given.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Decision::Approve => ("Approved", "WheelhouseApprove"),
            Decision::Deny => ("Denied", "WheelhouseDeny"),
        }
    }
}

/// The step that decides a request as it was seen. `why` is the message where none was typed.
///
/// # Errors
/// [`NoUid`].
pub fn step(
    seen: &Seen,
    decision: Decision,
    argument: &str,
    why: &str,
    by: &By,
) -> Result<Step, NoUid> {
    let (kind, reason) = decision.words();
    let (typed, message) = argument_of(argument);
    let message = match message.is_empty() {
        true => format!("by {} with wheelhouse; {why}", by.login),
        false => format!("{message} (by {} with wheelhouse)", by.login),
    };
    let condition = json!({
        "type": kind, "status": "True", "reason": typed.unwrap_or(reason), "message": message,
        "lastUpdateTime": by.at,
    });
    let version = text(&seen.object, "/metadata/resourceVersion");
    let add = match (&seen.object["status"], &seen.object["status"]["conditions"]) {
        (_, Value::Array(_)) => {
            json!({"op": "add", "path": "/status/conditions/-", "value": condition})
        }
        // The real server always writes a status, others may not.
        (Value::Null, _) => {
            json!({"op": "add", "path": "/status", "value": {"conditions": [condition]}})
        }
        _ => json!({"op": "add", "path": "/status/conditions", "value": [condition]}),
    };
    let body = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "test", "path": "/spec/request", "value": text(&seen.object, "/spec/request")},
        add,
    ]);
    let target = seen.target.clone();
    let word = if decision == Decision::Approve { "approve" } else { "deny" };
    let words = format!("{word} {}", target.name);
    Step::new(words, &Write { method: Method::JsonPatch, target, sub: "approval", body }, None)
}

/// A reason, `reason=Word`, and the rest as the message.
fn argument_of(argument: &str) -> (Option<&str>, String) {
    let (reasons, words): (Vec<&str>, Vec<&str>) =
        argument.split_whitespace().partition(|word| word.starts_with("reason="));
    let reason = reasons.first().and_then(|word| word.strip_prefix("reason="));
    (reason.filter(|reason| !reason.is_empty()), words.join(" "))
}

/// Judges each request that can still be decided; the others are left out.
pub fn each<'v>(
    draft: &mut Draft<'v>,
    on: &[Seen],
    world: &World,
    mut judged: impl FnMut(&mut Draft<'v>, &Seen, Verdict),
) {
    for seen in on {
        let asked = Asked::of(&seen.object);
        match decided(&asked) {
            Some(why) => draft.skip(format!("{} {why}", seen.target.name)),
            None => judged(draft, seen, judge(&asked, world)),
        }
    }
}

/// Why a request cannot be decided any more.
fn decided(asked: &Asked) -> Option<&'static str> {
    match asked.standing {
        Standing::Pending => None,
        Standing::Approved => Some("is approved already"),
        Standing::Denied => Some("is denied already"),
        Standing::Failed => Some("has failed already"),
    }
}

fn shown(ask: &Ask<'_>, is: fn(Row<'_>) -> bool) -> Vec<Target> {
    let (Some(table), Some(row)) = (ask.table, ask.row) else { return vec![] };
    let store = row.store;
    if store.table_at(table.table).spec.id != TABLE.id {
        return vec![];
    }
    let rows = table.lens.rows().iter().map(|&slot| store.row(table.table, slot));
    rows.filter(|row| is(*row)).map(super::target).collect()
}
