//! Performs confirmed plans: the only code that makes writes happen.
//!
//! Invariant: a request is sent only after its intent is on disk, once, and never again by itself. Whoever runs this
//! does so on a thread that may wait.

use crate::actions::plan::{Armed, Request, Step};
use crate::app::cluster::session::{Answer, ArmedId, Fault, Unreachable};
use crate::app::journal::{Journal, Run, Trouble, is_recorded};
use crate::state::journal::{Began, Fate, How, Intent, Outcome};
use crate::state::text::clean;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};

mod before;
mod settled;

/// Where requests go. Returns when the answer is there.
pub trait Server {
    /// Sends a request of a confirmed plan.
    ///
    /// # Errors
    /// Every answer that is no success, and everything that kept one from coming.
    fn write(&self, plan: ArmedId, request: &Request) -> Result<Answer, Fault>;

    /// Reads an object after a request whose outcome is unknown; `None` where nothing can be read.
    fn look(&self, _path: &str) -> Option<Result<Value, Fault>> {
        None
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Did {
    /// What it was to do.
    pub words: String,
    /// What became of it.
    pub fate: Fate,
    /// Why, if it was not done.
    pub why: String,
}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The plan's title.
    pub title: String,
    /// The run's name in the journal; empty if it was never begun, or is recorded nowhere.
    pub run: String,
    /// The steps that were begun, in order.
    pub steps: Vec<Did>,
    /// How many there are in all.
    pub all: usize,
    /// Why the rest was not begun.
    pub stopped: Option<String>,
    /// Whether something can be put back.
    pub undo: bool,
}

impl Report {
    /// Steps that were done.
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.fate == Fate::Done).count()
    }

    /// How it ended.
    pub fn how(&self) -> How {
        match self.done() {
            0 => How::Failed,
            n if n == self.all => How::Done,
            _ => How::Incomplete,
        }
    }

    /// Steps with an unknown result.
    pub fn unknown(&self) -> usize {
        self.steps.iter().filter(|step| step.fate == Fate::Unknown).count()
    }

    /// One line: what was done, what was not, and why.
    pub fn words(&self) -> String {
        let done = self.done();
        if done == self.all {
            return format!("done: {}", self.title);
        }
        let mut words = match self.all {
            1 => format!("not done: {}", self.title),
            all => format!("{done} of {all} done: {}", self.title),
        };
        if let Some(step) = self.steps.iter().find(|step| step.fate != Fate::Done) {
            words += &format!("; {}: {}", step.words, step.why);
        }
        if let Some(why) = &self.stopped {
            words += &format!("; {why}");
        }
        words
    }
}

/// Performs a plan step by step and records it. `told` hears how many steps are behind it; `cancelled` ends it before
/// the next one.
pub fn execute(
    armed: &Armed,
    id: ArmedId,
    server: &dyn Server,
    journal: &Result<Journal, Trouble>,
    began: Began,
    told: &mut dyn FnMut(usize),
    cancelled: &AtomicBool,
) -> Report {
    let plan = armed.plan();
    let (title, all) = (plan.title.clone(), plan.steps.len());
    let mut report = Report { title, all, ..Report::default() };
    let reason = plan.reason.clone();
    let began = Began { action: plan.action.clone(), title: report.title.clone(), reason, ..began };
    let run = match journal {
        Ok(journal) => journal.begin(began).map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    };
    let mut run = match run {
        Ok(run) => run,
        Err(why) => {
            report.stopped = Some(format!("nothing was sent: {why}"));
            return report;
        }
    };
    report.run = Some(run.id()).filter(|run| is_recorded(run)).unwrap_or_default().to_owned();
    for (number, step) in (1..).zip(&plan.steps) {
        if cancelled.load(Ordering::SeqCst) {
            report.stopped = Some("you ended it; the rest was not sent".into());
            break;
        }
        if let Err(why) = one(&mut run, number, step, server, id, &mut report) {
            report.stopped = Some(format!("the rest was not sent: {why}"));
            break;
        }
        told(report.steps.len());
    }
    // A run whose end is not on disk reads as interrupted, which is what it is to the next reader.
    let _ = run.end(report.how(), report.words());
    // What nobody wrote down cannot be put back.
    report.undo &= !report.run.is_empty();
    report
}

fn one(
    run: &mut Run,
    number: u64,
    step: &Step,
    server: &dyn Server,
    id: ArmedId,
    report: &mut Report,
) -> Result<(), Trouble> {
    if let Some(why) = before::hinders(run, number, step, server)? {
        let words = step.words.clone();
        report.steps.push(Did { words, fate: Fate::NotSent, why });
        return Ok(());
    }
    let [kind, namespace, name, uid] = step.object.clone();
    run.intent(Intent {
        step: number,
        words: step.words.clone(),
        method: step.request.method.clone(),
        path: step.request.path.clone(),
        kind,
        namespace,
        name,
        uid,
        body: step.request.body.clone(),
        undo: step.undo.clone(),
    })?;
    let answer = server.write(id, &step.request);
    let mut outcome = outcome(number, &answer);
    if outcome.result == Fate::Unknown
        && let Some(there) = server.look(settled::path(&step.request))
    {
        let found = settled::words(&step.request, &step.object[3], there.as_ref());
        outcome.words = clean(&format!("{}; {found}", outcome.words)).into_owned();
    }
    if outcome.result == Fate::Refused
        && step.request.body.is_array()
        && outcome.status == 422
        && let Some(there) = server.look(settled::path(&step.request))
    {
        let found = settled::differs(&step.request, there.as_ref());
        outcome.words = clean(&format!("{}; {found}", outcome.words)).into_owned();
    }
    report.undo |= outcome.result == Fate::Done && step.undo.is_some();
    report.steps.push(Did {
        words: step.words.clone(),
        fate: outcome.result,
        why: outcome.words.clone(),
    });
    run.outcome(outcome)
}

/// What an answer means for the step that asked for it.
pub(in crate::app) fn outcome(step: u64, answer: &Result<Answer, Fault>) -> Outcome {
    match answer {
        Ok(answer) => {
            let object: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let rv = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            Outcome {
                step,
                result: Fate::Done,
                status: answer.status.as_u16(),
                words: String::new(),
                rv: rv.unwrap_or_default().to_owned(),
                audit_id: answer.audit_id.clone().unwrap_or_default(),
                warnings: answer.warnings.clone(),
            }
        }
        Err(fault) => {
            let (result, status, words) = refused(fault);
            Outcome {
                step,
                result,
                status,
                words: clean(&words).into_owned(),
                rv: String::new(),
                audit_id: String::new(),
                warnings: vec![],
            }
        }
    }
}

/// Whether it is known that nothing was done, the status, and the words. A failed test of a JSON patch is a 422, a
/// precondition that does not hold a 409: both mean that the object is not as it was seen.
fn refused(fault: &Fault) -> (Fate, u16, String) {
    let changed = || format!("it changed since you looked, nothing was done: {fault}");
    match fault {
        Fault::Timeout { .. } => (Fate::Unknown, 0, format!("{fault}; look before trying again")),
        Fault::Unreachable(
            Unreachable::Name { .. }
            | Unreachable::Refused
            | Unreachable::Silent
            | Unreachable::NoRoute,
        ) => (Fate::NotSent, 0, fault.to_string()),
        Fault::Unreachable(_) => {
            (Fate::Unknown, 0, format!("{fault}; whether it took effect is unknown"))
        }
        Fault::Stale { .. } | Fault::Conflict { .. } => (Fate::Refused, 409, changed()),
        Fault::NotFound { .. } => (Fate::Refused, 404, "it is gone, nothing was done".into()),
        Fault::Rejected { code: 422, message, .. }
            if message.contains("error in our request") || message.contains("uid") =>
        {
            (Fate::Refused, 422, changed())
        }
        Fault::Rejected { code: code @ 500.., message, .. } if !is_refusal(message) => {
            (Fate::Unknown, *code, format!("{fault}; whether it took effect is unknown"))
        }
        Fault::Rejected { code, .. } => (Fate::Refused, *code, fault.to_string()),
        Fault::Forbidden { .. } => (Fate::Refused, 403, fault.to_string()),
        Fault::Unauthenticated { .. } => (Fate::Refused, 401, fault.to_string()),
        Fault::Throttled { .. } | Fault::Blocked { .. } => (Fate::Refused, 429, fault.to_string()),
        Fault::Gone { .. } => (Fate::Refused, 410, fault.to_string()),
        Fault::ReadOnly(_) => (Fate::NotSent, 0, fault.to_string()),
        // Either nothing was sent or the answer was not understood: the fault does not say which.
        Fault::Bug(_) => (Fate::Unknown, 0, fault.to_string()),
        // Something that is no API server answered: what stands behind it may have seen the request.
        Fault::Foreign(_) => (Fate::Unknown, 0, fault.to_string()),
    }
}

/// Whether a 5xx came from before anything was stored. Of the others it is not known: etcd may have taken what the server
/// then gave up waiting for (`etcdserver: request timed out`), and a gateway's 502 or 504 says nothing of what is behind.
/// Words: apiserver `admission/plugin/webhook/errors`, `registry/core/pod/storage/eviction.go`.
fn is_refusal(message: &str) -> bool {
    message.contains("failed calling webhook")
        || message.contains("more than one PodDisruptionBudget")
}
