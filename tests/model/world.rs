//! The cluster: API server with evictions and budgets as semantics.md A4 has them, controllers with delays, a scheduler
//! that sees cordons late, kubelets, and faults that heal.

use super::Dice;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wheelhouse::actions::drain::facts::Tick;
use wheelhouse::actions::drain::orders::{Outcome, PodRequest, Request};
use wheelhouse::state::time::Epoch;

pub const NS: &str = "shop";

/// What happens by itself.
#[derive(Clone, Debug)]
pub enum Happens {
    Replicas(usize),
    Budget(usize),
    Schedule(String),
    Bind(String, String),
    Ready(String),
    Ends(String),
    Detached(String, String),
    NodeReady(String, bool),
    BudgetSpec(usize),
}

/// What a watch would tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Pod(String),
    PodGone(String),
    Node(String),
    Budget(usize),
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub uid: String,
    pub cordoned: bool,
    /// Until when the scheduler has not seen it.
    pub unseen: Tick,
    pub ready: bool,
    pub zone: &'static str,
    pub control_plane: bool,
    pub attached: BTreeSet<String>,
    /// It carries the soft taint of later waves.
    pub preferred: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Replaced at once.
    Deployment,
    /// Replaced under the same name when the old one is gone.
    StatefulSet,
    /// One on each node, cordoned or not.
    Daemon,
    /// Never replaced.
    Bare,
}

#[derive(Clone, Debug)]
pub struct App {
    pub name: String,
    pub kind: Kind,
    pub replicas: usize,
    pub grace: i64,
    pub claims: bool,
    pub critical: bool,
    made: usize,
}

#[derive(Clone, Debug)]
pub struct Pod {
    pub uid: String,
    pub name: String,
    pub app: usize,
    pub node: String,
    pub ready: bool,
    pub grace: i64,
    pub deletion: Option<Tick>,
    pub finalizer_until: Tick,
}

#[derive(Clone, Debug, Default)]
pub struct Budget {
    pub name: String,
    pub app: usize,
    pub max_unavailable: Option<i64>,
    pub min_available: Option<i64>,
    pub always_allow: bool,
    pub generation: i64,
    pub observed: i64,
    pub allowed: i64,
    pub healthy: i64,
    pub wanted: i64,
    pub expected: i64,
    pub disrupted: BTreeMap<String, Tick>,
}

/// How often, in a hundred requests, something goes wrong until the faults heal.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub heal: Tick,
    pub lost: u64,
    pub throttled: u64,
    pub failed: u64,
    pub stuck: u64,
    pub webhook_until: Tick,
}

pub struct World {
    pub now: Tick,
    pub dice: Dice,
    pub nodes: Vec<Node>,
    pub apps: Vec<App>,
    pub pods: BTreeMap<String, Pod>,
    pub budgets: Vec<Budget>,
    pub faults: Faults,
    /// Accepted evictions and deletions by uid.
    pub accepted: BTreeMap<String, usize>,
    pub told: Vec<Told>,
    pub soon: Vec<(Tick, Happens)>,
    uids: u64,
}

impl World {
    pub fn new(now: Tick, dice: Dice) -> World {
        World {
            now,
            dice,
            nodes: vec![],
            apps: vec![],
            pods: BTreeMap::new(),
            budgets: vec![],
            faults: Faults::default(),
            accepted: BTreeMap::new(),
            told: vec![],
            soon: vec![],
            uids: 0,
        }
    }

    pub fn add_node(&mut self, name: &str, zone: &'static str, control_plane: bool) {
        self.nodes.push(Node {
            name: name.to_owned(),
            uid: format!("uid-{name}"),
            cordoned: false,
            unseen: 0,
            ready: true,
            zone,
            control_plane,
            attached: BTreeSet::new(),
            preferred: false,
        });
    }

    pub fn add_app(&mut self, name: &str, kind: Kind, replicas: usize, grace: i64) -> usize {
        let name = name.to_owned();
        let (claims, critical) = (kind == Kind::StatefulSet, false);
        self.apps.push(App { name, kind, replicas, grace, claims, critical, made: 0 });
        self.apps.len() - 1
    }

    /// The cluster at rest: every pod runs, every budget is worked out.
    pub fn settle(&mut self) {
        for app in 0..self.apps.len() {
            let names: Vec<String> = self.nodes.iter().map(|n| n.name.clone()).collect();
            if self.apps[app].made > 0 {
                continue;
            }
            let daemon = self.apps[app].kind == Kind::Daemon;
            let count = if daemon { names.len() } else { self.apps[app].replicas };
            for n in 0..count {
                let node = if daemon { names[n].clone() } else { self.dice.pick(&names).clone() };
                let uid = self.create(app, n);
                self.bind(&uid, &node);
                self.pods.get_mut(&uid).unwrap().ready = true;
            }
        }
        for budget in 0..self.budgets.len() {
            self.work_out(budget);
        }
        self.told.clear();
        self.soon.clear();
    }

    fn later(&mut self, low: u64, high: u64, what: Happens) {
        let at = self.now + self.dice.roll(low, high);
        self.soon.push((at, what));
    }

    fn create(&mut self, app: usize, ordinal: usize) -> String {
        self.uids += 1;
        let uid = format!("pod-uid-{}", self.uids);
        let a = &mut self.apps[app];
        a.made += 1;
        let name = match a.kind {
            Kind::StatefulSet => format!("{}-{ordinal}", a.name),
            _ => format!("{}-{}", a.name, a.made),
        };
        let pod = Pod {
            uid: uid.clone(),
            name,
            app,
            node: String::new(),
            ready: false,
            grace: a.grace,
            deletion: None,
            finalizer_until: 0,
        };
        self.pods.insert(uid.clone(), pod);
        self.told.push(Told::Pod(uid.clone()));
        uid
    }

    fn bind(&mut self, uid: &str, node: &str) {
        let Some(pod) = self.pods.get_mut(uid).filter(|p| p.deletion.is_none()) else { return };
        pod.node = node.to_owned();
        if self.apps[pod.app].claims {
            let volume = format!("pv-{}", pod.name);
            self.nodes.iter_mut().find(|n| n.name == node).unwrap().attached.insert(volume);
        }
        self.told.push(Told::Pod(uid.to_owned()));
        self.later(300, 4_000, Happens::Ready(uid.to_owned()));
    }

    pub fn happen(&mut self, what: Happens) {
        match what {
            Happens::Replicas(app) => self.replicas(app),
            Happens::Budget(budget) => self.work_out(budget),
            Happens::Schedule(uid) => self.schedule(uid),
            Happens::Bind(uid, node) => self.bind(&uid, &node),
            Happens::Ready(uid) => self.ready(&uid),
            Happens::Ends(uid) => self.ends(&uid),
            Happens::Detached(node, volume) => {
                let node = self.nodes.iter_mut().find(|n| n.name == node).unwrap();
                node.attached.remove(&volume);
            }
            Happens::NodeReady(node, ready) => self.node_ready(&node, ready),
            Happens::BudgetSpec(budget) => {
                self.budgets[budget].generation += 1;
                self.told.push(Told::Budget(budget));
                self.later(500, 15_000, Happens::Budget(budget));
            }
        }
    }

    fn replicas(&mut self, app: usize) {
        let (kind, wanted) = (self.apps[app].kind, self.apps[app].replicas);
        let mine = |p: &&Pod| p.app == app && (kind == Kind::StatefulSet || p.deletion.is_none());
        let there: Vec<String> = self.pods.values().filter(mine).map(|p| p.name.clone()).collect();
        match kind {
            Kind::Deployment => {
                for n in there.len()..wanted {
                    let uid = self.create(app, n);
                    self.later(50, 800, Happens::Schedule(uid));
                }
            }
            Kind::StatefulSet => {
                for n in 0..wanted {
                    let name = format!("{}-{n}", self.apps[app].name);
                    if !there.contains(&name) {
                        let uid = self.create(app, n);
                        self.later(50, 800, Happens::Schedule(uid));
                    }
                }
            }
            Kind::Daemon | Kind::Bare => {}
        }
        self.touched(app);
    }

    fn schedule(&mut self, uid: String) {
        let now = self.now;
        let fits = |n: &&Node| n.ready && (!n.cordoned || now < n.unseen);
        let names: Vec<String> = self.nodes.iter().filter(fits).map(|n| n.name.clone()).collect();
        if names.is_empty() {
            return self.later(1_000, 1_000, Happens::Schedule(uid));
        }
        let node = self.dice.pick(&names).clone();
        self.later(0, 900, Happens::Bind(uid, node));
    }

    fn ready(&mut self, uid: &str) {
        let Some(pod) = self.pods.get_mut(uid).filter(|p| p.deletion.is_none()) else { return };
        if self.nodes.iter().any(|n| n.name == pod.node && n.ready) && !pod.ready {
            pod.ready = true;
            let app = pod.app;
            self.told.push(Told::Pod(uid.to_owned()));
            self.touched(app);
        }
    }

    /// The kubelet is done with a pod; finalizers and dead nodes keep it.
    fn ends(&mut self, uid: &str) {
        let now = self.now;
        let Some(pod) = self.pods.get(uid) else { return };
        let alive = self.nodes.iter().any(|n| n.name == pod.node && n.ready);
        if !alive {
            return self.later(1_000, 1_000, Happens::Ends(uid.to_owned()));
        }
        if now < pod.finalizer_until {
            let at = pod.finalizer_until;
            return self.soon.push((at, Happens::Ends(uid.to_owned())));
        }
        self.gone(uid);
    }

    fn gone(&mut self, uid: &str) {
        let Some(pod) = self.pods.remove(uid) else { return };
        self.told.push(Told::PodGone(uid.to_owned()));
        if self.apps[pod.app].claims && !pod.node.is_empty() {
            let volume = format!("pv-{}", pod.name);
            self.later(500, 6_000, Happens::Detached(pod.node.clone(), volume));
        }
        self.touched(pod.app);
        self.later(50, 1_000, Happens::Replicas(pod.app));
    }

    fn node_ready(&mut self, name: &str, ready: bool) {
        let node = self.nodes.iter_mut().find(|n| n.name == name).unwrap();
        node.ready = ready;
        self.told.push(Told::Node(name.to_owned()));
        let here: Vec<String> =
            self.pods.values().filter(|p| p.node == name).map(|p| p.uid.clone()).collect();
        for uid in here {
            if ready {
                self.later(100, 3_000, Happens::Ready(uid));
                continue;
            }
            let pod = self.pods.get_mut(&uid).unwrap();
            pod.ready = false;
            let app = pod.app;
            self.told.push(Told::Pod(uid));
            self.touched(app);
        }
    }

    fn touched(&mut self, app: usize) {
        for budget in 0..self.budgets.len() {
            if self.budgets[budget].app == app {
                self.later(20, 1_500, Happens::Budget(budget));
            }
        }
    }

    /// The disruption controller (pkg/controller/disruption/disruption.go).
    fn work_out(&mut self, at: usize) {
        let now = self.now;
        let app = self.budgets[at].app;
        let expected = self.apps[app].replicas as i64;
        let pods: Vec<&Pod> = self.pods.values().filter(|p| p.app == app).collect();
        let budget = &mut self.budgets[at];
        let before = budget.clone();
        budget.disrupted.retain(|name, since| {
            let there = pods.iter().any(|p| p.name == *name && p.deletion.is_none());
            there && now < *since + 120_000
        });
        let healthy =
            |p: &&&Pod| p.ready && p.deletion.is_none() && !budget.disrupted.contains_key(&p.name);
        budget.healthy = pods.iter().filter(healthy).count() as i64;
        budget.expected = expected;
        budget.wanted = match (budget.min_available, budget.max_unavailable) {
            (Some(min), _) => min,
            (_, Some(max)) => (expected - max).max(0),
            _ => 0,
        };
        budget.allowed = (budget.healthy - budget.wanted).max(0);
        budget.observed = budget.generation;
        if format!("{before:?}") != format!("{budget:?}") {
            self.told.push(Told::Budget(at));
        }
    }

    /// What the server does with a request; whether the answer gets back is for the caller to say.
    pub fn serve(&mut self, request: &Request) -> Outcome {
        let faulty = self.now < self.faults.heal;
        if faulty && self.dice.chance(self.faults.throttled) {
            return Outcome::FlowControl { retry_after: self.dice.roll(1, 4) * 1000 };
        }
        if faulty && self.dice.chance(self.faults.failed) {
            return Outcome::Failed { status: 500, message: "etcdserver: no leader".to_owned() };
        }
        match request {
            Request::Cordon { node, uid } => self.cordon(node, uid, true),
            Request::Uncordon { node, uid } => self.cordon(node, uid, false),
            Request::Prefer { node, uid } => self.prefer(node, uid, true),
            Request::Unprefer { node, uid } => self.prefer(node, uid, false),
            Request::Evict(pod) => self.evict(pod),
            Request::Delete(pod) => match self.find(pod) {
                Ok(uid) => self.delete(&uid, pod.grace),
                Err(outcome) => outcome,
            },
        }
    }

    fn cordon(&mut self, name: &str, uid: &str, on: bool) -> Outcome {
        let until = self.now + self.dice.roll(0, 1_000);
        let Some(node) = self.nodes.iter_mut().find(|n| n.name == name) else {
            return Outcome::Gone;
        };
        if node.uid != uid {
            return Outcome::Replaced;
        }
        if on && !node.cordoned {
            node.unseen = until;
        }
        node.cordoned = on;
        self.told.push(Told::Node(name.to_owned()));
        Outcome::Accepted
    }

    fn prefer(&mut self, name: &str, uid: &str, on: bool) -> Outcome {
        match self.nodes.iter_mut().find(|n| n.name == name) {
            None => Outcome::Gone,
            Some(node) if node.uid != uid => Outcome::Replaced,
            Some(node) => {
                node.preferred = on;
                Outcome::Accepted
            }
        }
    }

    fn find(&self, request: &PodRequest) -> Result<String, Outcome> {
        let named = self.pods.values().find(|p| p.name == request.name);
        match named {
            None => Err(Outcome::Gone),
            Some(pod) if pod.uid != request.uid => Err(Outcome::Replaced),
            Some(pod) => Ok(pod.uid.clone()),
        }
    }

    fn evict(&mut self, request: &PodRequest) -> Outcome {
        let uid = match self.find(request) {
            Ok(uid) => uid,
            Err(outcome) => return outcome,
        };
        if self.now < self.faults.webhook_until {
            return Outcome::Webhook { message: "not in this window".to_owned(), retry_after: 0 };
        }
        let pod = self.pods[&uid].clone();
        if pod.deletion.is_some() || pod.node.is_empty() {
            return self.delete(&uid, request.grace);
        }
        let mine: Vec<usize> =
            (0..self.budgets.len()).filter(|b| self.budgets[*b].app == pod.app).collect();
        let [at] = mine[..] else {
            return match mine.is_empty() {
                true => self.delete(&uid, request.grace),
                false => Outcome::TwoBudgets("more than one PodDisruptionBudget".to_owned()),
            };
        };
        let budget = &mut self.budgets[at];
        let enough = budget.healthy >= budget.wanted && budget.wanted > 0;
        if !pod.ready && (budget.always_allow || enough) {
            return self.delete(&uid, request.grace);
        }
        if budget.observed < budget.generation {
            return Outcome::BudgetStale { retry_after: 10_000 };
        }
        if budget.allowed <= 0 {
            return Outcome::BudgetClosed {
                message: "Cannot evict pod as it would violate the pod's disruption budget."
                    .to_owned(),
                cause: format!(
                    "The disruption budget {} needs {} healthy pods and has {} currently",
                    budget.name, budget.wanted, budget.healthy
                ),
            };
        }
        budget.allowed -= 1;
        budget.disrupted.insert(pod.name.clone(), self.now);
        self.told.push(Told::Budget(at));
        // The controller looks again when an entry expires (DeletionTimeout).
        self.later(120_001, 121_000, Happens::Budget(at));
        self.delete(&uid, request.grace)
    }

    fn delete(&mut self, uid: &str, grace: Option<i64>) -> Outcome {
        *self.accepted.entry(uid.to_owned()).or_default() += 1;
        self.terminate(uid, grace);
        Outcome::Accepted
    }

    /// A deletion by anybody.
    pub fn terminate(&mut self, uid: &str, grace: Option<i64>) {
        let stuck = self.now < self.faults.heal && self.dice.chance(self.faults.stuck);
        let heal = self.faults.heal;
        let Some(pod) = self.pods.get_mut(uid).filter(|p| p.deletion.is_none()) else { return };
        let grace = grace.unwrap_or(pod.grace).max(0) as u64 * 1000;
        let app = pod.app;
        if pod.node.is_empty() {
            return self.gone(uid);
        }
        pod.deletion = Some(self.now + grace);
        pod.ready = false;
        if stuck {
            pod.finalizer_until = heal;
        }
        self.told.push(Told::Pod(uid.to_owned()));
        self.touched(app);
        self.later(100, grace + 500, Happens::Ends(uid.to_owned()));
        self.later(50, 1_000, Happens::Replicas(app));
    }

    pub fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|n| n.name == name).unwrap()
    }

    pub fn node_json(&self, name: &str) -> Value {
        let n = self.node(name);
        let mut labels = json!({"topology.kubernetes.io/zone": n.zone});
        if n.control_plane {
            labels["node-role.kubernetes.io/control-plane"] = "".into();
        }
        json!({
            "metadata": {"name": n.name, "uid": n.uid, "labels": labels},
            "spec": {"unschedulable": n.cordoned},
            "status": {"conditions": [
                {"type": "Ready", "status": if n.ready { "True" } else { "Unknown" }}]},
        })
    }

    pub fn pod_json(&self, uid: &str) -> Option<Value> {
        let p = self.pods.get(uid)?;
        let app = &self.apps[p.app];
        let mut meta = json!({
            "namespace": NS, "name": p.name, "uid": p.uid, "labels": {"app": app.name}});
        let kind = match app.kind {
            Kind::Deployment => "ReplicaSet",
            Kind::StatefulSet => "StatefulSet",
            _ => "DaemonSet",
        };
        if app.kind != Kind::Bare {
            meta["ownerReferences"] = json!([{"kind": kind, "name": app.name,
                "apiVersion": "apps/v1", "uid": format!("owner-{}", app.name), "controller": true}]);
        }
        if let Some(at) = p.deletion {
            meta["deletionTimestamp"] = Epoch((at / 1000) as i64).rfc3339().into();
            meta["deletionGracePeriodSeconds"] = p.grace.into();
            if self.now < p.finalizer_until {
                meta["finalizers"] = json!(["example.com/hold"]);
            }
        }
        let class = if app.critical { "system-cluster-critical" } else { "" };
        let mut spec = json!({"nodeName": p.node, "priorityClassName": class,
            "terminationGracePeriodSeconds": p.grace});
        if app.claims {
            spec["volumes"] =
                json!([{"name": "data", "persistentVolumeClaim": {"claimName": p.name}}]);
        }
        let phase = if p.node.is_empty() { "Pending" } else { "Running" };
        let ready = if p.ready { "True" } else { "False" };
        Some(json!({"metadata": meta, "spec": spec,
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}}))
    }

    pub fn budget_json(&self, at: usize) -> Value {
        let b = &self.budgets[at];
        let mut spec = json!({"selector": {"matchLabels": {"app": self.apps[b.app].name}}});
        if let Some(max) = b.max_unavailable {
            spec["maxUnavailable"] = max.into();
        }
        if let Some(min) = b.min_available {
            spec["minAvailable"] = min.into();
        }
        if b.always_allow {
            spec["unhealthyPodEvictionPolicy"] = "AlwaysAllow".into();
        }
        let disrupted: serde_json::Map<String, Value> =
            b.disrupted.keys().map(|k| (k.clone(), "2027-01-15T08:00:00Z".into())).collect();
        json!({
            "metadata": {"namespace": NS, "name": b.name, "generation": b.generation},
            "spec": spec,
            "status": {"observedGeneration": b.observed, "disruptionsAllowed": b.allowed,
                "currentHealthy": b.healthy, "desiredHealthy": b.wanted,
                "expectedPods": b.expected, "disruptedPods": disrupted},
        })
    }
}
