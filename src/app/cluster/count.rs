//! How many objects there are, without listing them.
//!
//! A list of one tells how many more there are (`metadata.remainingItemCount`; an estimate by contract, left out when any
//! selector is given, and by some aggregated APIs). Never with `resourceVersion=0`, which makes the server ignore the
//! limit (apiserver `storage/cacher/delegator`, v0.37).

use super::session::{Fault, get};
use futures_util::stream::{self, StreamExt as _};
use kube::Client;
use serde::Deserialize;
use std::time::Duration;

/// Longest wait for one count.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(15));
/// Namespaces counted at most, which is a page of them, and how many at once.
const NAMESPACES: usize = 500;
const AT_ONCE: usize = 3;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all; `None`: the server does not tell.
    pub total: Option<u64>,
    /// By namespace, the fullest first, those without any left out.
    pub namespaces: Vec<(String, Option<u64>)>,
    /// What could not be counted, in words.
    pub missing: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    items: Vec<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    #[serde(rename = "continue")]
    next: String,
    remaining_item_count: Option<u64>,
}

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    metadata: Meta,
    items: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// The objects of a collection; `None`: the server does not tell.
///
/// # Errors
/// Whatever kept the answer from coming.
pub async fn total(client: &Client, collection: &str) -> Result<Option<u64>, Fault> {
    let answer = get(client, &format!("{collection}?limit=1"), DEADLINE).await?;
    let page: Page = read(&answer.body)?;
    Ok(page.metadata.more().map(|more| more + page.items.len() as u64))
}

impl Meta {
    /// How many there are beyond this page; `None`: there are some, and the server does not tell.
    fn more(&self) -> Option<u64> {
        match (self.remaining_item_count, self.next.is_empty()) {
            (Some(more), _) => Some(more),
            (None, true) => Some(0),
            (None, false) => None,
        }
    }
}

/// The objects of a resource, in all and in each namespace.
///
/// # Errors
/// The total cannot be had. Namespaces that cannot be listed or counted are said to be missing.
pub async fn by_namespace(
    client: &Client,
    group: &str,
    version: &str,
    plural: &str,
) -> Result<Counts, Fault> {
    let root = match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    let all = total(client, &format!("{root}/{plural}")).await?;
    let mut counts = Counts { total: all, ..Counts::default() };
    let (names, beyond) = match names(client).await {
        Ok(names) => names,
        Err(fault) => {
            counts.missing = Some(format!("by namespace: {fault}"));
            return Ok(counts);
        }
    };
    let one = |name: String| {
        let path = format!("{root}/namespaces/{name}/{plural}");
        async move { (name, total(client, &path).await) }
    };
    let asked = stream::iter(names.into_iter().map(one)).buffer_unordered(AT_ONCE);
    let answers: Vec<_> = asked.collect().await;
    let failed = answers.iter().filter(|(_, count)| count.is_err()).count() as u64;
    let known = answers.into_iter().filter_map(|(name, count)| Some((name, count.ok()?)));
    counts.namespaces = known.filter(|(_, count)| *count != Some(0)).collect();
    counts.namespaces.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.missing = match beyond {
        Some(beyond) if failed + beyond == 0 => None,
        Some(beyond) => Some(format!("{} namespaces were not counted", failed + beyond)),
        None if failed == 0 => Some(format!("only the first {NAMESPACES} namespaces were counted")),
        None => Some(format!("more than {failed} namespaces were not counted")),
    };
    Ok(counts)
}

/// The first namespaces, and how many there are beyond.
async fn names(client: &Client) -> Result<(Vec<String>, Option<u64>), Fault> {
    let path = format!("/api/v1/namespaces?limit={NAMESPACES}");
    let names: Names = read(&get(client, &path, DEADLINE).await?.body)?;
    let beyond = names.metadata.more();
    Ok((names.items.into_iter().map(|item| item.metadata.name).collect(), beyond))
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| {
        Fault::Foreign("a list was asked for in JSON and came as something else".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::client::Body;
    use serde_json::{Value, json};
    use std::convert::Infallible;

    /// A server with so many namespaces, of which a page comes; each has two events.
    fn server(more: Value) -> Client {
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            let answer = match path {
                "/api/v1/namespaces" => {
                    assert_eq!(query, "limit=500");
                    let name = |i| json!({"metadata": {"name": format!("ns-{i}")}});
                    json!({"metadata": more, "items": (0..500).map(name).collect::<Vec<_>>()})
                }
                _ => json!({"metadata": {"continue": "x", "remainingItemCount": 1}, "items": [{}]}),
            };
            let body = Body::from(answer.to_string().into_bytes());
            std::future::ready(Ok::<_, Infallible>(http::Response::new(body)))
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn namespaces_beyond_the_first_page_are_said_to_be_missing() {
        let cases = [
            (json!({}), None),
            (
                json!({"continue": "x", "remainingItemCount": 1700}),
                Some("1700 namespaces were not counted"),
            ),
            (json!({"continue": "x"}), Some("only the first 500 namespaces were counted")),
        ];
        for (more, missing) in cases {
            let counts = by_namespace(&server(more), "", "v1", "events").await.unwrap();
            assert_eq!((counts.namespaces.len(), counts.missing.as_deref()), (500, missing));
            assert_eq!(counts.namespaces[0].1, Some(2));
        }
    }
}
