//! Rows as text for other programs and for people: table, wide, json, yaml, csv, name.

use crate::state::decl::{Align, Column};
use crate::state::doc::{Doc, Folds, Line, yaml_text};
use crate::state::export::{csv, json};
use crate::state::kinds::events;
use crate::state::row::Row;
use crate::state::text::{clean, harmless, width};
use crate::state::time::Epoch;
use clap::ValueEnum;

/// An output format, named as kubectl names it.
#[derive(ValueEnum, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    #[default]
    Table,
    /// Aligned columns, all of them.
    Wide,
    /// One array of objects; keys are column ids, numbers are numbers, times RFC 3339, absent is null.
    Json,
    /// The same as YAML.
    Yaml,
    /// Comma-separated values with a heading.
    Csv,
    /// `kind/name`, one a line.
    Name,
}

/// Rows in a format.
pub fn format(rows: &[Row<'_>], columns: &[&'static Column], format: Format, now: Epoch) -> String {
    match format {
        Format::Table | Format::Wide => table(rows, columns, now),
        Format::Json => json_text(&objects(rows, columns, now)),
        Format::Yaml => yaml_text(&objects(rows, columns, now), Folds::default()),
        Format::Csv => csv(rows, columns, now),
        Format::Name => rows.iter().map(|row| name(*row)).collect(),
    }
}

fn table(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    let cell = |row: &Row<'_>, c: &Column| (c.cell)(*row, now).value.words(now).into_owned();
    let head = columns.iter().map(|c| c.title.to_owned()).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|c| cell(row, c)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    aligned(&lines, |i| columns[i].align, 3)
}

/// Lines of as many cells each, cleaned, below each other in columns that are `gap` apart.
pub(super) fn aligned<Line: AsRef<[String]>>(
    lines: &[Line],
    align: impl Fn(usize) -> Align,
    gap: usize,
) -> String {
    let clean_line = |line: &Line| line.as_ref().iter().map(|t| clean(t).into_owned()).collect();
    let lines: Vec<Vec<String>> = lines.iter().map(clean_line).collect();
    let columns = lines.first().map_or(0, Vec::len);
    let widest = |i: usize| lines.iter().map(|line| width(&line[i])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let gap = " ".repeat(gap);
    let line = |line: &Vec<String>| {
        let mut out = String::new();
        for (i, (text, wide)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(wide - width(text));
            match align(i) {
                Align::Left => out.extend([text.as_str(), &pad, &gap]),
                Align::Right => out.extend([pad.as_str(), text, &gap]),
            }
        }
        out.truncate(out.trim_end().len());
        out + "\n"
    };
    lines.iter().map(line).collect()
}

/// A page as text: its title, then its lines.
pub(super) fn page_text(page: &Doc) -> String {
    let line = |line: &Line| format!("{}\n", clean(line.text().trim_end()));
    format!("{}\n{}", clean(&page.title), page.lines.iter().map(line).collect::<String>())
}

/// Lines of text, each cleaned.
pub(super) fn clean_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", clean(line))).collect()
}

/// JSON that does no harm on a terminal: what the format lets stand raw is escaped too, and nothing is lost.
pub(super) fn json_text(value: &serde_json::Value) -> String {
    harmless_json(&format!("{value:#}\n"))
}

/// The same on one line.
pub(super) fn json_line(value: &serde_json::Value) -> String {
    harmless_json(&format!("{value}\n"))
}

fn harmless_json(text: &str) -> String {
    let mut units = [0; 2];
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c == '\n' || harmless(c) {
            true => out.push(c),
            false => {
                let units = c.encode_utf16(&mut units).iter();
                out.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
        }
        out
    })
}

/// Rows as an array of JSON objects.
pub(super) fn objects(
    rows: &[Row<'_>],
    columns: &[&'static Column],
    now: Epoch,
) -> serde_json::Value {
    rows.iter().map(|row| object(*row, columns, now)).collect()
}

/// A row as a JSON object.
pub fn object(row: Row<'_>, columns: &[&'static Column], now: Epoch) -> serde_json::Value {
    let pairs = columns.iter().map(|c| (c.id.to_owned(), json(&(c.cell)(row, now).value)));
    serde_json::Value::Object(pairs.collect())
}

fn name(row: Row<'_>) -> String {
    if row.table.spec.id == events::TABLE.id {
        // A row of events stands for the object they are about.
        let kind = row.text(events::KIND).to_lowercase();
        return format!("{}/{}\n", clean(&kind), clean(&row.name()));
    }
    let gvk = row.gvk();
    let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
    format!("{}{group}/{}\n", gvk.kind.to_lowercase(), clean(&row.name()))
}
