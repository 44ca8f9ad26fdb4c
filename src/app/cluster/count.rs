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
/// Namespaces counted at most, and how many at once.
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
    let more = match (page.metadata.remaining_item_count, page.metadata.next.is_empty()) {
        (Some(more), _) => Some(more),
        (None, true) => Some(0),
        (None, false) => None,
    };
    Ok(more.map(|more| more + page.items.len() as u64))
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
    let names = match names(client).await {
        Ok(names) => names,
        Err(fault) => {
            counts.missing = Some(format!("by namespace: {fault}"));
            return Ok(counts);
        }
    };
    let more = names.len().saturating_sub(NAMESPACES);
    let one = |name: String| {
        let path = format!("{root}/namespaces/{name}/{plural}");
        async move { (name, total(client, &path).await) }
    };
    let asked = stream::iter(names.into_iter().take(NAMESPACES).map(one)).buffer_unordered(AT_ONCE);
    let answers: Vec<_> = asked.collect().await;
    let failed = answers.iter().filter(|(_, count)| count.is_err()).count() + more;
    let known = answers.into_iter().filter_map(|(name, count)| Some((name, count.ok()?)));
    counts.namespaces = known.filter(|(_, count)| *count != Some(0)).collect();
    counts.namespaces.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.missing = (failed > 0).then(|| format!("{failed} namespaces were not counted"));
    Ok(counts)
}

async fn names(client: &Client) -> Result<Vec<String>, Fault> {
    let path = format!("/api/v1/namespaces?limit={}", NAMESPACES * 4);
    let names: Names = read(&get(client, &path, DEADLINE).await?.body)?;
    Ok(names.items.into_iter().map(|item| item.metadata.name).collect())
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| {
        Fault::Foreign("a list was asked for in JSON and came as something else".into())
    })
}
