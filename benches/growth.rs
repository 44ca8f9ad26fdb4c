//! How the cockpit grows: `cargo bench --bench growth` drives the store, the lens and the painter of the pods view with
//! 10,000, 100,000 and 1,000,000 synthetic pods and prints memory, cost per row and what keys cost.
//!
//! A child process per size: memory that an earlier size gave back would flatter the next.

mod clock;
#[path = "../tests/support/stage.rs"]
mod stage;
mod synthetic;

use clock::cpu_time;
use stage::{PLAIN, Stage};
use std::process::Command;
use std::time::{Duration, Instant};
use synthetic::{NOW, PARCEL, parcel, resident};
use wheelhouse::app::msg::{Msg, Now};
use wheelhouse::state::parcel::Draft;
use wheelhouse::views::paint;

/// What the loop hands to the lens in one turn.
const SLICE: usize = 8192;
const SIZE: (u16, u16) = (200, 50);

fn main() {
    if let Some(rows) = std::env::var("ROWS").ok().and_then(|n| n.parse().ok()) {
        return measure(rows);
    }
    // `cargo test --benches` runs this too; there a small world shows that it works.
    let full = std::env::args().any(|arg| arg == "--bench");
    let sizes: &[usize] = if full { &[10_000, 100_000, 1_000_000] } else { &[1_000] };
    println!(
        "{:>9}  {:>8}  {:>9}  {:>8}  {:>21}  {:>21}  {:>21}",
        "pods",
        "resident",
        "bytes/row",
        "us/row",
        "j, a frame (ms)",
        "G, a frame (ms)",
        "sort, a turn (ms)"
    );
    let bench = std::env::current_exe().expect("this program has a path");
    for size in sizes {
        let child = Command::new(&bench).env("ROWS", size.to_string()).status();
        assert!(child.is_ok_and(|status| status.success()), "{size} pods could not be measured");
    }
}

/// Fills a stage as a feed would, then presses keys.
fn measure(rows: usize) {
    let before = resident();
    let mut stage = Stage::at("pods", SIZE);
    let store = &stage.app.state.store;
    let pods = store.table_index("pods").expect("declared");
    let feed = store.feeds.iter().find(|f| f.table == pods).expect("the view follows it").id;
    let mut d = Draft::default();
    let mut sync = Duration::ZERO;
    for from in (0..rows).step_by(PARCEL) {
        let parcel = parcel(&mut d, feed, from..rows.min(from + PARCEL), rows);
        let started = cpu_time();
        turn(&mut stage, Some(Msg::Rows(parcel)));
        sync += cpu_time() - started;
    }
    let started = cpu_time();
    while stage.app.busy {
        turn(&mut stage, None);
    }
    sync += cpu_time() - started;
    let held = resident().saturating_sub(before);
    let [step, jump, sort] =
        [("j", 100), ("G", 100), (">", 12)].map(|(key, times)| press(&mut stage, key, times));
    println!(
        "{rows:>9}  {:>5} MB  {:>9}  {:>8.2}  {step:>21}  {jump:>21}  {sort:>21}",
        held >> 20,
        held / rows,
        sync.as_secs_f64() * 1e6 / rows as f64,
    );
}

/// What one turn of the loop does: a message, a slice of work, a frame.
fn turn(stage: &mut Stage, msg: Option<Msg>) {
    let now = Now { server: NOW, instant: Instant::now() };
    if let Some(msg) = msg {
        stage.app.update(msg, now);
    }
    if stage.app.busy {
        stage.app.work(now, SLICE);
    }
    stage.app.state.ui.size = SIZE;
    paint::lay_out(&mut stage.app.state, NOW);
    let area = ratatui::layout::Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    paint::paint(&stage.app.state, &PLAIN, NOW, area, &mut buffer);
}

/// Median and worst of some presses, each with all turns until nothing is left to do. A turn is what a key waits
/// for; the rest of a sort goes on behind the order shown.
fn press(stage: &mut Stage, key: &str, times: usize) -> String {
    let mut turns = vec![];
    for _ in 0..times {
        let chord = key.parse().expect("a key");
        let started = cpu_time();
        turn(stage, Some(Msg::Key(chord, Instant::now())));
        turns.push(cpu_time() - started);
        while stage.app.busy {
            let started = cpu_time();
            turn(stage, None);
            turns.push(cpu_time() - started);
        }
    }
    turns.sort();
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    format!("{:.3} worst {:.3}", ms(turns[turns.len() / 2]), ms(turns[turns.len() - 1]))
}
