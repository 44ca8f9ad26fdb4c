//! A line being typed: filter or palette. Pure editing; what is completed comes from outside.

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// `/`: rows that match stay.
    Filter,
    /// `:`: a view, an action, a context, a namespace.
    Command,
    /// `/` in a document.
    Search,
    /// What an action needs to know: its name for it, and how it is written.
    Argument(&'static str, &'static str),
}

/// The line.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Its purpose.
    pub asking: Asking,
    /// The text.
    pub text: String,
    /// Cursor, as a byte offset on a character boundary.
    pub cursor: usize,
    /// What could be meant, best first.
    pub candidates: Vec<Candidate>,
    /// The candidate picked with tab.
    pub picked: Option<usize>,
    /// Why the text means nothing, with the range it is about.
    pub wrong: Option<(std::ops::Range<usize>, String)>,
    /// What stood there before, to come back to on escape.
    pub before: String,
    /// Position while walking through what was typed earlier.
    pub past: Option<usize>,
}

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole line it stands for.
    pub line: String,
    /// What it does.
    pub note: String,
}

impl Prompt {
    /// A line that starts with `text`.
    pub fn new(asking: Asking, text: &str) -> Prompt {
        Prompt {
            asking,
            text: text.to_owned(),
            cursor: text.len(),
            candidates: vec![],
            picked: None,
            wrong: None,
            before: text.to_owned(),
            past: None,
        }
    }

    /// Types text at the cursor.
    pub fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        self.picked = None;
    }

    /// Replaces the line.
    pub fn set(&mut self, text: &str) {
        self.text = text.to_owned();
        self.cursor = text.len();
    }

    /// Deletes the character before the cursor; whether there was one.
    pub fn backspace(&mut self) -> bool {
        let at = self.left();
        let any = at < self.cursor;
        self.text.drain(at..self.cursor);
        self.cursor = at;
        self.picked = None;
        any
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        let head = self.text[..self.cursor].trim_end();
        let at = head.rfind(|c: char| c.is_whitespace() || c == ':').map_or(0, |i| i + 1);
        self.text.drain(at..self.cursor);
        self.cursor = at;
        self.picked = None;
    }

    /// Deletes everything before the cursor.
    pub fn delete_line(&mut self) {
        self.text.drain(..self.cursor);
        self.cursor = 0;
        self.picked = None;
    }

    /// One character left (`-1`) or right (`1`).
    pub fn step(&mut self, by: i32) {
        self.cursor = if by < 0 { self.left() } else { self.right() };
    }

    fn left(&self) -> usize {
        self.text[..self.cursor].char_indices().next_back().map_or(0, |(i, _)| i)
    }

    fn right(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }

    /// Picks the next (or the one before) completion and puts it in the line.
    pub fn pick(&mut self, back: bool) {
        let n = self.candidates.len();
        if n == 0 {
            return;
        }
        let at = match (self.picked, back) {
            (None, false) => 0,
            (None, true) => n - 1,
            (Some(i), false) => (i + 1) % n,
            (Some(i), true) => (i + n - 1) % n,
        };
        let line = self.candidates[at].line.clone();
        self.set(&line);
        self.picked = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_keeps_to_character_boundaries() {
        let mut p = Prompt::new(Asking::Filter, "naïve");
        p.step(-1);
        p.step(-1);
        assert!(p.backspace());
        assert_eq!((p.text.as_str(), p.cursor), ("nave", 2));
        p.step(1);
        p.insert("ü ");
        p.delete_word();
        assert_eq!(p.text, "e");
    }

    #[test]
    fn tab_walks_round_the_candidates() {
        let mut p = Prompt::new(Asking::Command, "n");
        let line = |s: &str| Candidate { line: s.into(), note: String::new() };
        p.candidates = vec![line("nodes"), line("namespaces")];
        p.pick(true);
        assert_eq!(p.text, "namespaces");
        p.pick(false);
        assert_eq!(p.text, "nodes");
    }
}
