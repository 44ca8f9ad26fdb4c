//! What comes before a request: whoever was dead when it was planned is still dead, and the object is kept as a file.

use super::{Server, settled};
use crate::actions::plan::Step;
use crate::app::cluster::session::Fault;
use crate::app::journal::{Run, Trouble};
use crate::state::doc::{Folds, yaml_text};
use crate::state::rules::stuck::{Lease, Veto};
use serde_json::{Value, json};

/// Why a step is not sent, if something speaks against it. It is recorded either way.
pub(super) fn hinders(
    run: &mut Run,
    number: u64,
    step: &Step,
    server: &dyn Server,
) -> Result<Option<String>, Trouble> {
    if let Some(why) = step.before.vetoes.iter().find_map(|veto| lives(veto, server)) {
        run.note(format!("not sent: {}: {why}", step.words), Value::Null)?;
        return Ok(Some(why));
    }
    if !step.before.backup {
        return Ok(None);
    }
    match backup(run, number, step, server) {
        Ok(path) => {
            let words = format!("backup before {}: {path}", step.words);
            run.note(words, json!({"step": number, "backup": path}))?;
            Ok(None)
        }
        Err(why) => {
            let why = format!("nothing was sent, there is no backup: {why}");
            run.note(format!("not sent: {}: {why}", step.words), Value::Null)?;
            Ok(Some(why))
        }
    }
}

fn backup(run: &Run, number: u64, step: &Step, server: &dyn Server) -> Result<String, String> {
    let there = server.look(settled::path(&step.request));
    let object = match there {
        Some(Ok(object)) => object,
        Some(Err(fault)) => return Err(fault.to_string()),
        None => return Err("it cannot be read".into()),
    };
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if uid != step.object[3] {
        return Err("another object has its name now, it was left alone".into());
    }
    let text = yaml_text(&object, Folds { managed: true, secrets: true });
    let path = run.keep(number, &step.object, &text).map_err(|why| why.to_string())?;
    Ok(path.display().to_string())
}

/// Why somebody who was dead is not, or why that cannot be told any more.
fn lives(veto: &Veto, server: &dyn Server) -> Option<String> {
    let path = match veto {
        Veto::Workload(path) | Veto::Account(path, _) | Veto::Lease(path, _) => path,
    };
    let object = match server.look(path) {
        Some(Ok(object)) => object,
        Some(Err(Fault::NotFound { .. })) => return None,
        Some(Err(fault)) => {
            return Some(format!("whether its controller came back cannot be told: {fault}"));
        }
        None => return Some("whether its controller came back cannot be told".into()),
    };
    let name = |o: &Value| o["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match veto {
        Veto::Workload(_) => (ready(&object) > 0).then(|| {
            format!("its controller came back: {} has {} ready", name(&object), ready(&object))
        }),
        Veto::Account(_, account) => {
            let all = object["items"].as_array().into_iter().flatten();
            let runs = |o: &&Value| {
                let runs_as = o.pointer("/spec/template/spec/serviceAccountName");
                runs_as.and_then(Value::as_str) == Some(account) && ready(o) > 0
            };
            all.into_iter()
                .find(runs)
                .map(|o| format!("its controller came back: {} runs as {account}", name(o)))
        }
        Veto::Lease(_, renewed) => {
            let lease = Lease::of(&object);
            (lease.renewed > *renewed)
                .then(|| format!("its controller came back: {} renewed its Lease", lease.holder))
        }
    }
}

/// Ready pods of a workload (`apps/v1`).
fn ready(workload: &Value) -> i64 {
    let number = |at: &str| workload.pointer(at).and_then(Value::as_i64).unwrap_or(0);
    number("/status/readyReplicas").max(number("/status/numberReady"))
}
