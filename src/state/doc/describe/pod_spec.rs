//! What pods and pod templates have in common: containers, volumes, where they may run.

use super::container;
use super::page::{
    Page, count, entries, int, items, join, pairs, plain, scalar, str_at, text, when_so,
};
use super::small::expression;
use crate::state::time::{Epoch, span};
use serde_json::Value;

/// Writes the containers of a pod or a template, each with its status.
pub(super) fn containers(page: &mut Page, pod: &Value, now: Epoch) {
    let groups = [
        ("/spec/initContainers", "/status/initContainerStatuses", "init"),
        ("/spec/containers", "/status/containerStatuses", ""),
        ("/spec/ephemeralContainers", "/status/ephemeralContainerStatuses", "ephemeral"),
    ];
    page.heading("Containers");
    for (specs, statuses, what) in groups {
        for spec in items(pod, specs) {
            let named = |s: &&Value| str_at(s, "/name") == str_at(spec, "/name");
            let status = items(pod, statuses).iter().find(named);
            let sidecar = what == "init" && str_at(spec, "/restartPolicy") == "Always";
            container::write(page, spec, status, if sidecar { "sidecar" } else { what }, now);
        }
    }
    page.indent = 0;
}

/// Writes volumes, tolerations and the rules of placement.
pub(super) fn placement(page: &mut Page, pod: &Value) {
    let volumes: Vec<_> = items(pod, "/spec/volumes")
        .iter()
        .map(|v| [plain(str_at(v, "/name")), plain(volume(v))])
        .collect();
    if !volumes.is_empty() {
        page.heading("Volumes");
        page.indent = 2;
        page.table(["NAME", "WHAT"], &volumes);
        page.indent = 0;
    }
    let mut rules = Page { indent: 2, ..Page::default() };
    rules.field("Whole pod asks", container::amounts(pod, "/spec/resources/requests"));
    rules.field("Overhead", container::amounts(pod, "/spec/overhead"));
    rules.field("Node selector", join(pairs(pod, "/spec/nodeSelector")));
    affinity(&mut rules, pod);
    rules.list("Spread", items(pod, "/spec/topologySpreadConstraints").iter().map(spread));
    rules.list("Tolerations", items(pod, "/spec/tolerations").iter().map(toleration));
    if !rules.lines.is_empty() {
        page.heading("Placement");
        page.lines.append(&mut rules.lines);
    }
}

/// The one field beside the name tells what a volume is.
fn volume(volume: &Value) -> String {
    let Some((kind, source)) = entries(volume, "").find(|(key, _)| *key != "name") else {
        return String::new();
    };
    let s = |at: &str| text(source, at);
    match kind {
        "configMap" => format!("config map {}", s("/name")),
        "secret" => format!("secret {}", s("/secretName")),
        "persistentVolumeClaim" => format!("claim {}", s("/claimName")),
        "hostPath" => format!("{} of the node", s("/path")),
        "emptyDir" => {
            let limit = s("/sizeLimit");
            let limit = when_so(!limit.is_empty(), format!("at most {limit}"));
            join(["empty directory".to_owned(), s("/medium").to_ascii_lowercase(), limit])
        }
        "projected" => {
            format!("projected: {}", join(items(source, "/sources").iter().map(projection)))
        }
        "csi" => format!("CSI {}", s("/driver")),
        "nfs" => format!("NFS {}:{}", s("/server"), s("/path")),
        "image" => format!("image {}", s("/reference")),
        "ephemeral" => "claim of its own".to_owned(),
        other => other.to_owned(),
    }
}

fn projection(source: &Value) -> String {
    let Some((kind, s)) = entries(source, "").next() else { return String::new() };
    let name = str_at(s, "/name");
    match kind {
        "configMap" => format!("config map {name}"),
        "secret" => format!("secret {name}"),
        "downwardAPI" => "pod fields".to_owned(),
        "serviceAccountToken" => "service account token".to_owned(),
        other => other.to_owned(),
    }
}

fn affinity(page: &mut Page, pod: &Value) {
    let must = "requiredDuringSchedulingIgnoredDuringExecution";
    let may = "preferredDuringSchedulingIgnoredDuringExecution";
    let terms = items(pod, &format!("/spec/affinity/nodeAffinity/{must}/nodeSelectorTerms"));
    page.list(
        "Node affinity",
        terms.iter().map(|term| {
            join(
                ["matchExpressions", "matchFields"]
                    .iter()
                    .flat_map(|f| items(term, &format!("/{f}")))
                    .map(expression),
            )
        }),
    );
    let preferred = items(pod, &format!("/spec/affinity/nodeAffinity/{may}")).len();
    page.field("Prefers nodes", when_so(preferred > 0, count(preferred, "rule")));
    for (label, kind) in [("Pod affinity", "podAffinity"), ("Anti-affinity", "podAntiAffinity")] {
        let of = |strength: &str| items(pod, &format!("/spec/affinity/{kind}/{strength}"));
        let required = of(must).iter().map(pod_term);
        let preferred = of(may).iter().filter_map(|t| t.get("podAffinityTerm"));
        let preferred = preferred.map(|t| format!("{} (preferred)", pod_term(t)));
        page.list(label, required.chain(preferred));
    }
}

fn pod_term(term: &Value) -> String {
    format!("{} per {}", label_selector(term), str_at(term, "/topologyKey"))
}

fn label_selector(value: &Value) -> String {
    let labels = pairs(value, "/labelSelector/matchLabels");
    let rest = items(value, "/labelSelector/matchExpressions").iter().map(expression);
    join(labels.into_iter().chain(rest))
}

fn spread(rule: &Value) -> String {
    format!(
        "{} per {}, skew at most {}, else {}",
        label_selector(rule),
        str_at(rule, "/topologyKey"),
        int(rule, "/maxSkew"),
        scalar(&rule["whenUnsatisfiable"]),
    )
}

/// `gpu=a100:NoSchedule`, `node.kubernetes.io/not-ready:NoExecute for 5m`, `everything`.
fn toleration(t: &Value) -> String {
    let (key, value) = (str_at(t, "/key"), str_at(t, "/value"));
    let what = match (key, value) {
        ("", _) => "everything".to_owned(),
        (key, "") => key.to_owned(),
        (key, value) => format!("{key}={value}"),
    };
    let effect = str_at(t, "/effect");
    let effect = when_so(!effect.is_empty(), format!(":{effect}"));
    let limit = t.get("tolerationSeconds").and_then(Value::as_i64);
    format!("{what}{effect}{}", limit.map_or(String::new(), |s| format!(" for {}", span(s))))
}
