//! Looks that go on, also where what measures fails.

use super::*;
use crate::app::cli::{Cli, Command};
use crate::app::cluster::session::{Lock, Meter, gated};
use crate::app::cluster::upstream::{Upstream, system_clock};
use crate::app::nap;
use clap::Parser;
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tower::service_fn;

/// A reader that leaves after so many texts.
struct Leaving(Vec<u8>, usize);

impl Write for Leaving {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1 = self.1.saturating_sub(1);
        if self.1 == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

fn args(line: &str) -> TopArgs {
    let cli = Cli::parse_from(line.split(' '));
    let Some(Command::Top(args)) = cli.command else { panic!("{:?}", cli.command) };
    args
}

#[test]
fn watching_ends_when_nobody_reads_it() {
    let cli = Cli::parse_from(["wheelhouse", "--demo", "top", "nodes", "--watch"]);
    let Some(Command::Top(args)) = &cli.command else { panic!("{:?}", cli.command) };
    let (mut out, mut err) = (Leaving(vec![], 1), io::sink());
    let watched = top(&cli.common, args, &mut out, &mut err);
    nap::runtime().unwrap().block_on(watched).unwrap();
}

/// A server with one node, whose use is told but for the second and third list of it; what is asked for more than once is
/// counted.
fn server(lists: &Arc<AtomicU32>) -> Arc<Upstream> {
    let lists = lists.clone();
    let inner = service_fn(move |request: Request<Body>| {
        let uri = request.uri().clone();
        let lists = lists.clone();
        async move {
            let watch = uri.query().is_some_and(|query| query.contains("watch=true"));
            let initial = uri.query().is_some_and(|query| query.contains("sendInitialEvents"));
            if watch && !initial {
                std::future::pending::<()>().await;
            }
            let now = (system_clock())().rfc3339();
            let (status, body) = match uri.path() {
                _ if initial => (422, json!({"kind": "Status", "code": 422, "reason": "Invalid"})),
                "/api/v1/nodes" => {
                    let status = json!({"allocatable": {"cpu": "4", "memory": "8Gi"}});
                    list(
                        "NodeList",
                        json!({"metadata": {"name": "n1", "uid": ""}, "status": status}),
                    )
                }
                "/apis/metrics.k8s.io" => (200, json!({"versions": [{"version": "v1beta1"}]})),
                "/apis/metrics.k8s.io/v1beta1/nodes" => {
                    match lists.fetch_add(1, Ordering::SeqCst) {
                        1 | 2 => (503, json!("service unavailable")),
                        _ => list(
                            "NodeMetricsList",
                            json!({"metadata": {"name": "n1"}, "timestamp": now,
                        "window": "15s", "usage": {"cpu": "1500m", "memory": "2Gi"}}),
                        ),
                    }
                }
                _ => (200, json!({})),
            };
            let response = Response::builder().status(status);
            let response = response.header("content-type", "application/json");
            let body = Body::from(body.to_string().into_bytes());
            Ok::<_, Infallible>(response.body(body).unwrap())
        }
    });
    let client = gated(inner, "default", Arc::new(Meter::default()), Lock::new(true));
    Upstream::new(client, system_clock())
}

fn list(kind: &str, item: Value) -> (u16, Value) {
    (200, json!({"kind": kind, "metadata": {"resourceVersion": "1"}, "items": [item]}))
}

/// So many looks of a watch on that server: what was written, and said beside it.
async fn watched(line: &str, looks: usize) -> (String, String) {
    let args = args(line);
    let (lists, mut store) = (Arc::default(), Store::default());
    let up = server(&lists);
    let mut inflow = Inflow::new(&up);
    for table in ["nodes", "node_usage"] {
        inflow.open(&mut store, table, None);
        inflow.settled(&mut store, |_, _, _| Ok::<_, Infallible>(())).await.unwrap();
    }
    let look = Look { wanted: check(&as_print(&args)).unwrap(), args: &args, selector: None };
    let (mut out, mut err) = (Leaving(vec![], looks), vec![]);
    let clock = || (system_clock())();
    watch(&clock, &look, store, &inflow, (&mut out, &mut err)).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(out.0), text(err))
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_told_and_the_next_one_has_its_columns_again() {
    let (out, err) = watched("wheelhouse top nodes --watch", 3).await;
    let tables: Vec<&str> = out.split("\n\n").collect();
    let used = [0, 1, 2].map(|i| tables[i].contains("CPU USED"));
    assert_eq!(used, [true, false, true], "{out}");
    assert!(tables[1].contains("n1") && tables[1].contains("CPU REQUESTED"), "{out}");
    assert_eq!(err.matches("the metrics API fails").count(), 1, "{err}");
}

#[tokio::test(start_paused = true)]
async fn what_programs_read_has_the_same_keys_in_every_look() {
    let (out, _) = watched("wheelhouse top nodes --watch -o json", 3).await;
    let looks: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(looks.len(), 3);
    for look in &looks {
        assert!(look[0].as_object().unwrap().contains_key("cpu_used"), "{look}");
    }
    let (out, _) = watched("wheelhouse top nodes --watch -o csv", 3).await;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("time,name,cpu_used") && lines.len() == 4, "{out}");
    let time = lines[1].split(',').next().unwrap();
    assert!(Epoch::parse(time).is_some(), "{out}");
}
