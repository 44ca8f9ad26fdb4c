//! The parser: fed with pieces of any size, it keeps what is wanted and skips the rest by its name alone.
//!
//! The format is client_golang's `expfmt` text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): one
//! sample a line, `name{label="value",...} value [timestamp]`, with `\\`, `\"` and `\n` escaped in label values.

use super::family::Part;
use super::scrape::{Scrape, Type};
use super::{STARTED, Want};
use std::collections::HashMap;

/// Bytes of a line at most; a longer one is skipped and counted as malformed. A series of the API server has some hundreds.
const LINE: usize = 64 << 10;
/// Bytes of a label value that are kept.
const LABEL: usize = 256;
/// Labels of a series at most.
const LABELS: usize = 64;

/// The identity of the process is always wanted.
static IDENTITY: Want = Want::total(STARTED);

/// A scrape on its way.
pub struct Parser {
    wants: Vec<Want>,
    named: HashMap<&'static str, usize>,
    scrape: Scrape,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// The line is too long: skip until its end.
    skips: bool,
}

impl Parser {
    /// A parser that keeps these families, and when the process started.
    pub fn new(wants: &[Want]) -> Parser {
        let wants: Vec<Want> = wants.iter().chain([&IDENTITY]).cloned().collect();
        let named = wants.iter().enumerate().map(|(at, want)| (want.family, at)).collect();
        Parser { wants, named, scrape: Scrape::default(), partial: vec![], skips: false }
    }

    /// The next piece.
    pub fn feed(&mut self, mut piece: &[u8]) {
        self.scrape.cost.bytes += piece.len() as u64;
        while let Some(end) = piece.iter().position(|b| *b == b'\n') {
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            if self.partial.is_empty() && !self.skips {
                self.line(line);
            } else {
                self.append(line);
                self.finish_line();
            }
            piece = rest;
        }
        self.append(piece);
    }

    /// The whole scrape. A last line without an end is not taken: it may be cut anywhere.
    pub fn end(mut self) -> Scrape {
        if self.skips || !self.partial.is_empty() {
            self.scrape.cost.malformed += 1;
        }
        self.scrape.settle()
    }

    /// Whether everything so far ended at the end of a line: a body that was cut does so seldom.
    pub fn is_whole(&self) -> bool {
        self.partial.is_empty() && !self.skips
    }

    fn append(&mut self, piece: &[u8]) {
        if self.partial.len() + piece.len() > LINE {
            self.skips = true;
            self.partial = vec![];
        }
        if !self.skips {
            self.partial.extend_from_slice(piece);
        }
    }

    fn finish_line(&mut self) {
        if std::mem::take(&mut self.skips) {
            self.scrape.cost.lines += 1;
            self.scrape.cost.malformed += 1;
            return;
        }
        let mut line = std::mem::take(&mut self.partial);
        self.line(&line);
        line.clear();
        self.partial = line;
    }

    fn line(&mut self, line: &[u8]) {
        self.scrape.cost.lines += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        if line[0] == b'#' {
            return self.comment(line);
        }
        let end = line.iter().position(|b| matches!(b, b'{' | b' ' | b'\t')).unwrap_or(line.len());
        let Some(name) = std::str::from_utf8(&line[..end]).ok().filter(|n| is_name(n)) else {
            self.scrape.cost.malformed += 1;
            return;
        };
        if self.wanted(name).is_none() {
            return;
        }
        if self.sample(line, end).is_none() {
            self.scrape.cost.malformed += 1;
        }
    }

    fn comment(&mut self, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else { return };
        let mut words = text.split_ascii_whitespace();
        if (words.next(), words.next()) != (Some("#"), Some("TYPE")) {
            return;
        }
        let Some(&at) = words.next().and_then(|name| self.named.get(name)) else { return };
        let kind = match words.next() {
            Some("counter") => Type::Counter,
            Some("gauge") => Type::Gauge,
            Some("histogram") => Type::Histogram,
            Some("summary") => Type::Summary,
            _ => Type::Untyped,
        };
        self.scrape.declare(self.wants[at].family, kind);
    }

    /// The family a sample belongs to, and as what.
    fn wanted(&self, name: &str) -> Option<(usize, &'static str)> {
        if let Some(&at) = self.named.get(name) {
            return Some((at, ""));
        }
        let parts = ["_bucket", "_sum", "_count"].into_iter();
        let mut found = parts.filter_map(|suffix| {
            let at = *self.named.get(name.strip_suffix(suffix)?)?;
            let kind = self.scrape.kind(self.wants[at].family).unwrap_or_default();
            // `foo_count` beside a counter `foo` is another family.
            let whole = matches!(kind, Type::Histogram | Type::Untyped);
            whole.then_some((at, suffix))
        });
        found.next()
    }

    fn sample(&mut self, line: &[u8], end: usize) -> Option<()> {
        let text = std::str::from_utf8(line).ok()?;
        let (at, suffix) = self.wanted(&text[..end])?;
        let (mut labels, rest) = match text[end..].strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (vec![], &text[end..]),
        };
        let mut words = rest.split_ascii_whitespace();
        let value = number(words.next()?)?;
        // A timestamp says when it was measured; the API server writes none, cadvisor does. Exemplars follow a `#`.
        if let Some(stamp) = words.next().filter(|w| !w.starts_with('#')) {
            stamp.parse::<i64>().ok()?;
        }
        let part = match suffix {
            "_sum" => Part::Sum,
            "_count" => Part::Count,
            "_bucket" => {
                let le = labels.iter().position(|(name, _)| name == "le")?;
                Part::Bucket(number(&labels.remove(le).1).filter(|le| !le.is_nan())?)
            }
            _ => Part::Value,
        };
        self.scrape.take(&self.wants[at], &part, &labels, value);
        Some(())
    }
}

fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':');
    !name.is_empty() && name.bytes().all(fits) && !name.as_bytes()[0].is_ascii_digit()
}

/// `NaN`, `+Inf` and `-Inf` are numbers too, written as Go writes them.
fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust takes words that the format does not.
        _ if text.ends_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

type Labels = Vec<(String, String)>;

/// The labels after `{`, and what follows the `}`.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut found: Labels = vec![];
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, after));
        }
        if found.len() >= LABELS {
            return None;
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_end();
        is_name(name).then_some(())?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        found.push((name.to_owned(), value));
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None => rest.starts_with('}').then_some(())?,
        }
    }
}

/// A label value after its opening quote, and what follows the closing one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let c = match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                // Unknown escapes stand for themselves, as in Prometheus.
                other => {
                    push(&mut out, '\\');
                    other
                }
            },
            c => c,
        };
        push(&mut out, c);
    }
    None
}

fn push(out: &mut String, c: char) {
    if out.len() + c.len_utf8() <= LABEL {
        out.push(c);
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
