//! The last line while something is typed, with completions above it.

use super::page::Pen;
use super::theme::Theme;
use crate::state::cell::Role;
use crate::state::ui::prompt::{Asking, Prompt};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Completions shown at once.
const SHOWN: usize = 8;

/// Paints the prompt into the last line of an area and its completions above.
pub fn paint(prompt: &Prompt, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let y = area.bottom().saturating_sub(1);
    let line = Rect { y, height: 1.min(area.height), ..area };
    blank(line, buf);
    let mut pen = Pen::new(buf, theme, line, y);
    match prompt.asking {
        Asking::Command => pen.put(Role::Accent, ":"),
        Asking::Filter | Asking::Search => pen.put(Role::Accent, "/"),
        Asking::Argument(label, _) => pen.put(Role::Accent, &format!(" {label}: ")),
    };
    let range = prompt.wrong.as_ref().map_or(0..0, |(range, _)| range.clone());
    let caret = Style::new().add_modifier(Modifier::REVERSED);
    for (i, c) in prompt.text.char_indices() {
        let style = match i {
            _ if i == prompt.cursor => caret,
            _ if range.contains(&i) => theme.style(Role::Bad),
            _ => theme.style(Role::Plain),
        };
        pen.styled(style, c.encode_utf8(&mut [0; 4]));
    }
    if prompt.cursor == prompt.text.len() {
        pen.styled(caret, " ");
    }
    if let Some((_, why)) = &prompt.wrong {
        pen.skip(2).put(Role::Bad, why);
    } else if let Asking::Argument(_, example) = prompt.asking
        && prompt.text.is_empty()
    {
        pen.skip(2).put(Role::Dim, example);
    }
    completions(prompt, theme, Rect { height: area.height.saturating_sub(1), ..area }, buf);
}

fn completions(prompt: &Prompt, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let n = prompt.candidates.len().min(SHOWN).min(usize::from(area.height));
    let first = prompt.picked.map_or(0, |i| (i + 1).saturating_sub(n));
    for (line, i) in (first..first + n).enumerate() {
        let y = area.bottom() - n as u16 + line as u16;
        let row = Rect { y, height: 1, ..area };
        blank(row, buf);
        let candidate = &prompt.candidates[i];
        let role = if prompt.picked == Some(i) { Role::Accent } else { Role::Plain };
        let mut pen = Pen::new(buf, theme, row, y);
        pen.put(Role::Accent, if prompt.picked == Some(i) { ">" } else { " " });
        pen.put(role, &format!("{:<32}", candidate.line)).skip(1).put(Role::Dim, &candidate.note);
    }
}

fn blank(area: Rect, buf: &mut Buffer) {
    for position in area.intersection(buf.area).positions() {
        buf[position].reset();
    }
}
