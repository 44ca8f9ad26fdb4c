//! The drain engine on a model cluster with virtual time and random faults, thousands of runs; each from a seed, which a
//! failure names. `DRAIN_RUNS` plays more of them.

mod model;

use model::Dice;
use model::driver::Driver;
use model::world::{Budget, Faults, Happens, Kind, World};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wheelhouse::actions::drain::budget::BudgetFacts;
use wheelhouse::actions::drain::classify::{Choice, Class, Overrides, Switches};
use wheelhouse::actions::drain::facts::{NodeFacts, PodFacts, Tick};
use wheelhouse::actions::drain::orders::{Caps, Cmd, Entry, How, Mandate, MandateNode, Scope};
use wheelhouse::actions::drain::plan::{DrainPlan, Facts};
use wheelhouse::actions::drain::progress::NodeState;
use wheelhouse::actions::drain::verdict::Verdict;

const START: Tick = 1_800_000_000_000;
const HOUR: Tick = 3_600_000;
const ZONES: [&str; 3] = ["", "a", "b"];

fn runs(usual: u64) -> u64 {
    std::env::var("DRAIN_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Plays seeds; a failure says which.
fn seeds(count: u64, mut play: impl FnMut(u64)) {
    for seed in 0..count {
        let run = catch_unwind(AssertUnwindSafe(|| play(seed)));
        if let Err(trouble) = run {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(trouble);
        }
    }
}

fn cluster(seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let mut world = World::new(START, dice.clone());
    for n in 0..dice.roll(2, 5) {
        world.add_node(&format!("node-{n}"), dice.pick::<&str>(&ZONES), dice.chance(15));
    }
    // Room for what has to go, whatever happens to the others.
    world.add_node("spare", "a", false);
    for n in 0..dice.roll(1, 3) {
        let kind = *dice.pick(&[Kind::Deployment, Kind::Deployment, Kind::StatefulSet]);
        let replicas = dice.roll(1, 4) as usize;
        let grace = *dice.pick(&[0, 2, 10, 30]);
        let app = world.add_app(&format!("app{n}"), kind, replicas, grace);
        world.apps[app].critical = dice.chance(20);
        if dice.chance(70) {
            let replicas = replicas as i64;
            let max = dice.chance(50);
            world.budgets.push(Budget {
                name: format!("pdb{n}"),
                app,
                max_unavailable: max.then(|| dice.roll(1, 2) as i64),
                min_available: (!max).then_some(replicas - 1),
                always_allow: dice.chance(30),
                generation: 1,
                ..Budget::default()
            });
        }
    }
    if dice.chance(50) {
        world.add_app("agent", Kind::Daemon, 0, 5);
    }
    if dice.chance(30) {
        world.add_app("lonely", Kind::Bare, 1, 5);
    }
    world.settle();
    world
}

fn facts(world: &World, count: usize) -> Facts {
    let names: Vec<String> = world.nodes[..count].iter().map(|n| n.name.clone()).collect();
    let pods = world.pods.values().filter(|p| names.contains(&p.node));
    let budgets = (0..world.budgets.len()).map(|b| BudgetFacts::read(&world.budget_json(b)));
    Facts {
        nodes: names.iter().map(|n| NodeFacts::read(&world.node_json(n))).collect(),
        pods: pods.map(|p| PodFacts::read(&world.pod_json(&p.uid).unwrap())).collect(),
        known: BTreeMap::new(),
        budgets: Some(budgets.collect()),
        ..Facts::default()
    }
}

/// Some of the nodes, in the waves of a plan; daemons stay, bare pods are deleted.
fn mandate(world: &World, dice: &mut Dice) -> Mandate {
    let count = dice.roll(1, (world.nodes.len() as u64 - 1).min(3)) as usize;
    let switches = Switches { ignore_daemonsets: true, ..Switches::default() };
    let overrides =
        Overrides { classes: [(Class::Bare, Choice::Delete)].into(), ..Overrides::default() };
    let plan = DrainPlan::new(&facts(world, count), &switches, &overrides);
    assert_eq!(plan, DrainPlan::new(&facts(world, count), &switches, &overrides));
    assert_eq!(plan.waves.iter().flatten().count(), count, "each node is in one wave");
    let node = |wave: usize, name: &String| {
        let node = plan.nodes.iter().find(|n| n.name == *name).unwrap();
        MandateNode { name: name.clone(), uid: node.uid.clone(), zone: node.zone.clone(), wave }
    };
    let waves = plan.waves.iter().enumerate();
    let nodes = waves.flat_map(|(at, wave)| wave.iter().map(move |n| node(at, n))).collect();
    let caps = Caps {
        parallel_nodes: dice.roll(1, 3) as usize,
        per_zone: dice.roll(1, 2) as usize,
        in_flight: dice.roll(1, 6) as usize,
    };
    let budgets_readable = dice.chance(85);
    let prefer = dice.chance(50);
    let known = BTreeMap::new();
    Mandate { nodes, switches, overrides, known, caps, prefer, budgets_readable }
}

fn faults(driver: &mut Driver, dice: &mut Dice) {
    let heal = START + dice.roll(10_000, 150_000);
    driver.world.faults = Faults {
        heal,
        lost: dice.roll(0, 30),
        throttled: dice.roll(0, 15),
        failed: dice.roll(0, 15),
        stuck: dice.roll(0, 20),
        webhook_until: if dice.chance(20) { heal } else { 0 },
    };
    if dice.chance(40) {
        let at = dice.roll(0, driver.world.nodes.len() as u64 - 2) as usize;
        let name = driver.world.nodes[at].name.clone();
        driver.plan(dice.roll(0, 60_000), Happens::NodeReady(name.clone(), false));
        driver.plan(dice.roll(60_000, 200_000), Happens::NodeReady(name, true));
    }
    if dice.chance(40) && !driver.world.budgets.is_empty() {
        let at = dice.roll(0, driver.world.budgets.len() as u64 - 1) as usize;
        driver.plan(dice.roll(0, 60_000), Happens::BudgetSpec(at));
    }
    if dice.chance(20) {
        driver.say(dice.roll(0, 30_000), Cmd::Pause(Scope::All));
        driver.say(dice.roll(30_000, 90_000), Cmd::Resume(Scope::All));
    }
}

/// What the drain was for, by the server's own books.
fn drained(driver: &Driver) {
    let state = driver.drain.progress(driver.world.now);
    assert_eq!(driver.ended, Some(How::Drained), "{state:#?}");
    for node in &driver.mandate.nodes {
        assert!(driver.world.node(&node.name).cordoned);
        let pods = driver.world.pods.values().filter(|p| p.node == node.name);
        for pod in pods {
            assert_eq!(driver.world.apps[pod.app].kind, Kind::Daemon, "{} is left", pod.name);
        }
        let volumes = &driver.world.node(&node.name).attached;
        assert!(volumes.is_empty(), "{volumes:?} attached to {}", node.name);
    }
    once(driver);
}

fn once(driver: &Driver) {
    for (uid, times) in &driver.world.accepted {
        assert_eq!(*times, 1, "{uid} was evicted {times} times");
    }
}

fn start(seed: u64, faulty: bool) -> Driver {
    let world = cluster(seed);
    let mut dice = Dice::new(seed ^ 0xd1ce);
    let mandate = mandate(&world, &mut dice);
    let mut driver = Driver::new(world, mandate);
    if faulty {
        faults(&mut driver, &mut dice);
    }
    driver
}

#[test]
fn without_faults_every_node_is_drained() {
    seeds(runs(500), |seed| {
        let mut driver = start(seed, false);
        driver.play(HOUR);
        drained(&driver);
        let soft = driver.world.nodes.iter().find(|n| n.preferred).map(|n| &n.name);
        assert_eq!(soft, None, "it carries the taint of later waves");
    });
}

#[test]
fn when_the_faults_heal_every_node_is_drained() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    seeds(runs(2_000), |seed| {
        let mut driver = start(seed, true);
        driver.play(HOUR);
        drained(&driver);
        for (kind, count) in &driver.met {
            *met.entry(kind.clone()).or_default() += count;
        }
    });
    for kind in [
        "Sent",
        "Unsure",
        "BudgetShort",
        "BudgetTurn",
        "BudgetStale",
        "BudgetUnseen",
        "FlowControl",
        "Webhook",
        "Failed",
        "Finalizer",
        "NodeDead",
        "GraceLeft",
        "Waiting",
        "NotSeenEnding",
    ] {
        assert!(met.contains_key(kind), "no run met {kind}: {met:?}");
    }
}

#[test]
fn a_crash_at_any_record_changes_nothing_of_the_end() {
    seeds(runs(1_500), |seed| {
        let mut whole = start(seed, true);
        whole.play(HOUR);
        drained(&whole);
        let mut broken = start(seed, true);
        let mut dice = Dice::new(seed ^ 0xdead);
        broken.crash = Some(dice.roll(0, whole.journal.len() as u64 - 1) as usize);
        broken.play(HOUR);
        assert_eq!(broken.crashes, 1);
        drained(&broken);
    });
}

#[test]
fn what_cannot_go_says_why_and_is_not_hammered() {
    seeds(runs(300), |seed| {
        let mut world = cluster(seed);
        let case = seed % 4;
        let app = world.add_app("held", Kind::Deployment, 2, 5);
        let budget = |name: &str| Budget {
            name: name.to_owned(),
            app,
            max_unavailable: Some(i64::from(case == 1)),
            generation: 1,
            ..Budget::default()
        };
        let nodes: Vec<String> = world.nodes.iter().map(|n| n.name.clone()).collect();
        match case {
            0 => world.budgets.push(budget("held")),
            1 => world.budgets.extend([budget("held"), budget("held-too")]),
            _ => {}
        }
        world.add_app("only", Kind::Bare, 1, 5);
        world.settle();
        // The pods that are held are on the nodes that are drained.
        for pod in world.pods.values_mut().filter(|p| p.name.starts_with("held-")) {
            pod.node.clone_from(&nodes[0]);
        }
        let mut dice = Dice::new(seed ^ 0xb10c);
        let mut mandate = mandate(&world, &mut dice);
        mandate.budgets_readable = true;
        if case == 2 {
            let only = world.pods.values_mut().filter(|p| p.name.starts_with("only-"));
            only.for_each(|p| p.node.clone_from(&nodes[0]));
            mandate.overrides.classes.clear();
        }
        if case == 3 {
            mandate.switches.timeout = 1;
        }
        let mut driver = Driver::new(world, mandate);
        driver.play(HOUR / 2);
        once(&driver);
        if case == 3 {
            return assert!(matches!(driver.ended, Some(How::Incomplete(_) | How::Drained)));
        }
        assert_eq!(driver.ended, None, "what is held is not drained");
        let progress = driver.drain.progress(driver.world.now);
        let node = progress.nodes.iter().find(|n| n.name == nodes[0]).unwrap();
        let NodeState::Blocked(_, verdict) = &node.state else { panic!("{node:#?}") };
        match case {
            0 => assert!(matches!(verdict, Verdict::BudgetNever { .. }), "{verdict:?}"),
            1 => assert!(matches!(verdict, Verdict::TwoBudgets(_)), "{verdict:?}"),
            _ => assert!(matches!(verdict, Verdict::Undecided(_)), "{verdict:?}"),
        }
        // 30 minutes, at most one eviction in 20 s for the budget that never opens.
        let tries = |e: &&Entry| {
            matches!(e, Entry::Intent { request, .. }
            if request.words().contains("/held-"))
        };
        let tries = driver.journal.iter().filter(tries).count();
        let most = [90, 0, usize::MAX][case as usize];
        assert!(tries <= most, "{tries} tries");
    });
}

#[test]
fn an_aborted_drain_sends_nothing_more_and_uncordons_what_it_cordoned() {
    seeds(runs(300), |seed| {
        let mut driver = start(seed, true);
        let uncordon = seed % 2 == 0;
        driver.world.faults.lost = 0;
        driver.world.faults.throttled = 0;
        driver.world.faults.failed = 0;
        driver.say(seed * 97 % 40_000, Cmd::Abort { scope: Scope::All, uncordon });
        driver.play(HOUR);
        assert!(driver.ended.is_some());
        let told = |e: &Entry| matches!(e, Entry::Told(Cmd::Abort { .. }));
        let Some(at) = driver.journal.iter().position(told) else { return drained(&driver) };
        let after = driver.journal[at..].iter().filter_map(|e| match e {
            Entry::Intent { request, .. } => Some(request.words()),
            _ => None,
        });
        for words in after {
            let soft = words.starts_with("let pods on ");
            let back = uncordon && words.starts_with("uncordon ");
            assert!(soft || back, "{words} after the abort");
        }
        let Some(How::Incomplete(left)) = &driver.ended else { return };
        for (node, _) in left.iter().filter(|_| uncordon) {
            assert!(!driver.world.node(node).cordoned, "{node} is left cordoned");
        }
        once(&driver);
    });
}
