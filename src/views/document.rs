//! The painter of documents: YAML and descriptions.

use super::page::Pen;
use super::theme::Theme;
use crate::state::cell::{Role, grouped};
use crate::state::text::width;
use crate::state::ui::document::{DocUi, Form, Loaded, News};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// The second line of a document: what it shows of which object, and whether it still holds.
pub fn title(doc: &DocUi, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let form = match doc.form {
        Form::Yaml => "yaml of",
        Form::Describe => "about",
        Form::Why => "why no node takes",
        Form::Stuck => "why it does not go:",
        Form::Kubelet => "kubelet of",
        Form::WhatIf => "which schema catches:",
        Form::Dump => "as it was dumped:",
    };
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1).put(Role::Dim, form).skip(1);
    let about = match doc.form {
        Form::WhatIf => doc.target.name.clone(),
        Form::Dump => doc.doc.title.clone(),
        _ => format!("{} {}", doc.target.gvk.kind, doc.target.path()),
    };
    pen.put(Role::Accent, &about);
    let news = match doc.news {
        News::None => "",
        News::Changed => "changed since it was fetched",
        News::Gone => "gone; this is what it was",
    };
    pen.skip(2).put(Role::Warn, news);
    let lines = doc.doc.lines.len();
    if lines > 0 {
        pen.right(&[(Role::Dim, format!("line {} of {lines} ", doc.top + 1))]);
    }
}

/// The lines.
pub fn paint(doc: &DocUi, theme: &Theme, area: Rect, buf: &mut Buffer) {
    match &doc.loaded {
        Loaded::Asking(0) => {
            Pen::new(buf, theme, area, area.y + 1).skip(3).put(Role::Dim, "asking the server");
        }
        Loaded::Asking(read) => {
            let read = grouped(*read as i64);
            let words = format!("reading the cluster: {read} pods so far; esc ends it");
            Pen::new(buf, theme, area, area.y + 1).skip(3).put(Role::Dim, &words);
        }
        Loaded::Refused(why) => super::paint::notice(why, Role::Bad, theme, area, buf),
        Loaded::Here(_) => lines(doc, theme, area, buf),
    }
}

fn lines(doc: &DocUi, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let wanted = doc.search.to_lowercase();
    let shown = doc.doc.lines.iter().skip(doc.top);
    let rows = shown.flat_map(|line| {
        let found = !wanted.is_empty() && line.text().to_lowercase().contains(&wanted);
        doc.rows(line).into_iter().map(move |row| (row, found))
    });
    for (y, (line, found)) in (area.y..area.bottom()).zip(rows) {
        let mut pen = Pen::new(buf, theme, area, y);
        pen.skip(1);
        let mut hidden = doc.left;
        for (role, text) in &line.spans {
            let cut = text.char_indices().nth(hidden).map_or(text.len(), |(i, _)| i);
            hidden -= text[..cut].chars().count();
            pen.put(*role, &text[cut..]);
        }
        let last = area.right().min(buf.area.right()).saturating_sub(1);
        if usize::from(area.width) <= width(&line.text()).saturating_sub(doc.left) {
            buf.set_string(last, y, theme.ellipsis(), theme.style(Role::Dim));
        }
        if found {
            let row = Rect { y, height: 1, ..area }.intersection(buf.area);
            buf.set_style(row, theme.style(Role::Accent).add_modifier(Modifier::BOLD));
        }
    }
}
