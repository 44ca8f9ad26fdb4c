//! GET of an object and LIST of a collection, page by page over one consistent state.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::object;
use super::refusal::{Outcome, Refusal};
use super::registry::Resource;
use super::route::{Query, Target};
use super::select::{Fields, Filter, Labels};
use super::store::{Object, Store};

/// What a list or watch request selects.
pub fn filter(target: &Target, query: &Query) -> Outcome<Filter> {
    Ok(Filter {
        namespace: target.namespace.clone(),
        labels: Labels::parse(query.get("labelSelector"))?,
        fields: Fields::parse(target.res, query.get("fieldSelector"))?,
    })
}

/// One object, or 404.
pub fn get<'a>(store: &'a Store, target: &Target) -> Outcome<&'a Object> {
    store
        .get(target.res, &target.namespace, &target.name)
        .ok_or_else(|| Refusal::not_found(target.res, &target.name))
}

/// The list as JSON.
pub fn list(store: &Store, target: &Target, query: &Query) -> Outcome<String> {
    let filter = filter(target, query)?;
    let (revision, after) = start(store, query)?;
    let table = store.at(target.res, revision).ok_or_else(|| expired(query))?;
    let rest = table.range(after.clone()..).filter(|(key, o)| **key != after && filter.matches(o));
    let rest: Vec<_> = rest.collect();
    // With resourceVersion=0 the real server answers from its cache and ignores the limit.
    let unlimited = query.get("resourceVersion") == "0";
    let limit = query.number("limit").filter(|n| *n > 0 && !unlimited).unwrap_or(u64::MAX);
    let page = &rest[..rest.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
    let mut meta = json!({"resourceVersion": revision.to_string()});
    if let (true, Some((last, _))) = (page.len() < rest.len(), page.last()) {
        meta["continue"] = json!(token(revision, last));
        if !filter.selects() {
            meta["remainingItemCount"] = json!(rest.len() - page.len());
        }
    }
    Ok(render(target.res, &meta, page.iter().map(|(_, o)| *o)))
}

/// Items carry no kind and apiVersion, as the real server writes lists of built-in types.
fn render<'a>(res: &Resource, meta: &Value, objects: impl Iterator<Item = &'a Object>) -> String {
    let items: Vec<String> = objects
        .map(|o| if res.is_custom() { object::to_json(res, o) } else { o.to_string() })
        .collect();
    format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{meta},\"items\":[{}]}}",
        res.kind,
        res.api_version(),
        items.join(",")
    )
}

/// The revision to list at, and the key after which the page starts.
fn start(store: &Store, query: &Query) -> Outcome<(u64, String)> {
    let (token, version) = (query.get("continue"), query.get("resourceVersion"));
    if !token.is_empty() {
        if !version.is_empty() && version != "0" {
            return Err(Refusal::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        return read_token(token)
            .ok_or_else(|| Refusal::bad_request("continue key is not valid: it was changed"));
    }
    let asked = number(version)?;
    if asked > store.revision() {
        return Err(too_new(asked, store.revision()));
    }
    let exact = query.get("resourceVersionMatch") == "Exact"
        || asked > 0 && query.number("limit").is_some_and(|n| n > 0);
    Ok((if exact { asked } else { store.revision() }, String::new()))
}

/// A resourceVersion from a query; 0 for none.
pub fn number(version: &str) -> Outcome<u64> {
    match version {
        "" => Ok(0),
        text => text.parse().map_err(|_| {
            let what = format!("Invalid value: \"{text}\": strconv.ParseUint: invalid syntax");
            Refusal::invalid("ListOptions", "", "resourceVersion", "FieldValueInvalid", &what)
        }),
    }
}

/// apimachinery `NewTooLargeResourceVersionError`.
fn too_new(asked: u64, current: u64) -> Refusal {
    let message = format!("Too large resource version: {asked}, current: {current}");
    Refusal::new(504, "Timeout", format!("Timeout: {message}"))
        .cause("ResourceVersionTooLarge", "Too large resource version", "")
        .after(1)
}

fn expired(query: &Query) -> Refusal {
    if query.get("continue").is_empty() {
        return Refusal::expired("The resourceVersion for the provided list is too old.");
    }
    Refusal::expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list \
         without the continue parameter.",
    )
}

/// The form of apiserver `storage/continue.go`: clients must treat it as opaque, people look into it.
fn token(revision: u64, last: &str) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": last});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Option<(u64, String)> {
    let token: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some((token["rv"].as_u64()?, token["start"].as_str()?.to_owned()))
}
