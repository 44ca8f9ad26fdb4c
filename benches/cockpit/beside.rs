//! Another program on the same cluster in the same run.

use super::controlplane::{ControlPlane, User};
use super::figures::Figures;
use super::terminal::{Cockpit, percentile};
use regex::Regex;
use std::time::Duration;

/// Times a program: until its screen is ready, what it holds then, and how long a key takes.
pub fn measure(command: &str, lab: &ControlPlane, figures: &mut Figures) {
    let mut words = command.split_whitespace();
    let program = words.next().expect("BESIDE names a program");
    let args: Vec<&str> = words.collect();
    let ready = std::env::var("READY").expect("READY is what its screen shows when it is usable");
    let ready = Regex::new(&ready).expect("READY is a regular expression");
    let mut other = Cockpit::start(program, &args, &lab.kubeconfig(User::Admin));
    let took = other.until_seen("READY", |screen| ready.is_match(screen));
    figures.note("beside: start to ready", "s", None, took.as_secs_f64());
    figures.note("beside: CPU to ready", "s", None, other.cpu().as_secs_f64());
    figures.note("beside: resident", "MB", None, other.resident());
    let Ok(key) = std::env::var("KEY") else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| lab.churn(500, Duration::from_secs(30)));
        other.settle(Duration::from_secs(3));
        let mut took: Vec<Duration> = (0..100)
            .map(|_| {
                let took = other.answer(&key);
                other.settle(Duration::from_millis(200));
                took
            })
            .collect();
        took.sort();
        let ms = |percent| percentile(&took, percent).as_secs_f64() * 1e3;
        figures.note("beside: key at 500 updates/s: p50", "ms", None, ms(50));
        figures.note("beside: key at 500 updates/s: p99", "ms", None, ms(99));
    });
}
