//! Rows as text for other programs and for people: table, wide, json, yaml, csv, name.

use crate::state::cell::Value;
use crate::state::decl::{Align, Column};
use crate::state::doc::Folds;
use crate::state::kinds::events;
use crate::state::row::Row;
use crate::state::text::{clean, width};
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
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(|row| object(*row, columns, now)).collect();
            serde_json::to_string_pretty(&rows).expect("values made here are plain JSON") + "\n"
        }
        Format::Yaml => {
            let rows: Vec<_> = rows.iter().map(|row| object(*row, columns, now)).collect();
            crate::state::doc::yaml_text(&serde_json::Value::Array(rows), Folds::default())
        }
        Format::Csv => csv(rows, columns, now),
        Format::Name => rows.iter().map(|row| name(*row)).collect(),
    }
}

fn table(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    let cell =
        |row: &Row<'_>, c: &Column| clean(&(c.cell)(*row, now).value.words(now)).into_owned();
    let cells: Vec<Vec<String>> =
        rows.iter().map(|r| columns.iter().map(|c| cell(r, c)).collect()).collect();
    let widest = |i: usize, c: &Column| {
        cells.iter().map(|row| width(&row[i])).max().unwrap_or(0).max(width(c.title))
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(i, c)| widest(i, c)).collect();
    let line = |texts: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for ((text, wide), column) in texts.zip(&widths).zip(columns) {
            let pad = " ".repeat(wide - width(text));
            match column.align {
                Align::Left => out.extend([text, &pad, "   "]),
                Align::Right => out.extend([&pad, text, "   "]),
            }
        }
        out.truncate(out.trim_end().len());
        out + "\n"
    };
    let head = line(&mut columns.iter().map(|c| c.title));
    cells.iter().fold(head, |out, row| out + &line(&mut row.iter().map(String::as_str)))
}

/// A row as a JSON object.
pub fn object(row: Row<'_>, columns: &[&'static Column], now: Epoch) -> serde_json::Value {
    let pairs = columns.iter().map(|c| (c.id.to_owned(), json(&(c.cell)(row, now).value)));
    serde_json::Value::Object(pairs.collect())
}

fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Absent | Value::Unknown(_) => serde_json::Value::Null,
        // JSON escapes control characters itself; nothing is lost.
        Value::Text(text) => text.as_ref().into(),
        Value::Int(n) | Value::Count(n, _) | Value::Since(n, _) => (*n).into(),
        // Cores and bytes in the units rows are kept in: thousandths of a core, bytes.
        Value::Cpu(n, _) | Value::Memory(n, _) | Value::Milli(n) | Value::Bytes(n) => (*n).into(),
        // Thousandths a second and microseconds are kept; a second and seconds are what others calculate with.
        Value::PerSecond(n) => (*n as f64 / 1e3).into(),
        Value::Micros(n) => (*n as f64 / 1e6).into(),
        Value::Bool(yes) => (*yes).into(),
        Value::Time(at) => at.rfc3339().into(),
        Value::Bars(bars) => bars.as_slice().into(),
    }
}

fn csv(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    let head = columns.iter().map(|c| c.id.to_owned()).collect::<Vec<_>>().join(",");
    rows.iter().fold(head + "\n", |out, row| {
        let cells = columns.iter().map(|c| match json(&(c.cell)(*row, now).value) {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => quoted(&text),
            list @ serde_json::Value::Array(_) => quoted(&list.to_string()),
            other => other.to_string(),
        });
        out + &cells.collect::<Vec<_>>().join(",") + "\n"
    })
}

/// A CSV field (RFC 4180). A leading `=`, `+`, `-` or `@` is what spreadsheets run as a formula: it gets a quote before it.
pub(super) fn quoted(text: &str) -> String {
    let text = clean(text);
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
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
