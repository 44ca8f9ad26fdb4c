//! Objects as an API server would encode them, for tests and benches: JSON values turned into protobuf by the same
//! paths the decoders read.
#![allow(dead_code, missing_docs)]

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use wheelhouse::state::decl::{META, Path, TableSpec, Ty};
use wheelhouse::state::time::Epoch;

/// What the encoder may decide; the order of fields is free on the wire.
pub trait Whim {
    /// A number below `n`.
    fn below(&mut self, n: usize) -> usize;
}

/// Always the first choice.
pub struct Plain;

impl Whim for Plain {
    fn below(&mut self, _: usize) -> usize {
        0
    }
}

/// Choices read from bytes, so that proptest can shrink them; plain when they run out.
pub struct Dice<'a>(pub &'a [u8]);

impl Whim for Dice<'_> {
    fn below(&mut self, n: usize) -> usize {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first) % n.max(1)
    }
}

/// The message behind a kind's paths.
#[derive(Default)]
pub struct Schema {
    fields: BTreeMap<&'static str, (u32, Option<Ty>, Schema)>,
}

impl Schema {
    pub fn of(spec: &'static TableSpec, kind: usize) -> Schema {
        Schema::new(META.iter().chain(spec.kinds[kind].paths))
    }

    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Schema {
        let mut root = Schema::default();
        for path in paths {
            let names: Vec<_> = path.json.split('.').collect();
            assert_eq!(names.len(), path.pb.len(), "this encoder needs equally deep paths");
            let mut at = &mut root;
            for (i, (name, &tag)) in names.iter().zip(path.pb).enumerate() {
                let field = at.fields.entry(name).or_insert((tag, None, Schema::default()));
                assert_eq!(field.0, tag, "{} has two numbers", path.json);
                if i + 1 == names.len() {
                    field.1 = Some(path.ty);
                }
                at = &mut field.2;
            }
        }
        root
    }

    /// The object as a message, its fields in any order, with fields nobody knows in between.
    pub fn encode(&self, value: &Value, whim: &mut dyn Whim) -> Vec<u8> {
        let mut fields: Vec<(u32, Vec<u8>)> = vec![];
        for (name, value) in value.as_object().into_iter().flatten() {
            let Some((tag, ty, kids)) = self.fields.get(name.as_str()) else { continue };
            let many = matches!(ty, Some(Ty::Pairs | Ty::Quantities));
            match value {
                Value::Array(list) => {
                    for one in list {
                        fields.push((*tag, encode_field(*tag, *ty, kids, one, whim)));
                    }
                }
                Value::Object(map) if many => {
                    for (k, v) in map {
                        fields.push((*tag, pair(*tag, *ty == Some(Ty::Quantities), k, v)));
                    }
                }
                Value::Null => {}
                one => fields.push((*tag, encode_field(*tag, *ty, kids, one, whim))),
            }
        }
        match whim.below(4) {
            1 => fields.push((901, bytes(901, b"\xff\x00unknown"))),
            2 => fields.push((902, [key(902, 0), varint(1 << 40)].concat())),
            3 => fields.push((903, [key(903, 1), vec![7; 8]].concat())),
            _ => {}
        }
        shuffle(&mut fields, whim);
        fields.into_iter().flat_map(|(_, raw)| raw).collect()
    }
}

impl Schema {
    /// An object of this shape with whatever its fields can hold. Texts are mostly words that mean something
    /// somewhere, so that different things are decided about it.
    pub fn any(&self, whim: &mut dyn Whim) -> Value {
        let mut object = Map::new();
        for (name, (_, ty, kids)) in &self.fields {
            let count = whim.below(4);
            if count == 0 {
                continue;
            }
            let value = match ty {
                None => kids.any(whim),
                Some(Ty::Item) => (1..count).map(|_| kids.any(whim)).collect(),
                Some(Ty::Text) => text(whim),
                Some(Ty::Int) => json!([0, 1, 3, -1, 1 << 30][whim.below(5)]),
                Some(Ty::Bool) => json!(whim.below(2) == 1),
                Some(Ty::Time) => time(whim),
                Some(Ty::Quantity) => quantity(whim),
                Some(Ty::IntOrString) => [json!(2), json!("50%")][whim.below(2)].clone(),
                Some(Ty::Pairs) => pairs(whim, text),
                Some(Ty::Quantities) => pairs(whim, quantity),
            };
            object.insert((*name).to_owned(), value);
        }
        Value::Object(object)
    }
}

fn pairs(whim: &mut dyn Whim, value: fn(&mut dyn Whim) -> Value) -> Value {
    let keys =
        ["cpu", "memory", "pods", "topology.kubernetes.io/zone", "node-role.kubernetes.io/a"];
    let some = keys.into_iter().skip(whim.below(3)).take(whim.below(4));
    Value::Object(some.map(|key| (key.to_owned(), value(whim))).collect())
}

fn quantity(whim: &mut dyn Whim) -> Value {
    pick(whim, &["100m", "2", "1Gi", "1500M", "", "odd"])
}

/// Any order that keeps the elements of one repeated field in theirs.
fn shuffle(fields: &mut [(u32, Vec<u8>)], whim: &mut dyn Whim) {
    for i in 1..fields.len() {
        let mut at = i;
        for _ in 0..whim.below(4) {
            if at == 0 || fields[at - 1].0 == fields[at].0 {
                break;
            }
            fields.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn encode_field(
    tag: u32,
    ty: Option<Ty>,
    kids: &Schema,
    v: &Value,
    whim: &mut dyn Whim,
) -> Vec<u8> {
    let number = |n: i64| [key(tag, 0), varint(n as u64)].concat();
    match ty {
        None | Some(Ty::Item) => bytes(tag, &kids.encode(v, whim)),
        Some(Ty::Text) => bytes(tag, v.as_str().unwrap_or_default().as_bytes()),
        Some(Ty::Int) => number(v.as_i64().unwrap_or(0)),
        Some(Ty::Bool) => number(i64::from(v == &json!(true))),
        Some(Ty::Time) => {
            let at = v.as_str().and_then(Epoch::parse).unwrap_or_default();
            bytes(tag, &[key(1, 0), varint(at.0 as u64), key(2, 0), varint(0)].concat())
        }
        Some(Ty::Quantity) => bytes(tag, &bytes(1, v.as_str().unwrap_or_default().as_bytes())),
        Some(Ty::IntOrString) => {
            let (ty, n, s) = (u64::from(v.is_string()), v.as_i64().unwrap_or(0), v.as_str());
            let parts = [key(1, 0), varint(ty), key(2, 0), varint(n as u64)].concat();
            bytes(tag, &[parts, bytes(3, s.unwrap_or_default().as_bytes())].concat())
        }
        Some(Ty::Pairs | Ty::Quantities) => panic!("maps are objects"),
    }
}

fn pair(tag: u32, quantity: bool, k: &str, v: &Value) -> Vec<u8> {
    let text = v.as_str().unwrap_or_default().as_bytes();
    let value = if quantity { bytes(2, &bytes(1, text)) } else { bytes(2, text) };
    bytes(tag, &[bytes(1, k.as_bytes()), value].concat())
}

pub fn varint(mut n: u64) -> Vec<u8> {
    let mut out = vec![];
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

pub fn key(tag: u32, wire: u32) -> Vec<u8> {
    varint(u64::from(tag << 3 | wire))
}

pub fn bytes(tag: u32, raw: &[u8]) -> Vec<u8> {
    [key(tag, 2), varint(raw.len() as u64), raw.to_vec()].concat()
}

/// The envelope around every object.
pub fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [bytes(1, b"v1"), bytes(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), bytes(1, &meta), bytes(2, raw), bytes(3, b""), bytes(4, b"")].concat()
}

/// A list in protobuf.
pub fn pb_list(items: &[Vec<u8>], version: &str, next: &str, remaining: Option<u64>) -> Vec<u8> {
    let mut meta =
        [bytes(1, b""), bytes(2, version.as_bytes()), bytes(3, next.as_bytes())].concat();
    if let Some(n) = remaining {
        meta.extend([key(4, 0), varint(n)].concat());
    }
    let items = items.iter().flat_map(|item| bytes(2, item));
    envelope("PodList", &bytes(1, &meta).into_iter().chain(items).collect::<Vec<_>>())
}

/// A list in JSON.
pub fn json_list(items: &[Value], version: &str, next: &str, remaining: Option<u64>) -> Vec<u8> {
    let mut meta = json!({ "resourceVersion": version });
    if !next.is_empty() {
        meta["continue"] = json!(next);
    }
    if let Some(n) = remaining {
        meta["remainingItemCount"] = json!(n);
    }
    json!({ "kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items })
        .to_string()
        .into_bytes()
}

/// A watch event in protobuf, with its length before it.
pub fn pb_event(verb: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let event = [bytes(1, verb.as_bytes()), bytes(2, &bytes(1, &envelope(kind, object)))].concat();
    [(event.len() as u32).to_be_bytes().to_vec(), event].concat()
}

/// A watch event in JSON, with its newline.
pub fn json_event(verb: &str, object: &Value) -> Vec<u8> {
    format!("{}\n", json!({ "type": verb, "object": object })).into_bytes()
}

/// The object of a bookmark in protobuf.
pub fn pb_bookmark(version: &str, initial_end: bool) -> Vec<u8> {
    let mut meta = bytes(6, version.as_bytes());
    if initial_end {
        meta.extend(bytes(
            12,
            &[bytes(1, b"k8s.io/initial-events-end"), bytes(2, b"true")].concat(),
        ));
    }
    bytes(1, &meta)
}

/// The object of a bookmark in JSON.
pub fn json_bookmark(version: &str, initial_end: bool) -> Value {
    let mut meta = json!({ "resourceVersion": version, "creationTimestamp": null });
    if initial_end {
        meta["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    }
    json!({ "kind": "Pod", "apiVersion": "v1", "metadata": meta })
}

/// A `Status` in protobuf, without envelope.
pub fn pb_status(code: u16, message: &str, retry_after: u64) -> Vec<u8> {
    let details = bytes(5, &[key(5, 0), varint(retry_after)].concat());
    let code = [key(6, 0), varint(u64::from(code))].concat();
    [bytes(2, b"Failure"), bytes(3, message.as_bytes()), details, code].concat()
}

/// A `Status` in JSON.
pub fn json_status(code: u16, message: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code })
}

/// Pod number `i` of an ordinary cluster: two containers, six labels, an owner, probes nobody reads.
pub fn pod(i: usize) -> Value {
    let (rs, ns) = (i / 5, i % 40);
    let mut labels = Map::new();
    for (k, v) in [
        ("app.kubernetes.io/name", format!("svc-{}", rs % 300)),
        ("app.kubernetes.io/instance", format!("svc-{}-prod", rs % 300)),
        ("app.kubernetes.io/version", format!("1.{}.0", rs % 17)),
        ("pod-template-hash", format!("{:08x}", rs * 2_654_435_761 % 0xffff_ffff)),
        ("team", format!("team-{}", ns % 12)),
        ("tier", if i.is_multiple_of(3) { "web" } else { "worker" }.to_owned()),
    ] {
        labels.insert(k.to_owned(), json!(v));
    }
    let started = Epoch(1_795_000_000 + i as i64).rfc3339();
    let container = |name: &str| {
        json!({
            "name": name, "image": format!("registry.example.com/team/{name}:v1.2.3"),
            "env": [{ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
            "resources": { "requests": { "cpu": "250m", "memory": "256Mi" }, "limits": { "memory": "512Mi" } },
            "livenessProbe": { "httpGet": { "path": "/healthz", "port": 8080 }, "periodSeconds": 10 },
        })
    };
    let running = |name: &str| {
        json!({
            "name": name, "ready": true, "restartCount": i % 4, "started": true,
            "image": format!("registry.example.com/team/{name}:v1.2.3"), "state": { "running": { "startedAt": started } },
            "lastState": {}, "containerID": format!("containerd://{:064x}", i),
        })
    };
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": format!("svc-{}-{:08x}-{:05x}", rs % 300, rs, i), "namespace": format!("team-{ns}"),
            "uid": format!("{:08x}-0000-4000-8000-{:012x}", i, i), "resourceVersion": format!("{}", 1000 + i),
            "creationTimestamp": started, "labels": labels,
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
                "name": format!("svc-{}-{:08x}", rs % 300, rs), "uid": format!("{:08x}-0000-4000-8000-0", rs) }],
            "managedFields": [{ "manager": "kube-controller-manager", "operation": "Update",
                "fieldsV1": { "f:metadata": { "f:labels": { ".": {}, "f:tier": {}, "f:team": {} } } } }],
        },
        "spec": { "nodeName": format!("node-{:04}", i % 500), "containers": [container("main"), container("proxy")] },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "podIP": format!("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255),
            "podIPs": [{ "ip": format!("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255) }],
            "conditions": [
                { "type": "Initialized", "status": "True" }, { "type": "Ready", "status": "True" },
                { "type": "ContainersReady", "status": "True" }, { "type": "PodScheduled", "status": "True" },
            ],
            "containerStatuses": [running("main"), running("proxy")],
        },
    })
}

fn pick(whim: &mut dyn Whim, of: &[&str]) -> Value {
    json!(of[whim.below(of.len())])
}

fn text(whim: &mut dyn Whim) -> Value {
    let texts = [
        "",
        "web",
        "Ünïcode-ß",
        "quote\"back\\slash",
        "new\nline\u{1b}[2J",
        "True",
        "Ready",
        "NoSchedule",
        "a-b-c-d-e",
    ];
    pick(whim, &texts)
}

fn list(whim: &mut dyn Whim, one: fn(&mut dyn Whim) -> Value) -> Value {
    (0..whim.below(4)).map(|_| one(whim)).collect()
}

fn time(whim: &mut dyn Whim) -> Value {
    match whim.below(3) {
        0 => Value::Null,
        n => json!(Epoch(1_700_000_000 + n as i64 * 86_399).rfc3339()),
    }
}

fn requests(whim: &mut dyn Whim) -> Value {
    json!({ "requests": { "cpu": quantity(whim), "memory": quantity(whim) } })
}

fn container(whim: &mut dyn Whim) -> Value {
    let policy = pick(whim, &["Always", "", "Never"]);
    json!({ "name": text(whim), "resources": requests(whim), "restartPolicy": policy })
}

fn container_status(whim: &mut dyn Whim) -> Value {
    let exit = [0, 1, 137, -1][whim.below(4)];
    let state = match whim.below(4) {
        0 => json!({}),
        1 => json!({ "waiting": { "reason": text(whim) } }),
        2 => json!({ "running": {} }),
        _ => {
            json!({ "terminated": { "exitCode": exit, "signal": exit % 2 * 9, "reason": text(whim) } })
        }
    };
    let started = [Value::Null, json!(true), json!(false)][whim.below(3)].clone();
    json!({
        "name": text(whim), "ready": whim.below(2) == 1, "started": started, "restartCount": whim.below(200),
        "state": state, "lastState": { "terminated": { "finishedAt": time(whim), "exitCode": 1 } },
    })
}

fn condition(whim: &mut dyn Whim) -> Value {
    json!({
        "type": pick(whim, &["Ready", "Initialized", "PodScheduled", "example.com/gate"]),
        "status": pick(whim, &["True", "False", "Unknown"]),
        "reason": pick(whim, &["SchedulingGated", "", "Why"]),
    })
}

/// Whatever a pod could look like, odd texts and missing fields included.
pub fn any_pod(whim: &mut dyn Whim) -> Value {
    let labels: Map<_, _> =
        (0..whim.below(4)).map(|i| (format!("k{i}=\u{e4}"), text(whim))).collect();
    let name = format!("pod-{}", whim.below(9));
    json!({
        "metadata": {
            "name": name, "namespace": text(whim), "labels": labels,
            "uid": format!("00000000-0000-4000-8000-0000000000{:02x}", whim.below(256)),
            "resourceVersion": pick(whim, &["12", "18446744073709551615", "opaque", ""]),
            "creationTimestamp": time(whim), "deletionTimestamp": time(whim),
            "ownerReferences": list(whim, |whim| {
                json!({ "kind": text(whim), "name": text(whim), "controller": whim.below(2) == 1 })
            }),
        },
        "spec": {
            "nodeName": text(whim), "overhead": requests(whim)["requests"], "resources": requests(whim),
            "containers": list(whim, container), "initContainers": list(whim, container),
            "readinessGates": list(whim, |whim| {
                json!({ "conditionType": pick(whim, &["Ready", "example.com/gate"]) })
            }),
        },
        "status": {
            "phase": pick(whim, &["Pending", "Running", "Succeeded", "Failed", "New", ""]),
            "reason": text(whim), "qosClass": text(whim), "nominatedNodeName": text(whim),
            "podIPs": [{ "ip": pick(whim, &["10.0.0.1", "fd00::1", "nonsense"]) }, { "ip": "10.9.9.9" }],
            "conditions": list(whim, condition), "containerStatuses": list(whim, container_status),
            "initContainerStatuses": list(whim, container_status),
        },
    })
}
