//! Every kind that a server can list, by aggregated discovery (KEP-3352, `apidiscovery.k8s.io/v2`, GA in 1.30): two requests;
//! group by group where the server does not speak it.

use super::pace::Pace;
use crate::app::cluster::session::Fault;
use crate::state::decl::Gvk;
use crate::state::nearest;
use serde_json::Value;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A kind that can be listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// As the API names it.
    pub gvk: &'static Gvk,
    /// Its name for one object.
    pub singular: String,
    /// Short names.
    pub short: Vec<String>,
}

/// What a server serves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovered {
    /// Kinds that can be listed, namespaces first, each in its group's preferred version.
    pub kinds: Vec<Listed>,
    /// `group/version` of what could not be asked.
    pub stale: Vec<String>,
}

impl Discovered {
    /// The kind that a word means: `forges`, `forge`, a short name, or `forges.foundry.example`.
    ///
    /// # Errors
    /// Why no kind is meant, in words.
    pub fn kind(&self, word: &str) -> Result<&'static Gvk, String> {
        let word = word.to_lowercase();
        let is = |k: &&Listed| {
            k.gvk.plural == word
                || k.gvk.resource() == word
                || k.singular == word
                || k.gvk.kind.to_lowercase() == word
                || format!("{}.{}", k.singular, k.gvk.group) == word
                || k.short.contains(&word)
        };
        let found = self.kinds.iter().find(is).map(|k| k.gvk);
        found.ok_or_else(|| {
            let hint = nearest::hint(&word, self.kinds.iter().map(|k| k.gvk.plural));
            format!("the server lists no kind `{word}`{hint}")
        })
    }
}

/// Asks for all kinds.
///
/// # Errors
/// The server does not say what it serves.
pub async fn discover(pace: &mut Pace) -> Result<Discovered, Fault> {
    let mut found = Discovered::default();
    for root in ["/api", "/apis"] {
        let answer = pace.get(root, AGGREGATED).await?;
        let list: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| Fault::Foreign(format!("{root} answered something that is not JSON")))?;
        match list["kind"].as_str() {
            Some("APIGroupDiscoveryList") => aggregated(&list, &mut found),
            _ => one_by_one(pace, &list, &mut found).await,
        }
    }
    // What is known of namespaces first says which objects are worth counting.
    found.kinds.sort_by_key(|k| (k.gvk.plural != "namespaces", !k.gvk.group.is_empty()));
    Ok(found)
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn names(value: &Value, field: &str) -> Vec<String> {
    list(value, field).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn aggregated(all: &Value, found: &mut Discovered) {
    for group in list(all, "items") {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in list(group, "versions").filter(|v| text(v, "freshness") == "Stale") {
            found.stale.push(format!("{name}/{}", text(version, "version")));
        }
        // The first version is the preferred one; a kind that only a later one has is there as well.
        let mut seen: Vec<&str> = vec![];
        for version in list(group, "versions") {
            for resource in list(version, "resources") {
                let plural = text(resource, "resource");
                let lists = list(resource, "verbs").any(|v| v == "list");
                if seen.contains(&plural) || !lists {
                    continue;
                }
                seen.push(plural);
                let kind = resource["responseKind"]["kind"].as_str().unwrap_or_default();
                let namespaced = text(resource, "scope") == "Namespaced";
                found.kinds.push(Listed {
                    gvk: Gvk::found(name, text(version, "version"), kind, plural, namespaced),
                    singular: text(resource, "singularResource").to_lowercase(),
                    short: names(resource, "shortNames"),
                });
            }
        }
    }
}

/// The way before 1.27: the list of groups, then each group's preferred version.
async fn one_by_one(pace: &mut Pace, roots: &Value, found: &mut Discovered) {
    let core = list(roots, "versions").filter_map(Value::as_str).map(str::to_owned);
    let groups =
        list(roots, "groups").map(|g| text(&g["preferredVersion"], "groupVersion").to_owned());
    for version in core.chain(groups).collect::<Vec<_>>() {
        let (group, number) = version.split_once('/').unwrap_or(("", &version));
        let root = if group.is_empty() { "/api" } else { "/apis" };
        let Ok(resources) = pace.json(&format!("{root}/{version}")).await else {
            found.stale.push(version.clone());
            continue;
        };
        for resource in list(&resources, "resources") {
            let plural = text(resource, "name");
            if plural.contains('/') || !list(resource, "verbs").any(|v| v == "list") {
                continue;
            }
            let namespaced = resource["namespaced"] == true;
            found.kinds.push(Listed {
                gvk: Gvk::found(group, number, text(resource, "kind"), plural, namespaced),
                singular: text(resource, "singularName").to_lowercase(),
                short: names(resource, "shortNames"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_is_found_by_all_its_names_in_its_preferred_version() {
        let version = |v: &str, freshness: &str, resources: Value| json!({"version": v, "freshness": freshness, "resources": resources});
        let forges = json!([
            {"resource": "forges", "singularResource": "forge", "shortNames": ["fg"], "scope": "Namespaced",
             "responseKind": {"kind": "Forge"}, "verbs": ["list", "patch"]},
            {"resource": "sparks", "responseKind": {"kind": "Spark"}, "verbs": ["create"]},
        ]);
        let all = json!({"items": [
            {"metadata": {"name": "foundry.example"}, "versions": [
                version("v1", "Current", forges.clone()), version("v1beta1", "Current", forges)]},
            {"metadata": {"name": "legacy.example"}, "versions": [version("v1alpha1", "Stale", json!([]))]},
        ]});
        let mut found = Discovered::default();
        aggregated(&all, &mut found);
        assert_eq!(found.stale, ["legacy.example/v1alpha1"]);
        assert_eq!(found.kinds.len(), 1);
        for word in ["forges", "Forge", "fg", "forges.foundry.example", "forge.foundry.example"] {
            let gvk = found.kind(word).unwrap();
            assert_eq!((gvk.version, gvk.namespaced), ("v1", true), "{word}");
        }
        assert!(found.kind("forgs").unwrap_err().contains("forges"));
    }
}
