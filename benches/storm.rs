//! What a storm of events costs: `cargo bench --bench storm` fills the ring through the desk's store, lens and painter,
//! then drives 1,000 events a second, a frame each 100 ms, and prints memory and CPU.

mod clock;
#[path = "../tests/support/stage.rs"]
mod stage;
#[allow(dead_code, reason = "a bench uses its part of it")]
mod synthetic;

use clock::cpu_time;
use stage::{PLAIN, Stage};
use std::time::{Duration, Instant};
use synthetic::{NOW, mix, resident};
use wheelhouse::app::msg::{Msg, Now};
use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::events::{self, TABLE};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::time::Epoch;
use wheelhouse::views::paint;

const SIZE: (u16, u16) = (200, 50);
const REASONS: [&str; 8] = [
    "BackOff",
    "Unhealthy",
    "FailedScheduling",
    "FailedMount",
    "Pulled",
    "Created",
    "Started",
    "Killing",
];

fn main() {
    // `cargo test --benches` runs this too; there a small storm shows that it works.
    let full = std::env::args().any(|arg| arg == "--bench");
    let (rows, seconds) = if full { (60_000, 30) } else { (2_000, 1) };
    let before = resident();
    let mut stage = Stage::at("events", SIZE);
    let feed = stage.app.state.store.feeds[0].id;
    let started = cpu_time();
    for from in (0..rows).step_by(1024) {
        turn(&mut stage, parcel(feed, from..rows.min(from + 1024), NOW.0 - 3600));
    }
    let took = cpu_time() - started;
    let held = resident().saturating_sub(before);
    let ring = &stage.app.state.store.timeline().ring;
    println!(
        "{rows} listed, {} kept about {} things: {} MB, {} bytes an event, {:.1} us an event",
        ring.len(),
        ring.things(),
        held >> 20,
        held / ring.len(),
        took.as_secs_f64() * 1e6 / rows as f64
    );
    storm(&mut stage, feed, seconds, "new events", rows);
    storm(&mut stage, feed, seconds, "the same events again", 0);
    stage.app.state.store.hold_events(NOW);
    storm(&mut stage, feed, seconds, "while it stands still", 4 * rows);
    let started = cpu_time();
    let changed = stage.app.state.store.release_events();
    stage.app.absorb(&changed);
    settle(&mut stage);
    let ms = (cpu_time() - started).as_secs_f64() * 1e3;
    println!("going on again: {ms:.1} ms for {} rows", changed.rows.len());
    let (held, symbols) = (resident().saturating_sub(before), stage.app.state.store.syms.len());
    println!("in the end {} MB, {symbols} symbols", held >> 20);
}

/// A thousand events a second, ten frames a second.
fn storm(stage: &mut Stage, feed: FeedId, seconds: usize, what: &str, first: usize) {
    let started = cpu_time();
    let mut worst = Duration::ZERO;
    for tenth in 0..seconds * 10 {
        let from = first + tenth * 100;
        let at = cpu_time();
        turn(stage, parcel(feed, from..from + 100, NOW.0 - 300 + tenth as i64 / 10));
        worst = worst.max(cpu_time() - at);
    }
    let share = (cpu_time() - started).as_secs_f64() / seconds as f64 * 100.0;
    let (worst, mb) = (worst.as_secs_f64() * 1e3, resident() >> 20);
    println!(
        "{what:<24} {share:>5.2} % of a core at 1,000/s, worst turn {worst:.2} ms, {mb} MB resident"
    );
}

fn turn(stage: &mut Stage, parcel: Parcel) {
    stage.app.update(Msg::Rows(parcel), now());
    settle(stage);
}

fn now() -> Now {
    Now { server: NOW, instant: Instant::now() }
}

fn settle(stage: &mut Stage) {
    while stage.app.busy {
        stage.app.work(now(), 8192);
    }
    stage.app.state.ui.size = SIZE;
    paint::lay_out(&mut stage.app.state, NOW);
    let area = ratatui::layout::Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    paint::paint(&stage.app.state, &PLAIN, NOW, area, &mut buffer);
}

fn parcel(feed: FeedId, some: std::ops::Range<usize>, last: i64) -> Parcel {
    let (mut parcel, mut d) = (Parcel::new(feed, 0, &TABLE), Draft::default());
    for n in some {
        let owner = mix(n, 1) % 2000;
        let pod = format!("app-{owner:04}-{:08x}-{:05}", mix(owner, 2) as u32, n % 100_000);
        let reason = REASONS[mix(n, 3) % REASONS.len()];
        d.reset(&TABLE, 0);
        d.head.uid = d.keep(&format!("{:08x}-0000-4000-8000-{n:012x}", mix(n, 4) as u32));
        d.head.namespace = d.keep(&format!("team-{:03}", owner % 200));
        d.head.name = d.keep(&pod);
        d.head.created = Epoch(last);
        let kind = if reason.len() < 8 && reason != "BackOff" { "Normal" } else { "Warning" };
        let message = format!(
            "Back-off restarting failed container main in pod {pod}_team-{:03}({n:08x})",
            owner % 200
        );
        let host = format!("node-{:05}", mix(n, 5) % 5000);
        for (word, text) in [
            (events::KIND, "Pod"),
            (events::API, "v1"),
            (events::REASON, reason),
            (events::TYPE, kind),
            (events::SOURCE, "kubelet"),
            (events::HOST, host.as_str()),
            (events::MESSAGE, message.as_str()),
        ] {
            d.put(word, text);
        }
        for (word, n) in
            [(events::FIRST, last), (events::LAST, last), (events::COUNT, 1 + last % 1000)]
        {
            d.set(word, n);
        }
        parcel.push(&d, &TABLE);
    }
    parcel
}
