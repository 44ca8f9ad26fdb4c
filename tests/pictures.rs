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
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use wheelhouse::app::cluster::session::get;
use wheelhouse::app::demo::{self, DemoCluster};

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
    stage.app.state.cluster.user = demo::USER.into();
    stage.app.state.cluster.version = demo::VERSION.into();
    stage.app.state.cluster.demo = true;
    for spec in wheelhouse::state::kinds::ALL {
        for kind in spec.kinds {
            let answer = get(&client, &kind.gvk.collection(None), None).await.unwrap();
            let mut list: Value = serde_json::from_slice(&answer.body).unwrap();
            let items = list["items"].take();
            stage.put(spec.id, kind.gvk.kind, items.as_array().unwrap());
        }
    }
    stage.live();
    stage.settle();
    stage
}

#[test]
fn readme() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pictures: [(&str, &'static str, &str); 2] =
        [("nodes", "nodes", "jjj"), ("pods", "pods", "/failing:yes<enter>")];
    for (name, view, keys) in pictures {
        let mut stage = runtime.block_on(demo(view, (132, 30)));
        stage.press(keys);
        let picture = svg(&stage.buffer());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/{name}.svg"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &picture).unwrap();
        }
        let have = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            have == picture,
            "assets/{name}.svg is stale: BLESS=1 cargo test --test pictures draws it"
        );
    }
}
