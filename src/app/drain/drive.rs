//! The driver: a thread that may wait, between the engine, the disk and the cluster.
//!
//! Invariant: a request leaves only after its intent is on disk. When the disk takes no more, nothing more is sent.

use super::answers::outcome;
use super::eyes::Eyes;
use super::job::{Ended, Job, News, Told};
use super::mark::Mark;
use super::past::{Header, data};
use crate::actions::change::By;
use crate::actions::cordon;
use crate::actions::drain::budget::{BudgetId, Selector};
use crate::actions::drain::engine::Drain;
use crate::actions::drain::facts::{NodeFacts, Tick};
use crate::actions::drain::orders::{Entry, How, Input, Order, Request};
use crate::actions::drain::past::Past;
use crate::actions::drain::progress::{NodeState, Progress};
use crate::actions::drain::wire::Wire;
use crate::actions::plan::{Request as Wanted, Step};
use crate::app::cluster::session::Permit;
use crate::app::effects::change::send;
use crate::app::execute;
use crate::app::journal::{Journal, Run, Trouble};
use crate::state::journal::{Began, How as End, Intent};
use crate::state::time::Epoch;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Between two tellings of how far it is.
const TOLD: Duration = Duration::from_millis(100);
/// Seconds of grace that are left count down on screen.
const BEAT: Duration = Duration::from_secs(1);

/// Runs a drain to its end. Blocks.
pub fn drive(
    job: Job,
    (sender, news): (Sender<News>, Receiver<News>),
    told: &mut dyn FnMut(Told),
) -> Ended {
    let begun = match begin(&job) {
        Ok(begun) => begun,
        Err(why) => {
            let stopped = Some(format!("nothing was sent: {why}"));
            return Ended { run: String::new(), progress: None, how: None, stopped };
        }
    };
    let (header, past, run) = begun;
    let mut eyes = Eyes::new(job.runtime.clone(), job.client.clone(), sender.clone());
    eyes.nodes();
    eyes.pending();
    if header.mandate.budgets_readable {
        eyes.budgets();
    }
    let mark = Mark { run: run.id().to_owned(), by: job.by.clone(), at: job.now.rfc3339() };
    let driver = Driver {
        engine: Drain::resume(header.mandate, past),
        wire: Wire { note: header.note, mark: mark.text() },
        mark,
        run,
        eyes,
        sender,
        clock: Clock { base: job.now.0.max(0) as Tick * 1000, at: Instant::now() },
        nodes: BTreeMap::new(),
        selectors: BTreeMap::new(),
        watched: BTreeSet::new(),
        marked: BTreeMap::new(),
        answers: BTreeMap::new(),
        troubles: BTreeMap::new(),
        requests: 0,
        wake: None,
        over: None,
        broken: None,
        job,
    };
    driver.run(&news, told)
}

/// Begins the run's record, or takes an interrupted one over.
fn begin(job: &Job) -> Result<(Header, Past, Run), String> {
    let plan = job.armed.plan();
    let drain = plan.drain.as_deref().ok_or("the plan is no drain")?;
    if let Some(name) = &drain.resume {
        let home = Journal::home().map_err(|why| why.to_string())?;
        let (story, run) = home.resume(name).map_err(|why| why.to_string())?;
        let (header, past) = super::past::read(&story)?;
        return Ok((header, past, run));
    }
    let by = By { login: job.by.clone(), at: job.now.rfc3339() };
    let header = Header { mandate: drain.mandate.clone(), note: cordon::note(&drain.reason, &by) };
    let began = Began {
        action: plan.action.clone(),
        title: plan.title.clone(),
        reason: drain.reason.clone(),
        plan: serde_json::to_value(&header).map_err(|why| why.to_string())?,
        ..job.began.clone()
    };
    let journal = job.journal.as_ref().map_err(ToString::to_string)?;
    let run = journal.begin(began).map_err(|why| why.to_string())?;
    Ok((header, Past { next_step: 1, ..Past::default() }, run))
}

/// The server's clock, carried on by this machine's monotonic one.
pub(super) struct Clock {
    base: Tick,
    at: Instant,
}

impl Clock {
    fn now(&self) -> Tick {
        self.base + self.at.elapsed().as_millis() as Tick
    }

    pub(super) fn epoch(&self) -> Epoch {
        Epoch((self.now() / 1000) as i64)
    }
}

pub(super) struct Driver {
    pub(super) job: Job,
    pub(super) engine: Drain,
    pub(super) wire: Wire,
    pub(super) mark: Mark,
    pub(super) run: Run,
    pub(super) eyes: Eyes,
    pub(super) sender: Sender<News>,
    pub(super) clock: Clock,
    /// As last seen.
    pub(super) nodes: BTreeMap<String, NodeFacts>,
    pub(super) selectors: BTreeMap<BudgetId, Selector>,
    /// Nodes whose pods are followed.
    pub(super) watched: BTreeSet<String>,
    /// Nodes that carry our mark, and when it was last renewed.
    pub(super) marked: BTreeMap<String, Instant>,
    /// Intents whose requests are to be sent.
    pub(super) answers: BTreeMap<u64, Wanted>,
    pub(super) troubles: BTreeMap<&'static str, String>,
    pub(super) requests: u64,
    pub(super) wake: Option<Tick>,
    pub(super) over: Option<How>,
    pub(super) broken: Option<String>,
}

impl Driver {
    fn run(mut self, news: &Receiver<News>, told: &mut dyn FnMut(Told)) -> Ended {
        self.step(Input::Timer);
        let mut last = Instant::now() - BEAT;
        let mut left = false;
        while self.over.is_none() && self.broken.is_none() && !left {
            let now = self.clock.now();
            let until = self.wake.map_or(BEAT, |at| Duration::from_millis(at.saturating_sub(now)));
            let wait = until.min(BEAT).min(TOLD.saturating_sub(last.elapsed()).max(TOLD / 4));
            match news.recv_timeout(wait) {
                Ok(first) => {
                    left = !self.hear(first);
                    // What came together is told together.
                    while let (false, Ok(more)) = (left, news.try_recv()) {
                        left = !self.hear(more);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => left = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.wake.is_some_and(|at| self.clock.now() >= at) {
                self.wake = None;
                self.step(Input::Timer);
            }
            if last.elapsed() >= TOLD {
                last = Instant::now();
                self.renew_marks();
                told(self.told());
            }
        }
        self.end(news, told)
    }

    /// Takes one thing in; whether to go on.
    fn hear(&mut self, news: News) -> bool {
        match news {
            News::None => {}
            News::Leave => return false,
            News::Trouble(what, Some(why)) => {
                self.troubles.insert(what, why);
            }
            News::Trouble(what, None) => {
                self.troubles.remove(what);
            }
            News::Listed(node, pods) => {
                let uids = pods.iter().map(|p| p.uid.clone()).collect();
                pods.into_iter().for_each(|pod| self.step(Input::Pod(pod)));
                self.step(Input::PodsListed { node, uids });
            }
            News::Answer(step, answer) => {
                let told = self.run.outcome(execute::outcome(step, &answer));
                self.check(told);
                self.step(Input::Done { step, outcome: outcome(&answer) });
            }
            News::Input(input) => {
                match &*input {
                    Input::Node(node) => {
                        self.nodes.insert(node.name.clone(), node.clone());
                    }
                    Input::Budget(budget) => {
                        self.selectors.insert(budget.id.clone(), budget.selector.clone());
                    }
                    _ => {}
                }
                self.step(*input);
            }
        }
        true
    }

    fn step(&mut self, input: Input) {
        for order in self.engine.step(self.clock.now(), input) {
            if self.broken.is_some() {
                return;
            }
            self.perform(order);
        }
    }

    fn perform(&mut self, order: Order) {
        match order {
            Order::Record(Entry::Intent { step, request }) => self.intend(step, &request),
            // Recorded with its status and audit id when it arrived.
            Order::Record(Entry::Outcome { .. }) => {}
            Order::Record(Entry::Note(words)) => {
                let told = self.run.note(words, serde_json::Value::Null);
                self.check(told);
            }
            Order::Record(entry) => {
                let words = match &entry {
                    Entry::Told(cmd) => cmd.words(),
                    _ => String::new(),
                };
                let told = self.run.note(words, data(&entry));
                self.check(told);
            }
            Order::Send { step, .. } => self.send(step),
            Order::ListPods { node } => {
                if self.watched.insert(node.clone()) {
                    self.eyes.pods_on(&node);
                }
                self.eyes.list(node);
            }
            Order::CheckAttachments { node, except } => self.eyes.attachments(node, except),
            Order::FollowBudgetPods(id) => {
                if let Some(selector) = self.selectors.get(&id) {
                    self.eyes.pods_of(&id, selector);
                }
            }
            Order::Wake(at) => self.wake = Some(at),
            Order::Finished(how) => self.over = Some(how),
        }
    }

    /// Puts the request on disk; only then it may be sent.
    fn intend(&mut self, step: u64, request: &Request) {
        let node = match request {
            Request::Prefer { node, .. } | Request::Unprefer { node, .. } => self.nodes.get(node),
            _ => None,
        };
        let planned = match self.wire.step(request, node) {
            Ok(planned) => planned,
            Err(why) => {
                self.broken = Some(why.to_string());
                return;
            }
        };
        if let Request::Cordon { node, .. } = request {
            self.marked.insert(node.clone(), Instant::now());
        }
        let told = self.run.intent(intent(step, &planned));
        self.check(told);
        self.answers.insert(step, planned.request);
    }

    fn send(&mut self, step: u64) {
        let Some(wanted) = self.answers.remove(&step).filter(|_| self.broken.is_none()) else {
            return;
        };
        self.requests += 1;
        let (client, id, news) = (self.job.client.clone(), self.job.id, self.sender.clone());
        self.job.runtime.spawn(async move {
            let answer = send(&client, Permit::Write(id), &wanted).await;
            let _ = news.send(News::Answer(step, Box::new(answer)));
        });
    }

    fn check(&mut self, told: Result<(), Trouble>) {
        if let Err(why) = told {
            self.broken.get_or_insert(why.to_string());
        }
    }

    fn told(&self) -> Told {
        Told {
            run: self.run.id().to_owned(),
            progress: self.engine.progress(self.clock.now()),
            troubles: self.troubles.iter().map(|(what, why)| format!("{what}: {why}")).collect(),
            requests: self.requests,
        }
    }

    /// The end is on disk, and the marks are off, when this returns.
    fn end(mut self, news: &Receiver<News>, told: &mut dyn FnMut(Told)) -> Ended {
        let progress = self.engine.progress(self.clock.now());
        if let Some(how) = self.over.clone() {
            self.unmark(news);
            let (end, words) = verdict(&how, &progress);
            let ended = self.run.end(end, words);
            self.check(ended);
        }
        told(self.told());
        let stopped = self.broken.map(|why| format!("stopped, nothing more was sent: {why}"));
        Ended { run: self.run.id().to_owned(), progress: Some(progress), how: self.over, stopped }
    }
}

fn intent(step: u64, planned: &Step) -> Intent {
    let [kind, namespace, name, uid] = planned.object.clone();
    Intent {
        step,
        words: planned.words.clone(),
        method: planned.request.method.clone(),
        path: planned.request.path.clone(),
        kind,
        namespace,
        name,
        uid,
        body: planned.request.body.clone(),
        undo: planned.undo.clone(),
    }
}

/// How a drain ended, for the journal: one line.
pub fn verdict(how: &How, progress: &Progress) -> (End, String) {
    let drained = progress.nodes.iter().filter(|n| matches!(n.state, NodeState::Drained(_)));
    let (drained, all) = (drained.count(), progress.nodes.len());
    let gone: usize = progress.nodes.iter().map(|n| n.gone).sum();
    let words = format!("{drained} of {all} nodes drained, {gone} pods gone");
    match how {
        How::Drained => (End::Done, words),
        How::Incomplete(left) => {
            let aborted = progress.nodes.iter().any(|n| n.state == NodeState::Aborted);
            let why: Vec<String> =
                left.iter().map(|(node, why)| format!("{node}: {why}")).collect();
            let end = if aborted { End::Aborted } else { End::Incomplete };
            (end, format!("{words}; {}", why.join("; ")))
        }
    }
}
