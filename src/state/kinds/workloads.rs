//! Deployments, StatefulSets, DaemonSets and Jobs in one table: what is wanted, what is there, in what state.
//!
//! The four kinds name the same facts differently. Each lists where a [`Field`] stands in it; folding and the words
//! are shared. For a Job, `desired` and `ready` count completions, as kubectl's COMPLETIONS does.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, Path, TableSpec, Ty};
use crate::state::parcel::{Draft, Item};
use crate::state::row::Row;
use crate::state::rules::workload_status::{self, Facts};
use crate::{column, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// Pods wanted; completions wanted of a Job.
    DESIRED = Num;
    /// Ready pods; completions of a Job.
    READY = Num;
    /// Pods of the newest template.
    UPDATED = Num;
    /// Available pods; running ones of a Job.
    AVAILABLE = Num;
    /// See [`workload_status`].
    STATUS = Sym;
    /// Reason the cluster gives for the status.
    REASON = Sym;
    /// Images of the template, three at most.
    IMAGES = Sym;
    /// Controller as `Kind/name`.
    OWNER = Sym;
}

/// A fact that several of the kinds have.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Generation,
    Deleted,
    OwnerRef,
    OwnerKind,
    OwnerName,
    OwnerIsController,
    Desired,
    Stopped,
    Strategy,
    Partition,
    Image,
    Observed,
    Replicas,
    Updated,
    Ready,
    Available,
    Failures,
    CurrentRevision,
    UpdateRevision,
    Condition,
    ConditionType,
    ConditionStatus,
    ConditionReason,
}

/// Declares where a kind has its fields, beyond those that all have in their metadata.
macro_rules! fields {
    ($paths:ident $fold:ident: $($field:ident = $ty:ident [$($tag:literal),+] $json:literal;)+) => {
        fields!(@ $paths $fold:
            Generation = Int [1, 7] "metadata.generation";
            Deleted = Time [1, 9] "metadata.deletionTimestamp";
            OwnerRef = Item [1, 13] "metadata.ownerReferences";
            OwnerKind = Text [1, 13, 1] "metadata.ownerReferences.kind";
            OwnerName = Text [1, 13, 3] "metadata.ownerReferences.name";
            OwnerIsController = Bool [1, 13, 6] "metadata.ownerReferences.controller";
            $($field = $ty [$($tag),+] $json;)+);
    };
    (@ $paths:ident $fold:ident: $($field:ident = $ty:ident [$($tag:literal),+] $json:literal;)+) => {
        static $paths: &[Path] = &[$(Path { pb: &[$($tag),+], json: $json, ty: Ty::$ty }),+];
        fn $fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
            static FIELDS: &[Field] = &[$(Field::$field),+];
            fold(d, FIELDS[path], hit);
        }
    };
}

fields! { DEPLOYMENT fold_deployment:
    Desired = Int [2, 1] "spec.replicas";
    Image = Text [2, 3, 2, 2, 2] "spec.template.spec.containers.image";
    Stopped = Bool [2, 7] "spec.paused";
    Observed = Int [3, 1] "status.observedGeneration";
    Replicas = Int [3, 2] "status.replicas";
    Updated = Int [3, 3] "status.updatedReplicas";
    Available = Int [3, 4] "status.availableReplicas";
    Condition = Item [3, 6] "status.conditions";
    ConditionType = Text [3, 6, 1] "status.conditions.type";
    ConditionStatus = Text [3, 6, 2] "status.conditions.status";
    ConditionReason = Text [3, 6, 4] "status.conditions.reason";
    Ready = Int [3, 7] "status.readyReplicas";
}

fields! { STATEFUL_SET fold_stateful_set:
    Desired = Int [2, 1] "spec.replicas";
    Image = Text [2, 3, 2, 2, 2] "spec.template.spec.containers.image";
    Strategy = Text [2, 7, 1] "spec.updateStrategy.type";
    Partition = Int [2, 7, 2, 1] "spec.updateStrategy.rollingUpdate.partition";
    Observed = Int [3, 1] "status.observedGeneration";
    Replicas = Int [3, 2] "status.replicas";
    Ready = Int [3, 3] "status.readyReplicas";
    Updated = Int [3, 5] "status.updatedReplicas";
    CurrentRevision = Text [3, 6] "status.currentRevision";
    UpdateRevision = Text [3, 7] "status.updateRevision";
    Available = Int [3, 11] "status.availableReplicas";
}

fields! { DAEMON_SET fold_daemon_set:
    Image = Text [2, 2, 2, 2, 2] "spec.template.spec.containers.image";
    Strategy = Text [2, 3, 1] "spec.updateStrategy.type";
    Replicas = Int [3, 1] "status.currentNumberScheduled";
    Desired = Int [3, 3] "status.desiredNumberScheduled";
    Ready = Int [3, 4] "status.numberReady";
    Observed = Int [3, 5] "status.observedGeneration";
    Updated = Int [3, 6] "status.updatedNumberScheduled";
    Available = Int [3, 7] "status.numberAvailable";
}

fields! { JOB fold_job:
    Desired = Int [2, 2] "spec.completions";
    Image = Text [2, 6, 2, 2, 2] "spec.template.spec.containers.image";
    Stopped = Bool [2, 10] "spec.suspend";
    Condition = Item [3, 1] "status.conditions";
    ConditionType = Text [3, 1, 1] "status.conditions.type";
    ConditionStatus = Text [3, 1, 2] "status.conditions.status";
    ConditionReason = Text [3, 1, 5] "status.conditions.reason";
    Available = Int [3, 4] "status.active";
    Ready = Int [3, 5] "status.succeeded";
    Failures = Int [3, 6] "status.failed";
}

fn fold(d: &mut Draft, field: Field, hit: Hit<'_>) {
    use Field::*;
    let tag = field as usize;
    match (field, hit) {
        (OwnerRef | Condition, Hit::Open) => d.open(tag),
        (OwnerKind | ConditionType, Hit::Text(t)) => d.note(0, t),
        (OwnerName | ConditionStatus, Hit::Text(t)) => d.note(1, t),
        (ConditionReason, Hit::Text(t)) => d.note(2, t),
        (OwnerIsController, Hit::Int(yes)) => d.item().num[0] = yes,
        (_, Hit::Text(t)) => {
            d.open(tag);
            d.note(0, t);
        }
        (_, Hit::Int(n) | Hit::Time(crate::state::time::Epoch(n))) => {
            d.open(tag);
            d.item().num[0] = n;
        }
        _ => {}
    }
}

const DEPLOYMENTS: u8 = 0;
const STATEFUL_SETS: u8 = 1;
const DAEMON_SETS: u8 = 2;

/// What was collected of one object.
struct Seen<'a> {
    d: &'a Draft,
    items: &'a [Item],
}

impl<'a> Seen<'a> {
    fn all(&self, field: Field) -> impl Iterator<Item = &'a Item> + use<'a> {
        self.items.iter().filter(move |i| i.tag == field as usize)
    }

    fn number(&self, field: Field) -> Option<i64> {
        self.all(field).next().map(|i| i.num[0])
    }

    fn count(&self, field: Field) -> i64 {
        self.number(field).unwrap_or(0)
    }

    fn text(&self, field: Field) -> &'a str {
        self.all(field).next().map_or("", |i| self.d.text(i.txt[0]))
    }

    /// The server writes the default of one replica (`apps/v1/defaults.go`) or completion; a stand-in may not.
    fn desired(&self) -> i64 {
        let unsaid = if self.d.head.kind == DAEMON_SETS { 0 } else { 1 };
        self.number(Field::Desired).unwrap_or(unsaid)
    }

    /// Pods that keep the old template by will: those below a StatefulSet's partition. When both revisions are
    /// the same nothing is rolled out and `updatedReplicas` may lag (`rollout_status.go`, v0.37).
    fn held(&self) -> i64 {
        let (now, next) = (self.text(Field::CurrentRevision), self.text(Field::UpdateRevision));
        if self.d.head.kind == STATEFUL_SETS && now == next {
            return self.desired();
        }
        self.count(Field::Partition)
    }

    fn verdict(&self) -> (&'static str, String) {
        let conditions: Vec<_> = self
            .all(Field::Condition)
            .map(|c| {
                let [kind, status, reason, _] = c.txt.map(|t| self.d.text(t));
                (kind, status == "True", reason)
            })
            .collect();
        let facts = Facts {
            deleting: self.count(Field::Deleted) != 0,
            unobserved: self.count(Field::Observed) < self.count(Field::Generation),
            stopped: self.count(Field::Stopped) == 1,
            desired: self.desired(),
            replicas: self.count(Field::Replicas),
            updated: self.count(Field::Updated),
            available: self.count(Field::Available),
            held: self.held(),
            on_delete: self.text(Field::Strategy) == "OnDelete",
            failures: self.count(Field::Failures),
            conditions: &conditions,
        };
        let (word, reason) = match self.d.head.kind {
            DEPLOYMENTS => workload_status::deployment(&facts),
            STATEFUL_SETS | DAEMON_SETS => workload_status::set(&facts),
            _ => workload_status::job(&facts),
        };
        (word, reason.to_owned())
    }

    fn images(&self) -> String {
        const SHOWN: usize = 3;
        let images: Vec<_> = self.all(Field::Image).map(|i| self.d.text(i.txt[0])).collect();
        let mut text = images[..images.len().min(SHOWN)].join(",");
        if images.len() > SHOWN {
            text.push_str(&format!(",+{}", images.len() - SHOWN));
        }
        text
    }

    fn owner(&self) -> String {
        let owner = self.all(Field::OwnerRef).find(|o| o.num[0] == 1);
        owner.map_or(String::new(), |o| {
            format!("{}/{}", self.d.text(o.txt[0]), self.d.text(o.txt[1]))
        })
    }
}

fn finish(d: &mut Draft) {
    let items = std::mem::take(&mut d.items);
    let seen = Seen { d, items: &items };
    let (status, reason) = seen.verdict();
    let texts = [(REASON, reason), (IMAGES, seen.images()), (OWNER, seen.owner())];
    let numbers = [
        (DESIRED, seen.desired()),
        (READY, seen.count(Field::Ready)),
        (UPDATED, seen.count(Field::Updated)),
        (AVAILABLE, seen.count(Field::Available)),
    ];
    d.put(STATUS, status);
    for (word, text) in texts {
        d.put(word, &text);
    }
    for (word, n) in numbers {
        d.set(word, n);
    }
    d.items = items;
}

fn is_job(r: Row<'_>) -> bool {
    r.gvk().kind == "Job"
}

/// Short of ready pods is worth a look; short of completions is what a running Job is.
fn ready_role(r: Row<'_>) -> Role {
    let short = r.num(READY) < r.num(DESIRED);
    match workload_status::role(r.text(STATUS)) {
        Role::Bad if short => Role::Bad,
        _ if short && !is_job(r) => Role::Warn,
        _ => Role::Plain,
    }
}

static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    column!("kind" "KIND" Left 12 0,
        |r, _| Value::text(r.gvk().kind).into(), |r| Sort::Text(r.gvk().kind, "")),
    common::NAME,
    column!("ready" "READY" Right 11 READY.bit() | DESIRED.bit() | STATUS.bit(),
        |r, _| Value::Count(r.num(READY), r.num(DESIRED)).role(ready_role(r)),
        |r| Sort::Int(r.num(READY))),
    column!("desired" "DESIRED" Right 7 DESIRED.bit(),
        |r, _| Value::Int(r.num(DESIRED)).into(), |r| Sort::Int(r.num(DESIRED))),
    column!("updated" "UPDATED" Right 7 UPDATED.bit(),
        |r, _| if is_job(r) { Value::Absent } else { Value::Int(r.num(UPDATED)) }.into(),
        |r| Sort::Int(r.num(UPDATED))),
    column!("available" "AVAILABLE" Right 9 AVAILABLE.bit(),
        |r, _| if is_job(r) { Value::Absent } else { Value::Int(r.num(AVAILABLE)) }.into(),
        |r| Sort::Int(r.num(AVAILABLE))),
    column!("status" "STATUS" Left 12 STATUS.bit(),
        |r, _| Value::text(r.text(STATUS)).role(workload_status::role(r.text(STATUS))),
        |r| Sort::Text(r.text(STATUS), "")),
    text_column!("reason" "REASON" 28 REASON),
    common::AGE,
    column!("active" "ACTIVE" Right 6 AVAILABLE.bit(),
        |r, _| if is_job(r) { Value::Int(r.num(AVAILABLE)) } else { Value::Absent }.into(),
        |r| Sort::Int(if is_job(r) { r.num(AVAILABLE) } else { 0 })),
    text_column!("images" "IMAGES" 60 IMAGES),
    text_column!("owner" "OWNER" 44 OWNER),
    common::LABELS,
    common::UID,
];

const fn apps(kind: &'static str, plural: &'static str) -> Gvk {
    Gvk { group: "apps", version: "v1", kind, plural, namespaced: true }
}

const JOBS: Gvk =
    Gvk { group: "batch", version: "v1", kind: "Job", plural: "jobs", namespaced: true };

/// The table. The order of its kinds is that of [`DEPLOYMENTS`] and its siblings.
pub static TABLE: TableSpec = TableSpec {
    id: "workloads",
    kinds: &[
        Kind {
            gvk: apps("Deployment", "deployments"),
            paths: DEPLOYMENT,
            fold: fold_deployment,
            finish,
        },
        Kind {
            gvk: apps("StatefulSet", "statefulsets"),
            paths: STATEFUL_SET,
            fold: fold_stateful_set,
            finish,
        },
        Kind {
            gvk: apps("DaemonSet", "daemonsets"),
            paths: DAEMON_SET,
            fold: fold_daemon_set,
            finish,
        },
        Kind { gvk: JOBS, paths: JOB, fold: fold_job, finish },
    ],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::kinds::testing::{cell, row, store_of, words};
    use serde_json::{Value as Json, json};

    const SHOWN: &str = "kind ready desired updated available status reason";

    fn object(kind: &str, spec: Json, status: Json) -> Json {
        let meta = json!({ "name": "web", "namespace": "shop", "generation": 3 });
        let mut spec = spec;
        spec["template"] = json!({ "spec": { "containers": [
            { "image": "web:1" }, { "image": "log:2" }, { "image": "a:3" }, { "image": "b:4" },
        ] } });
        json!({ "kind": kind, "metadata": meta, "spec": spec, "status": status })
    }

    fn shown(object: Json, columns: &str) -> String {
        let store = store_of(&[object]);
        words(row(&store, "workloads", "web"), columns)
    }

    #[test]
    fn a_deployment_that_lost_its_deadline_is_stalled() {
        let status = json!({
            "observedGeneration": 3, "replicas": 4, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }],
        });
        let store = store_of(&[object("Deployment", json!({ "replicas": 4 }), status)]);
        let r = row(&store, "workloads", "web");
        assert_eq!(words(r, SHOWN), "Deployment | 2/4 | 4 | 2 | 2 | stalled | ProgressDeadlineExceeded");
        assert_eq!(words(r, "images"), "web:1,log:2,a:3,+1");
        assert_eq!(cell(r, "ready").role, Role::Bad);
    }

    #[test]
    fn a_deployment_whose_spec_is_not_observed_yet_progresses() {
        let status = json!({ "observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 });
        assert_eq!(shown(object("Deployment", json!({}), status), "desired status"), "1 | progressing");
    }

    #[test]
    fn a_scale_to_zero_is_not_the_default_of_one() {
        let status = json!({ "observedGeneration": 3 });
        let shown = shown(object("Deployment", json!({ "replicas": 0 }), status), "ready status");
        assert_eq!(shown, "0/0 | idle");
    }

    #[test]
    fn a_settled_stateful_set_is_ready_whatever_updated_replicas_says() {
        let status = json!({
            "observedGeneration": 3, "replicas": 3, "readyReplicas": 3, "availableReplicas": 3,
            "currentRevision": "web-a", "updateRevision": "web-a",
        });
        let spec = json!({ "replicas": 3, "updateStrategy": { "type": "RollingUpdate" } });
        let set = object("StatefulSet", spec, status);
        assert_eq!(shown(set.clone(), SHOWN), "StatefulSet | 3/3 | 3 | 0 | 3 | ready | -");
        let mut rolling = set;
        rolling["status"]["updateRevision"] = json!("web-b");
        assert_eq!(shown(rolling.clone(), "status"), "progressing");
        rolling["spec"]["updateStrategy"]["rollingUpdate"] = json!({ "partition": 3 });
        assert_eq!(shown(rolling, "status"), "ready");
    }

    #[test]
    fn a_daemon_set_counts_nodes() {
        let status = json!({
            "observedGeneration": 3, "currentNumberScheduled": 5, "desiredNumberScheduled": 5,
            "updatedNumberScheduled": 5, "numberReady": 4, "numberAvailable": 4,
        });
        let shown = shown(object("DaemonSet", json!({}), status), SHOWN);
        assert_eq!(shown, "DaemonSet | 4/5 | 5 | 5 | 4 | degraded | -");
    }

    #[test]
    fn a_job_counts_completions_and_names_its_cron_job() {
        let status = json!({ "active": 2, "succeeded": 3, "failed": 1 });
        let mut job = object("Job", json!({ "completions": 5 }), status);
        job["metadata"]["ownerReferences"] = json!([{ "kind": "CronJob", "name": "nightly", "controller": true }]);
        let store = store_of(&[job]);
        let r = row(&store, "workloads", "web");
        assert_eq!(words(r, SHOWN), "Job | 3/5 | 5 | - | - | retrying | -");
        assert_eq!(words(r, "active owner"), "2 | CronJob/nightly");
        assert_eq!(cell(r, "ready").role, Role::Plain);
    }

    #[test]
    fn a_failed_job_says_why() {
        let status = json!({ "failed": 7, "conditions": [
            { "type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded" },
            { "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded" },
        ] });
        let shown = shown(object("Job", json!({}), status), "ready status reason");
        assert_eq!(shown, "0/1 | failed | BackoffLimitExceeded");
    }
}
