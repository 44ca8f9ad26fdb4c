//! Rows and samples as CSV (RFC 4180): what the cockpit saves and what `wheelhouse print -o csv` writes are the same.

use super::cell::{NOT_MEASURED, Value};
use super::decl::Column;
use super::row::Row;
use super::series::Trace;
use super::text::clean;
use super::time::Epoch;

/// A cell as JSON: what `print -o json` and CSV write.
pub fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Absent | Value::Unknown(_) => serde_json::Value::Null,
        Value::Text(text) => text.as_ref().into(),
        Value::Int(n) | Value::Count(n, _) | Value::Since(n, _) => (*n).into(),
        // Cores and bytes in the units rows are kept in: thousandths of a core, bytes.
        Value::Cpu(n, _) | Value::Memory(n, _) | Value::Milli(n) | Value::Bytes(n) => (*n).into(),
        // Thousandths a second and microseconds are kept; a second and seconds are what others calculate with.
        Value::PerSecond(n) => (*n as f64 / 1e3).into(),
        Value::Micros(n) | Value::Beyond(n) => (*n as f64 / 1e6).into(),
        Value::Bool(yes) => (*yes).into(),
        Value::Time(at) => at.rfc3339().into(),
        Value::Bars(bars) => bars.as_slice().into(),
        Value::Shares(shares) => {
            shares.iter().map(|share| Some(*share).filter(|n| *n != NOT_MEASURED)).collect()
        }
    }
}

/// Rows as CSV, with a heading of column ids.
pub fn csv(rows: &[Row<'_>], columns: &[&'static Column], now: Epoch) -> String {
    rows.iter().fold(csv_head(columns), |out, row| out + &csv_row(*row, columns, now))
}

/// A line of CSV; what is absent is empty.
pub fn csv_line(cells: impl Iterator<Item = serde_json::Value>) -> String {
    let cell = |value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => quoted(&text),
        list @ serde_json::Value::Array(_) => quoted(&list.to_string()),
        other => other.to_string(),
    };
    cells.map(cell).collect::<Vec<_>>().join(",") + "\n"
}

/// A CSV field (RFC 4180). A leading `=`, `+`, `-` or `@` is what spreadsheets run as a formula: it gets a quote before it.
pub fn quoted(text: &str) -> String {
    let text = clean(text);
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The heading of a CSV table.
pub fn csv_head(columns: &[&'static Column]) -> String {
    csv_line(columns.iter().map(|c| c.id.into()))
}

/// A row of a CSV table.
pub fn csv_row(row: Row<'_>, columns: &[&'static Column], now: Epoch) -> String {
    csv_line(columns.iter().map(|c| json(&(c.cell)(row, now).value)))
}

/// What a row was, a line a sample: its time in UTC, then each number that was noted. Where nothing was measured there is a
/// line without numbers, so that no plot joins what is apart.
pub fn csv_trace(trace: &Trace) -> String {
    let ids = trace.lines.iter().map(|line| line.column.id.into());
    let head = csv_line(std::iter::once("time".into()).chain(ids));
    let mut points: Vec<_> = trace.lines.iter().map(|line| (line, trace.points(line))).collect();
    trace.times().iter().fold(head, |out, at| {
        let cell = |(line, points): &mut (&super::series::Line, _)| {
            let n = Iterator::next(points).and_then(|(_, n)| n);
            n.map_or(serde_json::Value::Null, |n| json(&line.unit.value(n)))
        };
        let cells: Vec<_> = points.iter_mut().map(cell).collect();
        out + &csv_line(std::iter::once(at.rfc3339().into()).chain(cells))
    })
}
