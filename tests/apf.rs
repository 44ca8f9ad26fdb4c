//! Priority and fairness on a real API server: what is said of a request must be what the server does with it. Skipped
//! without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, Reply, User, fresh, output_within, wait_until};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use wheelhouse::state::fairness::catch::{Asked, What, catch};
use wheelhouse::state::fairness::question::{Question, of_path};
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
        // A namespace by name is in itself, so that no cluster scope is needed.
        schema(
            "t-namespaces",
            45,
            "workload-high",
            vec![group("system:authenticated")],
            vec![resources(&["*"], &[""], &["namespaces"], false, &["*"])],
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
        ("", "v1", "pods", true),
        ("", "v1", "configmaps", true),
        ("apps", "v1", "deployments", true),
        ("coordination.k8s.io", "v1", "leases", true),
        ("", "v1", "nodes", false),
        ("", "v1", "events", true),
        ("authorization.k8s.io", "v1", "subjectaccessreviews", false),
        ("", "v1", "namespaces", false),
        ("", "v1", "serviceaccounts", true),
    ];
    let (group, version, resource, namespaced) = *dice.pick(kinds);
    let namespace = match namespaced {
        true => *dice.pick(&["shop", "ops", "kube-system", "kube-node-lease"]),
        false => "",
    };
    let verbs: &[(&str, &str, bool)] = &[
        ("get", "GET", true),
        ("list", "GET", false),
        ("watch", "GET", false),
        ("create", "POST", false),
        ("update", "PUT", true),
        ("patch", "PATCH", true),
        ("delete", "DELETE", true),
    ];
    let (verb, method, named) = *dice.pick(verbs);
    let name = if resource == "namespaces" { *dice.pick(&["shop", "ops"]) } else { "is-not-there" };
    // The token of an account is created below its name.
    let token = resource == "serviceaccounts" && verb == "create" && *dice.pick(&[false, true]);
    let named = named || token;
    let sub = match (resource, named) {
        _ if token => "token",
        ("pods", true) => *dice.pick(&["", "status", "log", "exec"]),
        ("nodes" | "deployments", true) => *dice.pick(&["", "status"]),
        ("namespaces", true) => *dice.pick(&["", "status", "finalize"]),
        _ => "",
    };
    // A collection of a namespaced kind may be asked for over all namespaces.
    let namespace = match (verb, *dice.pick(&[false, false, true])) {
        ("list" | "watch", true) => "",
        _ => namespace,
    };
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    let inside =
        if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let place = if named { format!("/{name}") } else { String::new() };
    let below = if sub.is_empty() { String::new() } else { format!("/{sub}") };
    let until = if verb == "watch" { "?watch=1&timeoutSeconds=1" } else { "" };
    let path = format!("{root}{inside}/{resource}{place}{below}{until}");
    // As it is typed, and as the dump of such a request is read.
    let typed = format!("{resource}.{group}{below}");
    let question = Question::typed(asked(verb, What::default()), &typed, name, namespace);
    let asked = question.expect("a question").asked;
    assert_eq!(asked.what, of_path(&path), "{path}");
    (asked, method, path)
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
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    let kind = |asked: &Asked| match &asked.what {
        What::Path(_) => "path",
        What::Resource { resource, namespace, .. } if resource == "namespaces" => {
            if namespace.is_empty() { "namespaces" } else { "namespace by name" }
        }
        _ if asked.verb == "watch" => "watch",
        What::Resource { resource, .. } if resource == "serviceaccounts" => "serviceaccounts",
        What::Resource { .. } => "other",
    };
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
        *kinds.entry(kind(&asked)).or_default() += 1;
        if said != server.clone().zip(level.clone()) {
            wrong.push(format!(
                "{method} {path} as {} {:?}: {} the server says {server:?} {level:?}, we {said:?}",
                asked.user, asked.groups, reply.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {COMBINATIONS}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{COMBINATIONS} combinations by schema {seen:?}, of {kinds:?}");
    assert!(kinds.len() == 6 && kinds.values().all(|n| *n > 3), "{kinds:?}");
    // Not all of them went to the last resort.
    assert!(seen.len() >= 10, "{seen:?}");
    assert!(!seen.contains_key("t-dangling") && seen.contains_key("t-tie-a"), "{seen:?}");
    assert!(seen.contains_key("t-namespaces"), "{seen:?}");
}

fn run(lab: &ControlPlane, user: User, args: &[&str]) -> (i32, Value, String) {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.args(args).args(["-o", "json", "--kubeconfig"]).arg(lab.kubeconfig(user));
    command.env("HOME", home.path()).env_remove("KUBECONFIG").env_remove("XDG_STATE_HOME");
    let out = output_within(command, "", SOON);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    let rows = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
    (out.status.code().expect("it was not killed"), rows, said)
}

fn row<'v>(rows: &'v Value, name: &str) -> &'v Value {
    let mut all = rows.as_array().expect("rows").iter();
    all.find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is not in {rows}"))
}

/// What the server's own dump counts of the level: waiting, executing, dispatched, rejected, timed out.
fn dumped(lab: &ControlPlane) -> [i64; 5] {
    let path = "/debug/api_priority_and_fairness/dump_priority_levels";
    let reply = lab.request("GET", path, "", b"").expect("a dump");
    let text = String::from_utf8(reply.body).expect("text");
    let cells = |line: &str| line.split(',').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
    let head = cells(text.lines().next().expect("a heading"));
    let line = text.lines().find(|line| line.starts_with("narrow,")).map(cells).unwrap_or_default();
    let columns = [
        "WaitingRequests",
        "ExecutingRequests",
        "DispatchedRequests",
        "RejectedRequests",
        "TimedoutRequests",
    ];
    columns.map(|column| {
        let at = head.iter().position(|name| name == column).expect("the column");
        line.get(at).and_then(|cell| cell.parse().ok()).unwrap_or(0)
    })
}

#[test]
fn a_starved_flow_is_named_with_its_level_and_user() {
    // 150 seats for all: the one share of the level makes one seat.
    let options = Options::api().api_flag("--max-requests-inflight=100");
    let options = options.api_flag("--max-mutating-requests-inflight=50");
    let Some(lab) = fresh(options) else { return };
    let queuing = json!({"queues": 1, "handSize": 1, "queueLengthLimit": 4});
    let limited = json!({"nominalConcurrencyShares": 1, "lendablePercent": 0, "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Queue", "queuing": queuing}});
    let level =
        json!({"metadata": {"name": "narrow"}, "spec": {"type": "Limited", "limited": limited}});
    lab.api_create(LEVELS, &level);
    let rule = json!({
        "subjects": [{"kind": "User", "user": {"name": "greedy"}}],
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true}],
    });
    let schema = json!({"metadata": {"name": "narrow"}, "spec": {"matchingPrecedence": 50,
        "priorityLevelConfiguration": {"name": "narrow"}, "distinguisherMethod": {"type": "ByUser"}, "rules": [rule]}});
    lab.api_create(SCHEMAS, &schema);
    // Who may nothing would be refused before a body is read.
    let binding = json!({"metadata": {"name": "greedy"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "greedy"}]});
    lab.api_create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding);
    let maps = "/api/v1/namespaces/default/configmaps";
    let greedy = [("Impersonate-User", "greedy"), ("Content-Type", "application/json")];
    let narrow = |reply: &Reply| {
        reply.header("x-kubernetes-pf-flowschema-uid")
            == lab.api_get(&format!("{SCHEMAS}/narrow"))["metadata"]["uid"].as_str()
    };
    wait_until("the schema is in force", SOON, || {
        lab.request_with("GET", maps, &greedy, b"").is_ok_and(|reply| narrow(&reply))
    });

    // One seat is taken, four wait, and the sixth is turned away.
    let mut held = vec![];
    for _ in 0..5 {
        held.push(lab.request_held("POST", maps, &greedy).expect("it is sent"));
    }
    wait_until("four wait", SOON, || dumped(&lab)[0] == 4);
    let turned = lab.request_with("GET", maps, &greedy, b"").expect("an answer");
    assert_eq!(turned.status, 429);
    let before = dumped(&lab);
    let (code, levels, err) = run(&lab, User::Admin, &["apf", "levels"]);
    let (_, users, _) = run(&lab, User::Admin, &["apf", "requests", "--by", "user"]);
    let (_, queues, _) = run(&lab, User::Admin, &["apf", "queues"]);
    let after = dumped(&lab);
    let level = row(&levels, "narrow");
    assert!(code == 0 && level["nominal"] == 1 && level["executing"] == 1, "{code} {level} {err}");
    let words = level["verdict"].as_str().expect("words");
    // One was turned away: on a server that has just begun, that is lately.
    assert!(
        words.starts_with("queueing") && words.contains(": 1 of 1 seats, 4 waiting"),
        "{words}"
    );
    assert!(words.contains("flow narrow/greedy holds 100 %"), "{words}");
    let keys = ["waiting", "executing", "dispatched", "rejected", "timed_out"];
    for (key, (one, other)) in keys.iter().zip(before.into_iter().zip(after)) {
        let shown = level[key].as_i64().expect("a number");
        let between = one.min(other)..=one.max(other);
        assert!(between.contains(&shown), "{key}: {shown} is not in {between:?}");
    }
    let greedy = row(&users, "greedy");
    assert!(
        greedy["waiting"] == 4 && greedy["executing"] == 1 && greedy["level"] == "narrow",
        "{greedy}"
    );
    assert_eq!(row(&queues, "narrow/0")["waiting"], 4, "{queues}");

    // Who may not see the dumps is told which right that takes, and shown what the metrics say.
    let rules = json!([
        {"apiGroups": ["flowcontrol.apiserver.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]);
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    lab.api_create(roles, &json!({"metadata": {"name": "looker"}, "rules": rules}));
    let binding = json!({"metadata": {"name": "looker"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "looker"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "looker"}]});
    lab.api_create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding);
    let (code, levels, err) = run(&lab, User::Admin, &["apf", "levels", "--as", "looker"]);
    assert!(code == 4 && err.contains("/debug/api_priority_and_fairness"), "{code} {err}");
    let level = row(&levels, "narrow");
    assert!(level["waiting"] == 4 && level["taken"] == 1, "by the metrics alone: {level}");
}

/// The level as the server holds it: its shares and whether the server keeps it up to date.
fn held(lab: &ControlPlane, name: &str) -> (i64, String) {
    let level = lab.api_get(&format!("{LEVELS}/{name}"));
    let shares = level["spec"]["limited"]["nominalConcurrencyShares"].as_i64().unwrap_or(0);
    let mark = &level["metadata"]["annotations"]["apf.kubernetes.io/autoupdate-spec"];
    (shares, mark.as_str().unwrap_or_default().to_owned())
}

#[test]
fn shares_are_changed_so_that_the_server_leaves_them_and_undo_puts_them_back() {
    let Some(lab) = fresh(Options::api()) else { return };
    wait_until("the server suggested its levels", SOON, || held(&lab, "workload-low").0 == 100);
    let limits = |args: &[&str]| {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(["limits", "--kubeconfig"]).arg(lab.kubeconfig(User::Admin)).args(args);
        command.env("HOME", home.path()).env_remove("KUBECONFIG");
        command.env("XDG_STATE_HOME", lab.dir().join("state"));
        let out = output_within(command, "", SOON);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().expect("it was not killed"), text(&out.stdout) + &text(&out.stderr))
    };
    // Whom we are to the server, by its own headers.
    for (user, level) in [(User::Admin, "global-default"), (User::Root, "exempt")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(["apf", "whatif", "--verb", "list", "pods", "--kubeconfig"]);
        command.arg(lab.kubeconfig(user)).env_remove("KUBECONFIG");
        let out = output_within(command, "", SOON);
        let page = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(page.contains(&format!("schema {level} catches it: level {level}\n")), "{page}");
        let said =
            format!("last answer to us, whatever that was to: schema {level}, level {level}");
        assert!(page.contains(&said), "{page}");
    }
    // What is mandatory is refused with the reason, and nothing is sent.
    let (code, words) = limits(&["catch-all", "shares=9", "--yes"]);
    assert!(code == 3 && words.contains("mandatory"), "{code} {words}");
    // The plan says how many seats each level gets by it, and what would put it back.
    let (code, words) = limits(&["workload-low", "shares=40", "--dry-run", "client"]);
    assert!(code == 0 && words.contains("workload-low: 245 → 130 of 600 seats"), "{words}");
    assert!(words.contains("system 74 → 98") && words.contains("autoupdate-spec"), "{words}");
    let (code, words) = limits(&["workload-low", "shares=40", "lendable=50", "--yes"]);
    assert_eq!((code, held(&lab, "workload-low")), (0, (40, "false".into())), "{words}");
    // The seats that were worked out are those that the server gives.
    let nominal =
        || row(&run(&lab, User::Admin, &["apf", "levels"]).1, "workload-low")["nominal"].clone();
    wait_until("the server works with them", SOON, || nominal() == 130);

    // One that is changed without the annotation is put back; ours stands.
    let path = format!("{LEVELS}/system");
    let patch = json!({"spec": {"limited": {"nominalConcurrencyShares": 31}}}).to_string();
    let reply = lab.request("PATCH", &path, "application/merge-patch+json", patch.as_bytes());
    assert_eq!(reply.expect("an answer").status, 200);
    assert_eq!(held(&lab, "system").0, 31);
    wait_until("the server puts back its own", SOON * 4, || held(&lab, "system").0 == 30);
    assert_eq!(held(&lab, "workload-low"), (40, "false".into()));

    let mut undo = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    undo.args(["undo", "--yes", "--kubeconfig"]).arg(lab.kubeconfig(User::Admin));
    undo.env_remove("KUBECONFIG").env("XDG_STATE_HOME", lab.dir().join("state"));
    let out = output_within(undo, "", SOON);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(held(&lab, "workload-low"), (100, "true".into()));
}
