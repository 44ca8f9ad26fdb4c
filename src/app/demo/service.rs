//! The tower service: from a request to the part of the server that answers it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response, header};
use jiff::Timestamp;
use tower::BoxError;

use super::answer::{Answer, Body, respond};
use super::faults::authorize;
use super::object::{to_json, uid};
use super::refusal::{Outcome, Refusal};
use super::registry::{FLOW_SCHEMAS, PRIORITY_LEVELS};
use super::route::{Ask, Query, Route, Target, route};
use super::watch::Watch;
use super::{DemoCluster, Shared, USER, World};
use super::{delete, discovery, dumps, evict, kubelet, list, logs, metrics, review, usage, write};

impl tower::Service<Request<kube::client::Body>> for DemoCluster {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let shared = self.shared.clone();
        Box::pin(async move {
            shared.until_answering().await;
            let ask = read(request).await?;
            let now = shared.now();
            let (answer, audit) = {
                let mut world = shared.world();
                let answer = ask.and_then(|ask| world.serve(&shared, &ask, now));
                (answer, (world.rng.uid(), caught(&world.store)))
            };
            shared.wake();
            let (audit, caught) = audit;
            let mut response = respond(answer, audit, now)?;
            for (name, uid) in ["flowschema", "prioritylevel"].into_iter().zip(caught) {
                let name = http::HeaderName::try_from(format!("x-kubernetes-pf-{name}-uid"))?;
                response.headers_mut().insert(name, uid.parse()?);
            }
            Ok(response)
        })
    }
}

/// The schema and level that the operator's requests are in, by uid.
fn caught(store: &super::store::Store) -> [String; 2] {
    let uid = |res| store.get(res, "", "global-default").map(|o| uid(o).to_owned());
    [&FLOW_SCHEMAS, &PRIORITY_LEVELS].map(|res| uid(res).unwrap_or_default())
}

async fn read(request: Request<kube::client::Body>) -> Result<Outcome<Ask>, BoxError> {
    let (head, body) = request.into_parts();
    let text = |name| {
        let value = head.headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let path = head.uri.path().to_owned();
    let body = body.collect_bytes().await?;
    Ok(route(&path).map(|route| Ask {
        query: Query::parse(head.uri.query().unwrap_or_default()),
        accept: text(header::ACCEPT),
        content_type: text(header::CONTENT_TYPE),
        method: head.method,
        path,
        route,
        body,
    }))
}

impl World {
    fn serve(&mut self, shared: &Arc<Shared>, ask: &Ask, now: Timestamp) -> Outcome<Answer> {
        if let Some(failure) = self.faults.fail(ask) {
            return Ok(Answer::Failure(failure));
        }
        authorize(&self.faults, USER, ask)?;
        match &ask.route {
            Route::Object(target) if ask.verb() == "watch" => {
                let watch = Watch::open(shared, self, target, &ask.query, now)?;
                Ok(Answer::Watch(Box::new(watch)))
            }
            Route::Object(target) => self.object(ask, target, now),
            Route::Usage(plural, namespace, name) => {
                usage::answer(&self.store, plural, namespace, name, now)
            }
            Route::Kubelet(node, page) if ask.method == Method::GET => {
                kubelet::answer(&self.store, node, page, now)
            }
            Route::Kubelet(..) => Err(Refusal::not_allowed()),
            Route::Review(kind) => review::answer(&self.faults, kind, &ask.body),
            Route::Other => other(&self.store, ask, now),
        }
    }

    fn object(&mut self, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<Answer> {
        let json =
            |code, object: &serde_json::Value| Answer::Json(code, to_json(target.res, object));
        match (ask.method.clone(), target.sub.as_str()) {
            (Method::GET, _) if target.name.is_empty() => {
                Ok(Answer::Json(200, list::list(&self.store, target, &ask.query)?))
            }
            (Method::GET, "log") => {
                Ok(Answer::Text(200, logs::read(list::get(&self.store, target)?, &ask.query, now)?))
            }
            (Method::GET, "scale") => {
                Ok(Answer::Json(200, write::scale_of(list::get(&self.store, target)?)))
            }
            (Method::GET, "" | "status" | "approval") => {
                Ok(json(200, list::get(&self.store, target)?))
            }
            (Method::POST, "eviction") => evict::evict(self, ask, target, now),
            (Method::POST, "") if target.name.is_empty() => {
                Ok(json(201, &write::create(self, ask, target, now)?))
            }
            (Method::PUT | Method::PATCH, "log" | "eviction") => Err(Refusal::not_allowed()),
            (Method::PUT | Method::PATCH, "scale") => {
                Ok(Answer::Json(200, write::scale(self, ask, target, now)?))
            }
            (Method::PUT | Method::PATCH, _) if !target.name.is_empty() => {
                Ok(json(200, &write::update(self, ask, target, now)?))
            }
            (Method::DELETE, "") => delete::delete(self, ask, target, now),
            _ => Err(Refusal::not_allowed()),
        }
    }
}

/// Paths that are no resources.
fn other(store: &super::store::Store, ask: &Ask, now: Timestamp) -> Outcome<Answer> {
    if ask.method != Method::GET {
        return Err(Refusal::not_allowed());
    }
    match ask.path.trim_end_matches('/') {
        path @ ("/readyz" | "/livez" | "/healthz") => {
            Ok(dumps::health(path, ask.query.has("verbose")))
        }
        "/metrics" => Ok(Answer::Text(200, metrics::page(store, now))),
        path => match path.strip_prefix("/debug/api_priority_and_fairness/") {
            Some(dump) => dumps::fairness(dump, &ask.query, store, now),
            None => discovery::answer(path, &ask.accept),
        },
    }
}
