//! The driver: performs the engine's orders on the world, brings back what happens late and in pieces, and checks each
//! order against what the engine may do.

use super::world::{Happens, Kind, NS, Told, World};
use std::collections::{BTreeMap, BTreeSet};
use wheelhouse::actions::drain::budget::{BudgetFacts, BudgetId};
use wheelhouse::actions::drain::engine::Drain;
use wheelhouse::actions::drain::facts::{NodeFacts, PodFacts, Tick};
use wheelhouse::actions::drain::orders::{
    Cmd, Entry, How, Input, Mandate, Order, Outcome, PodRequest, Request, Scope,
};
use wheelhouse::actions::drain::past::Past;
use wheelhouse::actions::drain::progress::PodState;
use wheelhouse::actions::drain::verdict::Verdict;

/// Pause that a blocked budget is due.
const SLOW: Tick = 20_000;

enum Event {
    World(Happens),
    /// A watch says.
    Tell(Told),
    /// A request reaches the server.
    Arrive(u64, Request),
    /// It reaches it after its answer was given up.
    Late(Request),
    Input(Box<Input>),
    List(String),
    Look(String, Vec<(String, String)>),
    Follow(BudgetId),
    Timer(Tick),
    Resume,
}

/// What is known of a budget's traffic.
#[derive(Default)]
struct Traffic {
    facts: Option<BudgetFacts>,
    shut: bool,
    last: Option<Tick>,
    open: BTreeSet<u64>,
}

pub struct Driver {
    pub world: World,
    pub drain: Drain,
    pub mandate: Mandate,
    pub journal: Vec<Entry>,
    pub ended: Option<How>,
    /// Crash when the journal has so many entries.
    pub crash: Option<usize>,
    pub crashes: usize,
    pub posts: usize,
    /// How many verdicts of each kind were looked at: the run meets what it claims to test.
    pub met: BTreeMap<String, usize>,
    start: Tick,
    events: BTreeMap<(Tick, u64), (usize, Event)>,
    order: u64,
    wire: Tick,
    wake: Option<Tick>,
    traffic: BTreeMap<usize, Traffic>,
    pods: BTreeMap<String, PodFacts>,
    sent: BTreeMap<u64, Request>,
    dead: bool,
}

impl Driver {
    pub fn new(world: World, mandate: Mandate) -> Driver {
        let mut driver = Driver {
            start: world.now,
            wire: world.now,
            drain: Drain::new(mandate.clone()),
            mandate,
            journal: vec![],
            ended: None,
            crash: None,
            crashes: 0,
            posts: 0,
            met: BTreeMap::new(),
            events: BTreeMap::new(),
            order: 0,
            wake: None,
            traffic: BTreeMap::new(),
            pods: BTreeMap::new(),
            sent: BTreeMap::new(),
            dead: false,
            world,
        };
        driver.first();
        driver
    }

    /// Everything that a driver tells first.
    fn first(&mut self) {
        for at in 0..self.world.nodes.len() {
            let name = self.world.nodes[at].name.clone();
            self.tell(Told::Node(name));
        }
        for at in 0..self.world.budgets.len() {
            self.tell(Told::Budget(at));
        }
        for uid in self.world.pods.keys().cloned().collect::<Vec<_>>() {
            self.tell(Told::Pod(uid));
        }
        self.step(Input::Timer);
    }

    fn at(&mut self, at: Tick, event: Event) {
        self.order += 1;
        self.events.insert((at, self.order), (self.crashes, event));
    }

    pub fn plan(&mut self, after: Tick, what: Happens) {
        self.at(self.start + after, Event::World(what));
    }

    pub fn say(&mut self, after: Tick, cmd: Cmd) {
        self.at(self.start + after, Event::Input(Box::new(Input::Operator(cmd))));
    }

    /// Plays until the end, or until so many milliseconds are over.
    pub fn play(&mut self, limit: Tick) {
        while self.ended.is_none() {
            self.drain_world();
            let Some(((at, _), (life, event))) = self.events.pop_first() else { return };
            if at > self.start + limit {
                return;
            }
            self.world.now = at;
            let world = matches!(event, Event::World(_) | Event::Late(_) | Event::Resume);
            if world || life == self.crashes && !self.dead {
                self.handle(event);
            } else if let Event::Arrive(_, request) = event {
                // Sent before the crash: the server knows nothing of crashes.
                self.world.serve(&request);
            }
        }
    }

    fn drain_world(&mut self) {
        for (at, what) in std::mem::take(&mut self.world.soon) {
            self.at(at, Event::World(what));
        }
        for told in std::mem::take(&mut self.world.told) {
            if matches!(told, Told::Budget(_)) && !self.mandate.budgets_readable {
                continue;
            }
            // One watch: what happened first is told first.
            let delay = self.world.dice.roll(5, 700);
            self.wire = (self.world.now + delay).max(self.wire);
            self.at(self.wire, Event::Tell(told));
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::World(what) => self.world.happen(what),
            Event::Tell(told) => self.tell(told),
            Event::Input(input) => self.answered(*input),
            Event::Arrive(step, request) => self.arrive(step, request),
            Event::Late(request) => {
                self.world.serve(&request);
            }
            Event::List(node) => self.list(node),
            Event::Look(node, except) => self.look(node, &except),
            Event::Follow(id) => {
                let uids: Vec<String> = self.world.pods.keys().cloned().collect();
                uids.into_iter().for_each(|uid| self.tell(Told::Pod(uid)));
                self.step(Input::BudgetPodsListed { id });
            }
            Event::Timer(at) if self.wake == Some(at) => self.step(Input::Timer),
            Event::Timer(_) => {}
            Event::Resume => self.resume(),
        }
    }

    /// The watch's words are of now: what was overtaken is not told.
    fn tell(&mut self, told: Told) {
        let input = match told {
            Told::Pod(uid) => match self.world.pod_json(&uid) {
                Some(pod) => Input::Pod(PodFacts::read(&pod)),
                None => return,
            },
            Told::PodGone(uid) => Input::PodGone { uid },
            Told::Node(name) => Input::Node(NodeFacts::read(&self.world.node_json(&name))),
            Told::Budget(_) if !self.mandate.budgets_readable => return,
            Told::Budget(at) => {
                let facts = BudgetFacts::read(&self.world.budget_json(at));
                let traffic = self.traffic.entry(at).or_default();
                if facts.room() > 0 && traffic.facts.as_ref() != Some(&facts) {
                    traffic.shut = false;
                }
                traffic.facts = Some(facts.clone());
                Input::Budget(facts)
            }
        };
        if let Input::Pod(facts) = &input {
            self.pods.insert(facts.uid.clone(), facts.clone());
        }
        self.step(input);
    }

    fn arrive(&mut self, step: u64, request: Request) {
        let dice = &mut self.world.dice;
        let back = dice.roll(1, 300);
        let lost = self.world.now < self.world.faults.heal && dice.chance(self.world.faults.lost);
        let mut outcome = Outcome::Unknown { message: "timed out".to_owned() };
        if !lost {
            outcome = self.world.serve(&request);
        } else if self.world.dice.chance(30) {
            self.world.serve(&request);
        } else if self.world.dice.chance(50) {
            let at = self.world.now + self.world.dice.roll(0, 1_500) + back;
            self.at(at, Event::Late(request));
        }
        let at = self.world.now + back;
        self.at(at, Event::Input(Box::new(Input::Done { step, outcome })));
    }

    fn answered(&mut self, input: Input) {
        if let Input::Done { step, outcome } = &input {
            let app = match self.sent.remove(step) {
                Some(Request::Evict(pod)) => self.app(&pod),
                _ => None,
            };
            for (at, traffic) in &mut self.traffic {
                traffic.open.remove(step);
                let mine = Some(self.world.budgets[*at].app) == app;
                match outcome {
                    Outcome::BudgetClosed { .. } | Outcome::BudgetStale { .. } if mine => {
                        traffic.shut = true;
                    }
                    Outcome::Accepted | Outcome::Unknown { .. }
                        if mine && traffic.facts.is_none() =>
                    {
                        traffic.shut = false;
                    }
                    _ => {}
                }
            }
        }
        self.step(input);
    }

    fn app(&self, pod: &PodRequest) -> Option<usize> {
        let apps = self.world.apps.iter();
        let owns = |name: &str| pod.name.strip_prefix(name).is_some_and(|r| r.starts_with('-'));
        apps.enumerate().find(|(_, a)| owns(&a.name)).map(|(at, _)| at)
    }

    fn list(&mut self, node: String) {
        let faulty = self.world.now < self.world.faults.heal;
        if faulty && self.world.dice.chance(self.world.faults.failed) {
            let message = "etcdserver: no leader".to_owned();
            return self.step(Input::ListFailed { node, message });
        }
        let here = self.world.pods.values().filter(|p| p.node == node);
        let uids: Vec<String> = here.map(|p| p.uid.clone()).collect();
        let facts: Vec<PodFacts> =
            uids.iter().map(|u| PodFacts::read(&self.world.pod_json(u).unwrap())).collect();
        let at = self.world.now + self.world.dice.roll(1, 300);
        for pod in facts {
            self.pods.insert(pod.uid.clone(), pod.clone());
            self.at(at, Event::Input(Box::new(Input::Pod(pod))));
        }
        self.at(at, Event::Input(Box::new(Input::PodsListed { node, uids })));
    }

    fn look(&mut self, node: String, except: &[(String, String)]) {
        let stays = |volume: &str| except.iter().any(|(_, claim)| format!("pv-{claim}") == volume);
        let volumes = self.world.node(&node).attached.iter().filter(|v| !stays(v));
        let attached = Some(volumes.cloned().collect());
        self.step(Input::Attachments { node, attached });
    }

    fn resume(&mut self) {
        self.dead = false;
        self.drain = Drain::resume(self.mandate.clone(), Past::read(&self.journal));
        self.wake = None;
        self.traffic.values_mut().for_each(|t| *t = Traffic::default());
        self.pods.clear();
        self.sent.clear();
        self.first();
    }

    pub fn step(&mut self, input: Input) {
        if self.dead || self.ended.is_some() {
            return;
        }
        let orders = self.drain.step(self.world.now, input);
        let mut recorded = None;
        for order in orders {
            if self.crash.is_some_and(|n| self.journal.len() >= n) {
                return self.die();
            }
            if let Order::Send { step, .. } = &order {
                assert_eq!(recorded, Some(*step), "an intent is recorded before its request");
            }
            if let Order::Record(Entry::Intent { step, .. }) = &order {
                recorded = Some(*step);
            }
            self.perform(order);
        }
        self.explained();
    }

    fn die(&mut self) {
        self.crash = None;
        self.crashes += 1;
        self.dead = true;
        let at = self.world.now + self.world.dice.roll(0, 30_000);
        self.at(at, Event::Resume);
    }

    fn perform(&mut self, order: Order) {
        let soon = self.world.now + self.world.dice.roll(1, 300);
        match order {
            Order::Record(entry) => {
                if let Entry::Note(words) = &entry
                    && words.contains("paused")
                {
                    let at = self.world.now + self.world.dice.roll(1_000, 40_000);
                    self.at(at, Event::Input(Box::new(Input::Operator(Cmd::Resume(Scope::All)))));
                }
                self.journal.push(entry);
            }
            Order::Send { step, request } => {
                self.check(step, &request);
                self.sent.insert(step, request.clone());
                self.at(soon, Event::Arrive(step, request));
            }
            Order::ListPods { node } => self.at(soon, Event::List(node)),
            Order::CheckAttachments { node, except } => self.at(soon, Event::Look(node, except)),
            Order::FollowBudgetPods(id) => self.at(soon, Event::Follow(id)),
            Order::Wake(at) => {
                assert!(at > self.world.now, "a wake is in the future");
                self.wake = Some(at);
                self.at(at, Event::Timer(at));
            }
            Order::Finished(how) => self.ended = Some(how),
        }
    }

    /// What must hold when a request is sent.
    fn check(&mut self, step: u64, request: &Request) {
        let (pod, delete) = match request {
            Request::Evict(pod) => (pod, false),
            Request::Delete(pod) => (pod, true),
            Request::Cordon { .. }
            | Request::Uncordon { .. }
            | Request::Prefer { .. }
            | Request::Unprefer { .. } => return,
        };
        self.posts += 1;
        assert_eq!(pod.namespace, NS);
        let facts = self.pods.get(&pod.uid).expect("only pods that were told are asked for");
        assert!(facts.deletion.is_none(), "{}: its deletion was seen", pod.name);
        assert!(self.mandate.nodes.iter().any(|n| n.name == facts.node), "beyond the mandate");
        assert!(self.world.node(&facts.node).cordoned, "{} is not cordoned", facts.node);
        let app = &self.world.apps[self.app(pod).unwrap()];
        assert_ne!(app.kind, Kind::Daemon, "daemons stay");
        assert_eq!(delete, app.kind == Kind::Bare, "only what is decided so is deleted");
        if !delete {
            self.check_budgets(step, pod);
        }
    }

    fn check_budgets(&mut self, step: u64, pod: &PodRequest) {
        let (now, start) = (self.world.now, self.start);
        let (facts, app) = (self.pods[&pod.uid].clone(), self.app(pod));
        for at in 0..self.world.budgets.len() {
            if Some(self.world.budgets[at].app) != app {
                continue;
            }
            let traffic = self.traffic.entry(at).or_default();
            let slow = now >= traffic.last.unwrap_or(start) + SLOW && traffic.open.is_empty();
            if traffic.shut {
                assert!(slow, "{}: refused, not moved, and tried again too soon", pod.name);
            }
            let counts = traffic.facts.as_ref().is_none_or(|f| f.counts(&facts));
            if let Some(budget) = traffic.facts.as_ref().filter(|_| counts && !traffic.shut) {
                let room = budget.room();
                assert!(
                    traffic.open.len() < room || slow,
                    "{}: {} in flight, {room} allowed",
                    pod.name,
                    traffic.open.len()
                );
            }
            if counts || traffic.shut {
                traffic.last = Some(now);
                traffic.open.insert(step);
            }
        }
    }

    /// Every pod that is waited for has a verdict, and "too many requests" is only said when there are.
    fn explained(&mut self) {
        if self.world.dice.chance(70) {
            return;
        }
        let progress = self.drain.progress(self.world.now);
        for row in progress.nodes.iter().flat_map(|n| &n.pods) {
            let verdict = self.drain.verdict(&row.uid, self.world.now);
            let open = !matches!(row.state, PodState::Gone | PodState::Skipped(_));
            assert_eq!(verdict.is_some(), open, "{}: {:?}", row.name, row.state);
            let Some(verdict) = verdict else { continue };
            assert!(!verdict.words().is_empty() && !row.state.word().is_empty());
            let full = self.sent.len() >= self.mandate.caps.in_flight;
            let busy = Verdict::Waiting("as many requests are under way as may be".to_owned());
            assert!(verdict != busy || full, "{}: nothing is under way", row.name);
            let debug = format!("{verdict:?}");
            let kind = debug.split([' ', '(']).next().unwrap().to_owned();
            *self.met.entry(kind).or_default() += 1;
        }
    }
}
