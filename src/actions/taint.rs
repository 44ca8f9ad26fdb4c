//! Taints: added, changed and removed, with what a NoExecute taint will evict.
//!
//! Kubernetes: `spec.taints` is one list to the API, so a patch of it replaces all of them; the patch here tests the list
//! it was made from (semantics.md B). The taint manager deletes pods without asking disruption budgets.

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::landing::{Taint as Repels, Toleration};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, qualified};
use serde_json::{Value, json};

/// Changes the taints of nodes.
pub struct Taint;

/// Pods that the preview names; of the others it says how many.
const NAMED: usize = 12;

/// One change, as kubectl writes it.
#[derive(Debug, PartialEq)]
enum Spec<'a> {
    /// `key=value:Effect`, `key:Effect`.
    Put(&'a str, &'a str, &'a str),
    /// `key:Effect-`, `key-`.
    Drop(&'a str, Option<&'a str>),
}

impl Action for Taint {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "taint",
            word: "taints",
            help: "add (key=value:Effect) and remove (key:Effect-, key-) taints",
            tables: &["nodes"],
            shown: true,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Taint {
    fn argument(&self) -> Option<Argument> {
        Some(Argument { label: "taints", example: "dedicated=gpu:NoSchedule old-key-" })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        specs(argument).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn wants_pods(&self, argument: &str) -> bool {
        let evicts = |spec: &Spec<'_>| matches!(spec, Spec::Put(_, _, "NoExecute"));
        specs(argument).is_ok_and(|specs| specs.iter().any(evicts))
    }

    fn plan(&self, on: &[Seen], argument: &str, _: &By) -> Result<Plan, String> {
        let wanted = specs(argument)?;
        let mut draft = Draft::new("taint", Danger::Reversible);
        for spec in &wanted {
            let (Spec::Put(key, ..) | Spec::Drop(key, _)) = spec;
            if key.starts_with("node.kubernetes.io/")
                || key.starts_with("node.cloudprovider.kubernetes.io/")
            {
                draft.note(Note::warn(format!(
                    "{key} belongs to a controller, which puts it back or takes it away"
                )));
            }
        }
        for seen in on {
            let old = seen.object["spec"]["taints"].as_array().cloned().unwrap_or_default();
            let new = match applied(&old, &wanted) {
                Ok(new) => new,
                Err(why) => {
                    draft.skip(format!("{}: {why}", seen.target.name));
                    continue;
                }
            };
            evictions(&mut draft, seen, on, &old, &new);
            step(&mut draft, seen, argument, old, new);
        }
        draft.finish(on, "node")
    }
}

fn step(draft: &mut Draft<'_>, seen: &Seen, argument: &str, old: Vec<Value>, new: Vec<Value>) {
    let name = &seen.target.name;
    let there = json!({"op": "test", "path": "/spec/taints", "value": old});
    let version = text(&seen.object, "/metadata/resourceVersion");
    // Absence cannot be tested: there the version of the whole object stands for it.
    let nothing = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
    let first = if old.is_empty() { nothing } else { there };
    let ops = json!([first, put(&new)]);
    let back = json!([{"op": "test", "path": "/spec/taints", "value": new}, put(&old)]);
    let write =
        |body| Write { method: Method::JsonPatch, target: seen.target.clone(), sub: "", body };
    // A list that is gone has nothing to be tested before it comes back.
    let undo = (!new.is_empty()).then(|| (format!("taints of {name} as they were"), write(back)));
    draft.step(Step::new(format!("taint {name} {}", argument.trim()), &write(ops), undo));
}

fn put(taints: &[Value]) -> Value {
    match taints {
        [] => json!({"op": "remove", "path": "/spec/taints"}),
        taints => json!({"op": "add", "path": "/spec/taints", "value": taints}),
    }
}

/// The list after the changes. Identity is key and effect; what is not named stays as it is, `timeAdded` too.
fn applied(old: &[Value], wanted: &[Spec<'_>]) -> Result<Vec<Value>, String> {
    let mut new = old.to_vec();
    for spec in wanted {
        match spec {
            Spec::Put(key, value, effect) => {
                let mut taint = json!({"key": key, "effect": effect});
                if !value.is_empty() {
                    taint["value"] = (*value).into();
                }
                let same = |t: &Value| t["key"] == **key && t["effect"] == **effect;
                match new.iter_mut().find(|t| same(t)) {
                    Some(there) if there["value"].as_str().unwrap_or_default() == *value => {}
                    Some(there) => *there = taint,
                    None => new.push(taint),
                }
            }
            Spec::Drop(key, effect) => {
                let before = new.len();
                new.retain(|t| t["key"] != **key || effect.is_some_and(|e| t["effect"] != e));
                if new.len() == before {
                    return Err(format!("there is no taint {key}"));
                }
            }
        }
    }
    if new == old { Err("it has them so already".into()) } else { Ok(new) }
}

/// Says which pods a new NoExecute taint deletes, and when (taint manager, semantics.md B): the first toleration that
/// matches decides, and without seconds it is for ever.
fn evictions(draft: &mut Draft<'_>, seen: &Seen, on: &[Seen], old: &[Value], new: &[Value]) {
    let added: Vec<&Value> =
        new.iter().filter(|t| t["effect"] == "NoExecute" && !old.contains(t)).collect();
    if added.is_empty() {
        return;
    }
    let node = &seen.target.name;
    let pods = match &seen.pods {
        Ok(pods) => pods,
        Err(why) => {
            draft.raise(Danger::Destructive(Draft::word(on)));
            return draft
                .note(Note::bad(format!("{node}: which pods it deletes is not known: {why}")));
        }
    };
    let mut hit: Vec<String> = pods.iter().filter_map(|pod| goes(pod, &added)).collect();
    if hit.is_empty() {
        return draft.note(Note::plain(format!("{node}: every pod tolerates it")));
    }
    draft.raise(Danger::Destructive(Draft::word(on)));
    let n = hit.len();
    draft.note(Note::bad(format!(
        "{node}: {n} pods will be deleted, without regard to disruption budgets; drain asks them"
    )));
    hit.truncate(NAMED);
    hit.into_iter().for_each(|words| draft.note(Note::warn(format!("  {words}"))));
    if n > NAMED {
        draft.note(Note::warn(format!("  and {} more", n - NAMED)));
    }
}

fn goes(pod: &Value, taints: &[&Value]) -> Option<String> {
    let name = format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
        return None;
    }
    let tolerations = pod.pointer("/spec/tolerations").and_then(Value::as_array);
    let tolerations = tolerations.map_or(&[][..], Vec::as_slice);
    let mut left: Option<i64> = None;
    for taint in taints {
        let repels = Repels::of(taint);
        let Some(first) = tolerations.iter().find(|t| Toleration::of(t).tolerates(&repels)) else {
            return Some(format!("{name}: at once"));
        };
        if let Some(seconds) = first["tolerationSeconds"].as_i64() {
            left = Some(left.map_or(seconds, |least| least.min(seconds)));
        }
    }
    match left? {
        ..=0 => Some(format!("{name}: at once")),
        seconds => Some(format!("{name}: after {seconds} s")),
    }
}

fn specs(argument: &str) -> Result<Vec<Spec<'_>>, String> {
    let specs: Result<Vec<_>, String> = argument.split_whitespace().map(spec).collect();
    let specs = specs?;
    if specs.is_empty() {
        return Err("key=value:Effect adds, key:Effect- or key- removes".into());
    }
    Ok(specs)
}

fn spec(word: &str) -> Result<Spec<'_>, String> {
    if let Some(gone) = word.strip_suffix('-') {
        let (pair, effect) = gone.split_once(':').map_or((gone, None), |(k, e)| (k, Some(e)));
        // kubectl ignores a value here.
        let key = pair.split_once('=').map_or(pair, |(k, _)| k);
        qualified::key(key)?;
        effect.map_or(Ok(()), known)?;
        return Ok(Spec::Drop(key, effect));
    }
    let (pair, effect) =
        word.rsplit_once(':').ok_or(format!("`{word}` names no effect: key=value:NoSchedule"))?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    qualified::key(key)?;
    qualified::value(value)?;
    known(effect)?;
    Ok(Spec::Put(key, value, effect))
}

fn known(effect: &str) -> Result<(), String> {
    match effect {
        "NoSchedule" | "PreferNoSchedule" | "NoExecute" => Ok(()),
        odd => Err(format!("`{odd}` is no effect: NoSchedule, PreferNoSchedule or NoExecute")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_read_as_kubectl_writes_them() {
        let read = specs("a=b:NoSchedule c:NoExecute d- e:NoSchedule-").unwrap();
        let wanted = [
            Spec::Put("a", "b", "NoSchedule"),
            Spec::Put("c", "", "NoExecute"),
            Spec::Drop("d", None),
            Spec::Drop("e", Some("NoSchedule")),
        ];
        assert_eq!(read, wanted);
        for bad in ["", "a", "a=b", "a:Never", "a=b:c:NoSchedule", "-", "a=ü:NoSchedule"] {
            assert!(specs(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_taints_stay_as_they_are() {
        let old = [
            json!({"key": "x", "effect": "NoExecute", "timeAdded": "t"}),
            json!({"key": "a", "effect": "NoSchedule"}),
        ];
        let new = applied(&old, &specs("a=1:NoSchedule b:NoExecute").unwrap()).unwrap();
        assert_eq!(new[0], old[0]);
        assert_eq!(new[1], json!({"key": "a", "effect": "NoSchedule", "value": "1"}));
        assert_eq!(new.len(), 3);
        assert!(applied(&old, &specs("a:NoSchedule").unwrap()).is_err(), "nothing to do");
        assert!(applied(&old, &specs("zzz-").unwrap()).is_err(), "not there");
        assert_eq!(applied(&old, &specs("x- a-").unwrap()).unwrap().len(), 0);
    }

    #[test]
    fn the_first_toleration_that_matches_decides_when_a_pod_goes() {
        let taint = json!({"key": "k", "effect": "NoExecute"});
        let pod = |tolerations: Value| json!({"metadata": {"namespace": "n", "name": "p"}, "spec": {"tolerations": tolerations}});
        let words = |tolerations| goes(&pod(tolerations), &[&taint]);
        assert_eq!(words(json!([])), Some("n/p: at once".into()));
        assert_eq!(words(json!([{"operator": "Exists"}])), None);
        let twice = json!([{"key": "k", "operator": "Exists", "tolerationSeconds": 60}, {"operator": "Exists"}]);
        assert_eq!(words(twice), Some("n/p: after 60 s".into()));
    }
}
