//! Runs of the journal on this machine: what was changed from here. No server lists them; `app/journal/feed.rs` does.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, LOCAL, TableSpec};
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::{column, paths, words};

words! { WORDS:
    /// None; every table has the word.
    LABELS = Set;
    /// The action's id.
    ACTION = Sym;
    /// `cordon 3 nodes`.
    TITLE = Sym;
    /// Why, as the operator gave it.
    REASON = Sym;
    /// kubeconfig context.
    CONTEXT = Sym;
    /// Server URL.
    SERVER = Sym;
    /// Login: `op@bastion`.
    WHO = Sym;
    /// Host name.
    HOST = Sym;
    /// Names of objects, or how many.
    TARGETS = Sym;
    /// `done`, `interrupted`, `alive`: see `Standing::id`.
    RESULT = Sym;
    /// Whether it can be put back, in words.
    UNDO = Sym;
    /// Steps that can be put back.
    UNDO_STEPS = Num;
    /// Requests whose result is unknown.
    UNKNOWN = Num;
    /// When it ended.
    ENDED = Time;
    /// What is wrong with its file.
    REMARK = Sym;
}

paths! { PATHS:
    P_ACTION = Text [2, 1] "run.action";
    P_TITLE = Text [2, 2] "run.title";
    P_REASON = Text [2, 3] "run.reason";
    P_CONTEXT = Text [2, 4] "run.context";
    P_SERVER = Text [2, 5] "run.server";
    P_WHO = Text [2, 6] "run.who";
    P_HOST = Text [2, 7] "run.host";
    P_TARGETS = Text [2, 8] "run.targets";
    P_RESULT = Text [2, 9] "run.result";
    P_UNDO = Text [2, 10] "run.undo";
    P_UNDO_STEPS = Int [2, 11] "run.undoSteps";
    P_UNKNOWN = Int [2, 12] "run.unknown";
    P_ENDED = Time [2, 13] "run.ended";
    P_REMARK = Text [2, 14] "run.remark";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_ACTION, Hit::Text(t)) => d.put(ACTION, t),
        (P_TITLE, Hit::Text(t)) => d.put(TITLE, t),
        (P_REASON, Hit::Text(t)) => d.put(REASON, t),
        (P_CONTEXT, Hit::Text(t)) => d.put(CONTEXT, t),
        (P_SERVER, Hit::Text(t)) => d.put(SERVER, t),
        (P_WHO, Hit::Text(t)) => d.put(WHO, t),
        (P_HOST, Hit::Text(t)) => d.put(HOST, t),
        (P_TARGETS, Hit::Text(t)) => d.put(TARGETS, t),
        (P_RESULT, Hit::Text(t)) => d.put(RESULT, t),
        (P_UNDO, Hit::Text(t)) => d.put(UNDO, t),
        (P_UNDO_STEPS, Hit::Int(n)) => d.set(UNDO_STEPS, n),
        (P_UNKNOWN, Hit::Int(n)) => d.set(UNKNOWN, n),
        (P_ENDED, Hit::Time(at)) => d.set(ENDED, at.0),
        (P_REMARK, Hit::Text(t)) => d.put(REMARK, t),
        _ => {}
    }
}

/// Whether a process died before the run was over.
pub fn is_unfinished(r: Row<'_>) -> bool {
    r.text(RESULT) == "interrupted"
}

fn weight(r: Row<'_>) -> Role {
    match r.text(RESULT) {
        "done" | "undone" if r.num(UNKNOWN) == 0 => Role::Plain,
        "alive" => Role::Accent,
        "incomplete" | "aborted" | "newer" => Role::Warn,
        _ => Role::Bad,
    }
}

static COLUMNS: &[Column] = &[
    common::NAME,
    common::AGE,
    column!("result" "RESULT" Left 12 RESULT.bit() | UNKNOWN.bit(),
        |r, _| Value::text(r.text(RESULT)).role(weight(r)),
        |r| Sort::Text(r.text(RESULT), "")),
    column!("undo" "UNDO" Left 16 UNDO.bit() | UNDO_STEPS.bit(),
        |r, _| {
            let role = if r.num(UNDO_STEPS) == 0 { Role::Dim } else { Role::Plain };
            Value::text(r.text(UNDO)).role(role)
        },
        |r| Sort::Text(r.text(UNDO), "")),
    text_column!("title" "WHAT" 60 TITLE),
    text_column!("targets" "TARGETS" 40 TARGETS),
    text_column!("context" "CONTEXT" 30 CONTEXT),
    text_column!("who" "WHO" 30 WHO),
    text_column!("reason" "REASON" 40 REASON),
    text_column!("action" "ACTION" 12 ACTION),
    text_column!("host" "HOST" 30 HOST),
    text_column!("server" "SERVER" 50 SERVER),
    column!("unknown" "UNKNOWN" Right 8 UNKNOWN.bit(),
        |r, _| {
            let n = r.num(UNKNOWN);
            Value::Int(n).role(if n == 0 { Role::Dim } else { Role::Bad })
        },
        |r| Sort::Int(r.num(UNKNOWN))),
    column!("ended" "ENDED" Right 8 ENDED.bit(),
        |r, _| Value::time(r.time(ENDED)).into(), |r| Sort::Int(-r.time(ENDED).0)),
    text_column!("remark" "REMARK" 60 REMARK),
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "journal",
    kinds: &[Kind {
        gvk: Gvk { group: LOCAL, version: "v1", kind: "Run", plural: "runs", namespaced: false },
        paths: PATHS,
        fold,
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
