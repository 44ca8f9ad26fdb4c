//! From the text of a filter to its terms.
//!
//! Invariant: whatever is typed either parses or is explained; nothing is guessed.

use super::explain::nearest;
use super::number::{Literal, Op};
use super::pattern::{Pattern, smart_fold};
use super::{Explained, Query, Term, Test, Want};
use crate::state::decl::{Column, Stored, TableSpec, Word};
use regex::RegexBuilder;
use std::ops::Range;

/// Bytes that a compiled regular expression, and its cache of states, may take each.
const REGEX_SIZE: usize = 1 << 20;

pub(super) fn parse(source: &str, spec: &TableSpec) -> Result<Query, Explained> {
    let mut reader = Reader { source, at: 0, spec };
    let mut query = Query { source: source.trim().to_owned(), ..Query::default() };
    let mut all = vec![];
    loop {
        reader.skip_blanks();
        let from = reader.at;
        let bar = reader.take("|");
        if !bar && !reader.rest().is_empty() {
            let (not, test) = reader.term()?;
            all.push(Term { not, test, id: query.terms });
            query.terms += 1;
            continue;
        }
        if all.is_empty() && (bar || !query.any.is_empty()) {
            return explain(from..reader.at, "`|` needs a term on either side: web | api");
        }
        query.any.extend((!all.is_empty()).then(|| std::mem::take(&mut all)));
        if !bar {
            break;
        }
    }
    let text = |word: &Word| matches!(word.ty, Stored::Sym | Stored::Loose);
    query.texts = spec.words.iter().copied().filter(text).collect();
    query.needs = needs(&query, spec);
    Ok(query)
}

fn needs(query: &Query, spec: &TableSpec) -> u64 {
    let of = |term: &Term| match &term.test {
        Test::Text(_) => query.texts.iter().fold(0, |mask, word| mask | word.bit()),
        Test::Label { .. } => spec.labels.bit(),
        Test::Shows(column, _) | Test::Is { column, .. } | Test::Compares(column, ..) => {
            column.needs
        }
    };
    query.any.iter().flatten().fold(0, |mask, term| mask | of(term))
}

fn explain<T>(at: Range<usize>, why: impl Into<String>) -> Result<T, Explained> {
    Err(Explained { at, why: why.into() })
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    spec: &'s TableSpec,
}

/// A value as typed.
enum Typed {
    Plain(String),
    Regex(Pattern),
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.rest().starts_with(mark);
        self.at += if found { mark.len() } else { 0 };
        found
    }

    fn skip_blanks(&mut self) {
        self.at = self.source.len() - self.rest().trim_start().len();
    }

    fn term(&mut self) -> Result<(bool, Test), Explained> {
        let from = self.at;
        let mut not = false;
        while self.take("!") {
            not = !not;
        }
        if self.word_end() == self.at {
            return explain(from..self.at, "`!` needs a term right after it: !text, !column:text");
        }
        let name_at = self.at;
        let Some(name) = self.column_name() else {
            return Ok((not, Test::Text(self.value()?.pattern())));
        };
        if name == "label" {
            return Ok((not, self.label(name_at)?));
        }
        let column = self.column(name, name_at)?;
        let (negated, test) = self.on_column(column, name_at)?;
        Ok((not != negated, test))
    }

    /// The name before a colon, if the term has one; steps over both.
    fn column_name(&mut self) -> Option<&'s str> {
        let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let end = self.rest().find(|c| !in_name(c))?;
        let name = &self.rest()[..end];
        if name.is_empty() || !self.rest()[end..].starts_with(':') {
            return None;
        }
        self.at += end + 1;
        Some(name)
    }

    fn column(&self, name: &str, at: usize) -> Result<&'static Column, Explained> {
        let id = name.to_ascii_lowercase().replace('-', "_");
        let at = at..at + name.len();
        let fits: Vec<_> = self.spec.columns.iter().filter(|c| c.id.starts_with(&id)).collect();
        // What was short for one column stays so when others of its sort come: `mem` is the first of all that begin with
        // the same word.
        let word = |column: &Column| column.id.split('_').next();
        let alike = fits.first().copied().filter(|a| fits.iter().all(|c| word(c) == word(a)));
        match (self.spec.column(&id).or(alike), fits.as_slice()) {
            (Some(column), _) => Ok(column),
            (None, [column]) => Ok(column),
            (None, []) => {
                let near = match nearest(&id, self.spec) {
                    near if near.is_empty() => near,
                    near => format!("; near it: {near}"),
                };
                let why = format!(
                    "no column `{name}` in {}{near}. Text with a colon goes in quotes: \"{name}:...\"",
                    self.spec.id
                );
                explain(at, why)
            }
            (None, several) => {
                let ids: Vec<_> = several.iter().map(|c| c.id).collect();
                explain(at, format!("`{name}` may be {}: write more of it", ids.join(", ")))
            }
        }
    }

    fn on_column(
        &mut self,
        column: &'static Column,
        from: usize,
    ) -> Result<(bool, Test), Explained> {
        let id = column.id;
        let mark = ["!=", ">=", "<=", "=", ">", "<"].into_iter().find(|mark| self.take(mark));
        let at = self.at;
        if self.word_end() == at {
            let mark = mark.unwrap_or_default();
            let example = if mark.contains(['<', '>']) { "5, 500m, 2Gi, 3h" } else { "text" };
            let why = format!("`{id}:{mark}` needs a value right after it, such as {example}");
            return explain(from..at, why);
        }
        let value = self.value()?;
        let Some(mark) = mark else {
            return Ok((false, Test::Shows(column, value.pattern())));
        };
        let Typed::Plain(text) = value else {
            return explain(from..self.at, format!("a regex goes without `{mark}`: {id}:/.../"));
        };
        let number = Literal::read(&text);
        let op = match mark {
            ">" => Op::More,
            ">=" => Op::AtLeast,
            "<" => Op::Less,
            "<=" => Op::AtMost,
            _ => {
                let fold = smart_fold(&text);
                return Ok((mark == "!=", Test::Is { column, text, fold, number }));
            }
        };
        match number {
            Some(number) => Ok((false, Test::Compares(column, op, number))),
            None => {
                let why =
                    format!("`{text}` is no number, quantity (500m, 2Gi) or age (5m, 3h, 2d)");
                explain(at..self.at, why)
            }
        }
    }

    fn label(&mut self, from: usize) -> Result<Test, Explained> {
        const FORMS: &str = "label:key, label:key=value or label:key!=value";
        let empty = self.word_end() == self.at;
        let value = if empty { Typed::Plain(String::new()) } else { self.value()? };
        let Typed::Plain(text) = value else {
            return explain(from..self.at, format!("labels are compared as they are: {FORMS}"));
        };
        let (key, want) = match text.split_once('=') {
            None => (text.as_str(), Want::Any),
            Some((key, value)) => match key.strip_suffix('!') {
                Some(key) => (key, Want::Other(value.to_owned())),
                // kubectl takes `==` for `=`.
                None => (key, Want::Value(value.strip_prefix('=').unwrap_or(value).to_owned())),
            },
        };
        if key.is_empty() {
            return explain(from..self.at, format!("`label:` needs a key: {FORMS}"));
        }
        Ok(Test::Label { key: key.to_owned(), want })
    }

    /// Where a word that is not quoted would end.
    fn word_end(&self) -> usize {
        let end = self.rest().find(|c: char| c.is_whitespace() || c == '|');
        end.map_or(self.source.len(), |end| self.at + end)
    }

    fn value(&mut self) -> Result<Typed, Explained> {
        let from = self.at;
        if self.take("\"") {
            let text = self.until('"', from, "the quote is not closed: put `\"` at its end")?;
            return Ok(Typed::Plain(text));
        }
        if self.take("/") {
            let text = self.until('/', from, "the regex is not closed: put `/` at its end")?;
            return Ok(Typed::Regex(regex(&text, from..self.at)?));
        }
        self.at = self.word_end();
        Ok(Typed::Plain(self.source[from..self.at].to_owned()))
    }

    /// Text up to a closing mark, which a backslash makes part of the text.
    fn until(&mut self, close: char, from: usize, why: &str) -> Result<String, Explained> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            if c == close {
                self.at += at + 1;
                return Ok(text);
            }
            match (c, chars.as_str().chars().next()) {
                ('\\', Some(next)) if next == close => {
                    text.push(next);
                    chars.next();
                }
                // Other escapes are the regex's own; `\\` must not make the next mark an escaped one.
                ('\\', Some('\\')) => {
                    text.push_str(if close == '/' { "\\\\" } else { "\\" });
                    chars.next();
                }
                _ => text.push(c),
            }
        }
        explain(from..self.source.len(), why)
    }
}

impl Typed {
    fn pattern(self) -> Pattern {
        match self {
            Typed::Plain(text) => Pattern::part(&text),
            Typed::Regex(pattern) => pattern,
        }
    }
}

fn regex(text: &str, at: Range<usize>) -> Result<Pattern, Explained> {
    let built = RegexBuilder::new(text)
        .case_insensitive(regex_fold(text))
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_SIZE)
        .build();
    match built {
        Ok(regex) => Ok(Pattern::Regex(regex)),
        Err(regex::Error::CompiledTooBig(_)) => {
            explain(at, "the regex grows too large: use smaller repetitions")
        }
        Err(error) => {
            // The library draws the place over several lines; the last one is the sentence.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            let why = last.trim_start_matches("error: ");
            explain(at, format!("the regex cannot be read: {why}"))
        }
    }
}

/// Smart case of a regex: the letter of a class such as `\S` is no text.
fn regex_fold(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c.is_uppercase() {
            return false;
        }
    }
    true
}
