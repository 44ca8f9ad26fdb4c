//! Text from a cluster is hostile until cleaned; its width is counted in terminal cells.

use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// Whether a character may reach a terminal: no control characters (C0, DEL, C1), nothing that turns the reading
/// direction (U+202A-E, U+2066-9, marks), nothing invisible, no line separators.
pub fn harmless(c: char) -> bool {
    !matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// One line of cluster text as it may be shown: tabs and newlines become blanks, whatever else is not
/// [`harmless`] becomes `\u{FFFD}`, so that nothing vanishes silently.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mild = |c| match c {
        '\t' | '\n' => ' ',
        c if harmless(c) => c,
        _ => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.chars().map(mild).collect())
}

/// Cells a cleaned text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The words of a text in lines of at most so many cells; a longer word has a line for itself.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = vec![];
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && width(&line) + 1 + width(word) > cells {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cleaned_text_holds_no_control(text in any::<String>()) {
            prop_assert!(clean(&text).chars().all(harmless));
        }
    }

    #[test]
    fn words_are_wrapped_between_and_never_lost() {
        let text = "one two\n\nthree-is-long four";
        assert_eq!(wrap(text, 7), ["one two", "", "three-is-long", "four"]);
        assert_eq!(wrap(text, 5), ["one", "two", "", "three-is-long", "four"]);
    }

    #[test]
    fn an_escape_sequence_is_seen_and_does_nothing() {
        assert_eq!(clean("a\x1b[31mb\nc"), "a\u{fffd}[31mb c");
        assert_eq!(clean("plain"), "plain");
    }
}
