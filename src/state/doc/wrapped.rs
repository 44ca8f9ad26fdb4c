//! A line over several rows of the screen: what an operator has to read must not end in an ellipsis.

use super::Line;
use crate::state::cell::Role;
use crate::state::text::{clean, width};

/// The rows a line takes in so many cells, cut between words. What goes on stands below the last piece of the line, which
/// is its value; below its first word, if there would be no room left.
pub fn wrapped(line: &Line, cells: usize) -> Vec<Line> {
    let spans: Vec<(Role, String)> =
        line.spans.iter().map(|(role, text)| (*role, clean(text).into_owned())).collect();
    let whole: String = spans.iter().map(|(_, text)| text.as_str()).collect();
    if cells == 0 || width(&whole) <= cells {
        return vec![line.clone()];
    }
    let before: usize = spans.iter().rev().skip(1).map(|(_, text)| width(text)).sum();
    let blank = whole.len() - whole.trim_start().len();
    let indent = if spans.len() > 1 && before <= cells / 2 { before } else { blank.min(cells / 2) };
    let mut rows = Rows { rows: vec![Line::default()], used: 0, indent, cells };
    for (role, text) in &spans {
        for word in text.split_inclusive(' ') {
            rows.word(*role, word);
        }
    }
    rows.rows
}

struct Rows {
    rows: Vec<Line>,
    used: usize,
    indent: usize,
    cells: usize,
}

impl Rows {
    fn word(&mut self, role: Role, word: &str) {
        let bare = word.trim_end();
        if self.used + width(bare) > self.cells && self.used > self.indent && !bare.is_empty() {
            self.next();
        }
        if self.used + width(bare) <= self.cells {
            return self.put(role, word);
        }
        // A word that is longer than a row: digests, addresses, paths.
        for letter in word.chars() {
            let letter = letter.to_string();
            if self.used + width(&letter) > self.cells {
                self.next();
            }
            self.put(role, &letter);
        }
    }

    fn next(&mut self) {
        self.rows.push(Line::of(Role::Plain, " ".repeat(self.indent)));
        self.used = self.indent;
    }

    fn put(&mut self, role: Role, text: &str) {
        self.used += width(text);
        let Some(row) = self.rows.last_mut() else { return };
        match row.spans.last_mut() {
            Some((last, words)) if *last == role => words.push_str(text),
            _ => row.push(role, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(line: &Line, cells: usize) -> Vec<String> {
        wrapped(line, cells).iter().map(|row| row.text().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_value_goes_on_below_itself() {
        let mut line = Line::of(Role::Dim, "Verdict   ");
        line.push(Role::Bad, "gone: its controller is gone");
        assert_eq!(
            texts(&line, 24),
            ["Verdict   gone: its", "          controller is", "          gone"]
        );
        assert_eq!(texts(&line, 60), ["Verdict   gone: its controller is gone"]);
    }

    #[test]
    fn a_word_longer_than_a_row_is_cut_and_labels_too_wide_give_way() {
        assert_eq!(
            texts(&Line::of(Role::Plain, "  0123456789 ab"), 6),
            ["  0123", "  4567", "  89", "  ab"]
        );
        let mut line = Line::of(Role::Dim, "a long label ");
        line.push(Role::Plain, "its value");
        assert_eq!(texts(&line, 14), ["a long label", "its value"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_row_is_too_wide(words in prop::collection::vec("[a-z]{1,12}", 1..20), cells in 8usize..40) {
            let mut line = Line::of(Role::Dim, "key ");
            line.push(Role::Plain, words.join(" "));
            let rows = wrapped(&line, cells);
            for row in &rows {
                prop_assert!(width(row.text().trim_end()) <= cells, "{rows:?}");
            }
            let letters = |text: String| text.split_whitespace().collect::<String>();
            let all: String = rows.iter().map(|row| row.text()).collect();
            prop_assert_eq!(letters(all), letters(line.text()));
        }
    }
}
