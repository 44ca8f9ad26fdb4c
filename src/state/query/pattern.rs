//! Text to look for: a substring or a regular expression.
//!
//! Invariant: needles that ignore case are kept in lower case; case is folded for ASCII only, which is all that names
//! and reasons in Kubernetes use.

use regex::Regex;

/// What to look for in a text.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// A substring; `fold`: whatever its case.
    Part { needle: String, fold: bool },
    /// A regular expression.
    Regex(Regex),
}

/// Whether a text has no upper case, so that it is meant for both.
pub(super) fn smart_fold(text: &str) -> bool {
    !text.chars().any(char::is_uppercase)
}

impl Pattern {
    pub fn part(needle: &str) -> Pattern {
        Pattern::Part { needle: needle.to_owned(), fold: smart_fold(needle) }
    }

    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Pattern::Part { needle, fold } => contains(text.as_bytes(), needle.as_bytes(), *fold),
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether it is in `stem` + `tail` although it was not found in `stem`. `scratch` saves an allocation.
    pub fn is_across(&self, stem: &str, tail: &str, scratch: &mut String) -> bool {
        scratch.clear();
        match self {
            Pattern::Part { needle, fold } => {
                // Only the end of the stem can take part.
                let mut from = stem.len().saturating_sub(needle.len().saturating_sub(1));
                while !stem.is_char_boundary(from) {
                    from -= 1;
                }
                scratch.push_str(&stem[from..]);
                scratch.push_str(tail);
                contains(scratch.as_bytes(), needle.as_bytes(), *fold)
            }
            Pattern::Regex(regex) => {
                scratch.push_str(stem);
                scratch.push_str(tail);
                regex.is_match(scratch)
            }
        }
    }

    /// Whether a match in `stem` alone says that the whole name matches: a regex may be anchored.
    pub fn is_local(&self) -> bool {
        matches!(self, Pattern::Part { .. })
    }

    /// Whether each text it is in has `old` in it too.
    pub fn implies(&self, old: &Pattern) -> bool {
        match (self, old) {
            // Who holds an upper-case needle has upper case too, so `new` cannot be the one that folds alone.
            (Pattern::Part { needle: new, .. }, Pattern::Part { needle: old, fold }) => {
                contains(new.as_bytes(), old.as_bytes(), *fold)
            }
            (Pattern::Regex(new), Pattern::Regex(old)) => new.as_str() == old.as_str(),
            _ => false,
        }
    }
}

fn contains(text: &[u8], needle: &[u8], fold: bool) -> bool {
    let Some(&first) = needle.first() else { return true };
    if text.len() < needle.len() {
        return false;
    }
    let starts = &text[..=text.len() - needle.len()];
    let same = |at: usize| match fold {
        true => text[at..at + needle.len()].eq_ignore_ascii_case(needle),
        false => &text[at..at + needle.len()] == needle,
    };
    let first_fits = |b: u8| b == first || fold && b.to_ascii_lowercase() == first;
    starts.iter().enumerate().any(|(at, &b)| first_fits(b) && same(at))
}
