//! Versions: of the API server, kubelets, components and this program, and how far they may be apart.
//!
//! Kubernetes: version skew policy (kubernetes.io/releases/version-skew-policy, 1.28 and later): a kubelet may be up to three
//! minors older than the API server and never newer; kube-controller-manager and kube-scheduler up to one minor older and
//! never newer.

use super::{Line, Node, Verdict};
use serde_json::Value;
use std::collections::BTreeMap;

/// The oldest and the newest minor that this program is made for and tested with.
const OURS: (i64, i64) = (30, 37);
/// Minors after that in which nothing that is read here goes away: APIs are removed three releases after they are deprecated
/// at the earliest (kubernetes.io/docs/reference/using-api/deprecation-policy, rule 4a).
const AHEAD: i64 = 3;

/// Major and minor out of `v1.36.2-gke.100`.
fn minor(version: &str) -> Option<i64> {
    let mut parts = version.trim_start_matches('v').split('.');
    let major: i64 = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
    Some((major - 1) * 1000 + minor[..digits].parse::<i64>().ok()?)
}

/// API server and this program.
pub fn lines(version: &str) -> Vec<Line> {
    let (oldest, newest) = OURS;
    let made = format!("made for 1.{oldest} to 1.{newest}");
    let (verdict, why) = match minor(version) {
        Some(n) if n < oldest => (
            Verdict::Warn,
            format!("{made}, newer than the server: parts of it may be missing there"),
        ),
        Some(n) if n > newest + AHEAD => (
            Verdict::Warn,
            format!(
                "{made}, older than the server: what is new there is not shown; get a newer one"
            ),
        ),
        Some(n) if n > newest => (Verdict::Ok, format!("{made}; what is new since is not shown")),
        _ => (Verdict::Ok, made),
    };
    vec![
        Line::new("version", "kube-apiserver", Verdict::Ok, version.to_owned()),
        Line::new("version", "wheelhouse", verdict, why),
    ]
}

/// Kubelets by version.
pub fn kubelets(version: &str, nodes: &[Node]) -> Vec<Line> {
    let server = minor(version);
    let mut counts = BTreeMap::<&str, Vec<&str>>::new();
    for node in nodes.iter().filter(|node| !node.kubelet.is_empty()) {
        counts.entry(&node.kubelet).or_default().push(&node.name);
    }
    let line = |(kubelet, names): (&str, Vec<&str>)| {
        let behind = server.zip(minor(kubelet)).map_or(0, |(server, kubelet)| server - kubelet);
        let some = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 3 { ", ..." } else { "" };
        let s = if names.len() == 1 { "" } else { "s" };
        let on = format!("{} node{s} ({some}{more})", names.len());
        let (verdict, why) = match behind {
            ..0 => (
                Verdict::Bad,
                format!(
                    "newer than the API server on {on}: not supported; upgrade the server first"
                ),
            ),
            0..3 => (Verdict::Ok, on),
            3 => (
                Verdict::Ok,
                format!(
                    "3 minors older than the API server on {on}, the most that is supported: upgrade it before the server"
                ),
            ),
            n => (
                Verdict::Bad,
                format!(
                    "{n} minors older than the API server on {on}: more than 3 are not supported"
                ),
            ),
        };
        Line::new("version", format!("kubelet {kubelet}"), verdict, why)
    };
    counts.into_iter().map(line).collect()
}

/// A control plane pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Component {
    /// Its label `component`, such as `kube-scheduler`.
    pub name: String,
    /// The tag of its image.
    pub version: String,
    /// The pod.
    pub pod: String,
    /// Whether it is Ready.
    pub ready: bool,
}

impl Component {
    /// Reads the pod.
    pub fn of(pod: &Value) -> Component {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let image = text(&pod["spec"]["containers"][0]["image"]);
        let image = image.split('@').next().unwrap_or_default();
        let tag = image.rsplit('/').next().unwrap_or_default().split_once(':');
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        let mut conditions = conditions.filter(|c| c["type"] == "Ready");
        Component {
            name: text(&pod["metadata"]["labels"]["component"]),
            version: tag.map_or_else(String::new, |(_, tag)| tag.to_owned()),
            pod: text(&pod["metadata"]["name"]),
            ready: conditions.any(|c| c["status"] == "True"),
        }
    }
}

/// A line for each control plane pod; one that says so where none is to be seen.
pub fn components(all: &[Component], server: Option<&str>) -> Vec<Line> {
    let server = server.and_then(minor);
    let line = |c: &Component| {
        let skewed = matches!(c.name.as_str(), "kube-scheduler" | "kube-controller-manager");
        let behind = server.zip(minor(&c.version)).map_or(0, |(server, own)| server - own);
        let (verdict, why) = match c.ready {
            false => (
                Verdict::Bad,
                format!("{}: its pod is not Ready; its log and events say why", c.version),
            ),
            true if skewed && behind < 0 => (
                Verdict::Bad,
                format!("{}: newer than the API server, which is not supported", c.version),
            ),
            true if skewed && behind > 1 => (
                Verdict::Bad,
                format!("{}: {behind} minors older than the API server; 1 is supported", c.version),
            ),
            true => (Verdict::Ok, c.version.clone()),
        };
        Line::new("component", c.pod.as_str(), verdict, why)
    };
    if all.is_empty() {
        let why = "not visible here: kube-system has no pod labelled tier=control-plane; the control plane is managed, or does \
                   not run as pods";
        return vec![Line::new("component", "(all)", Verdict::Unknown, why.to_owned())];
    }
    all.iter().map(line).collect()
}

/// A `ComponentStatus` (core/v1, deprecated since 1.19).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// `scheduler`, `controller-manager`, `etcd-0`.
    pub name: String,
    /// Whether it is Healthy.
    pub healthy: bool,
    /// What was heard of it.
    pub message: String,
}

impl Status {
    /// Reads the object.
    pub fn of(object: &Value) -> Status {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let conditions = object["conditions"].as_array().into_iter().flatten();
        let healthy: Vec<&Value> = conditions.filter(|c| c["type"] == "Healthy").collect();
        let said = healthy
            .first()
            .map(|c| if c["error"].is_string() { &c["error"] } else { &c["message"] });
        Status {
            name: text(&object["metadata"]["name"]),
            healthy: healthy.iter().any(|c| c["status"] == "True"),
            message: said.map(text).unwrap_or_default(),
        }
    }
}

/// A line each. The API server asks the ports 10257 and 10259 of its own machine: where the others run elsewhere that says
/// nothing, so of them nothing worse than `unknown` is said, and less where a lease proves the contrary.
pub fn statuses(all: &[Status], alive: &[String]) -> Vec<Line> {
    let line = |status: &Status| {
        let Status { name, healthy, message } = status;
        let leads = alive.iter().any(|leader| leader.strip_prefix("kube-") == Some(name));
        let (verdict, why) = match healthy {
            true => (Verdict::Ok, message.clone()),
            false if name.starts_with("etcd") => (
                Verdict::Bad,
                format!(
                    "the API server finds this etcd member unhealthy: {message}; look at its process and disk"
                ),
            ),
            false if leads => {
                (Verdict::Ok, format!("its lease says it lives, though here: {message}"))
            }
            false => (
                Verdict::Unknown,
                format!(
                    "{message} (a deprecated check of the API server's own machine; it may run elsewhere)"
                ),
            ),
        };
        Line::new("status", name.as_str(), verdict, why)
    };
    all.iter().map(line).collect()
}
