//! What is told of a change: before it, of a dry run, and afterwards; in words or as one JSON object.

use super::Output;
use crate::actions::plan::{Plan, Weight};
use crate::app::cli::format::{clean_lines, json_line};
use crate::app::cli::{Failure, exit};
use crate::app::cluster::session::Permit;
use crate::app::connect::Connection;
use crate::app::effects::change::send;
use crate::app::execute::Report;
use crate::state::cluster::UNRECORDED;
use crate::state::journal::{Fate, How};
use crate::state::text::clean;
use serde_json::{Value, json};

/// What the server would do with a step, or what it says against it; nothing if it was not asked.
type Verdict = Option<Result<(), String>>;

/// What would be done, for a person.
pub(in crate::app::cli) fn preview(plan: &Plan, connection: &Connection) -> String {
    let cluster = &connection.cluster;
    let mut text = format!("{} on {} ({})\n", plan.title, cluster.context, cluster.server);
    if cluster.unrecorded {
        text += &format!("! {UNRECORDED}\n");
    }
    for note in &plan.notes {
        let mark = match note.weight {
            Weight::Plain => " ",
            Weight::Warn | Weight::Bad => "!",
        };
        text += &format!("{mark} {}\n", note.words);
    }
    for step in &plan.steps {
        let request = &step.request;
        text += &format!(
            "  {}\n    {} {}\n    {}\n",
            step.words, request.method, request.path, request.body
        );
    }
    clean_lines(&text)
}

/// What would be sent; nothing is.
pub(super) fn client_dry(
    connection: &Connection,
    plan: &Plan,
    output: Output,
) -> (String, Option<Failure>) {
    let text = match output {
        Output::Json => json_line(&dry_json(connection, plan, &[])),
        Output::Words => preview(plan, connection),
    };
    (text, None)
}

/// What the server says to each step, sent with `dryRun=All`.
pub(super) async fn server_dry(
    connection: &Connection,
    plan: &Plan,
    output: Output,
) -> (String, Option<Failure>) {
    let (mut verdicts, mut words, mut refused) = (vec![], String::new(), vec![]);
    for step in &plan.steps {
        let answer = send(&connection.client, Permit::DryRun, &step.request.dry()).await;
        match &answer {
            Ok(_) => words += &format!("the server would do it: {}\n", clean(&step.words)),
            Err(fault) => refused.push(format!("{}: {fault}", step.words)),
        }
        verdicts.push(Some(answer.map(|_| ()).map_err(|fault| fault.to_string())));
    }
    let failure = (!refused.is_empty()).then(|| Failure {
        code: exit::REFUSED,
        words: format!("the server would refuse: {}", refused.join("; ")),
    });
    let text = match output {
        Output::Json => json_line(&dry_json(connection, plan, &verdicts)),
        Output::Words => preview(plan, connection) + &words,
    };
    (text, failure)
}

/// The keys are those of a change that was made, and what a preview says beside them.
fn dry_json(connection: &Connection, plan: &Plan, verdicts: &[Verdict]) -> Value {
    let steps = plan.steps.iter().enumerate().map(|(i, step)| {
        let (result, why) = match verdicts.get(i) {
            Some(Some(Ok(()))) => ("would-be-done", ""),
            Some(Some(Err(why))) => ("refused", why.as_str()),
            _ => ("not-sent", ""),
        };
        let [kind, namespace, name, uid] = &step.object;
        let request = &step.request;
        json!({
            "words": step.words, "kind": kind, "namespace": namespace, "name": name, "uid": uid,
            "result": result, "why": why, "undo": step.undo.is_some(),
            "method": request.method, "path": request.path, "body": request.body,
        })
    });
    let notes = plan.notes.iter().map(|note| {
        let weight = match note.weight {
            Weight::Plain => "plain",
            Weight::Warn => "warn",
            Weight::Bad => "bad",
        };
        json!({"weight": weight, "words": note.words})
    });
    let refused = verdicts.iter().flatten().any(Result::is_err);
    let (dry_run, result) = match verdicts {
        [] => ("client", "not-sent"),
        _ if refused => ("server", "refused"),
        _ => ("server", "would-be-done"),
    };
    let cluster = &connection.cluster;
    json!({
        "action": plan.action, "title": plan.title, "run": null, "result": result,
        "dry_run": dry_run, "context": cluster.context, "server": cluster.server,
        "notes": notes.collect::<Vec<_>>(), "steps": steps.collect::<Vec<_>>(),
    })
}

/// What became of a plan: text, and what went wrong.
pub(super) fn told(report: &Report, plan: &Plan, output: Output) -> (String, Option<Failure>) {
    let code = match report.how() {
        How::Done => exit::DONE,
        // Nothing was begun: nothing was done.
        How::Failed if report.steps.is_empty() => exit::REFUSED,
        How::Failed if report.unknown() == 0 => exit::FAILED,
        _ => exit::INCOMPLETE,
    };
    let failure = (code != exit::DONE).then(|| Failure { code, words: report.words() });
    let text = match output {
        Output::Json => json_line(&as_json(report, plan)),
        Output::Words => {
            let done = report.steps.iter().filter(|step| step.fate == Fate::Done);
            let mut text: String =
                done.map(|step| format!("done: {}\n", clean(&step.words))).collect();
            if report.undo {
                text += &format!("wheelhouse undo {} puts it back\n", report.run);
            }
            text
        }
    };
    (text, failure)
}

fn as_json(report: &Report, plan: &Plan) -> Value {
    let steps = plan.steps.iter().enumerate().map(|(i, step)| {
        let done = report.steps.get(i);
        let fate = done.map_or(Fate::NotSent, |done| done.fate);
        let [kind, namespace, name, uid] = &step.object;
        json!({
            "words": step.words, "kind": kind, "namespace": namespace, "name": name, "uid": uid,
            "result": fate, "why": done.map_or("", |done| &done.why),
        })
    });
    json!({
        "action": plan.action, "title": plan.title, "run": report.run, "result": report.how(),
        "stopped": report.stopped, "undo": report.undo, "steps": steps.collect::<Vec<_>>(),
    })
}
