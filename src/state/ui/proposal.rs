//! A change as it is shown before it is made: a document with one way to say yes.

use crate::state::cell::Role;

/// What is asked of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `y`.
    Yes,
    /// This text, and then `y`.
    Typed(String),
}

/// A change on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// `cordon 3 nodes`.
    pub title: String,
    /// What happens, what is given up, how it is put back; each line with its weight.
    pub lines: Vec<(Role, String)>,
    /// What is asked.
    pub wanted: Wanted,
    /// What was typed so far.
    pub typed: String,
    /// Lines scrolled away.
    pub top: usize,
}

impl Proposal {
    /// Whether `y` would now be a yes.
    pub fn is_ready(&self) -> bool {
        match &self.wanted {
            Wanted::Yes => true,
            Wanted::Typed(word) => *word == self.typed,
        }
    }

    /// Moves the lines.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
    }
}
