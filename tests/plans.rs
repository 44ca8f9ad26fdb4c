//! What each change would send, in each situation: plans are data, so they are read here like a page.

use serde_json::{Value, json};
use std::sync::Arc;
use wheelhouse::actions::change::{By, Seen};
use wheelhouse::actions::cleanup::{self, Around};
use wheelhouse::actions::named;
use wheelhouse::actions::plan::{Answer, Before, Danger, Plan, Weight};
use wheelhouse::state::decl::Gvk;
use wheelhouse::state::fairness::board::{Sources, lines};
use wheelhouse::state::fairness::dump::LevelNow;
use wheelhouse::state::fairness::seats::Level;
use wheelhouse::state::kinds::{self, priority_levels};
use wheelhouse::state::parcel::{Draft, Key, Parcel};
use wheelhouse::state::rules::stuck::{Content, Evidence, Named, Veto, Workload};
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;
use wheelhouse::state::ui::document::Target;

const UID: &str = "61cc42d4-094b-4c40-a0ef-4aa7dd7f4aec";

fn gvk(kind: &str) -> &'static Gvk {
    let mut all = kinds::ALL.iter().flat_map(|table| table.kinds).map(|k| &k.gvk);
    all.find(|gvk| gvk.kind == kind).expect("a declared kind")
}

/// An object as it would be read: what every object has, and the rest.
fn seen(kind: &str, namespace: &str, name: &str, rest: Value) -> Seen {
    let mut object = json!({
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "uid": UID, "resourceVersion": "41"},
    });
    json_patch::merge(&mut object, &rest);
    let target = Target {
        table: "",
        gvk: gvk(kind),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        key: Key::of(UID, namespace, name),
        rv: 41,
    };
    Seen { target, object, pods: Ok(vec![]), evidence: None }
}

fn node(name: &str, rest: Value) -> Seen {
    seen("Node", "", name, rest)
}

fn plan(action: &str, on: &[Seen], argument: &str) -> Result<Plan, String> {
    let by = By { login: "op@bastion".into(), at: "2026-11-23T02:04:56Z".into() };
    let action = named(action).expect("a declared action");
    action.change().expect("it changes something").plan(on, argument, &by)
}

fn page(plan: Result<Plan, String>) -> String {
    let plan = match plan {
        Ok(plan) => plan,
        Err(why) => return format!("no plan: {why}\n"),
    };
    let mut text = format!("{}\n{:?}\n", plan.title, plan.danger);
    for note in &plan.notes {
        let mark = if note.weight == Weight::Plain { ' ' } else { '!' };
        text += &format!("{mark} {}\n", note.words);
    }
    for step in &plan.steps {
        let request = &step.request;
        let kind = request.content_type.trim_start_matches("application/");
        text += &format!("> {}\n  {} {} {kind}\n", step.words, request.method, request.path);
        text += &format!("  {}\n", request.body);
        if let Some(undo) = &step.undo {
            text += &format!("< {}\n  {} {}\n", undo.words, undo.method, undo.body);
        }
    }
    text
}

fn cordoned(by: &str, manager: &str) -> Value {
    let note = json!({"by": by, "at": "2026-11-22T22:00:00Z", "reason": "kernel"}).to_string();
    json!({
        "metadata": {
            "annotations": {"wheelhouse.dev/cordon": note},
            "managedFields": [{
                "manager": manager, "time": "2026-11-22T22:00:00Z",
                "fieldsV1": {"f:spec": {"f:unschedulable": {}}},
            }],
        },
        "spec": {"unschedulable": true},
    })
}

#[test]
fn cordon_and_uncordon() {
    let on = [node("n1", json!({})), node("n2", json!({"spec": {"unschedulable": true}}))];
    let mut text = page(plan("cordon", &on, "kernel update ticket=CHG-7"));
    text += "\n-- by us\n";
    text += &page(plan("uncordon", &[node("n1", cordoned("op@bastion", "wheelhouse"))], ""));
    text += "\n-- by a colleague\n";
    text += &page(plan("uncordon", &[node("n1", cordoned("other@bastion", "wheelhouse"))], ""));
    text += "\n-- by kubectl, over an old note of ours\n";
    text += &page(plan("uncordon", &[node("n1", cordoned("op@bastion", "kubectl-cordon"))], ""));
    text += "\n-- nothing to do\n";
    text += &page(plan("uncordon", &[node("n1", json!({}))], ""));
    insta::assert_snapshot!(text);
}

#[test]
fn taints_are_changed_and_evictions_named() {
    let old =
        json!({"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule", "timeAdded": "t"}]}});
    let mut text =
        page(plan("taint", &[node("n1", old.clone())], "gpu=a100:NoSchedule team=ml:NoSchedule"));
    text += "\n-- the first taint of a node\n";
    text += &page(plan("taint", &[node("n1", json!({}))], "team=ml:NoSchedule"));
    text += "\n-- NoExecute\n";
    let mut on = node("n1", json!({}));
    let pod = |name: &str, tolerations: Value| json!({"metadata": {"namespace": "shop", "name": name}, "spec": {"tolerations": tolerations}});
    on.pods = Ok(vec![
        pod("web-0", json!([])),
        pod("web-1", json!([{"operator": "Exists", "tolerationSeconds": 300}])),
        pod("agent", json!([{"operator": "Exists"}])),
    ]);
    text += &page(plan("taint", &[on], "maintenance:NoExecute"));
    text += "\n-- removal of what is not there\n";
    text += &page(plan("taint", &[node("n1", old)], "other-"));
    insta::assert_snapshot!(text);
}

#[test]
fn labels_and_annotations() {
    let labels = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
    let on = [node("n1", labels)];
    let mut text = page(plan("label", &on, "a=9 example.com/c=3"));
    text += "\n-- removal\n";
    text += &page(plan("label", &on, "b-"));
    text += "\n-- a label that decides more than a name\n";
    text += &page(plan("label", &on, "topology.kubernetes.io/zone=eu-2"));
    text += "\n-- wrong\n";
    text += &page(plan("label", &on, "a=ü"));
    text += "\n-- annotation\n";
    text += &page(plan("annotate", &on, "example.com/note=any:text/goes"));
    insta::assert_snapshot!(text);
}

#[test]
fn pods_are_deleted_and_evicted() {
    let owned =
        json!({"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "controller": true}]}});
    let held = json!({"metadata": {"finalizers": ["acme.io/cleanup"], "deletionTimestamp": "t"}});
    let on = [seen("Pod", "shop", "web-0", owned), seen("Pod", "shop", "bare", held)];
    let mut text = page(plan("delete", &on, ""));
    text += "\n-- evict\n";
    text += &page(plan("evict", &on[..1], ""));
    text += "\n-- evict a bare pod\n";
    text += &page(plan("evict", &[seen("Pod", "shop", "bare", json!({}))], ""));
    insta::assert_snapshot!(text);
}

#[test]
fn workloads_are_restarted_and_scaled() {
    let web = seen("Deployment", "shop", "web", json!({"spec": {"replicas": 3}}));
    let agent = json!({"spec": {"updateStrategy": {"type": "OnDelete"}}});
    let on = [
        web.clone(),
        seen("DaemonSet", "shop", "agent", agent),
        seen("Job", "shop", "once", json!({})),
    ];
    let mut text = page(plan("restart", &on, ""));
    for replicas in ["5", "1", "0", "3", "many"] {
        text += &format!("\n-- scale to {replicas}\n");
        text += &page(plan("scale", std::slice::from_ref(&web), replicas));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_protected_context_asks_one_level_more() {
    let raised = |danger: Danger| danger.raised("prod");
    assert_eq!(raised(Danger::Reversible), Danger::Disruptive);
    assert_eq!(raised(Danger::Disruptive), Danger::Destructive("prod".into()));
    assert_eq!(raised(Danger::Destructive("x".into())), Danger::Destructive("prod".into()));
}

#[test]
fn only_the_answer_that_was_asked_for_arms_a_plan() {
    let delete = || plan("delete", &[seen("Pod", "shop", "web-0", json!({}))], "").unwrap();
    assert!(delete().confirm(&Answer::Yes).is_err());
    assert!(delete().confirm(&Answer::Typed("web".into())).is_err());
    assert!(delete().confirm(&Answer::Typed("web-0".into())).is_ok());
    let cordon = || plan("cordon", &[node("n1", json!({}))], "").unwrap();
    assert!(cordon().confirm(&Answer::Yes).is_ok());
    assert!(cordon().confirm(&Answer::Typed("n1".into())).is_err());
}

#[test]
fn what_was_seen_without_a_uid_is_not_written_to() {
    let mut on = node("n1", json!({}));
    on.target.key = Key::of("", "", "n1");
    assert!(plan("cordon", &[on], "").unwrap_err().contains("no uid"));
}

#[test]
fn a_node_is_out_of_service_only_if_it_is_dead_and_somebody_says_so() {
    let dead = |ready: &str| {
        let mut seen = node(
            "n1",
            json!({
                "spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]},
                "status": {"conditions": [{"type": "Ready", "status": ready}]},
            }),
        );
        seen.pods = Ok(vec![json!({
            "metadata": {"namespace": "shop", "name": "db-0"},
            "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "data-0"}}]},
        })]);
        [seen]
    };
    let refused = |plan: Result<Plan, String>| plan.expect_err("no plan");
    assert!(
        refused(plan("out-of-service", &dead("Unknown"), "off, I think")).contains("powered off")
    );
    assert!(refused(plan("out-of-service", &dead("True"), "powered off")).contains("is ready"));
    insta::assert_snapshot!(page(plan("out-of-service", &dead("Unknown"), "powered off")));
}

/// A request of the demo, as the API would give it.
fn request(name: &str, pem: &str, signer: &str, user: &str, groups: Value) -> Seen {
    use base64::Engine;
    let request = base64::engine::general_purpose::STANDARD.encode(pem);
    let usage = if signer.ends_with("serving") { "server auth" } else { "client auth" };
    let spec = json!({
        "request": request, "signerName": signer, "username": user, "groups": groups,
        "usages": ["digital signature", usage],
    });
    seen("CertificateSigningRequest", "", name, json!({"spec": spec, "status": {}}))
}

#[test]
fn requests_are_decided_as_they_were_judged() {
    use wheelhouse::state::store::Store;
    const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
    let serving = include_str!("../src/app/demo/cast/requests/serving-a-03.pem");
    let bot = include_str!("../src/app/demo/cast/requests/ci-bot.pem");
    let admin = include_str!("../src/app/demo/cast/requests/contractor.pem");
    let node = "system:node:demo-a-03";
    let amber =
        request("csr-a", serving, "kubernetes.io/kubelet-serving", node, json!(["system:nodes"]));
    let user = request("ci-bot", bot, CLIENT, "rosa", json!(["dev"]));
    let red = request("contractor", admin, CLIENT, "temp", json!(["dev"]));
    let mut decided = user.clone();
    decided.target.name = "old".into();
    decided.object["status"]["conditions"] = json!([{"type": "Denied", "status": "True"}]);
    let by = By { login: "op@bastion".into(), at: "2026-11-23T02:04:56Z".into() };
    let among = Store::default();
    let plan = |action: &str, on: &[Seen], argument: &str| {
        let action = named(action).and_then(|a| a.change()).expect("it changes something");
        let plan = action.plan_among(on, argument, &by, &among);
        // The request itself is long and the same in all of them.
        let page = page(plan);
        let body = on[0].object["spec"]["request"].as_str().expect("a request");
        on.iter().fold(page.replace(body, "LS0t"), |page, seen| {
            page.replace(seen.object["spec"]["request"].as_str().expect("a request"), "LS0t")
        })
    };
    let mut text = plan("approve", std::slice::from_ref(&user), "checked with rosa reason=Vouched");
    text += "\n-- red, alone\n";
    text += &plan("approve", std::slice::from_ref(&red), "");
    text += "\n-- many\n";
    text += &plan("approve", &[amber.clone(), user.clone(), red.clone(), decided.clone()], "");
    text += "\n-- only green\n";
    text += &plan("approve-green", &[amber, user.clone(), red.clone()], "");
    text += "\n-- denied\n";
    text += &plan("deny", &[red, decided], "not one of ours");
    text += "\n-- superseded\n";
    text += &plan("deny-superseded", &[user], "");
    insta::assert_snapshot!(text);
}

/// Objects that are being deleted, with what the cluster shows of their controllers.
fn stuck(gvk: &'static Gvk, name: &str, rest: Value, seen: &Arc<Evidence>) -> Seen {
    let mut object = json!({
        "metadata": {"name": name, "namespace": "team", "uid": UID, "resourceVersion": "41",
            "deletionTimestamp": "2026-11-22T22:00:00Z"},
    });
    json_patch::merge(&mut object, &rest);
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let key = Key::of(UID, &namespace, name);
    let target = Target { table: "stuck", gvk, namespace, name: name.into(), key, rv: 41 };
    Seen { target, object, pods: Ok(vec![]), evidence: Some(seen.clone()) }
}

fn operator(ready: i64) -> Arc<Evidence> {
    let deployment = json!({
        "metadata": {"name": "foundry-operator", "namespace": "ops"},
        "spec": {"replicas": ready, "template": {"spec": {"containers": [{"name": "main"}]}}},
        "status": {"readyReplicas": ready},
    });
    Arc::new(Evidence {
        now: Epoch::parse("2026-11-22T22:05:00Z").unwrap(),
        workloads: Some(vec![Workload::of("deployments", &deployment)]),
        grants: Some(vec![]),
        ..Evidence::default()
    })
}

#[test]
fn one_finalizer_is_removed_and_what_that_skips_is_said() {
    let forge = Gvk::found("foundry.example", "v1", "Forge", "forges", true);
    let held = |f: Value| json!({"metadata": {"finalizers": f}});
    let gone = operator(0);
    let two = || {
        stuck(forge, "anvil", held(json!(["other.example/kept", "foundry.example/cleanup"])), &gone)
    };
    let mut text = page(plan("remove-finalizer", &[two()], "foundry.example/cleanup"));
    text += "\n-- which one must be said\n";
    text += &page(plan("remove-finalizer", &[two()], ""));
    text += "\n-- two, one that is not being deleted, one without it\n";
    let mut live = stuck(forge, "live", held(json!(["foundry.example/cleanup"])), &gone);
    live.object["metadata"].as_object_mut().unwrap().shift_remove("deletionTimestamp");
    let on = [
        stuck(forge, "a", held(json!(["foundry.example/cleanup"])), &gone),
        two(),
        live,
        stuck(forge, "bare", held(json!(["other.example/kept"])), &gone),
    ];
    text += &page(plan("remove-finalizer", &on, "foundry.example/cleanup"));
    let alive = operator(1);
    let one = [stuck(forge, "a", held(json!(["foundry.example/cleanup"])), &alive)];
    text += "\n-- its controller is at work\n";
    text += &page(plan("remove-finalizer", &one, ""));
    text += "\n-- all the same\n";
    text += &page(plan("remove-finalizer", &one, "foundry.example/cleanup even-alive"));
    insta::assert_snapshot!(text);
}

#[test]
fn a_removal_keeps_a_backup_and_watches_whoever_was_dead() {
    let forge = Gvk::found("foundry.example", "v1", "Forge", "forges", true);
    let on = [stuck(
        forge,
        "a",
        json!({"metadata": {"finalizers": ["foundry.example/cleanup"]}}),
        &operator(0),
    )];
    let plan = plan("remove-finalizer", &on, "").unwrap();
    let path = "/apis/apps/v1/namespaces/ops/deployments/foundry-operator".to_owned();
    assert_eq!(plan.steps[0].before, Before { vetoes: vec![Veto::Workload(path)], backup: true });
}

#[test]
fn a_namespaces_own_finalizer_comes_last_and_names_its_orphans() {
    let gvk = gvk("Namespace");
    let mut seen = Evidence::clone(&operator(0));
    let objects = [("forges.foundry.example".to_owned(), 3)].into();
    let example = Named {
        resource: "forges.foundry.example".into(),
        name: "anvil".into(),
        finalizers: vec!["foundry.example/cleanup".into()],
    };
    let unknown = vec!["what legacy.example/v1 holds there is unknown".to_owned()];
    seen.content.insert("blue".into(), Content { objects, unknown, examples: vec![example] });
    let rest = json!({
        "metadata": {"namespace": null}, "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": [
            {"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
             "message": "Some resources are remaining: forges.foundry.example has 3 resource instances"},
            {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
             "message": "Some content in the namespace has finalizers remaining: foundry.example/cleanup in 3 resource instances"},
        ]},
    });
    let on = [stuck(gvk, "blue", rest, &Arc::new(seen))];
    insta::assert_snapshot!(page(plan("remove-finalizer", &on, "kubernetes")));
}

#[test]
fn a_forced_delete_says_what_it_gives_up() {
    let db = json!({
        "metadata": {"ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}],
            "deletionTimestamp": "2026-11-22T22:00:00Z"},
        "spec": {"nodeName": "n1", "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-0"}}]},
    });
    let mut text = page(plan("force-delete", &[seen("Pod", "shop", "db-0", db)], ""));
    text += "\n-- nothing but pods\n";
    text += &page(plan("force-delete", &[node("n1", json!({}))], ""));
    insta::assert_snapshot!(text);
}

#[test]
fn pods_are_cleaned_up_by_state_and_age_and_some_are_left_alone() {
    let now = Epoch::parse("2026-11-23T02:00:00Z").unwrap();
    let pod = |name: &str, phase: &str, reason: &str, node: &str, rest: Value| {
        let mut pod = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": UID, "resourceVersion": "9",
                "creationTimestamp": "2026-11-22T00:00:00Z"},
            "spec": {"nodeName": node}, "status": {"phase": phase, "reason": reason},
        });
        json_patch::merge(&mut pod, &rest);
        pod
    };
    let ended = |at: &str| json!({"status": {"containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}});
    let of_job =
        |uid: &str| json!({"metadata": {"ownerReferences": [{"kind": "Job", "uid": uid}]}});
    let all = [
        pod("old", "Succeeded", "", "n1", ended("2026-11-22T12:00:00Z")),
        pod("fresh", "Succeeded", "", "n1", ended("2026-11-23T01:59:00Z")),
        pod("evicted", "Failed", "Evicted", "n1", json!({})),
        pod("runs", "Running", "", "n1", json!({})),
        pod("orphan", "Running", "", "gone", json!({})),
        pod("counted", "Failed", "", "n1", of_job("running")),
        pod("over", "Failed", "", "n1", of_job("finished")),
        pod(
            "going",
            "Failed",
            "",
            "n1",
            json!({"metadata": {"deletionTimestamp": "2026-11-22T22:00:00Z"}}),
        ),
    ];
    let around = Around {
        nodes: Some(["n1".to_owned()].into()),
        running_jobs: Some(["running".to_owned()].into()),
    };
    let ask = |states: &[&str], most: usize| cleanup::Asked {
        states: states.iter().map(|s| (*s).to_owned()).collect(),
        older: 3600,
        most,
        now,
    };
    let mut text =
        page(cleanup::plan(&all, &ask(&["succeeded", "Failed", "Orphaned"], 3), &around));
    for states in [&["Evicted"][..], &["NodeLost"]] {
        text += &format!("\n-- {states:?}\n");
        text += &page(cleanup::plan(&all, &ask(states, 500), &around));
    }
    text += "\n-- without nodes and Jobs\n";
    text += &page(cleanup::plan(&all, &ask(&["Orphaned"], 500), &Around::default()));
    text += &page(cleanup::plan(&all[5..7], &ask(&["Failed"], 500), &Around::default()));
    insta::assert_snapshot!(text);
}

fn level(name: &str, annotations: Value, limited: Value) -> Seen {
    let metadata =
        if annotations.is_null() { json!({}) } else { json!({ "annotations": annotations }) };
    let rest = json!({"metadata": metadata, "spec": {"type": "Limited", "limited": limited}});
    seen("PriorityLevelConfiguration", "", name, rest)
}

/// The board's table of levels, each with its shares, its seats by the metrics, and what it executes.
fn levels_now(levels: &[(&str, i64, Option<i64>, i64)]) -> Store {
    let (mut store, mut draft) = (Store::default(), Draft::default());
    let spec = &priority_levels::TABLE;
    let feed = store.open_feed(store.table_index(spec.id).expect("a table"), 0, None);
    let mut parcel = Parcel::new(feed, 1, spec);
    for (place, (name, shares, nominal, executing)) in levels.iter().enumerate() {
        let level = Level {
            name: (*name).into(),
            uid: format!("uid-{name}"),
            shares: *shares,
            queues: (*name != "batch").then_some((64, 50)),
            ..Level::default()
        };
        let told = LevelNow {
            name: level.name.clone(),
            nominal: *nominal,
            executing: Some(*executing),
            ..LevelNow::default()
        };
        let from = Sources { levels: &[level], dump: Some(&[told]), ..Sources::default() };
        let mut line = lines(&from).remove(0);
        line.now.nominal = *nominal;
        line.seats.nominal = nominal.unwrap_or(0);
        draft.reset(spec, 0);
        priority_levels::fill(&mut draft, &line, place, Epoch(0), [0; 12]);
        draft.settle();
        parcel.push(&draft, spec);
    }
    store.apply(&parcel);
    store
}

#[test]
fn seats_are_told_before_with_what_is_lent_borrowed_and_queued() {
    let limits = |shares: i64, response: Value| {
        json!({"nominalConcurrencyShares": shares, "lendablePercent": 50,
        "borrowingLimitPercent": 10, "limitResponse": response})
    };
    let queue =
        json!({"type": "Queue", "queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50}});
    let low = level("low", Value::Null, limits(50, queue));
    let batch = level("batch", Value::Null, limits(10, json!({"type": "Reject"})));
    let now = |low, high| {
        levels_now(&[("low", 50, low, 280), ("high", 40, high, 3), ("batch", 10, Some(60), 0)])
    };
    let among = now(Some(300), Some(240));
    let change = named("limits").and_then(|action| action.change()).expect("a change");
    let by = By { login: "op".into(), at: "2026-11-23T02:04:56Z".into() };
    let notes = |on: &Seen, argument: &str, among: &Store| {
        let plan = change.plan_among(std::slice::from_ref(on), argument, &by, among).unwrap();
        plan.notes.into_iter().map(|note| note.words).collect::<Vec<_>>().join("\n")
    };
    let page = notes(&low, "shares=25 queue-length=100", &among);
    // 600 * 25 / 75 is 200; half of it is lent, a tenth borrowed.
    assert!(page.contains("low: 300 → 200 of 600 seats\n"), "{page}");
    assert!(
        page.contains("low, by lending and borrowing: least 150 → 100, most 330 → 220"),
        "{page}"
    );
    assert!(page.contains("low: its queues hold 3200 → 6400 requests"), "{page}");
    assert!(page.contains("low executes 280 now, more than its 200 seats"), "{page}");
    assert!(page.contains("the others: high 240 → 320, batch 60 → 80"), "{page}");
    let page = notes(&low, "borrowing=none", &among);
    assert!(
        page.contains("least 150 → 150, most 330 → no limit") && !page.contains("queues hold"),
        "{page}"
    );
    // Without seats of its own, a level does what it does with what finds none.
    let page = notes(&low, "shares=0", &among);
    assert!(
        page.contains("what cannot borrow then waits in its queues until it times out"),
        "{page}"
    );
    let page = notes(&batch, "shares=0", &among);
    assert!(
        page.contains(
            "batch is left without seats of its own: what cannot borrow then is turned away"
        ),
        "{page}"
    );
    // Seats that do not go with the shares are of another moment; that is not the same as no metrics.
    let page = notes(&low, "shares=25", &now(Some(300), Some(24)));
    assert!(
        page.contains("do not go with the shares") && !page.contains("could not be read"),
        "{page}"
    );
    let untold = levels_now(&[("low", 50, None, 0), ("high", 40, None, 0), ("batch", 10, None, 0)]);
    let page = notes(&low, "shares=25", &untold);
    assert!(page.contains("usual 600 (its metrics could not be read)"), "{page}");
}

#[test]
fn the_annotation_is_read_as_the_server_reads_it() {
    let response = json!({"nominalConcurrencyShares": 30, "limitResponse": {"type": "Reject"}});
    let takes_over = |name: &str, value: Value| {
        let seen = level(name, value, response.clone());
        let plan = plan("limits", &[seen], "shares=40").unwrap();
        plan.steps[0].request.body.to_string().contains("autoupdate-spec")
    };
    let auto = |value: &str| json!({"apf.kubernetes.io/autoupdate-spec": value});
    for value in ["1", "t", "T", "TRUE", "true", "True"] {
        assert!(takes_over("own", auto(value)) && takes_over("system", auto(value)), "{value}");
    }
    for value in ["0", "f", "F", "FALSE", "false", "False"] {
        assert!(!takes_over("own", auto(value)) && !takes_over("system", auto(value)), "{value}");
    }
    // What it cannot read counts as absent.
    for value in ["", "yes", "tRUE"] {
        assert!(!takes_over("own", auto(value)) && takes_over("system", auto(value)), "{value}");
    }
}

#[test]
fn limits_are_swapped_as_a_whole_and_the_server_is_kept_from_putting_them_back() {
    let queueing = json!({"nominalConcurrencyShares": 100, "lendablePercent": 90, "limitResponse": {
        "type": "Queue", "queuing": {"queues": 128, "handSize": 6, "queueLengthLimit": 50}}});
    let rejecting = json!({"nominalConcurrencyShares": 5, "borrowingLimitPercent": 10, "limitResponse": {"type": "Reject"}});
    let auto = |value: &str| json!({"apf.kubernetes.io/autoupdate-spec": value});
    let mut text = String::new();
    // Suggested and marked; suggested without any annotation; somebody took it over already; the operator's own.
    let marked = level("workload-low", auto("true"), queueing.clone());
    text += &page(plan("limits", &[marked], "shares=40 queues=64 borrowing=20"));
    text += &page(plan("limits", &[level("system", Value::Null, queueing.clone())], "40"));
    text += &page(plan("limits", &[level("node-high", auto("false"), queueing)], "lendable=10"));
    let own = level("batch", Value::Null, rejecting);
    text += &page(plan("limits", std::slice::from_ref(&own), "borrowing=none shares=5"));
    // What cannot be.
    text += &page(plan("limits", std::slice::from_ref(&own), "queues=5"));
    text += &page(plan("limits", std::slice::from_ref(&own), "shares=5"));
    text += &page(plan("limits", &[level("catch-all", Value::Null, json!({}))], "shares=9"));
    for wrong in ["", "share=5", "lendable=101", "shares=1 7", "shares=-1", "queues=none"] {
        text += &page(plan("limits", std::slice::from_ref(&own), wrong));
    }
    insta::assert_snapshot!(text);
}
