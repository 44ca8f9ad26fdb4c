//! Priority and fairness on a real API server: what is said of a request must be what the server does with it. Skipped
//! without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, fresh, wait_until};
use serde_json::{Value, json};
use std::time::Duration;
use wheelhouse::state::fairness::catch::{Asked, What, catch};
use wheelhouse::state::fairness::schema::Schema;
use wheelhouse::state::fairness::seats::Level;

const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
const SOON: Duration = Duration::from_secs(30);
const COMBINATIONS: usize = 200;

/// Schemas that differ in every part of a rule, one of them without a level, two of one precedence.
fn odd_schemas() -> Vec<Value> {
    let user = |name: &str| json!({"kind": "User", "user": {"name": name}});
    let group = |name: &str| json!({"kind": "Group", "group": {"name": name}});
    let account = |namespace: &str, name: &str| json!({"kind": "ServiceAccount", "serviceAccount": {"namespace": namespace, "name": name}});
    let resources = |verbs: &[&str],
                     groups: &[&str],
                     what: &[&str],
                     cluster: bool,
                     namespaces: &[&str]| json!({"verbs": verbs, "apiGroups": groups, "resources": what, "clusterScope": cluster, "namespaces": namespaces});
    let schema = |name: &str,
                  precedence: i64,
                  level: &str,
                  subjects: Vec<Value>,
                  resources: Vec<Value>,
                  paths: Vec<Value>| {
        let mut rule = json!({"subjects": subjects});
        if !resources.is_empty() {
            rule["resourceRules"] = json!(resources);
        }
        if !paths.is_empty() {
            rule["nonResourceRules"] = json!(paths);
        }
        json!({
            "metadata": {"name": name},
            "spec": {"matchingPrecedence": precedence, "priorityLevelConfiguration": {"name": level}, "rules": [rule]},
        })
    };
    let any_path = json!({"verbs": ["*"], "nonResourceURLs": ["*"]});
    let some_paths = json!({"verbs": ["get"], "nonResourceURLs": ["/openapi/*", "/version"]});
    let everything = resources(&["*"], &["*"], &["*"], true, &["*"]);
    vec![
        schema("t-dangling", 5, "nowhere", vec![user("*")], vec![everything], vec![any_path]),
        schema("t-paths", 20, "workload-low", vec![group("dev")], vec![], vec![some_paths]),
        schema(
            "t-tie-b",
            30,
            "workload-high",
            vec![user("alice")],
            vec![resources(&["get", "list"], &[""], &["pods"], false, &["shop"])],
            vec![],
        ),
        schema(
            "t-tie-a",
            30,
            "workload-low",
            vec![user("alice")],
            vec![resources(&["list"], &[""], &["pods", "pods/status"], true, &["shop"])],
            vec![],
        ),
        schema(
            "t-accounts",
            40,
            "workload-high",
            vec![account("shop", "*")],
            vec![resources(
                &["*"],
                &["", "apps"],
                &["configmaps", "deployments", "pods/status"],
                false,
                &["*"],
            )],
            vec![],
        ),
        schema(
            "t-cluster",
            50,
            "workload-low",
            vec![group("dev"), user("bob")],
            vec![resources(&["*"], &["*"], &["*"], true, &["ops"])],
            vec![],
        ),
    ]
}

/// Pseudo-random, the same each time.
struct Dice(u64);

impl Dice {
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &of[(self.0 >> 33) as usize % of.len()]
    }
}

/// A request in the server's words, and as it is sent: method and path.
fn request(dice: &mut Dice) -> (Asked, &'static str, String) {
    let who: &[(&str, &[&str])] = &[
        ("alice", &["dev"]),
        ("alice", &["ops"]),
        ("bob", &[]),
        ("carol", &["dev", "ops"]),
        ("root", &["system:masters"]),
        ("system:node:n1", &["system:nodes"]),
        ("system:kube-scheduler", &[]),
        ("system:kube-controller-manager", &[]),
        ("system:serviceaccount:shop:web", &[]),
        ("system:serviceaccount:ops:web", &["dev"]),
        ("system:serviceaccount:kube-system:replicaset-controller", &[]),
        ("system:anonymous", &[]),
    ];
    let (user, groups) = dice.pick(who);
    let own = |text: &str| text.to_owned();
    let asked = |verb: &str, what: What| Asked {
        user: own(user),
        groups: groups.iter().map(|g| own(g)).collect(),
        verb: own(verb),
        what,
    };
    if *dice.pick(&[false, false, false, true]) {
        let paths = [
            "/healthz",
            "/healthz/ping",
            "/version",
            "/openapi/v2",
            "/openapi",
            "/apis",
            "/livez/etcd",
            "/metrics",
            "/nothing",
        ];
        let path = *dice.pick(&paths);
        return (asked("get", What::Path(own(path))), "GET", own(path));
    }
    let kinds: &[(&str, &str, &str, bool)] = &[
        ("", "v1", "pods", true),
        ("", "v1", "configmaps", true),
        ("apps", "v1", "deployments", true),
        ("coordination.k8s.io", "v1", "leases", true),
        ("", "v1", "nodes", false),
        ("", "v1", "events", true),
        ("authorization.k8s.io", "v1", "subjectaccessreviews", false),
    ];
    let (group, version, resource, namespaced) = *dice.pick(kinds);
    let namespace = match namespaced {
        true => *dice.pick(&["shop", "ops", "kube-system", "kube-node-lease"]),
        false => "",
    };
    let verbs: &[(&str, &str, bool)] = &[
        ("get", "GET", true),
        ("list", "GET", false),
        ("create", "POST", false),
        ("update", "PUT", true),
        ("patch", "PATCH", true),
        ("delete", "DELETE", true),
    ];
    let (verb, method, named) = *dice.pick(verbs);
    let sub = match (resource, named) {
        ("pods", true) => *dice.pick(&["", "status", "log", "exec"]),
        ("nodes" | "deployments", true) => *dice.pick(&["", "status"]),
        _ => "",
    };
    // A collection of a namespaced kind may be asked for over all namespaces.
    let namespace = match (verb, *dice.pick(&[false, false, true])) {
        ("list", true) => "",
        _ => namespace,
    };
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    let inside =
        if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let name = if named { "/is-not-there" } else { "" };
    let below = if sub.is_empty() { String::new() } else { format!("/{sub}") };
    let what = What::Resource {
        group: own(group),
        resource: own(resource),
        sub: own(sub),
        namespace: own(namespace),
    };
    (asked(verb, what), method, format!("{root}{inside}/{resource}{name}{below}"))
}

fn all(lab: &ControlPlane, path: &str) -> Vec<Value> {
    lab.api_get(path)["items"].as_array().cloned().unwrap_or_default()
}

#[test]
fn the_schema_that_catches_is_the_one_in_the_servers_headers() {
    let Some(lab) = fresh(Options::api()) else { return };
    for schema in odd_schemas() {
        lab.api_create(SCHEMAS, &schema);
    }
    let told = |object: &Value| object["status"]["conditions"].to_string().contains("Dangling");
    wait_until("the server took the schemas in", SOON, || all(&lab, SCHEMAS).iter().all(told));
    let objects = all(&lab, SCHEMAS);
    let schemas: Vec<Schema> = objects.iter().map(Schema::of).collect();
    let levels: Vec<Level> = all(&lab, LEVELS).iter().map(Level::of).collect();
    let names: Vec<String> = levels.iter().map(|l| l.name.clone()).collect();

    let mut dice = Dice(20_261_123);
    let (mut wrong, mut seen) = (vec![], std::collections::BTreeMap::<String, usize>::new());
    for _ in 0..COMBINATIONS {
        let (asked, method, path) = request(&mut dice);
        let asked = asked.with_usual_groups();
        let mut headers =
            vec![("Impersonate-User", asked.user.as_str()), ("Content-Type", "application/json")];
        headers.extend(asked.groups.iter().map(|g| ("Impersonate-Group", g.as_str())));
        let reply = lab.request_with(method, &path, &headers, b"").expect("an answer");
        let schema_of = |uid: &str| schemas.iter().find(|s| s.uid == uid).map(|s| s.name.clone());
        let level_of = |uid: &str| levels.iter().find(|l| l.uid == uid).map(|l| l.name.clone());
        let server = reply
            .header("x-kubernetes-pf-flowschema-uid")
            .map(|uid| schema_of(uid).expect("a schema"));
        let level = reply
            .header("x-kubernetes-pf-prioritylevel-uid")
            .map(|uid| level_of(uid).expect("a level"));
        let steps = catch(&asked, &schemas, &names);
        let said = steps.iter().find(|s| s.catches).map(|s| (s.schema.clone(), s.level.clone()));
        *seen.entry(server.clone().unwrap_or_default()).or_default() += 1;
        if said != server.clone().zip(level.clone()) {
            wrong.push(format!(
                "{method} {path} as {} {:?}: {} the server says {server:?} {level:?}, we {said:?}",
                asked.user, asked.groups, reply.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {COMBINATIONS}:\n{}", wrong.len(), wrong.join("\n"));
    // Not all of them went to the last resort.
    assert!(seen.len() >= 10, "{seen:?}");
    assert!(!seen.contains_key("t-dangling") && seen.contains_key("t-tie-a"), "{seen:?}");
}
