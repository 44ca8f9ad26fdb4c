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
use wheelhouse::app::demo::DemoCluster;

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
            let run: Vec<&str> = (x..w).take_while(|&i| buffer[(i, y)].style() == style).map(|i| buffer[(i, y)].symbol()).collect();
            let text = run.concat();
            let (px, py) = (8.0 + f32::from(x) * CELL.0, 8.0 + f32::from(y) * CELL.1);
            let (mut fg, mut bg) = (colour(style.fg.unwrap_or_default(), "#d4d4d4"), colour(style.bg.unwrap_or_default(), GROUND));
            if style.add_modifier.contains(Modifier::REVERSED) {
                (fg, bg) = (bg, fg);
            }
            if bg != GROUND {
                let _ = writeln!(out, "<rect x=\"{px:.1}\" y=\"{py:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{bg}\"/>", run.len() as f32 * CELL.0, CELL.1);
            }
            if !text.trim().is_empty() {
                let bold = if style.add_modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
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
