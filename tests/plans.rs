//! What each change would send, in each situation: plans are data, so they are read here like a page.

use serde_json::{Value, json};
use wheelhouse::actions::change::{By, Seen};
use wheelhouse::actions::named;
use wheelhouse::actions::plan::{Answer, Danger, Plan, Weight};
use wheelhouse::state::decl::Gvk;
use wheelhouse::state::kinds;
use wheelhouse::state::parcel::Key;
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
    Seen { target, object, pods: Ok(vec![]) }
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
