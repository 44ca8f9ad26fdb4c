//! What the API server calls: aggregated APIs, each asked whether it answers, and webhooks, with what stands behind each.

use super::read::items;
use super::trouble;
use crate::app::cluster::raw::answered;
use crate::app::cluster::session::{Fault, get, redact};
use crate::app::cluster::upstream::Upstream;
use crate::state::rules::health::{Answer, ApiService, Backend, Trouble, Webhook};
use futures_util::{StreamExt as _, future::join_all, stream};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The longest wait for a list.
const LIST: Duration = Duration::from_secs(4);
/// The longest wait for an aggregated API: with the time between two looks well under 10 s.
const SILENT: Duration = Duration::from_secs(4);
/// Aggregated APIs asked in a look, all at once.
const ASKED: usize = 20;
/// Services looked into for webhooks; a cluster with more has its webhooks behind few of them.
const SERVICES: usize = 40;
/// How many of them at once, how long for one, and for all.
const AT_ONCE: usize = 8;
const ONE: Duration = Duration::from_secs(3);
const ALL: Duration = Duration::from_secs(6);
/// A discovery document longer than that is not read, and answers all the same.
const DOCUMENT: usize = 4 << 20;

const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices?resourceVersion=0";

/// Longer than both steps of a look at APIs, and than both of one at webhooks.
pub(super) const LIMIT: Duration = Duration::from_secs(12);

async fn listed(up: &Upstream, path: &str) -> Result<Vec<Value>, Fault> {
    let list = timeout(LIST, items(up, path)).await;
    list.unwrap_or(Err(Fault::Timeout { after: LIST })).map(|(items, _)| items)
}

/// Registered APIs; those that a service serves are asked themselves.
pub(super) async fn apis(up: &Upstream) -> Result<Vec<ApiService>, Fault> {
    let items = listed(up, API_SERVICES).await?;
    let mut all: Vec<ApiService> = items.iter().map(ApiService::of).collect();
    let asked = all.iter_mut().filter(|api| !api.service.is_empty() && api.available.0 == "True");
    let asked = asked.take(ASKED).map(|api| async { api.answer = answer(up, &api.path).await });
    join_all(asked).await;
    Ok(all)
}

/// Whether an API answers. What is refused or unclear says nothing of it: the list has just come, so the server is there.
async fn answer(up: &Upstream, path: &str) -> Answer {
    let silent = || Answer::Failed(format!("no answer within {} s", SILENT.as_secs()));
    match timeout(SILENT, answered(&up.client, path, DOCUMENT)).await {
        Err(_) | Ok(Err(Fault::Timeout { .. })) => silent(),
        Ok(Err(_)) => Answer::Unasked,
        Ok(Ok((status, raw))) => match status.as_u16() {
            code @ 502..=504 => {
                let text = raw.text();
                let words: String =
                    text.trim().lines().next().unwrap_or_default().chars().take(200).collect();
                Answer::Failed(format!("{code} {}", redact(&words)))
            }
            401 | 403 | 429 => Answer::Unasked,
            _ => Answer::Came,
        },
    }
}

/// Webhooks of both sorts, with what stands behind those that have a service.
pub(super) async fn webhooks(up: &Upstream) -> Result<Vec<Webhook>, Fault> {
    let configs = |kind: &'static str| async move {
        let path = format!(
            "/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations?resourceVersion=0"
        );
        let configs = listed(up, &path).await?;
        Ok(configs.iter().flat_map(|config| Webhook::of(config, kind)).collect::<Vec<_>>())
    };
    let (mut all, mutating) = tokio::try_join!(configs("validating"), configs("mutating"))?;
    all.extend(mutating);
    let served = all.iter().filter(|webhook| webhook.url.is_empty());
    let services: BTreeSet<_> = served.map(|webhook| webhook.service.clone()).collect();
    let known = backends(up, services).await;
    for webhook in all.iter_mut().filter(|webhook| webhook.url.is_empty()) {
        webhook.backend = known.get(&webhook.service).cloned().unwrap_or_else(|| {
            let words = format!("only {SERVICES} services are looked into");
            Backend::Unread(Trouble::Failed(words))
        });
    }
    Ok(all)
}

/// What stands behind services, each in its own time.
async fn backends(
    up: &Upstream,
    services: BTreeSet<(String, String)>,
) -> HashMap<(String, String), Backend> {
    let until = Instant::now() + ALL;
    let each = |service: (String, String)| async move {
        let read = timeout_at(until.min(Instant::now() + ONE), backend(up, &service)).await;
        let read = read.unwrap_or(Err(Fault::Timeout { after: ONE }));
        (service, read.unwrap_or_else(|fault| Backend::Unread(trouble(fault))))
    };
    let services = stream::iter(services.into_iter().take(SERVICES));
    services.map(each).buffer_unordered(AT_ONCE).collect().await
}

/// Ready endpoints of a service. The service itself is asked for only where it has none.
async fn backend(up: &Upstream, (namespace, name): &(String, String)) -> Result<Backend, Fault> {
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?resourceVersion=0&labelSelector=kubernetes.io%2Fservice-name%3D{name}"
    );
    let (slices, _) = items(up, &path).await?;
    if !slices.is_empty() {
        // A condition that is absent counts as ready (discovery/v1 EndpointConditions).
        let endpoints =
            slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        return Ok(Backend::Ready(endpoints.filter(|e| e["conditions"]["ready"] != false).count()));
    }
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}?resourceVersion=0");
    let service = match get(&up.client, &path, None).await {
        Ok(answer) => serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
        Err(Fault::NotFound { .. }) => return Ok(Backend::NoService),
        Err(fault) => return Err(fault),
    };
    Ok(match service["spec"]["type"] == "ExternalName" {
        true => Backend::Elsewhere,
        false => Backend::Ready(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{Lock, Meter, gated};
    use crate::app::cluster::upstream::system_clock;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;
    use std::sync::{Arc, Mutex};
    use tokio::time::sleep;

    type Asked = Arc<Mutex<Vec<String>>>;

    /// A server that answers each path after 100 ms with a status and a body, or, without a status, never.
    fn server(answer: fn(&str) -> (u16, Value)) -> (Arc<Upstream>, Asked) {
        let asked = Asked::default();
        let log = asked.clone();
        let inner = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            log.lock().unwrap().push(path.clone());
            async move {
                sleep(Duration::from_millis(100)).await;
                let (status, body) = answer(&path);
                if status == 0 {
                    std::future::pending::<()>().await;
                }
                let body = Body::from(body.to_string().into_bytes());
                let response = Response::builder().status(status);
                Ok::<_, kube::Error>(
                    response.header("content-type", "application/json").body(body).unwrap(),
                )
            }
        });
        let client = gated(inner, "default", Arc::new(Meter::default()), Lock::new(true));
        (Upstream::new(client, system_clock()), asked)
    }

    fn config(services: &[&str]) -> Value {
        let webhook = |name: &&str| json!({"name": format!("{name}.test"), "clientConfig": {"service": {"namespace": "ops", "name": name}}});
        let webhooks: Vec<Value> = services.iter().map(webhook).collect();
        json!({"items": [{"metadata": {"name": "c"}, "webhooks": webhooks}]})
    }

    fn status(code: u16, message: &str) -> (u16, Value) {
        (
            code,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn many_services_are_looked_into_at_once_and_asked_for_only_if_need_be() {
        let (up, asked) = server(|path| match path.rsplit('/').next() {
            Some("validatingwebhookconfigurations") => {
                let names: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
                (200, config(&names.iter().map(String::as_str).collect::<Vec<_>>()))
            }
            Some("endpointslices") => {
                (200, json!({"items": [{"endpoints": [{"conditions": {}}]}]}))
            }
            _ => (200, json!({"items": []})),
        });
        let began = Instant::now();
        let webhooks = webhooks(&up).await.unwrap();
        assert!(webhooks.iter().all(|w| w.backend == Backend::Ready(1)) && webhooks.len() == 20);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let asked = asked.lock().unwrap();
        assert!(!asked.iter().any(|path| path.contains("/services/")), "{asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_read_or_hangs_is_not_taken_for_elsewhere() {
        let (up, _asked) = server(|path| match path {
            _ if path.ends_with("validatingwebhookconfigurations") => {
                (200, config(&["gone", "far", "empty"]))
            }
            _ if path.ends_with("mutatingwebhookconfigurations") => (200, config(&["hidden"])),
            _ if path.contains("/services/gone") => status(404, "services \"gone\" not found"),
            _ if path.contains("/services/far") => (200, json!({"spec": {"type": "ExternalName"}})),
            _ if path.contains("/services/hidden") => status(
                403,
                "services \"hidden\" is forbidden: User \"x\" cannot get resource \"services\" in API group \"\" in the namespace \"ops\"",
            ),
            _ => (200, json!({"items": []})),
        });
        let all = webhooks(&up).await.unwrap();
        let backend =
            |name: &str| all.iter().find(|w| w.service.1 == name).unwrap().backend.clone();
        assert_eq!(backend("gone"), Backend::NoService);
        assert_eq!(backend("far"), Backend::Elsewhere);
        assert_eq!(backend("empty"), Backend::Ready(0));
        let right = "get services in the namespace ops".to_owned();
        assert_eq!(backend("hidden"), Backend::Unread(Trouble::Denied(right)));

        let (up, _asked) = server(|path| match path {
            _ if path.ends_with("validatingwebhookconfigurations") => {
                (200, config(&["slow", "well"]))
            }
            // All of a namespace are one path: the look at one hangs, so does that at the other.
            _ if path.ends_with("endpointslices") => (0, Value::Null),
            _ => (200, json!({"items": []})),
        });
        let all = webhooks(&up).await.unwrap();
        let silent = Backend::Unread(Trouble::Failed("no answer within 3 s".into()));
        assert!(all.iter().all(|w| w.backend == silent), "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_is_asked_itself_and_only_silence_and_503_speak_against_it() {
        let (up, asked) = server(|path| match path {
            "/apis/apiregistration.k8s.io/v1/apiservices" => {
                let api = |group: &str, available: &str| {
                    json!({"metadata": {"name": format!("v1.{group}")},
                        "spec": {"group": group, "version": "v1", "service": {"namespace": "ops", "name": group}},
                        "status": {"conditions": [{"type": "Available", "status": available}]}})
                };
                let groups = ["well", "hangs", "dead", "hidden", "busy"];
                let mut all: Vec<Value> = groups.iter().map(|group| api(group, "True")).collect();
                all.push(api("known", "False"));
                all.push(json!({"metadata": {"name": "v1.apps"}, "spec": {"group": "apps", "version": "v1"}}));
                (200, json!({"items": all}))
            }
            "/apis/hangs/v1" => (0, Value::Null),
            "/apis/dead/v1" => (503, json!("service unavailable")),
            "/apis/hidden/v1" => status(403, "no"),
            "/apis/busy/v1" => status(429, "later"),
            _ => (200, json!({})),
        });
        let began = Instant::now();
        let all = apis(&up).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5));
        let answer = |group: &str| {
            all.iter().find(|api| api.name == format!("v1.{group}")).unwrap().answer.clone()
        };
        assert_eq!(answer("well"), Answer::Came);
        assert_eq!(answer("hangs"), Answer::Failed("no answer within 4 s".into()));
        assert_eq!(answer("dead"), Answer::Failed("503 \"service unavailable\"".into()));
        for group in ["hidden", "busy", "known", "apps"] {
            assert_eq!(answer(group), Answer::Unasked, "{group}");
        }
        let asked = asked.lock().unwrap();
        assert!(!asked.iter().any(|path| path == "/apis/known/v1" || path == "/apis/apps/v1"));
    }
}
