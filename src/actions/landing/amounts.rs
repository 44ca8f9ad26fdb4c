//! Amounts of resources: what a node has and a pod asks for, in integers.
//!
//! Kubernetes (v1.37): `component-helpers/resource/helpers.go` (`PodRequests`), `NodeInfo` and the `fit.go` of
//! noderesources in kube-scheduler.

use super::select::{items, text};
use crate::state::quantity;
use serde_json::Value;

/// Amounts by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Ephemeral storage in bytes.
    pub ephemeral: i64,
    /// Extended resources and huge pages in their units, by name in order.
    pub other: Vec<(String, i64)>,
}

impl Amounts {
    /// Reads a `ResourceList`. What is no quantity is nothing; `pods` is not among them.
    pub fn of(list: &Value) -> Amounts {
        let mut amounts = Amounts::default();
        for (name, value) in list.as_object().into_iter().flatten() {
            amounts.set(name, amount(name, value));
        }
        amounts
    }

    fn set(&mut self, name: &str, value: i64) {
        match name {
            "cpu" => self.cpu = value,
            "memory" => self.memory = value,
            "ephemeral-storage" => self.ephemeral = value,
            "pods" => {}
            _ => match self.other.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
                Ok(i) => self.other[i].1 = value,
                Err(i) => self.other.insert(i, (name.to_owned(), value)),
            },
        }
    }

    /// How much there is of a resource that is not one of the three.
    pub fn of_other(&self, name: &str) -> i64 {
        let found = self.other.binary_search_by(|(n, _)| n.as_str().cmp(name));
        found.map_or(0, |i| self.other[i].1)
    }

    /// Adds.
    pub fn add(&mut self, more: &Amounts) {
        self.join(more, i64::saturating_add);
    }

    /// Takes away; the rest may be less than nothing.
    pub fn subtract(&mut self, less: &Amounts) {
        self.join(less, i64::saturating_sub);
    }

    /// The greater of both, resource by resource.
    fn at_least(&mut self, other: &Amounts) {
        self.join(other, i64::max);
    }

    fn join(&mut self, with: &Amounts, how: fn(i64, i64) -> i64) {
        self.cpu = how(self.cpu, with.cpu);
        self.memory = how(self.memory, with.memory);
        self.ephemeral = how(self.ephemeral, with.ephemeral);
        for (name, value) in &with.other {
            self.set(name, how(self.of_other(name), *value));
        }
    }

    /// The resources of which `free` has too little, as (name, needed, free). What is not asked for is not looked at,
    /// so that a pod without requests fits a node that is overcommitted.
    pub fn missing<'a>(
        &'a self,
        free: &'a Amounts,
    ) -> impl Iterator<Item = (&'a str, i64, i64)> + 'a {
        let three = [
            ("cpu", self.cpu, free.cpu),
            ("memory", self.memory, free.memory),
            ("ephemeral-storage", self.ephemeral, free.ephemeral),
        ];
        let other = self.other.iter().map(|(n, v)| (n.as_str(), *v, free.of_other(n)));
        three.into_iter().chain(other).filter(|(_, needs, free)| *needs > 0 && needs > free)
    }
}

/// Milli-units of cpu, units of everything else.
fn amount(name: &str, value: &Value) -> i64 {
    let read = if name == "cpu" { quantity::milli } else { quantity::whole };
    match value {
        Value::String(text) => read(text).unwrap_or(0),
        Value::Number(number) => read(&number.to_string()).unwrap_or(0),
        _ => 0,
    }
}

/// Which requests of a container are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Those of its spec.
    Spec,
    /// Those that its kubelet admitted (`allocatedResources`).
    Allocated,
    /// Those that its kubelet made true (`resources`).
    Actual,
}

/// What a new pod of this spec asks for.
pub fn asked(pod: &Value) -> Amounts {
    let mut sum = aggregate(pod, Of::Spec);
    pod_level(&mut sum, &pod["spec"]["resources"]["requests"]);
    sum.add(&Amounts::of(&pod["spec"]["overhead"]));
    sum
}

/// What this pod holds on its node: during a resize in place the greatest of what is wanted, admitted and true.
pub fn held(pod: &Value) -> Amounts {
    let infeasible = items(&pod["status"]["conditions"]).iter().any(|c| {
        text(&c["type"]) == "PodResizePending"
            && text(&c["status"]) == "True"
            && text(&c["reason"]) == "Infeasible"
    });
    let mut sum = aggregate(pod, Of::Actual);
    sum.at_least(&aggregate(pod, Of::Allocated));
    if !infeasible {
        sum.at_least(&aggregate(pod, Of::Spec));
    }
    let mut level = Amounts::default();
    for list in [
        &pod["spec"]["resources"]["requests"],
        &pod["status"]["resources"]["requests"],
        &pod["status"]["allocatedResources"],
    ] {
        level.at_least(&Amounts::of(list));
    }
    if pod["spec"]["resources"]["requests"].is_object() {
        replace(&mut sum, &level, &pod["spec"]["resources"]["requests"]);
    }
    sum.add(&Amounts::of(&pod["spec"]["overhead"]));
    sum
}

/// Requests of the pod as a whole take the place of the containers' sum (KEP-2837).
fn pod_level(sum: &mut Amounts, requests: &Value) {
    replace(sum, &Amounts::of(requests), requests);
}

fn replace(sum: &mut Amounts, by: &Amounts, named: &Value) {
    for name in named.as_object().into_iter().flatten().map(|(n, _)| n.as_str()) {
        match name {
            "cpu" => sum.cpu = by.cpu,
            "memory" => sum.memory = by.memory,
            n if n.starts_with("hugepages-") => sum.set(n, by.of_other(n)),
            _ => {}
        }
    }
}

/// The containers and sidecars together, or the hungriest moment of the initialization if that is more (KEP-753).
fn aggregate(pod: &Value, of: Of) -> Amounts {
    let spec = &pod["spec"];
    let statuses = &pod["status"];
    let mut sum = Amounts::default();
    for container in items(&spec["containers"]) {
        sum.add(&requests(container, &statuses["containerStatuses"], of));
    }
    let (mut sidecars, mut peak) = (Amounts::default(), Amounts::default());
    for container in items(&spec["initContainers"]) {
        let mut now = requests(container, &statuses["initContainerStatuses"], of);
        if text(&container["restartPolicy"]) == "Always" {
            sum.add(&now);
            sidecars.add(&now);
            peak.at_least(&sidecars);
        } else {
            now.add(&sidecars);
            peak.at_least(&now);
        }
    }
    sum.at_least(&peak);
    sum
}

fn requests(container: &Value, statuses: &Value, of: Of) -> Amounts {
    let spec = &container["resources"]["requests"];
    if of == Of::Spec {
        return Amounts::of(spec);
    }
    let name = &container["name"];
    let status = items(statuses).iter().find(|s| s["name"] == *name).unwrap_or(&Value::Null);
    let actual = &status["resources"]["requests"];
    let allocated = &status["allocatedResources"];
    let list = match of {
        Of::Actual if actual.is_object() => actual,
        _ if allocated.is_object() => allocated,
        _ => spec,
    };
    Amounts::of(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cpu(value: &str) -> Value {
        json!({ "requests": { "cpu": value } })
    }

    #[test]
    fn containers_and_sidecars_add_up_and_the_hungriest_init_container_counts() {
        let mut pod = json!({ "spec": {
            "containers": [{ "resources": cpu("100m") }, { "resources": cpu("50m") }],
            "initContainers": [
                { "resources": cpu("20m"), "restartPolicy": "Always" },
                { "resources": cpu("120m") },
            ],
            "overhead": { "cpu": "5m" },
        }});
        assert_eq!(asked(&pod).cpu, 175, "the containers need more");
        pod["spec"]["initContainers"][1]["resources"] = cpu("400m");
        assert_eq!(asked(&pod).cpu, 425, "the init container beside the sidecar needs more");
        pod["spec"]["resources"] = cpu("1");
        assert_eq!(asked(&pod).cpu, 1005, "the pod's own requests take their place");
    }

    #[test]
    fn a_pod_that_is_being_resized_holds_the_greatest() {
        let mut pod = json!({
            "spec": { "containers": [{ "name": "a", "resources": cpu("100m") }] },
            "status": { "containerStatuses": [
                { "name": "a", "resources": cpu("300m"), "allocatedResources": { "cpu": "200m" } },
            ]},
        });
        assert_eq!((held(&pod).cpu, asked(&pod).cpu), (300, 100));
        pod["spec"]["containers"][0]["resources"] = cpu("900m");
        assert_eq!(held(&pod).cpu, 900);
        pod["status"]["conditions"] =
            json!([{ "type": "PodResizePending", "status": "True", "reason": "Infeasible" }]);
        assert_eq!(held(&pod).cpu, 300, "what cannot be granted is not held");
    }

    #[test]
    fn only_what_is_asked_for_can_be_missing() {
        let node = Amounts::of(&json!({ "cpu": "1", "example.com/gpu": "1", "pods": "110" }));
        let mut free = node.clone();
        free.subtract(&Amounts::of(&json!({ "cpu": "2", "example.com/gpu": "1" })));
        assert_eq!(Amounts::default().missing(&free).count(), 0);
        let wants = Amounts::of(&json!({ "example.com/gpu": "1", "hugepages-2Mi": "2Mi" }));
        let missing: Vec<_> = wants.missing(&free).collect();
        assert_eq!(missing, [("example.com/gpu", 1, 0), ("hugepages-2Mi", 2 << 20, 0)]);
        free.add(&Amounts::of(&json!({ "example.com/gpu": "1" })));
        assert_eq!(wants.missing(&free).count(), 1);
    }
}
