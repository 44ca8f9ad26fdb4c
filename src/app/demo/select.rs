//! Label and field selectors: which objects a list, a watch or a budget means.

use serde_json::Value;

use super::object::{items, text};
use super::refusal::{Outcome, Refusal};
use super::registry::Resource;

/// One condition on a label.
#[derive(Clone, Debug, PartialEq)]
enum Need {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// A label selector: all its needs must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels(Vec<Need>);

impl Labels {
    /// Reads the form of query strings (apimachinery `pkg/labels/selector.go`).
    pub fn parse(query: &str) -> Outcome<Labels> {
        let needs = split_outside_parens(query).map(|part| parse_need(part.trim()));
        let needs: Option<Vec<Need>> = needs.collect();
        needs.map(Labels).ok_or_else(|| {
            Refusal::bad_request(format!("unable to parse requirement: found '{query}'"))
        })
    }

    /// Reads a `metav1.LabelSelector`. `Null` selects nothing: `None`.
    pub fn of(selector: &Value) -> Option<Labels> {
        let map = selector.as_object()?;
        let equals = map.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let mut needs: Vec<Need> =
            equals.map(|(k, v)| Need::In(k.clone(), vec![text(v).to_owned()])).collect();
        for expression in items(&selector["matchExpressions"]) {
            let key = text(&expression["key"]).to_owned();
            let values = items(&expression["values"]).iter().map(|v| text(v).to_owned()).collect();
            needs.push(match text(&expression["operator"]) {
                "In" => Need::In(key, values),
                "NotIn" => Need::NotIn(key, values),
                "Exists" => Need::Exists(key),
                _ => Need::Missing(key),
            });
        }
        Some(Labels(needs))
    }

    /// Whether an object's labels satisfy all needs.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.0.iter().all(|need| match need {
            Need::In(k, v) => labels[k].as_str().is_some_and(|l| v.iter().any(|v| v == l)),
            Need::NotIn(k, v) => labels[k].as_str().is_none_or(|l| v.iter().all(|v| v != l)),
            Need::Exists(k) => labels[k].is_string(),
            Need::Missing(k) => !labels[k].is_string(),
        })
    }
}

/// `a=b,c in (d,e)` has two parts.
fn split_outside_parens(query: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    query
        .split(move |c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        })
        .filter(|part| !part.trim().is_empty())
}

fn parse_need(part: &str) -> Option<Need> {
    let key = |k: &str| Some(k.trim().to_owned()).filter(|k| !k.is_empty() && !k.contains(' '));
    if let Some(name) = part.strip_prefix('!') {
        return Some(Need::Missing(key(name)?));
    }
    for (word, make) in [(" notin ", Need::NotIn as fn(_, _) -> _), (" in ", Need::In)] {
        if let Some((name, set)) = part.split_once(word) {
            let set = set.trim().strip_prefix('(')?.strip_suffix(')')?;
            return Some(make(key(name)?, set.split(',').map(|v| v.trim().to_owned()).collect()));
        }
    }
    if let Some((name, value)) = part.split_once("!=") {
        return Some(Need::NotIn(key(name)?, vec![value.trim().to_owned()]));
    }
    match part.split_once('=') {
        Some((name, value)) => {
            let value = value.strip_prefix('=').unwrap_or(value);
            Some(Need::In(key(name)?, vec![value.trim().to_owned()]))
        }
        None => Some(Need::Exists(key(part)?)),
    }
}

/// A field selector: `(path, equal, value)`, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// Reads the query form and refuses fields the resource cannot be selected by, as the real server does.
    pub fn parse(res: &Resource, query: &str) -> Outcome<Fields> {
        let mut fields = Vec::new();
        for part in query.split(',').filter(|p| !p.is_empty()) {
            let unequal = part.split_once("!=").map(|(p, v)| (p, false, v));
            let equal = || part.split_once('=').map(|(p, v)| (p, true, v.trim_start_matches('=')));
            let Some((path, is, value)) = unequal.or_else(equal) else {
                return Err(Refusal::bad_request(format!("invalid selector: '{part}'")));
            };
            let path = path.trim();
            if !matches!(path, "metadata.name" | "metadata.namespace")
                && !res.fields.contains(&path)
            {
                return Err(unsupported(res, query, path));
            }
            fields.push((path.to_owned(), is, value.to_owned()));
        }
        Ok(Fields(fields))
    }

    /// Whether an object's fields satisfy the selector; an absent field is the empty text, or `false`.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, is, value)| {
            let found = path.split('.').fold(object, |v, key| &v[key]);
            let same = match found {
                Value::String(s) => s == value,
                Value::Null => value.is_empty() || value == "false",
                Value::Bool(b) => b.to_string() == *value,
                Value::Number(n) => n.to_string() == *value,
                _ => false,
            };
            same == *is
        })
    }
}

fn unsupported(res: &Resource, query: &str, path: &str) -> Refusal {
    let gv = if res.group.is_empty() { "/v1".to_owned() } else { res.api_version() };
    Refusal::bad_request(format!(
        "Unable to find \"{gv}, Resource={}\" that match label selector \"\", field selector \"{query}\": field label \
         not supported: {path}",
        res.plural
    ))
}

/// Namespace and selectors of a list or a watch.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Empty for all namespaces.
    pub namespace: String,
    /// By labels.
    pub labels: Labels,
    /// By fields.
    pub fields: Fields,
}

impl Filter {
    /// Whether the filter lets an object through.
    pub fn matches(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || super::object::namespace(object) == self.namespace)
            && self.labels.matches(object)
            && self.fields.matches(object)
    }

    /// Whether objects may be left out for their labels or fields.
    pub fn selects(&self) -> bool {
        !self.labels.0.is_empty() || !self.fields.0.is_empty()
    }
}
