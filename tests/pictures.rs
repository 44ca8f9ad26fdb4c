//! The README's pictures, rendered from real frames of the embedded demo cluster. `BLESS=1 cargo test --test pictures`
//! writes them; a stale one fails.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use serde_json::Value;
use stage::{NOON, Stage};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use wheelhouse::actions::drain::budget::BudgetFacts;
use wheelhouse::actions::drain::classify::{Overrides, Switches};
use wheelhouse::actions::drain::engine::Drain;
use wheelhouse::actions::drain::facts::{NodeFacts, PodFacts};
use wheelhouse::actions::drain::orders::{Caps, DrainRun, Input, Order};
use wheelhouse::actions::drain::plan::DrainPlan;
use wheelhouse::actions::drain::wire::Wire;
use wheelhouse::actions::plan::{Danger, Plan};
use wheelhouse::app::cluster::Client;
use wheelhouse::app::cluster::feed::{self, FeedSpec};
use wheelhouse::app::cluster::mailbox::{Delivery, Mailbox};
use wheelhouse::app::cluster::session::{ArmedId, Permit, get};
use wheelhouse::app::cluster::survey::{Asked, Pace, survey};
use wheelhouse::app::cluster::upstream::Upstream;
use wheelhouse::app::demo::{self, DemoCluster};
use wheelhouse::app::drain::facts::gather;
use wheelhouse::app::drain::{Told, outcome};
use wheelhouse::app::effects::change::send;
use wheelhouse::app::msg::Msg;
use wheelhouse::state::health::Health;
use wheelhouse::state::kinds::stuck;
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::store::Feed;
use wheelhouse::state::time::Epoch;

const CELL: (f32, f32) = (8.4, 18.0);
const GROUND: &str = "#1e1e1e";

fn colour(colour: Color, default: &'static str) -> &'static str {
    match colour {
        Color::Green => "#4ec98f",
        Color::Yellow => "#d7a33b",
        Color::LightRed => "#f2777a",
        Color::Red => "#b3363b",
        Color::White => "#ffffff",
        Color::DarkGray => "#7a7a7a",
        Color::Cyan => "#5fb3c8",
        _ => default,
    }
}

/// A frame as SVG: one rectangle a coloured ground, one text a run of cells of one style.
fn svg(buffer: &Buffer) -> String {
    let (w, h) = (buffer.area.width, buffer.area.height);
    let (pw, ph) = (f32::from(w) * CELL.0 + 16.0, f32::from(h) * CELL.1 + 16.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {pw} {ph}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"{pw}\" height=\"{ph}\" rx=\"6\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..h {
        let mut x = 0;
        while x < w {
            let style = buffer[(x, y)].style();
            let run: Vec<&str> = (x..w)
                .take_while(|&i| buffer[(i, y)].style() == style)
                .map(|i| buffer[(i, y)].symbol())
                .collect();
            let text = run.concat();
            let (px, py) = (8.0 + f32::from(x) * CELL.0, 8.0 + f32::from(y) * CELL.1);
            let (mut fg, mut bg) = (
                colour(style.fg.unwrap_or_default(), "#d4d4d4"),
                colour(style.bg.unwrap_or_default(), GROUND),
            );
            if style.add_modifier.contains(Modifier::REVERSED) {
                (fg, bg) = (bg, fg);
            }
            if bg != GROUND {
                let _ = writeln!(
                    out,
                    "<rect x=\"{px:.1}\" y=\"{py:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{bg}\"/>",
                    run.len() as f32 * CELL.0,
                    CELL.1
                );
            }
            if !text.trim().is_empty() {
                let bold = if style.add_modifier.contains(Modifier::BOLD) {
                    " font-weight=\"bold\""
                } else {
                    ""
                };
                let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let _ = writeln!(
                    out,
                    "<text xml:space=\"preserve\" x=\"{px:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{fg}\"{bold}>{safe}</text>",
                    py + 13.5,
                    run.len() as f32 * CELL.0
                );
            }
            x += run.len() as u16;
        }
    }
    out + "</svg>\n"
}

/// The demo cluster after some life, as lists tell it, on a stage.
async fn demo(view: &'static str, size: (u16, u16)) -> Stage {
    demo_at(view, size).await.0
}

async fn demo_at(view: &'static str, size: (u16, u16)) -> (Stage, Arc<AtomicI64>, DemoCluster) {
    let time = Arc::new(AtomicI64::new(NOON.0 - 60));
    let clock = time.clone();
    let now = move || jiff::Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
    let cluster = DemoCluster::new(7, Arc::new(now));
    for _ in 0..60 {
        time.fetch_add(1, Ordering::SeqCst);
        cluster.tick();
    }
    let client = cluster.client();
    let mut stage = Stage::at(view, size);
    stage.app.state.cluster.context = "demo".into();
    stage.app.state.cluster.name = "demo".into();
    stage.app.state.cluster.user = demo::USER.into();
    stage.app.state.cluster.version = demo::VERSION.into();
    stage.app.state.cluster.demo = true;
    for spec in wheelhouse::state::kinds::ALL {
        let declared = spec.kinds.iter().filter(|kind| !kind.paths.is_empty());
        for kind in declared.filter(|kind| kind.gvk.is_served()) {
            let answer = get(&client, &kind.gvk.collection(None), None).await.unwrap();
            let mut list: Value = serde_json::from_slice(&answer.body).unwrap();
            let items = list["items"].take();
            stage.put(spec.id, kind.gvk.kind, items.as_array().unwrap());
        }
    }
    if view == "stuck" {
        surveyed(&mut stage, client.clone()).await;
    }
    looked(&mut stage, client, time.clone()).await;
    stage.live();
    stage.settle();
    (stage, time, cluster)
}

/// What looks at a table that is not watched tell: the first one, or as many as it takes until rates are over a minute.
async fn looked(stage: &mut Stage, client: Client, time: Arc<AtomicI64>) {
    let store = &stage.app.state.store;
    let looked = |feed: &&Feed| store.table_at(feed.table).spec.is_looked_at();
    let Some(feed) = store.feeds.iter().find(looked) else { return };
    let (id, table) = (feed.id, store.table_at(feed.table).spec);
    let woken = Arc::new(tokio::sync::Notify::new());
    let wake = woken.clone();
    let mailbox = Mailbox::new(Arc::new(move || wake.notify_one()));
    let now = time.clone();
    let clock = Arc::new(move || Epoch(now.load(Ordering::SeqCst)));
    let mut more: i64 = match table.id {
        "apiserver" => 4,
        "prioritylevelconfigurations" => 1,
        _ => 0,
    };
    time.fetch_sub(15 * more, Ordering::SeqCst);
    let upstream = Upstream::new(client, clock);
    let _feed = feed::spawn(FeedSpec { id, table, kind: 0, namespace: None }, &upstream, &mailbox);
    loop {
        woken.notified().await;
        for delivery in mailbox.drain(usize::MAX) {
            match delivery {
                Delivery::Rows(parcel) => {
                    if parcel.sweep && more > 0 {
                        time.fetch_add(15, Ordering::SeqCst);
                    }
                    more -= i64::from(parcel.sweep);
                    stage.send(Msg::Rows(parcel));
                }
                Delivery::Health(_, Health::Starting { .. }) => {}
                Delivery::Health(..) if more < 0 => return,
                Delivery::Health(..) => {}
            }
        }
    }
}

/// What a survey of it finds, as its feed would tell.
async fn surveyed(stage: &mut Stage, client: Client) {
    let mut pace = Pace::new(client, 10_000);
    let found = survey(&mut pace, &Asked::default(), NOON, &|_| {}).await.unwrap();
    let store = &stage.app.state.store;
    let index = store.table_index("stuck").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == index).unwrap();
    let mut parcel = Parcel::new(feed.id, 1, store.table_at(index).spec);
    let mut draft = Draft::default();
    for (held, ruling) in &found.found {
        stuck::push(&mut parcel, &mut draft, held, ruling);
    }
    stage.send(Msg::Rows(parcel));
}

/// A drain of the demo's nodes in its own time: the engine, the demo's API server and its controllers, a tick a second.
struct Rehearsal {
    time: Arc<AtomicI64>,
    cluster: DemoCluster,
    engine: Drain,
    wire: Wire,
    news: VecDeque<Input>,
}

impl Rehearsal {
    async fn list(&self, path: &str) -> Vec<Value> {
        let answer = get(&self.cluster.client(), path, None).await.unwrap();
        let mut list: Value = serde_json::from_slice(&answer.body).unwrap();
        list["items"].take().as_array().cloned().unwrap_or_default()
    }

    async fn pods(&mut self) -> Vec<PodFacts> {
        self.list("/api/v1/pods").await.iter().map(PodFacts::read).collect()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.time.load(Ordering::SeqCst)).unwrap() * 1000
    }

    /// Everything as it is, as watches would tell it.
    async fn tell(&mut self, known: &mut BTreeSet<String>) {
        for node in self.list("/api/v1/nodes").await {
            self.news.push_back(Input::Node(NodeFacts::read(&node)));
        }
        for budget in self.list("/apis/policy/v1/poddisruptionbudgets").await {
            self.news.push_back(Input::Budget(BudgetFacts::read(&budget)));
        }
        let pods = self.pods().await;
        let there: BTreeSet<String> = pods.iter().map(|p| p.uid.clone()).collect();
        self.news.extend(known.difference(&there).map(|uid| Input::PodGone { uid: uid.clone() }));
        self.news.extend(pods.into_iter().map(Input::Pod));
        *known = there;
    }

    async fn perform(&mut self, order: Order) {
        match order {
            Order::Send { step, request } => {
                let planned = self.wire.step(&request, None).unwrap();
                let permit = Permit::Write(ArmedId(1));
                let answer = send(&self.cluster.client(), permit, &planned.request).await;
                self.news.push_back(Input::Done { step, outcome: outcome(&answer) });
            }
            Order::ListPods { node } => {
                let pods: Vec<PodFacts> =
                    self.pods().await.into_iter().filter(|p| p.node == node).collect();
                let uids = pods.iter().map(|p| p.uid.clone()).collect();
                self.news.extend(pods.into_iter().map(Input::Pod));
                self.news.push_back(Input::PodsListed { node, uids });
            }
            Order::CheckAttachments { node, .. } => {
                self.news.push_back(Input::Attachments { node, attached: Some(vec![]) });
            }
            Order::FollowBudgetPods(id) => self.news.push_back(Input::BudgetPodsListed { id }),
            Order::Record(_) | Order::Wake(_) | Order::Finished(_) => {}
        }
    }

    async fn play(&mut self, seconds: u32) {
        let mut known = BTreeSet::new();
        for _ in 0..seconds {
            self.time.fetch_add(1, Ordering::SeqCst);
            self.cluster.tick();
            self.tell(&mut known).await;
            self.news.push_back(Input::Timer);
            while let Some(input) = self.news.pop_front() {
                let now = self.now();
                for order in self.engine.step(now, input) {
                    self.perform(order).await;
                }
            }
        }
    }
}

/// The board of a drain of two nodes after so many seconds.
async fn drain(nodes: [&str; 2], seconds: u32) -> Stage {
    let (mut stage, time, cluster) = demo_at("nodes", (132, 30)).await;
    let nodes: Vec<String> = nodes.iter().map(|n| (*n).to_owned()).collect();
    let facts = gather(&cluster.client(), &nodes, NOON).await.unwrap();
    let switches = Switches {
        ignore_daemonsets: true,
        delete_emptydir_data: true,
        force: true,
        ..Switches::default()
    };
    let plan = DrainPlan::new(&facts, &switches, &Overrides::default());
    let caps = Caps { parallel_nodes: 2, per_zone: 2, in_flight: 16 };
    let mandate = plan.mandate(&facts, switches, Overrides::default(), caps);
    let run = DrainRun { mandate: mandate.clone(), ..DrainRun::default() };
    let plan = Plan {
        action: "drain".into(),
        title: "drain 2 nodes".into(),
        steps: vec![],
        notes: vec![],
        danger: Danger::Reversible,
        drain: Some(Box::new(run)),
        reason: String::new(),
    };
    let session = stage.app.session;
    stage.send(Msg::Prepared(session, Ok(Box::new(plan))));
    stage.settle();
    stage.press("y");
    let wire = Wire { note: "{}".into(), mark: "{}".into() };
    let engine = Drain::new(mandate);
    let mut rehearsal = Rehearsal { time, cluster, engine, wire, news: VecDeque::new() };
    rehearsal.play(seconds).await;
    let progress = rehearsal.engine.progress(rehearsal.now());
    let told = Told { run: "20261123T120000Z".into(), progress, troubles: vec![], requests: 24 };
    stage.send(Msg::DrainTold(Box::new(told)));
    stage.app.state.ui.toast = None;
    stage
}

#[test]
fn readme() {
    // How long a look took is part of what it tells: time stands still.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
    let pictures: [(&str, &'static str, &str); 8] = [
        ("nodes", "nodes", "jjj"),
        ("pods", "pods", "/failing:yes<enter>"),
        ("events", "events", "jj"),
        ("requests", "certificatesigningrequests", ""),
        ("stuck", "stuck", "j"),
        ("levels", "levels", ""),
        ("apiserver", "apiserver", ""),
        ("health", "health", "j"),
    ];
    for (name, view, keys) in pictures {
        let mut stage = runtime.block_on(demo(view, (132, 30)));
        stage.press(keys);
        compare(name, &svg(&stage.buffer()));
    }
    let mut stage = runtime.block_on(drain(["demo-a-03", "demo-c-05"], 18));
    stage.press("jjjjj");
    compare("drain", &svg(&stage.buffer()));
}

fn compare(name: &str, picture: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/{name}.svg"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, picture).unwrap();
    }
    let have = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        have == picture,
        "assets/{name}.svg is stale: BLESS=1 cargo test --test pictures draws it"
    );
}
