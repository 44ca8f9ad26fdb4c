//! Certificate signing requests: who asks whom for what, and whether it may be approved.

use super::spec::{self, Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::{Role, grouped};
use crate::state::health::Coverage;
use crate::state::intern::Sym;
use crate::state::kinds::certificate_requests::{IN_ALL, WHY, sum};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "certificatesigningrequests",
    aliases: &["csr", "csrs", "certificatesigningrequest", "certificates"],
    table: "certificatesigningrequests",
    also: &["nodes", "services", "clusterrolebindings"],
    columns: &[
        "name",
        "age",
        "signer",
        "requester",
        "subject",
        "names",
        "condition",
        "verdict",
        "why",
    ],
    wide: &[
        "duration",
        "key",
        "signature",
        "usages",
        "groups",
        "superseded_by",
        "expires",
        "labels",
    ],
    narrow: &[
        "labels",
        "expires",
        "superseded_by",
        "groups",
        "usages",
        "signature",
        "key",
        "duration",
        "names",
        "requester",
        "why",
        "signer",
        "condition",
        "subject",
        "age",
    ],
    sort: ("verdict", false),
    enter: ("proofs", spec::describe),
    summary,
    detail,
    help: "green: every rule found a proof. amber: something could not be checked, or a person must vouch. RED: \
           something contradicts the request. Only requests that nobody decided have a verdict. Of several requests \
           of one node the newest counts; the older ones are superseded and can be denied together. Nothing takes an \
           issued certificate back: look at the proofs before you approve what is not green.",
};

fn summary(state: &State) -> Vec<Part> {
    if state.store.coverage("certificatesigningrequests") == Coverage::None {
        return vec![];
    }
    let n = state.store.sums(IN_ALL, Sym::NONE);
    let link = |filter: &str| Some(Jump::filtered("certificatesigningrequests", filter));
    let what = format!("{} certificate requests:", grouped(n[sum::ALL]));
    vec![
        Part::say(what),
        Part::count(n[sum::OPEN], "pending", Role::Plain, link("condition:pending")),
        Part::count(n[sum::GREEN], "green", Role::Ok, link("verdict:green")),
        Part::count(n[sum::AMBER], "amber", Role::Warn, link("verdict:amber")),
        Part::count(n[sum::RED], "red", Role::Bad, link("verdict:red")),
        Part::count(n[sum::SUPERSEDED], "superseded", Role::Plain, link("superseded_by:/../")),
    ]
}

fn detail(row: Row<'_>) -> Option<String> {
    let why = row.text(WHY);
    (!why.is_empty()).then(|| why.to_owned())
}
