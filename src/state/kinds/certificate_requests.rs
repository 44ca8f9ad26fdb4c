//! Certificate signing requests: who asks whom for what, decoded and judged.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::derive::{Derived, Texts};
use crate::state::intern::Sym;
use crate::state::parcel::Draft;
use crate::state::rules::csr::pkcs10::{self, Signature};
use crate::state::rules::csr::world::standing;
use crate::state::rules::csr::{Asked, Colour, Standing, World, judge};
use crate::state::store::Store;
use crate::state::tally::{self, MAX_SUMS, Tally};
use crate::state::time::span;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// The whole request as [`Asked`], in JSON.
    ASKED = Sym;
    /// `spec.signerName`.
    SIGNER = Sym;
    /// `spec.username`.
    USER = Sym;
    /// `spec.groups`, with commas between.
    GROUPS = Sym;
    /// `spec.usages`, with commas between.
    USAGES = Sym;
    /// `spec.expirationSeconds`.
    SECONDS = Num;
    /// Subject, `CN=... O=...`.
    SUBJECT = Sym;
    /// Alternative names, with blanks between.
    NAMES = Sym;
    /// Kind and size of the key.
    KEY = Sym;
    /// Whether it is signed with that key.
    SIGNATURE = Sym;
    /// Conditions in one word, as kubectl prints them.
    CONDITION = Sym;
    /// 1 until somebody decides.
    IS_OPEN = Num;
    /// End of the issued certificate.
    EXPIRES = Time;
    /// Colour of the verdict; derived, empty once it was decided.
    VERDICT = Sym;
    /// Why; derived.
    WHY = Sym;
    /// The newer request of the same node; derived.
    NEWER = Sym;
}

paths! { PATHS:
    REQUEST = Text [2, 1] "spec.request";
    P_USER = Text [2, 2] "spec.username";
    GROUP = Text [2, 4] "spec.groups";
    USAGE = Text [2, 5] "spec.usages";
    P_SIGNER = Text [2, 7] "spec.signerName";
    P_SECONDS = Int [2, 8] "spec.expirationSeconds";
    CONDITION_TYPE = Text [3, 1, 1] "status.conditions.type";
    CERTIFICATE = Text [3, 2] "status.certificate";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_USER, Hit::Text(t)) => d.put(USER, t),
        (P_SIGNER, Hit::Text(t)) => d.put(SIGNER, t),
        (P_SECONDS, Hit::Int(n)) => d.set(SECONDS, n),
        (REQUEST | GROUP | USAGE | CONDITION_TYPE | CERTIFICATE, Hit::Text(t)) => {
            d.open(path);
            d.note(0, t);
        }
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let items = std::mem::take(&mut d.items);
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag).map(|i| d.text(i.txt[0]));
    let list = |tag: usize| of(tag).map(str::to_owned).collect::<Vec<_>>();
    let certificate = of(CERTIFICATE).next().unwrap_or_default();
    let asked = Asked {
        signer: d.word(SIGNER).to_owned(),
        user: d.word(USER).to_owned(),
        groups: list(GROUP),
        usages: list(USAGE),
        seconds: d.get(SECONDS),
        request: pkcs10::decode(of(REQUEST).next().unwrap_or_default()),
        standing: standing(of(CONDITION_TYPE)),
        issued: !certificate.is_empty(),
        ..Asked::default()
    };
    let expires = pkcs10::chain(certificate).first().map_or(0, |c| c.not_after);
    d.items = items;
    write(d, &asked);
    d.set(EXPIRES, expires);
}

fn write(d: &mut Draft, asked: &Asked) {
    d.put(ASKED, &serde_json::to_string(asked).unwrap_or_default());
    d.put(GROUPS, &asked.groups.join(","));
    d.put(USAGES, &asked.usages.join(","));
    d.put(CONDITION, condition(asked));
    d.set(IS_OPEN, i64::from(asked.is_open()));
    match &asked.request {
        Ok(request) => {
            d.put(SUBJECT, &request.subject());
            d.put(NAMES, &request.names());
            d.put(KEY, &request.key);
            d.put(
                SIGNATURE,
                match request.signature {
                    Signature::Valid => "valid",
                    Signature::Invalid => "INVALID",
                    Signature::Unchecked => "not checked",
                },
            );
        }
        Err(why) => d.put(SUBJECT, &format!("({why})")),
    }
}

/// Kubernetes: `extractCSRStatus` in `pkg/printers/internalversion/printers.go`, v1.36.
fn condition(asked: &Asked) -> &'static str {
    match (asked.standing, asked.issued) {
        (Standing::Pending, false) => "Pending",
        (Standing::Pending, true) => "Pending,Issued",
        (Standing::Approved, false) => "Approved",
        (Standing::Approved, true) => "Approved,Issued",
        (Standing::Denied, false) => "Denied",
        (Standing::Denied, true) => "Denied,Issued",
        (Standing::Failed, false) => "Failed",
        (Standing::Failed, true) => "Failed,Issued",
    }
}

/// Verdicts follow from rows of several tables.
pub static DERIVED: Derived = Derived {
    table: "certificatesigningrequests",
    from: &["certificatesigningrequests", "nodes", "services", "clusterrolebindings"],
    words: &[VERDICT, WHY, NEWER],
    work,
};

fn work(store: &Store) -> Vec<Texts> {
    let world = World::of(store);
    let verdict = |asked: &Asked| {
        if !asked.is_open() {
            return vec![String::new(); 3];
        }
        let verdict = judge(asked, &world);
        let newer = verdict.superseded.clone().unwrap_or_default();
        vec![verdict.colour.word().to_owned(), verdict.why(), newer]
    };
    // The queue holds the rows in the order of their slots.
    let rows = store.rows(TABLE.id).map(|row| row.slot).zip(&world.queue);
    rows.map(|(slot, asked)| (slot, verdict(asked))).collect()
}

/// Sums of [`IN_ALL`].
pub mod sum {
    /// Requests.
    pub const ALL: usize = 0;
    /// Of these, not decided.
    pub const OPEN: usize = 1;
    /// Of these, green.
    pub const GREEN: usize = 2;
    /// Amber.
    pub const AMBER: usize = 3;
    /// Red.
    pub const RED: usize = 4;
    /// Older requests of nodes that asked again.
    pub const SUPERSEDED: usize = 5;
}

/// Requests of the whole cluster.
pub const IN_ALL: &str = "certificate_requests";

static TALLIES: &[Tally] = &[Tally {
    id: IN_ALL,
    to: "",
    key: |_| Some(Sym::NONE),
    add: |sums: &mut [i64; MAX_SUMS], row, sign| {
        tally::add(&mut sums[sum::ALL], sign, 1);
        tally::add(&mut sums[sum::OPEN], sign, row.num(IS_OPEN));
        let at = match row.text(VERDICT) {
            "green" => sum::GREEN,
            "amber" => sum::AMBER,
            "RED" => sum::RED,
            _ => return,
        };
        tally::add(&mut sums[at], sign, 1);
        tally::add(&mut sums[sum::SUPERSEDED], sign, i64::from(!row.sym(NEWER).is_none()));
    },
}];

fn colour(word: &str) -> Role {
    match word {
        "green" => Colour::Green.role(),
        "amber" => Colour::Amber.role(),
        "RED" => Colour::Red.role(),
        _ => Role::Plain,
    }
}

static COLUMNS: &[Column] = &[
    common::NAME,
    common::AGE,
    column!("signer" "SIGNER" Left 40 SIGNER.bit(),
        |r, _| {
            let name = r.text(SIGNER);
            Value::text(name.strip_prefix("kubernetes.io/").unwrap_or(name)).into()
        },
        |r| Sort::Text(r.text(SIGNER), "")),
    text_column!("requester" "ASKED BY" 40 USER),
    text_column!("subject" "FOR" 40 SUBJECT),
    text_column!("names" "NAMES" 48 NAMES),
    column!("verdict" "VERDICT" Left 7 VERDICT.bit(),
        |r, _| Value::text(r.text(VERDICT)).role(colour(r.text(VERDICT))),
        |r| Sort::Int(match r.text(VERDICT) { "RED" => 0, "amber" => 1, "green" => 2, _ => 3 })),
    column!("why" "WHY" Left 60 WHY.bit() | VERDICT.bit(),
        |r, _| {
            let role = if r.text(VERDICT) == "green" { Role::Dim } else { Role::Plain };
            Value::text(r.text(WHY)).role(role)
        },
        |r| Sort::Text(r.text(WHY), "")),
    column!("condition" "CONDITION" Left 15 CONDITION.bit(),
        |r, _| {
            let word = r.text(CONDITION);
            Value::text(word).role(if word.starts_with("Failed") { Role::Bad } else { Role::Plain })
        },
        |r| Sort::Text(r.text(CONDITION), "")),
    column!("duration" "DURATION" Right 8 SECONDS.bit(),
        |r, _| match r.num(SECONDS) { 0 => Value::Absent, n => Value::text(span(n)) }.into(),
        |r| Sort::Int(r.num(SECONDS))),
    text_column!("key" "KEY" 14 KEY),
    text_column!("signature" "SIGNATURE" 11 SIGNATURE),
    text_column!("usages" "USAGES" 40 USAGES),
    text_column!("groups" "ASKED BY GROUPS" 50 GROUPS),
    text_column!("superseded_by" "SUPERSEDED BY" 20 NEWER),
    column!("expires" "EXPIRES" Left 20 EXPIRES.bit(),
        |r, _| {
            let at = r.time(EXPIRES);
            if at.is_set() { Value::text(at.rfc3339()) } else { Value::Absent }.into()
        },
        |r| Sort::Int(r.time(EXPIRES).0)),
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "certificatesigningrequests",
    kinds: &[Kind {
        gvk: Gvk {
            group: "certificates.k8s.io",
            version: "v1",
            kind: "CertificateSigningRequest",
            plural: "certificatesigningrequests",
            namespaced: false,
        },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: TALLIES,
};
