//! Confirmed plans against the demo server: what is sent, what is recorded, and what is said when it goes wrong.

use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wheelhouse::actions::Wish;
use wheelhouse::actions::plan::{Answer as Yes, Danger, Plan, Request};
use wheelhouse::app::cluster::session::{Answer, ArmedId, Fault, Lock, Meter, gated, get};
use wheelhouse::app::cluster::upstream::Upstream;
use wheelhouse::app::cluster::{Client, session::Unreachable};
use wheelhouse::app::demo::DemoCluster;
use wheelhouse::app::effects::change::{Reach, prepare};
use wheelhouse::app::execute::{Report, Server, execute};
use wheelhouse::app::journal::Journal;
use wheelhouse::state::cluster::Cluster;
use wheelhouse::state::decl::Gvk;
use wheelhouse::state::journal::{Began, Fate, How};
use wheelhouse::state::kinds;
use wheelhouse::state::parcel::Key;
use wheelhouse::state::time::Epoch;
use wheelhouse::state::ui::document::Target;

/// A demo cluster and a journal of its own.
struct Rig {
    runtime: tokio::runtime::Handle,
    client: Client,
    lock: Lock,
    home: tempfile::TempDir,
}

impl Rig {
    fn new() -> Rig {
        let driven = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let driven = driven.expect("an event queue");
        let runtime = driven.handle().clone();
        // Ends with the process.
        std::thread::spawn(move || driven.block_on(std::future::pending::<()>()));
        let lock = Lock::new(false);
        let _context = runtime.enter();
        let client =
            gated(DemoCluster::today(), "default", Arc::new(Meter::default()), lock.clone());
        drop(_context);
        Rig { runtime, client, lock, home: tempfile::tempdir().expect("a folder") }
    }

    fn upstream(&self) -> Arc<Upstream> {
        let _context = self.runtime.enter();
        Upstream::new(self.client.clone(), Arc::new(|| Epoch(0)))
    }

    fn read(&self, path: &str) -> Value {
        let answer = self.runtime.block_on(get(&self.client, path, None)).expect("it is there");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// The server's time.
    fn now(&self) -> i64 {
        let answer = self.runtime.block_on(get(&self.client, "/version", None)).expect("a version");
        answer.date.expect("a date")
    }

    fn node(&self, name: &str) -> Target {
        let object = self.read(&format!("/api/v1/nodes/{name}"));
        let uid = object["metadata"]["uid"].as_str().expect("a uid");
        let gvk =
            kinds::ALL.iter().flat_map(|t| t.kinds).map(|k| &k.gvk).find(|g| g.kind == "Node");
        let key = Key::of(uid, "", name);
        let gvk = gvk.expect("nodes are declared");
        Target { table: "nodes", gvk, namespace: String::new(), name: name.into(), key, rv: 0 }
    }

    fn plan(&self, action: &'static str, nodes: &[&str], argument: &str) -> Result<Plan, String> {
        let targets = nodes.iter().map(|name| self.node(name)).collect();
        let wish = Wish { action, targets, argument: argument.into() };
        let cluster = Cluster { context: "demo".into(), ..Cluster::default() };
        self.runtime.block_on(prepare(&self.upstream(), &wish, &cluster, Epoch(1_795_435_200)))
    }

    fn run(&self, plan: Plan) -> Report {
        let reach = Reach { runtime: self.runtime.clone(), client: self.client.clone() };
        self.run_on(plan, &reach, self.home.path(), &AtomicBool::new(false))
    }

    fn run_on(&self, plan: Plan, server: &dyn Server, home: &Path, cancel: &AtomicBool) -> Report {
        let armed = plan.confirm(&Yes::Yes).expect("y is enough");
        let journal = Ok(Journal::at(home.to_owned()));
        execute(&armed, ArmedId(7), server, &journal, Began::default(), &mut |_| {}, cancel)
    }
}

#[test]
fn what_is_done_is_recorded_before_and_after_and_can_be_put_back() {
    let rig = Rig::new();
    let before = rig.read("/api/v1/nodes/demo-a-01");
    let report = rig.run(rig.plan("cordon", &["demo-a-01", "demo-b-01"], "kernel").unwrap());
    assert_eq!((report.how(), report.done(), report.undo), (How::Done, 2, true), "{report:?}");
    let node = rig.read("/api/v1/nodes/demo-a-01");
    assert_eq!(node["spec"]["unschedulable"], true);
    assert!(
        node["metadata"]["annotations"]["wheelhouse.dev/cordon"]
            .as_str()
            .unwrap()
            .contains("kernel")
    );

    let journal = Journal::at(rig.home.path().to_owned());
    let story = journal.read(&report.run).unwrap();
    assert_eq!(story.entries.len(), 2);
    assert!(story.entries.iter().all(|entry| entry.fate() == Fate::Done));
    assert_eq!(story.entries[0].intent.uid, node["metadata"]["uid"].as_str().unwrap());
    let undo = story.undo_steps();
    assert_eq!(undo.len(), 2);
    let back = undo[0].intent.undo.clone().unwrap();
    let request = Request {
        method: back.method,
        path: back.path,
        content_type: back.content_type,
        body: back.body,
    };
    let reach = Reach { runtime: rig.runtime.clone(), client: rig.client.clone() };
    reach.write(ArmedId(8), &request).expect("nobody changed it since");
    let again = reach.write(ArmedId(8), &request).unwrap_err();
    assert!(
        matches!(again, Fault::Rejected { code: 422, .. }),
        "its test does not hold any more: {again:?}"
    );
    let undone = rig.read("/api/v1/nodes/demo-b-01");
    assert_eq!(undone["spec"].get("unschedulable"), None);
    assert_eq!(before["spec"].get("unschedulable"), None);
}

#[test]
fn an_object_of_the_same_name_is_not_the_one_that_was_seen() {
    let rig = Rig::new();
    let mut plan = rig.plan("cordon", &["demo-a-01"], "").unwrap();
    plan.steps[0].request.body["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000".into();
    let report = rig.run(plan);
    assert_eq!((report.done(), report.steps[0].fate), (0, Fate::Refused), "{report:?}");
    assert!(report.words().contains("changed since you looked"), "{}", report.words());
    assert_eq!(rig.read("/api/v1/nodes/demo-a-01")["spec"].get("unschedulable"), None);
}

#[test]
fn taints_that_somebody_else_wrote_meanwhile_are_not_lost() {
    let rig = Rig::new();
    let first = rig.plan("taint", &["demo-a-01"], "a=1:NoSchedule").unwrap();
    let late = rig.plan("taint", &["demo-a-01"], "b=2:NoSchedule").unwrap();
    assert_eq!(rig.run(first).how(), How::Done);
    let report = rig.run(late);
    assert_eq!(report.how(), How::Failed, "{report:?}");
    assert!(report.words().contains("changed since you looked"), "{}", report.words());
    let taints = rig.read("/api/v1/nodes/demo-a-01")["spec"]["taints"].clone();
    assert_eq!(taints, json!([{"key": "a", "value": "1", "effect": "NoSchedule"}]));
}

#[test]
fn without_a_journal_nothing_is_sent() {
    let rig = Rig::new();
    let file = rig.home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let reach = Reach { runtime: rig.runtime.clone(), client: rig.client.clone() };
    let plan = rig.plan("cordon", &["demo-a-01"], "").unwrap();
    let report = rig.run_on(plan, &reach, &file.join("under a file"), &AtomicBool::new(false));
    assert!(report.steps.is_empty() && report.words().contains("nothing was sent"), "{report:?}");
    assert_eq!(rig.read("/api/v1/nodes/demo-a-01")["spec"].get("unschedulable"), None);
}

#[test]
fn read_only_is_kept_where_requests_leave_the_process() {
    let rig = Rig::new();
    let plan = rig.plan("cordon", &["demo-a-01"], "").unwrap();
    rig.lock.set(true);
    let report = rig.run(plan);
    assert_eq!(report.steps[0].fate, Fate::NotSent, "{report:?}");
    assert!(report.words().contains("read-only"), "{}", report.words());
}

/// Answers as told, and counts.
struct Script(RefCell<Vec<Result<Answer, Fault>>>, RefCell<usize>);

impl Server for Script {
    fn write(&self, _: ArmedId, _: &Request) -> Result<Answer, Fault> {
        *self.1.borrow_mut() += 1;
        self.0.borrow_mut().remove(0)
    }
}

#[test]
fn an_answer_that_never_came_is_unknown_and_nothing_is_sent_twice() {
    let rig = Rig::new();
    let lost = || Err(Fault::Timeout { after: std::time::Duration::from_secs(65) });
    let faults = vec![lost(), Err(Fault::Unreachable(Unreachable::Dropped))];
    let script = Script(RefCell::new(faults), RefCell::new(0));
    let plan = rig.plan("cordon", &["demo-a-01", "demo-b-01"], "").unwrap();
    let report = rig.run_on(plan, &script, rig.home.path(), &AtomicBool::new(false));
    assert_eq!((report.unknown(), *script.1.borrow()), (2, 2), "{report:?}");
    let story = Journal::at(rig.home.path().to_owned()).read(&report.run).unwrap();
    assert!(story.entries.iter().all(|entry| entry.fate() == Fate::Unknown));
}

#[test]
fn what_is_cancelled_ends_before_its_next_step() {
    let rig = Rig::new();
    let cancel = AtomicBool::new(false);
    /// The operator presses escape while the first answer is on its way.
    struct Cancelling<'a>(&'a Reach, &'a AtomicBool);
    impl Server for Cancelling<'_> {
        fn write(&self, plan: ArmedId, request: &Request) -> Result<Answer, Fault> {
            self.1.store(true, Ordering::SeqCst);
            self.0.write(plan, request)
        }
    }
    let reach = Reach { runtime: rig.runtime.clone(), client: rig.client.clone() };
    let plan = rig.plan("cordon", &["demo-a-01", "demo-b-01"], "").unwrap();
    let report = rig.run_on(plan, &Cancelling(&reach, &cancel), rig.home.path(), &cancel);
    assert_eq!((report.done(), report.how()), (1, How::Incomplete), "{report:?}");
    assert!(report.words().contains("you ended it"), "{}", report.words());
    assert_eq!(rig.read("/api/v1/nodes/demo-b-01")["spec"].get("unschedulable"), None);
}

#[test]
fn objects_that_are_gone_are_left_out_of_the_plan_and_named() {
    let rig = Rig::new();
    let mut gone = rig.node("demo-b-01");
    gone.key = Key::of("00000000-0000-4000-8000-000000000000", "", "demo-b-01");
    let wish = Wish {
        action: "cordon",
        targets: vec![rig.node("demo-a-01"), gone],
        argument: String::new(),
    };
    let cluster = Cluster::default();
    let plan = rig.runtime.block_on(prepare(&rig.upstream(), &wish, &cluster, Epoch(0))).unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert!(plan.notes.iter().any(|n| n.words.contains("demo-b-01")), "{:?}", plan.notes);
}

/// What is stuck in the demo cluster: an object by its kind and name.
fn held(rig: &Rig, gvk: &'static Gvk, namespace: &str, name: &str) -> Target {
    let object = rig.read(&gvk.object(namespace, name));
    let uid = object["metadata"]["uid"].as_str().expect("a uid");
    let key = Key::of(uid, namespace, name);
    Target { table: "stuck", gvk, namespace: namespace.into(), name: name.into(), key, rv: 0 }
}

fn typed(rig: &Rig, plan: Plan) -> Report {
    let Danger::Destructive(word) = &plan.danger else { panic!("{:?}", plan.danger) };
    let answer = Yes::Typed(word.clone());
    let reach = Reach { runtime: rig.runtime.clone(), client: rig.client.clone() };
    let armed = plan.confirm(&answer).expect("the word");
    let journal = Ok(Journal::at(rig.home.path().join("journal")));
    let never = AtomicBool::new(false);
    execute(&armed, ArmedId(7), &reach, &journal, Began::default(), &mut |_| {}, &never)
}

#[test]
fn a_finalizer_goes_after_a_backup_and_not_once_its_controller_is_back() {
    let rig = Rig::new();
    let forge = Gvk::found("foundry.example", "v1", "Forge", "forges", true);
    let plan = |name: &str| {
        let targets = vec![held(&rig, forge, "team-blue", name)];
        let wish = Wish { action: "remove-finalizer", targets, argument: String::new() };
        let now = Epoch(rig.now());
        rig.runtime.block_on(prepare(&rig.upstream(), &wish, &Cluster::default(), now)).unwrap()
    };
    let first = plan("anvil");
    let notes = first.notes.iter().map(|n| n.words.clone()).collect::<Vec<_>>().join("\n");
    assert!(notes.contains("foundry-operator is scaled to zero"), "{notes}");
    assert!(notes.contains("the server would take all of it"), "{notes}");
    let late = plan("bellows");
    let report = typed(&rig, first);
    assert_eq!(report.how(), How::Done, "{report:?}");
    let left = rig.read("/apis/foundry.example/v1/namespaces/team-blue/forges");
    assert_eq!(left["items"].as_array().map(Vec::len), Some(2));
    let run = std::fs::read_dir(rig.home.path().join("backup").join(&report.run)).unwrap();
    let files: Vec<_> = run.flatten().map(|f| f.path()).collect();
    assert_eq!(files.len(), 1);
    assert!(std::fs::read_to_string(&files[0]).unwrap().contains("foundry.example/cleanup"));

    // The operator is started again while the preview is on screen.
    let path = "/apis/apps/v1/namespaces/ops/deployments/foundry-operator/status";
    let back = Request {
        method: "PATCH".into(),
        path: path.into(),
        content_type: "application/merge-patch+json".into(),
        body: json!({"status": {"readyReplicas": 1}}),
    };
    let reach = Reach { runtime: rig.runtime.clone(), client: rig.client.clone() };
    reach.write(ArmedId(1), &back).expect("the demo takes it");
    let report = typed(&rig, late);
    assert_eq!(report.steps[0].fate, Fate::NotSent);
    assert!(report.words().contains("its controller came back"), "{}", report.words());
}
