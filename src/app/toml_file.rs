//! The operator's TOML files: what is wrong with one is told with its name, line and column, and what of it is of a newer
//! version is a warning.

use crate::state::nearest;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) fn entry<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> Option<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    table.iter().find(|(k, _)| k.get_ref().as_ref() == key)
}

/// A file being read: everything that is wrong with it is told with its place.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    /// What follows from a mistake, a sentence without its full stop.
    pub(super) outcome: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'a>>, String> {
        DeTable::parse(self.text).map_err(|e| self.wrong(e.span().unwrap_or(0..0), e.message()))
    }

    /// Line and column of a byte, from 1; columns count characters.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let head = self.text.get(..at.min(self.text.len())).unwrap_or_default();
        let line = head.matches('\n').count() + 1;
        let column = head.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    pub(super) fn wrong(&self, span: Range<usize>, why: &str) -> String {
        let (line, column) = self.place(span.start);
        let file = self.file.display();
        format!("{file}, line {line}, column {column}: {why}. {}", self.outcome)
    }

    /// The version the file says it is of, from 1.
    pub(super) fn version(&self, table: &DeTable<'_>) -> Result<Option<i64>, String> {
        let Some((key, value)) = entry(table, "version") else { return Ok(None) };
        let number = value.get_ref().as_integer().and_then(|n| n.as_str().parse().ok());
        let number = number.filter(|n| *n >= 1);
        number.map(Some).ok_or_else(|| self.wrong(key.span(), "`version` is a number from 1"))
    }

    /// Keys that are not known are mistakes, or of a newer version and told.
    pub(super) fn check_keys(
        &self,
        table: &DeTable<'_>,
        known: &[&str],
        newer: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(), String> {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            if !newer {
                let hint = nearest::hint(name, known.iter().copied());
                return Err(self.wrong(key.span(), &format!("there is no key `{name}`{hint}")));
            }
            let (line, column) = self.place(key.span().start);
            warnings.push(format!(
                "{}, line {line}, column {column}: `{name}` is of a newer wheelhouse and was left out of account",
                self.file.display()
            ));
        }
        Ok(())
    }
}
