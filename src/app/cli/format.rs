//! Rows as text for other programs and for people: table, wide, json, yaml, csv, name.

use crate::state::decl::{Align, Column};
use crate::state::doc::{Doc, Folds, Line, yaml_text};
use crate::state::export::{csv, json};
use crate::state::kinds::events;
use crate::state::row::Row;
use crate::state::text::{clean, harmless, width};
use crate::state::time::Epoch;
use clap::ValueEnum;
use serde::{Serialize, Serializer};

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
        Format::Json => json_text(&Objects { rows, columns, now }),
        Format::Yaml => yaml(rows, columns, now),
        Format::Csv => csv(rows, columns, now),
        Format::Name => rows.iter().map(|row| name(*row)).collect(),
    }
}

fn table(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    let cell = |row: &Row<'_>, c: &Column| (c.cell)(*row, now).value.words(now).into_owned();
    let head = || columns.iter().map(|c| c.title.to_owned()).collect::<Vec<_>>();
    let lines = || rows.iter().map(|row| columns.iter().map(|c| cell(row, c)).collect());
    aligned(|| std::iter::once(head()).chain(lines()), |i| columns[i].align, 3)
}

/// Lines of as many cells each, cleaned, below each other in columns that are `gap` apart. They are made twice, for the widths
/// and for the text: to hold the cells of 150,000 rows in between takes more memory than the store does.
pub(super) fn aligned<Lines: Iterator<Item: AsRef<[String]>>>(
    lines: impl Fn() -> Lines,
    align: impl Fn(usize) -> Align,
    gap: usize,
) -> String {
    let mut widths = vec![];
    for line in lines() {
        let cells = line.as_ref();
        widths.resize(widths.len().max(cells.len()), 0);
        let wider =
            |(widest, cell): (&mut usize, &String)| *widest = width(&clean(cell)).max(*widest);
        widths.iter_mut().zip(cells).for_each(wider);
    }
    lines().fold(String::new(), |mut out, line| {
        for (i, (cell, wide)) in line.as_ref().iter().zip(&widths).enumerate() {
            let text = clean(cell);
            let pad = wide - width(&text);
            let (before, after) = if align(i) == Align::Left { (0, pad) } else { (pad, 0) };
            spaces(&mut out, before);
            out.push_str(&text);
            spaces(&mut out, after + gap);
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
        out
    })
}

fn spaces(out: &mut String, n: usize) {
    out.extend(std::iter::repeat_n(' ', n));
}

/// A list of objects, printed one by one as they are folded one by one.
fn yaml(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    let text = |rows: &[Row<'_>]| yaml_text(&objects(rows, columns, now), Folds::default());
    match rows {
        [] => text(rows),
        rows => rows.chunks(1).map(text).collect(),
    }
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
pub(super) fn json_text(value: &impl Serialize) -> String {
    let text =
        serde_json::to_string_pretty(value).expect("keys are texts and a String takes all of it");
    harmless_json(text + "\n")
}

/// The same on one line.
pub(super) fn json_line(value: &serde_json::Value) -> String {
    harmless_json(format!("{value}\n"))
}

fn harmless_json(text: String) -> String {
    let stands = |c| c == '\n' || harmless(c);
    if text.chars().all(stands) {
        return text;
    }
    let mut units = [0; 2];
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match stands(c) {
            true => out.push(c),
            false => {
                let units = c.encode_utf16(&mut units).iter();
                out.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
        }
        out
    })
}

/// Rows as an array of JSON objects, each made when its turn comes.
struct Objects<'a> {
    rows: &'a [Row<'a>],
    columns: &'a [&'static Column],
    now: Epoch,
}

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| object(*row, self.columns, self.now)))
    }
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
