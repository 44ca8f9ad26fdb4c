//! What the terminal at the other end can show and take, read from the environment and the flags.
//!
//! Invariant: decided once, before anything is drawn, from values passed in; the terminal is never asked (multiplexers
//! answer for somebody else, and a slow link answers too late).

use super::bucket::Rate;
use std::time::Duration;

/// How many colours are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None (`NO_COLOR`); bold, underline and reverse stay.
    Mono,
    /// The sixteen of the terminal's own palette.
    Ansi16,
    /// The xterm palette.
    Ansi256,
    /// 24 bits.
    Rgb,
}

/// Which glyphs may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Any.
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// The multiplexer we run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mux {
    /// None that can be seen from here.
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// How the row under the cursor is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorStyle {
    /// Reversed from edge to edge.
    Bar,
    /// A `>` before it: a tenth of the bytes.
    Marker,
}

/// `--link`: how much may be written to the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Link {
    /// 8 KB/s.
    Slow,
    /// 32 KB/s over SSH, else unlimited.
    #[default]
    Auto,
    /// Unlimited.
    Fast,
}

/// What was asked for on the command line, and what standard input and output are.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// `--ascii`.
    pub ascii: bool,
    /// `--link`.
    pub link: Link,
    /// Standard input and standard output are terminals.
    pub tty: bool,
}

/// The terminal, as far as it concerns us.
#[derive(Clone, Debug, PartialEq)]
pub struct TermProfile {
    /// Colours.
    pub depth: Depth,
    /// Glyphs.
    pub glyphs: Glyphs,
    /// The operator sits at another machine: `SSH_CONNECTION`, `SSH_TTY` or `SSH_CLIENT` is set.
    pub ssh: bool,
    /// The multiplexer.
    pub mux: Mux,
    /// Bytes per second that may be written; `None` is unlimited.
    pub budget: Option<Rate>,
    /// The cursor's row.
    pub cursor: CursorStyle,
    /// How long a lone ESC is held before it counts as the Escape key.
    pub esc_wait: Duration,
}

/// Why there can be no screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "There is no screen to draw on: {why}. Nothing was done. `wheelhouse print nodes` (or pods, namespaces, ...) writes \
     the same rows as text, and `wheelhouse doctor` tells what works from here."
)]
pub struct NoTerminal {
    why: String,
}

const SSH_BUDGET: Rate = Rate::per_second(32 * 1024);
const SLOW_BUDGET: Rate = Rate::per_second(8 * 1024);

/// Reads the profile from the environment (`env` answers for one variable) and the flags.
///
/// # Errors
/// Standard input or output is no terminal, or `TERM` names none that can move its cursor.
pub fn detect(
    env: &dyn Fn(&str) -> Option<String>,
    asked: Asked,
) -> Result<TermProfile, NoTerminal> {
    let var = |name: &str| env(name).filter(|v| !v.is_empty());
    if !asked.tty {
        let why = "standard input or standard output is not a terminal".to_owned();
        return Err(NoTerminal { why });
    }
    let term = match var("TERM") {
        None => return Err(NoTerminal { why: "TERM is not set".to_owned() }),
        Some(t) if t == "dumb" || t == "unknown" => {
            return Err(NoTerminal { why: format!("TERM={t} cannot move its cursor") });
        }
        Some(t) => t,
    };
    let ssh = ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"].iter().any(|name| var(name).is_some());
    let mux = if var("TMUX").is_some() {
        Mux::Tmux
    } else if var("STY").is_some() || term.starts_with("screen") {
        Mux::Screen
    } else {
        Mux::None
    };
    let budget = match asked.link {
        Link::Slow => Some(SLOW_BUDGET),
        Link::Auto => ssh.then_some(SSH_BUDGET),
        Link::Fast => None,
    };
    let ascii = asked.ascii || term == "linux" || !speaks_utf8(&var);
    Ok(TermProfile {
        depth: depth(&var, &term, ssh),
        glyphs: if ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        ssh,
        mux,
        budget,
        cursor: if asked.link == Link::Slow { CursorStyle::Marker } else { CursorStyle::Bar },
        esc_wait: Duration::from_millis(if ssh { 100 } else { 25 }),
    })
}

/// <https://no-color.org>: any value but the empty one. Over SSH sixteen colours unless `COLORTERM` came along: they
/// cost fewer bytes and follow the operator's palette.
fn depth(var: &dyn Fn(&str) -> Option<String>, term: &str, ssh: bool) -> Depth {
    if var("NO_COLOR").is_some() {
        return Depth::Mono;
    }
    match var("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => Depth::Rgb,
        _ if term.contains("256color") && !ssh => Depth::Ansi256,
        _ => Depth::Ansi16,
    }
}

/// The first of these that is set decides, as in setlocale(3). No locale at all is the C locale.
fn speaks_utf8(var: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| var(name));
    let codeset = locale.unwrap_or_default().to_ascii_lowercase().replace('-', "");
    codeset.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Asked = Asked { ascii: false, link: Link::Auto, tty: true };

    fn with(vars: &[(&str, &str)], asked: Asked) -> Result<TermProfile, NoTerminal> {
        let find = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        detect(&find, asked)
    }

    fn local(vars: &[(&str, &str)]) -> TermProfile {
        let vars = [&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")], vars].concat();
        // A later variable replaces an earlier one, as the tests below need.
        let vars: Vec<_> = vars.into_iter().rev().collect();
        with(&vars, HERE).unwrap()
    }

    #[test]
    fn without_a_screen_it_refuses_and_names_print() {
        let no_tty = with(&[("TERM", "xterm")], Asked { tty: false, ..HERE });
        let cases = [
            no_tty,
            with(&[], HERE),
            with(&[("TERM", "")], HERE),
            with(&[("TERM", "dumb")], HERE),
            with(&[("TERM", "unknown")], HERE),
        ];
        for refused in cases {
            let why = refused.unwrap_err().to_string();
            assert!(why.contains("wheelhouse print") && why.contains("Nothing was done"), "{why}");
        }
    }

    #[test]
    fn colours_follow_no_color_then_colorterm_then_term() {
        assert_eq!(local(&[]).depth, Depth::Ansi256);
        assert_eq!(local(&[("COLORTERM", "truecolor")]).depth, Depth::Rgb);
        assert_eq!(local(&[("COLORTERM", "24bit"), ("SSH_TTY", "/dev/pts/1")]).depth, Depth::Rgb);
        assert_eq!(local(&[("TERM", "xterm")]).depth, Depth::Ansi16);
        assert_eq!(local(&[("SSH_CONNECTION", "a b")]).depth, Depth::Ansi16);
        assert_eq!(local(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]).depth, Depth::Mono);
        assert_eq!(local(&[("NO_COLOR", "")]).depth, Depth::Ansi256);
    }

    #[test]
    fn glyphs_are_ascii_unless_the_locale_speaks_utf8() {
        let cases = [
            (&[("LANG", "de_DE.UTF-8")][..], Glyphs::Unicode),
            (&[("LANG", "de_DE.utf8")], Glyphs::Unicode),
            (&[("LANG", "C")], Glyphs::Ascii),
            (&[("LANG", "de_DE")], Glyphs::Ascii),
            (&[("LANG", "zh_CN.GB18030")], Glyphs::Ascii),
            (&[("LC_ALL", "POSIX")], Glyphs::Ascii),
            (&[("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8")], Glyphs::Unicode),
            (&[("LC_ALL", "C"), ("LC_CTYPE", "en_US.UTF-8")], Glyphs::Ascii),
            (&[("TERM", "linux")], Glyphs::Ascii),
        ];
        for (vars, glyphs) in cases {
            assert_eq!(local(vars).glyphs, glyphs, "{vars:?}");
        }
        let vars = [("TERM", "xterm"), ("LANG", "C.UTF-8")];
        assert_eq!(with(&vars, Asked { ascii: true, ..HERE }).unwrap().glyphs, Glyphs::Ascii);
        assert_eq!(
            with(&vars[..1], HERE).unwrap().glyphs,
            Glyphs::Ascii,
            "no locale is the C locale"
        );
    }

    #[test]
    fn the_link_decides_budget_cursor_and_patience() {
        let near = local(&[]);
        assert_eq!((near.budget, near.cursor), (None, CursorStyle::Bar));
        assert_eq!(near.esc_wait, Duration::from_millis(25));
        let far = local(&[("SSH_CLIENT", "10.0.0.1 5 22")]);
        assert_eq!((far.budget, far.ssh), (Some(SSH_BUDGET), true));
        assert_eq!(far.esc_wait, Duration::from_millis(100));
        let vars = [("TERM", "xterm"), ("SSH_TTY", "/dev/pts/1")];
        let slow = with(&vars, Asked { link: Link::Slow, ..HERE }).unwrap();
        assert_eq!((slow.budget, slow.cursor), (Some(SLOW_BUDGET), CursorStyle::Marker));
        assert_eq!(with(&vars, Asked { link: Link::Fast, ..HERE }).unwrap().budget, None);
    }

    #[test]
    fn tmux_comes_before_screen() {
        assert_eq!(local(&[]).mux, Mux::None);
        assert_eq!(local(&[("STY", "1.pts")]).mux, Mux::Screen);
        assert_eq!(local(&[("TERM", "screen-256color")]).mux, Mux::Screen);
        assert_eq!(local(&[("TERM", "screen-256color"), ("TMUX", "/tmp/s,1,0")]).mux, Mux::Tmux);
    }
}
