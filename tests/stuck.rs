//! The desk of what does not go, on a real API server: what is found, what is said of it, and what a removal does when the
//! cluster moves meanwhile. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, User, fresh, output_within, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wheelhouse::actions::Wish;
use wheelhouse::actions::plan::{Answer, Plan};
use wheelhouse::app::cluster::decode::Encoding;
use wheelhouse::app::cluster::session::{
    ArmedId, ConnectArgs, Environment, Lock, Pinned, PluginStdio,
};
use wheelhouse::app::cluster::survey;
use wheelhouse::app::connect::{Connection, Origin};
use wheelhouse::app::effects::change::{Reach, prepare};
use wheelhouse::app::execute::{Report, execute};
use wheelhouse::app::journal::Journal;
use wheelhouse::state::decl::Gvk;
use wheelhouse::state::journal::{Began, Fate};
use wheelhouse::state::parcel::Key;
use wheelhouse::state::ui::document::Target;

const FORGES: &str = "/apis/foundry.example/v1/namespaces/works/forges";
const SPARKS: &str = "/apis/kiln.example/v1/namespaces/works/sparks";
const MAPS: &str = "/api/v1/namespaces/works/configmaps";
const FORGE_HOLD: &str = "foundry.example/cleanup";
const SPARK_HOLD: &str = "kiln.example/quench";
const MAP_HOLD: &str = "ledger.example/release";
const SOON: Duration = Duration::from_secs(60);

/// A cluster, and a home whose journal the runs of one test share.
struct Bench {
    lab: ControlPlane,
    home: tempfile::TempDir,
}

impl Bench {
    fn open(options: Options) -> Option<Bench> {
        let bench = Bench { lab: fresh(options)?, home: tempfile::tempdir().expect("a folder") };
        for namespace in ["works", "ops"] {
            bench.lab.api_create("/api/v1/namespaces", &json!({"metadata": {"name": namespace}}));
        }
        Some(bench)
    }

    fn define(&self, group: &str, plural: &str, kind: &str) {
        let loose = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let crd = json!({
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": loose}}],
            },
        });
        self.lab.api_create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
        let path = format!("/apis/{group}/v1/{plural}");
        wait_until("the kind is served", SOON, || self.status(&path) == 200);
    }

    /// Makes objects of a kind that have a finalizer, and deletes them.
    fn strand(&self, path: &str, kind: &str, hold: &str, n: usize) {
        for i in 0..n {
            let (version, name) = match path.strip_prefix("/apis/") {
                Some(rest) => (rest.split("/namespaces").next().unwrap(), format!("s-{i:02}")),
                None => ("v1", format!("s-{i:02}")),
            };
            let object = json!({
                "apiVersion": version, "kind": kind,
                "metadata": {"name": name, "finalizers": ["first.example/kept", hold]},
            });
            self.lab.api_create(path, &object);
            self.lab.api_delete(&format!("{path}/{name}"), &json!({}));
        }
    }

    /// A workload and how many of its pods are ready.
    fn operator(&self, name: &str, ready: i64) {
        let labels = json!({"app": name});
        let deployment = json!({
            "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "registry.test/op:1"}]},
            }},
        });
        self.lab.api_create("/apis/apps/v1/namespaces/ops/deployments", &deployment);
        self.revive(name, ready);
    }

    fn revive(&self, name: &str, ready: i64) {
        let path = format!("/apis/apps/v1/namespaces/ops/deployments/{name}");
        self.lab.api_patch(&path, &json!({"spec": {"replicas": ready}}));
        let status = json!({"status": {"replicas": ready, "readyReplicas": ready}});
        self.lab.api_patch(&format!("{path}/status"), &status);
    }

    fn status(&self, path: &str) -> u16 {
        self.lab.request("GET", path, "", b"").map_or(0, |reply| reply.status)
    }

    fn run(&self, user: User, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(args).arg("--kubeconfig").arg(self.lab.kubeconfig(user));
        command.env("HOME", self.home.path()).env_remove("KUBECONFIG");
        command.env_remove("XDG_STATE_HOME").env_remove("WHEELHOUSE_PROTECT");
        let out = output_within(command, "", Duration::from_secs(120));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
    }

    fn remove(&self, objects: &[String], hold: &str, more: &[&str]) -> (i32, String, String) {
        let objects = objects.iter().map(String::as_str);
        let args: Vec<&str> = ["finalizers", "remove"]
            .into_iter()
            .chain(objects)
            .chain(["--finalizer", hold, "-n", "works"])
            .chain(more.iter().copied())
            .collect();
        self.run(User::Admin, &args)
    }

    fn survey(&self, args: &[&str]) -> (i32, Value, String) {
        let all: Vec<&str> =
            ["stuck", "-o", "json"].into_iter().chain(args.iter().copied()).collect();
        let (code, out, err) = self.run(User::Admin, &all);
        (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")), err)
    }

    fn backups(&self) -> Vec<PathBuf> {
        let root = self.home.path().join(".local/state/wheelhouse/backup");
        let runs = std::fs::read_dir(root).into_iter().flatten().flatten();
        let files = runs.flat_map(|run| std::fs::read_dir(run.path()).into_iter().flatten());
        files.flatten().map(|file| file.path()).collect()
    }
}

fn names(kind: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{kind}/s-{i:02}")).collect()
}

fn of<'v>(found: &'v Value, kind: &str) -> Vec<&'v Value> {
    let all = found["objects"].as_array().expect("objects");
    all.iter().filter(|o| o["kind"] == kind).collect()
}

fn says(object: &Value, words: &str) -> bool {
    object.to_string().contains(words)
}

#[test]
fn fifty_objects_of_three_kinds_are_named_and_let_go_one_finalizer_at_a_time() {
    let Some(bench) = Bench::open(Options::api()) else { return };
    bench.define("foundry.example", "forges", "Forge");
    bench.define("kiln.example", "sparks", "Spark");
    bench.operator("foundry-operator", 0);
    bench.operator("kiln-operator", 0);
    bench.strand(FORGES, "Forge", FORGE_HOLD, 20);
    bench.strand(SPARKS, "Spark", SPARK_HOLD, 20);
    bench.strand(MAPS, "ConfigMap", MAP_HOLD, 10);

    let (code, found, err) = bench.survey(&["--rate", "100"]);
    assert_eq!(code, 0, "{err}");
    let kinds = ["Forge", "Spark", "ConfigMap"].map(|kind| of(&found, kind).len());
    assert_eq!(kinds, [20, 20, 10]);
    for forge in of(&found, "Forge") {
        assert_eq!(forge["verdict"], "gone", "{forge}");
        assert!(says(forge, "ops/foundry-operator is scaled to zero"), "{forge}");
        assert_eq!(forge["finalizers"], json!(["first.example/kept", FORGE_HOLD]));
    }
    assert!(says(of(&found, "Spark")[0], "ops/kiln-operator is scaled to zero"));
    assert!(says(of(&found, "ConfigMap")[0], "no workload here is named like it"));

    // A dry run changes nothing, and one finalizer is one finalizer.
    let forges = names("forges", 20);
    let (code, out, err) = bench.remove(&forges, FORGE_HOLD, &["--dry-run"]);
    assert!(code == 0 && out.contains("the server would do it"), "{code} {out} {err}");
    assert!(bench.backups().is_empty());

    // Somebody writes the status of one of them all the time; the patch does not mind.
    let stop = AtomicBool::new(false);
    let busy = format!("{FORGES}/s-00/status");
    let mut heats = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut heat = 0;
            while !stop.load(Ordering::SeqCst) {
                heat += 1;
                let body = json!({"status": {"heat": heat}}).to_string();
                let kind = "application/merge-patch+json";
                // It ends with the object.
                let _ = bench.lab.request("PATCH", &busy, kind, body.as_bytes());
                std::thread::park_timeout(Duration::from_millis(40));
            }
            heat
        });
        let (code, out, err) = bench.remove(&forges, FORGE_HOLD, &["--yes"]);
        stop.store(true, Ordering::SeqCst);
        heats = writer.join().expect("the writer ends");
        assert!(code == 0, "{code} {out} {err}");
    });
    assert!(heats > 5, "the status was written {heats} times");
    let left = bench.lab.api_get(FORGES);
    let kept = |o: &Value| o["metadata"]["finalizers"] == json!(["first.example/kept"]);
    assert!(left["items"].as_array().expect("a list").iter().all(kept), "{left}");
    let (code, _, err) = bench.remove(&forges, "first.example/kept", &["--yes"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(bench.lab.api_get(FORGES)["items"], json!([]));

    let (code, _, err) = bench.remove(&names("configmaps", 10), MAP_HOLD, &["--yes"]);
    assert_eq!(code, 0, "{err}");
    let backups = bench.backups();
    assert_eq!(backups.len(), 50);
    for path in &backups {
        let mode = std::fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path:?}");
        assert!(std::fs::read_to_string(path).expect("text").contains("finalizers:"), "{path:?}");
    }
    let (_, journal, _) = bench.run(User::Admin, &["journal", "show", "last"]);
    assert!(journal.contains("backup") && journal.contains(".yaml"), "{journal}");

    // A controller that is back keeps what is its own.
    bench.revive("kiln-operator", 1);
    let (code, out, err) = bench.remove(&names("sparks", 20), SPARK_HOLD, &["--yes"]);
    assert!(
        code == 3 && err.contains("left alone") && err.contains("kiln-operator"),
        "{code} {out} {err}"
    );
    assert_eq!(bench.lab.api_get(SPARKS)["items"].as_array().map(Vec::len), Some(20));
    assert_eq!(bench.backups().len(), 50);
}

/// The library's own pieces, for what happens between the preview and the execution.
struct Hands {
    runtime: tokio::runtime::Handle,
    connection: Connection,
}

impl Hands {
    fn of(bench: &Bench) -> Hands {
        let driven = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let driven = driven.expect("the system has a thread to spare");
        let runtime = driven.handle().clone();
        // Ends with the process.
        std::thread::spawn(move || driven.block_on(std::future::pending::<()>()));
        let kubeconfig = Some(bench.lab.kubeconfig(User::Admin));
        let args = ConnectArgs { kubeconfig, ..ConnectArgs::default() };
        let pinned = Pinned::load(&args, Environment::default());
        let origin = Origin::pinned(pinned.unwrap_or_else(|e| panic!("{}", e.paragraph())));
        let opened = runtime.block_on(origin.open(Lock::new(false), PluginStdio::Captured));
        let connection = opened.unwrap_or_else(|e| panic!("{}", e.paragraph()));
        Hands { runtime, connection }
    }

    fn plan(&self, bench: &Bench, gvk: &'static Gvk, name: &str, hold: &str) -> Plan {
        let object = bench.lab.api_get(&gvk.object("works", name));
        let uid = object["metadata"]["uid"].as_str().expect("a uid");
        let (namespace, name) = ("works".to_owned(), name.to_owned());
        let key = Key::of(uid, &namespace, &name);
        let target = Target { table: "stuck", gvk, namespace, name, key, rv: 0 };
        let wish =
            Wish { action: "remove-finalizer", targets: vec![target], argument: hold.into() };
        let c = &self.connection;
        let plan = self.runtime.block_on(prepare(&c.upstream, &wish, &c.cluster, c.now()));
        plan.expect("something is to be done")
    }

    fn execute(&self, bench: &Bench, plan: Plan) -> Report {
        let word = match &plan.danger {
            wheelhouse::actions::plan::Danger::Destructive(word) => word.clone(),
            other => panic!("{other:?}"),
        };
        let armed = plan.confirm(&Answer::Typed(word)).expect("the word");
        let server =
            Reach { runtime: self.runtime.clone(), client: self.connection.client.clone() };
        let journal = Ok(Journal::at(bench.home.path().join("state/journal")));
        let never = AtomicBool::new(false);
        execute(&armed, ArmedId(1), &server, &journal, Began::default(), &mut |_| {}, &never)
    }
}

#[test]
fn what_moves_between_preview_and_execution_is_left_alone_and_told() {
    let Some(bench) = Bench::open(Options::api()) else { return };
    bench.define("kiln.example", "sparks", "Spark");
    bench.operator("kiln-operator", 0);
    bench.strand(SPARKS, "Spark", SPARK_HOLD, 1);
    bench.strand(MAPS, "ConfigMap", MAP_HOLD, 2);
    let hands = Hands::of(&bench);
    let sparks = Gvk::found("kiln.example", "v1", "Spark", "sparks", true);
    let maps = Gvk::found("", "v1", "ConfigMap", "configmaps", true);

    // Metadata comes in protobuf, of custom kinds as well.
    let mut pace = survey::Pace::new(hands.connection.client.clone(), 100);
    for path in [SPARKS, MAPS] {
        let mut seen = vec![];
        let mut take = |encoding: Encoding, _: &[u8]| {
            seen.push(encoding);
            Ok(())
        };
        hands.runtime.block_on(pace.metadata(path, &mut take)).expect("a list");
        assert!(
            !seen.is_empty() && seen.iter().all(|e| *e == Encoding::Protobuf),
            "{path}: {seen:?}"
        );
    }

    // The controller came back.
    let plan = hands.plan(&bench, sparks, "s-00", SPARK_HOLD);
    bench.revive("kiln-operator", 1);
    let report = hands.execute(&bench, plan);
    assert_eq!(report.steps[0].fate, Fate::NotSent);
    assert!(report.steps[0].why.contains("came back"), "{report:?}");

    // Another finalizer went, so that this one stands elsewhere.
    let plan = hands.plan(&bench, maps, "s-00", MAP_HOLD);
    bench.lab.api_patch(&format!("{MAPS}/s-00"), &json!({"metadata": {"finalizers": [MAP_HOLD]}}));
    let report = hands.execute(&bench, plan);
    assert_eq!(report.steps[0].fate, Fate::Refused);
    assert!(report.steps[0].why.contains("/metadata/finalizers/1 was"), "{report:?}");
    let left = bench.lab.api_get(&format!("{MAPS}/s-00"));
    assert_eq!(left["metadata"]["finalizers"], json!([MAP_HOLD]), "no neighbour was removed");

    // Another object has the name now.
    let plan = hands.plan(&bench, maps, "s-01", MAP_HOLD);
    bench.lab.api_patch(&format!("{MAPS}/s-01"), &json!({"metadata": {"finalizers": null}}));
    let again =
        json!({"metadata": {"name": "s-01", "finalizers": ["first.example/kept", MAP_HOLD]}});
    bench.lab.api_create(MAPS, &again);
    bench.lab.api_delete(&format!("{MAPS}/s-01"), &json!({}));
    let report = hands.execute(&bench, plan);
    assert_ne!(report.steps[0].fate, Fate::Done);
    assert!(report.steps[0].why.contains("another object has its name"), "{report:?}");
    let left = bench.lab.api_get(&format!("{MAPS}/s-01"));
    assert_eq!(left["metadata"]["finalizers"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_webhook_on_a_closed_port_is_named() {
    let Some(bench) = Bench::open(Options::api()) else { return };
    bench.strand(MAPS, "ConfigMap", MAP_HOLD, 1);
    let hook = json!({
        "metadata": {"name": "gate"},
        "webhooks": [{
            "name": "gate.ledger.example", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {"url": "https://127.0.0.1:1/gate"}, "failurePolicy": "Fail", "timeoutSeconds": 2,
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["UPDATE"]}],
        }],
    });
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    bench.lab.api_create(path, &hook);
    let one = names("configmaps", 1);
    let refuses = || bench.remove(&one, MAP_HOLD, &["--dry-run"]).0 == 3;
    wait_until("the webhook is in force", SOON, refuses);
    let (code, out, err) = bench.remove(&one, MAP_HOLD, &["--yes"]);
    assert_eq!(code, 1, "{out} {err}");
    assert!(err.contains("gate.ledger.example"), "{err}");
    assert_eq!(bench.status(&format!("{MAPS}/s-00")), 200);
}

#[test]
fn a_viewer_sees_what_there_is_and_which_rules_are_missing() {
    let Some(bench) = Bench::open(Options::api()) else { return };
    let maps = "/api/v1/namespaces/shop/configmaps";
    let held = json!({"metadata": {"name": "held", "finalizers": [MAP_HOLD]}});
    bench.lab.api_create(maps, &held);
    bench.lab.api_delete(&format!("{maps}/held"), &json!({}));
    let (code, out, err) = bench.run(User::Viewer, &["stuck", "-n", "shop", "--rate", "100"]);
    assert_eq!(code, 4, "{out} {err}");
    assert!(out.contains("ConfigMap shop/held") && out.contains("unclear"), "{out}");
    assert!(err.contains("a rule for list"), "{err}");
}

#[test]
fn pods_are_cleaned_up_by_state_and_a_forced_delete_takes_the_name() {
    let Some(bench) = Bench::open(Options::api()) else { return };
    let pods = "/api/v1/namespaces/works/pods";
    let phases = [
        ("done", "Succeeded", "", "n1"),
        ("evicted", "Failed", "Evicted", "n1"),
        ("runs", "Running", "", "n1"),
        ("orphan", "Running", "", "nowhere"),
    ];
    bench.lab.api_create("/api/v1/nodes", &json!({"metadata": {"name": "n1"}}));
    for (name, phase, reason, node) in phases {
        let pod = json!({"metadata": {"name": name}, "spec": {"nodeName": node,
            "containers": [{"name": "app", "image": "registry.test/app:1"}]}});
        bench.lab.api_create(pods, &pod);
        let status = json!({"status": {"phase": phase, "reason": reason}});
        bench.lab.api_patch(&format!("{pods}/{name}/status"), &status);
    }
    let (code, _, err) = bench.run(
        User::Admin,
        &["cleanup", "pods", "--state", "Succeeded", "--older-than", "1h", "--yes"],
    );
    assert!(code == 3 && err.contains("no pod is Succeeded for"), "{code} {err}");
    let all = ["cleanup", "pods", "--state", "succeeded,Evicted,Orphaned", "--older-than", "0s"];
    let (code, _, err) = bench.run(User::Admin, &all);
    assert!(code == 3 && err.contains("1 Evicted, 1 Orphaned, 1 Succeeded"), "{code} {err}");
    let (code, out, err) = bench.run(User::Admin, &[&all[..], &["--yes"]].concat());
    assert_eq!(code, 0, "{out} {err}");
    let deleted = |name: &str| match bench.status(&format!("{pods}/{name}")) {
        404 => true,
        _ => bench.lab.api_get(&format!("{pods}/{name}"))["metadata"]["deletionTimestamp"]
            .is_string(),
    };
    assert_eq!(phases.map(|(name, ..)| deleted(name)), [true, true, false, true]);

    let force = ["force-delete", "runs", "-n", "works", "--yes"];
    let (code, _, err) = bench.run(User::Admin, &force);
    assert!(
        code == 3 && err.contains("--confirm runs") && err.contains("may still run"),
        "{code} {err}"
    );
    let (code, _, err) = bench.run(User::Admin, &[&force[..], &["--confirm", "runs"]].concat());
    assert_eq!(code, 0, "{err}");
    assert_eq!(bench.status(&format!("{pods}/runs")), 404);
}

#[test]
fn namespaces_say_which_content_or_which_dead_api_keeps_them() {
    let Some(bench) = Bench::open(Options::full()) else { return };
    bench.define("foundry.example", "forges", "Forge");
    bench.operator("foundry-operator", 0);
    bench.strand(FORGES, "Forge", FORGE_HOLD, 2);
    let delete =
        |name: &str| bench.lab.api_delete(&format!("/api/v1/namespaces/{name}"), &json!({}));
    let condition = |name: &str, kind: &str| {
        let namespace = bench.lab.api_get(&format!("/api/v1/namespaces/{name}"));
        let all = namespace["status"]["conditions"].as_array().cloned().unwrap_or_default();
        all.iter().any(|c| c["type"] == kind && c["status"] == "True")
    };
    delete("works");
    wait_until("the content is named", SOON, || condition("works", "NamespaceContentRemaining"));
    let (_, found, _) = bench.survey(&["--rate", "100"]);
    let works = of(&found, "Namespace")[0];
    assert!(says(works, "2 forges.foundry.example"), "{works}");
    assert_eq!(works["content"]["forges.foundry.example"], 2, "{works}");

    // An API that nobody answers stops every other namespace as well.
    bench.lab.api_create("/api/v1/namespaces", &json!({"metadata": {"name": "blocked"}}));
    let service = json!({
        "metadata": {"name": "v1alpha1.legacy.example"},
        "spec": {"group": "legacy.example", "version": "v1alpha1", "groupPriorityMinimum": 100, "versionPriority": 15,
            "insecureSkipTLSVerify": true, "service": {"namespace": "ops", "name": "legacy-adapter"}},
    });
    bench.lab.api_create("/apis/apiregistration.k8s.io/v1/apiservices", &service);
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.legacy.example";
    let dead = || bench.lab.api_get(path)["status"].to_string().contains("\"False\"");
    wait_until("the API is known to be dead", SOON, dead);
    delete("blocked");
    wait_until("discovery fails", SOON, || {
        condition("blocked", "NamespaceDeletionDiscoveryFailure")
    });
    let (code, found, err) = bench.survey(&["--rate", "100"]);
    assert!(code == 4 && err.contains("legacy.example/v1alpha1 does not answer"), "{code} {err}");
    let all = of(&found, "Namespace");
    let blocked = all.iter().find(|o| o["name"] == "blocked").expect("it is found");
    assert!(
        says(
            blocked,
            "APIService v1alpha1.legacy.example (Service ops/legacy-adapter) does not answer"
        ),
        "{blocked}"
    );
    assert!(
        blocked["next"].as_str().expect("a step").contains("delete the APIService"),
        "{blocked}"
    );

    // The last resort says everything else first, and takes the name.
    let last = ["finalizers", "remove", "namespaces/works", "--finalizer", "kubernetes", "--yes"];
    let (code, _, err) = bench.run(User::Admin, &last);
    assert!(code == 3 && err.contains("--confirm works"), "{code} {err}");
    assert!(
        err.contains("less harmful:")
            && err.contains("orphans:")
            && err.contains("2 forges.foundry.example"),
        "{err}"
    );
    assert!(err.contains("unknown: what legacy.example/v1alpha1 holds there"), "{err}");
    let (code, out, err) = bench.run(User::Admin, &[&last[..], &["--confirm", "works"]].concat());
    assert!(code == 0, "{code} {out} {err}");
    wait_until("the namespace is gone", SOON, || bench.status("/api/v1/namespaces/works") == 404);
}
