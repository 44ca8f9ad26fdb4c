//! A page of lines that are about things: the board of a drain. Lines are made anew whenever something happened; the
//! cursor stays on what it is about.

use crate::state::cell::Role;

/// What a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// Nothing that can be acted on.
    #[default]
    Text,
    /// A class of pods, by its id.
    Class(String),
    /// A node, by name.
    Node(String),
    /// A pod, by uid.
    Pod(String),
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardLine {
    /// What it is about.
    pub about: About,
    /// Its words, each with its weight.
    pub spans: Vec<(Role, String)>,
    /// What more there is to say once the cursor is on it.
    pub detail: Vec<(Role, String)>,
}

impl BoardLine {
    /// A line about nothing.
    pub fn text(role: Role, words: impl Into<String>) -> BoardLine {
        BoardLine { spans: vec![(role, words.into())], ..BoardLine::default() }
    }

    /// A line about something.
    pub fn of(about: About, spans: Vec<(Role, String)>) -> BoardLine {
        BoardLine { about, spans, detail: vec![] }
    }

    /// Its words alone.
    pub fn words(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// The second line of the screen.
    pub title: Vec<(Role, String)>,
    /// The same, at its right end.
    pub right: Vec<(Role, String)>,
    /// The lines.
    pub lines: Vec<BoardLine>,
    /// Keys that work, as (command, word, whether it does something now).
    pub offers: Vec<(&'static str, &'static str, bool)>,
    /// The line the cursor is on.
    pub cursor: usize,
    /// First line shown.
    pub top: usize,
}

impl Board {
    /// What the cursor is on.
    pub fn here(&self) -> &About {
        self.lines.get(self.cursor).map_or(&About::Text, |line| &line.about)
    }

    /// Other lines. The cursor follows what it was on; where that is gone it stays at its height.
    pub fn set(&mut self, lines: Vec<BoardLine>) {
        let was = self.here().clone();
        self.lines = lines;
        if was != About::Text
            && let Some(at) = self.lines.iter().position(|line| line.about == was)
        {
            self.cursor = at;
        }
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// Moves the cursor, and what is shown with it.
    pub fn walk(&mut self, by: i64, height: u16) {
        let last = self.lines.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64).saturating_add(by).clamp(0, last) as usize;
        self.keep(height);
    }

    /// Keeps the cursor among the lines shown.
    pub fn keep(&mut self, height: u16) {
        let height = usize::from(height).max(1);
        if self.cursor < self.top {
            self.top = self.cursor;
        } else if self.cursor >= self.top + height {
            self.top = self.cursor + 1 - height;
        }
        // The headings above the first line that can be acted on are seen with it.
        if self.cursor < height && self.lines[..self.cursor].iter().all(|l| l.about == About::Text)
        {
            self.top = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(names: &[&str]) -> Vec<BoardLine> {
        let pod = |n: &&str| BoardLine::of(About::Pod((*n).to_owned()), vec![]);
        names.iter().map(pod).collect()
    }

    #[test]
    fn the_cursor_follows_what_it_is_on_and_stays_where_that_is_gone() {
        let mut board = Board::default();
        board.set(pods(&["a", "b", "c"]));
        board.walk(1, 10);
        board.set(pods(&["x", "a", "b", "c"]));
        assert_eq!((board.cursor, board.here()), (2, &About::Pod("b".into())));
        board.set(pods(&["x", "a", "c"]));
        assert_eq!(board.here(), &About::Pod("c".into()));
        board.set(vec![]);
        assert_eq!(board.here(), &About::Text);
    }

    #[test]
    fn the_cursor_is_always_shown() {
        let mut board = Board::default();
        board.set(pods(&["a", "b", "c", "d", "e"]));
        for (by, top) in [(1, 0), (1, 1), (2, 3), (-3, 1), (i64::MIN / 2, 0), (99, 3)] {
            board.walk(by, 2);
            assert_eq!(board.top, top, "{by}");
        }
    }
}
