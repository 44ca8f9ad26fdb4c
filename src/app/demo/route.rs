//! What a request asks for: its path, query and method, read once. Nothing below this file looks at a URI.

use bytes::Bytes;
use http::Method;

use super::refusal::{Outcome, Refusal};
use super::registry::{Resource, find};

/// The query of a request, decoded.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the `?`.
    pub fn parse(query: &str) -> Query {
        let pairs = query.split('&').filter(|p| !p.is_empty());
        Query(
            pairs
                .map(|p| p.split_once('=').unwrap_or((p, "")))
                .map(|(k, v)| (decode(k), decode(v)))
                .collect(),
        )
    }

    /// The first value of a key, empty when absent.
    pub fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str())
    }

    /// Whether a key is there, with or without a value.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| k == key)
    }

    /// A key whose value is `true` or `1`.
    pub fn is(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1" | "True")
    }

    /// A key whose value is a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key).parse().ok()
    }
}

/// Undoes percent encoding; what is not UTF-8 afterwards is replaced.
fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'+' => b' ',
            b'%' => {
                let pair = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let hex = std::str::from_utf8(&pair).unwrap_or("3f");
                u8::from_str_radix(hex, 16).unwrap_or(b'?')
            }
            b => b,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A resource path.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is asked for.
    pub res: &'static Resource,
    /// Empty for cluster-scoped objects and for all namespaces.
    pub namespace: String,
    /// Empty for the collection.
    pub name: String,
    /// Empty for the object itself.
    pub sub: String,
}

/// What a path means.
#[derive(Clone, Debug)]
pub enum Route {
    /// A stored resource.
    Object(Target),
    /// `metrics.k8s.io`: plural, namespace, name.
    Usage(String, String, String),
    /// A kubelet behind the node proxy: node, path.
    Kubelet(String, String),
    /// A self review: `selfsubjectaccessreviews` and its kin.
    Review(String),
    /// Anything else, by its whole path: discovery, health, dumps.
    Other,
}

/// One request, read whole.
#[derive(Clone, Debug)]
pub struct Ask {
    /// HTTP method.
    pub method: Method,
    /// Path as sent.
    pub path: String,
    /// Decoded query.
    pub query: Query,
    /// What the path means.
    pub route: Route,
    /// `Accept`
    pub accept: String,
    /// `Content-Type`
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl Ask {
    /// The verb as authorization sees it (apiserver `endpoints/request/requestinfo.go`).
    pub fn verb(&self) -> &'static str {
        let collection = match &self.route {
            Route::Object(t) => t.name.is_empty(),
            Route::Usage(_, _, name) => name.is_empty(),
            Route::Kubelet(..) | Route::Review(_) | Route::Other => false,
        };
        match self.method {
            Method::GET | Method::HEAD if collection && self.query.is("watch") => "watch",
            Method::GET | Method::HEAD if collection => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if collection => "deletecollection",
            Method::DELETE => "delete",
            _ => "get",
        }
    }

    /// Whether the request wants everything but the effect. Both places of `dryRun` count; they must not disagree.
    pub fn dry_run(&self, body_says: bool) -> Outcome<bool> {
        match self.query.get("dryRun") {
            "" => Ok(body_says),
            "All" => Ok(true),
            other => Err(Refusal::invalid(
                "CreateOptions",
                "",
                "dryRun",
                "FieldValueNotSupported",
                &format!("Unsupported value: \"{other}\": supported values: \"All\""),
            )),
        }
    }
}

const REVIEWS: [(&str, &str); 3] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

/// Reads a path. A path below an API version that nothing serves is refused with 404.
pub fn route(path: &str) -> Outcome<Route> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Ok(Route::Other),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, more @ ..] if is_namespaced(group, version, more) => {
            (*namespace, more)
        }
        rest => ("", rest),
    };
    let field = |i: usize| rest.get(i).copied().map(decode_part).unwrap_or_default();
    let (plural, name, sub) = (field(0), field(1), field(2));
    if REVIEWS.contains(&(group, plural.as_str())) && name.is_empty() {
        return Ok(Route::Review(plural));
    }
    if group == "metrics.k8s.io" && matches!(plural.as_str(), "nodes" | "pods") {
        return Ok(Route::Usage(plural, namespace.to_owned(), name));
    }
    if let ("", ["nodes", node, "proxy", page @ ..]) = (group, rest) {
        return Ok(Route::Kubelet(decode_part(node), page.join("/")));
    }
    let res = find(group, version, &plural).ok_or_else(Refusal::no_such_path)?;
    if rest.len() > 3 || !sub.is_empty() && !res.subs.contains(&sub.as_str()) {
        return Err(Refusal::no_such_path());
    }
    if res.namespaced && namespace.is_empty() && !name.is_empty() {
        return Err(Refusal::no_such_path());
    }
    Ok(Route::Object(Target { res, namespace: namespace.to_owned(), name, sub }))
}

fn decode_part(part: &str) -> String {
    decode(&part.replace('+', "%2B"))
}

/// `namespaces/x/pods` is a collection in x, `namespaces/x/status` a sub-resource of x.
fn is_namespaced(group: &str, version: &str, rest: &[&str]) -> bool {
    let Some(plural) = rest.first() else { return false };
    group == "metrics.k8s.io" || find(group, version, plural).is_some_and(|r| r.namespaced)
}
