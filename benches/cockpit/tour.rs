//! Everything an operator does on a table of that size, and half an hour of churn.

use super::controlplane::{ControlPlane, User};
use super::figures::Figures;
use super::terminal::{Cockpit, percentile};
use super::wheelhouse;
use std::time::{Duration, Instant};

/// Filters of each sort, typed letter by letter.
const FILTERS: [&str; 6] = [
    "/status:crash",
    "/qos:Burstable",
    "/owner:ReplicaSet/web",
    "/label:team=payments",
    "/node:node-0042 age<300d",
    "/restarts>5 | ready:0",
];

/// Sorts by every column, filters of every sort while typing, the ends of the table, the pods of a node, a YAML, another
/// context and back, every view.
pub fn every_feature(cockpit: &mut Cockpit, total: &str, figures: &mut Figures) {
    let mut sorts = vec![];
    let mut letters = vec![];
    go(cockpit, ":pods\r");
    for key in [">"; 20].into_iter().chain(["I", "G", "g", "A", "N"]) {
        sorts.push(cockpit.answer(key));
        cockpit.settle(Duration::from_millis(400));
    }
    for filter in FILTERS {
        for letter in filter.chars() {
            letters.push(cockpit.answer(&letter.to_string()));
            cockpit.settle(Duration::from_millis(150));
        }
        for key in ["\r", "G", "g", "\x1b"] {
            cockpit.press(key);
            cockpit.settle(Duration::from_millis(300));
        }
    }
    let worst =
        |took: &[Duration]| took.iter().max().copied().unwrap_or_default().as_secs_f64() * 1e3;
    figures.note("sort or jump to first byte, worst of 25", "ms", Some(16.0), worst(&sorts));
    figures.note("filter letter to first byte, worst", "ms", Some(16.0), worst(&letters));
    for view in ["workloads", "namespaces", "poddisruptionbudgets", "nodes"] {
        go(cockpit, &format!(":{view}\r"));
    }
    // A key acts on what was on screen, so it has to be there.
    cockpit.until(">  node-");
    cockpit.press("\r");
    cockpit.until("pods on node");
    cockpit.until(">  team-");
    cockpit.settle(Duration::from_millis(1500));
    cockpit.press("y");
    cockpit.until("apiVersion: v1");
    cockpit.press("\x1b");
    cockpit.settle(Duration::from_millis(300));
    figures.note("resident after touring every view", "MB", Some(64.0), cockpit.resident());
    for context in ["again", "lab-admin"] {
        cockpit.press(&format!(":context {context}\r"));
        cockpit.until(&format!(" {context} "));
        go(cockpit, ":nodes\r");
        cockpit.until(total);
        cockpit.until(" live ");
    }
    figures.note("resident after two switches of context", "MB", Some(64.0), cockpit.resident());
    go(cockpit, ":pods\r");
}

fn go(cockpit: &mut Cockpit, command: &str) {
    cockpit.press(command);
    cockpit.settle(Duration::from_millis(500));
    cockpit.until(" live ");
}

/// A long churn, with a key every half second.
pub fn soak(lab: &ControlPlane, total: &str, minutes: usize, figures: &mut Figures) {
    let config = lab.kubeconfig(User::Admin);
    let mut cockpit = Cockpit::start(&wheelhouse(), &["nodes"], &config);
    cockpit.until(total);
    cockpit.until(" live ");
    go(&mut cockpit, ":pods\r");
    cockpit.settle(Duration::from_secs(5));
    let before = cockpit.resident();
    let span = Duration::from_secs(60 * minutes as u64);
    let mut took = vec![];
    let mut most = before;
    std::thread::scope(|scope| {
        scope.spawn(|| lab.churn(200, span));
        let until = Instant::now() + span;
        for i in 0.. {
            if Instant::now() >= until {
                break;
            }
            took.push(cockpit.answer(super::KEYS[i % super::KEYS.len()]));
            cockpit.settle(Duration::from_millis(500));
            most = most.max(cockpit.resident());
        }
    });
    took.sort();
    let name = "long churn at 200 updates/s";
    eprintln!(
        "{name}: {minutes} minutes, {} keys, {before:.1} MB before, {most:.1} MB at most",
        took.len()
    );
    figures.note("long churn: resident at most", "MB", Some(64.0), most);
    figures.note("long churn: growth", "MB", None, most - before);
    let ms = |percent| percentile(&took, percent).as_secs_f64() * 1e3;
    figures.note("long churn: key p99", "ms", Some(16.0), ms(99));
    figures.note("long churn: key, worst", "ms", None, ms(100));
    cockpit.press("ZZ");
}
