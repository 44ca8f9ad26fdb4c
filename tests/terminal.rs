//! The built binary on a terminal of its own: the terminal is left as it was found, and what is written to it is what it
//! can take.

#![allow(clippy::unwrap_used, reason = "its helpers fail as its tests do")]

#[path = "support/pty.rs"]
mod pty;

use base64::Engine as _;
use pty::{Pty, Start, WHEELHOUSE, rows, signal_to};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vt100::Screen;
use wheelhouse::app::terminal::input::Input;
use wheelhouse::app::terminal::profile::{Asked, Link, detect};
use wheelhouse::app::terminal::{Event, Terminal};

/// Set for the copy of this test binary that plays the program on a terminal.
const ON_STAGE: &str = "TERMINAL_TEST_ON_STAGE";
/// The first node of the demo, in every view of nodes.
const FIRST: &str = "demo-a-01";
const DEMO: [&str; 2] = [WHEELHOUSE, "--demo"];

fn demo_alone() -> Start {
    Start::alone(&["--demo"])
}

/// The demo's nodes, in a terminal that was in use before.
fn demo_in_use() -> Pty {
    let pty = Start::in_use(&DEMO).go();
    pty.until_text(FIRST);
    let modes = pty.modes();
    assert!(!modes.cooked() && modes != *pty.modes_found(), "raw while it runs: {modes:?}");
    pty.screen(|screen| {
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    });
    pty
}

/// The terminal does what it did before wheelhouse started, and shows what it showed.
fn assert_as_found(pty: &Pty) {
    assert_eq!(pty.modes(), *pty.modes_found());
    pty.screen(|screen| {
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pastes are not marked");
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
        assert!(!screen.inverse() && !screen.bold());
    });
    for (mode, left) in [("1004", "l"), ("2026", "l")] {
        let set =
            |s: &String| s == &format!("csi ?[[{mode}]]h") || s == &format!("csi ?[[{mode}]]l");
        let last = pty.strange().into_iter().rfind(set);
        assert!(last.is_some_and(|s| s.ends_with(left)), "{mode} is off");
    }
}

/// And the text that was there before is still there.
fn assert_earlier_text(pty: &Pty) {
    assert_eq!(pty.rows()[0], "earlier text");
}

/// What stands in the row under the cursor.
fn cursor_row(screen: &Screen) -> Option<String> {
    rows(screen).into_iter().find(|row| row.starts_with('>'))
}

// ---- Leaving ----

#[test]
fn quitting_leaves_the_terminal_as_it_was_found() {
    for keys in ["ZZ", "\x03"] {
        let pty = demo_in_use();
        pty.send(keys);
        assert_eq!(pty.code_shown(), 0, "{keys:?}");
        assert_as_found(&pty);
        assert_earlier_text(&pty);
        assert_eq!(pty.rows()[2..].concat(), "ended 0.", "nothing else was printed");
    }
}

#[test]
fn a_signal_to_end_leaves_the_terminal_as_it_was_found() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
        let pty = demo_in_use();
        signal_to(pty.pid_shown(), signal);
        assert_eq!(pty.code_shown(), 128 + signal);
        assert_as_found(&pty);
        assert_earlier_text(&pty);
    }
}

#[test]
fn a_hang_up_by_signal_leaves_the_terminal_as_it_was_found() {
    let pty = demo_in_use();
    let started = Instant::now();
    signal_to(pty.pid_shown(), libc::SIGHUP);
    assert_eq!(pty.code_shown(), 128 + libc::SIGHUP);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_as_found(&pty);
    assert_earlier_text(&pty);
}

#[test]
fn it_ends_with_its_terminal() {
    // With a controlling terminal the kernel sends SIGHUP; without one a read or a write has to tell.
    for start in [demo_alone(), demo_alone().uncontrolled()] {
        let mut pty = start.go();
        pty.until_text(FIRST);
        let took = pty.hang_up();
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
}

#[test]
fn a_stuck_line_does_not_keep_it_from_ending() {
    let pty = demo_in_use();
    pty.stall(true);
    let started = Instant::now();
    signal_to(pty.pid_shown(), libc::SIGTERM);
    // What would leave the screen cannot be written; the modes can be restored beside it.
    pty.until_modes_found();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    pty.stall(false);
    pty.until_raw("the shell", |raw| raw.ends_with(b"ended 143.\r\n"));
}

// ---- Stopping ----

#[test]
fn the_suspend_key_gives_the_terminal_to_the_shell_and_fg_repaints_it() {
    let pty = Start::program(&["sh", "-i"]).env("PS1", "ready> ").go();
    pty.until_text("ready>");
    pty.send(&format!("set +o emacs +o vi; echo earlier $((1 + 1)) text\n{WHEELHOUSE} --demo\n"));
    pty.until_text(FIRST);
    pty.send("\x1a");
    pty.until("the prompt", |screen| {
        let rows = rows(screen);
        rows.iter().any(|r| r == "earlier 2 text")
            && rows.iter().rfind(|r| !r.is_empty()).is_some_and(|r| r.ends_with("ready>"))
            && rows.iter().any(|r| r.contains("topped"))
    });
    assert_as_found(&pty);
    pty.send("fg\n");
    pty.until("the whole screen", |screen| {
        let rows = rows(screen);
        screen.alternate_screen()
            && rows[0].contains("DEMO")
            && rows[2].contains("NAME")
            && rows[3].contains(FIRST)
            && rows[29].contains("? help")
    });
    assert!(!pty.modes().cooked());
    pty.send("ZZ");
    pty.until("the shell", |screen| !screen.alternate_screen());
    pty.send("echo code $?.\n");
    pty.until_text("code 0.");
    assert_as_found(&pty);
    pty.send("exit\n");
    pty.end();
}

#[test]
fn without_a_shell_to_go_back_to_the_suspend_key_says_so_in_words() {
    let alone = demo_alone().go();
    alone.until_text(FIRST);
    let in_script = demo_in_use();
    for pty in [alone, in_script] {
        pty.send("\x1a");
        pty.until_text("there is no shell to go back to");
        pty.send("j");
        pty.until("it goes on", |s| cursor_row(s).is_some_and(|row| row.contains("demo-a-02")));
        assert!(pty.screen(Screen::alternate_screen));
    }
}

#[test]
fn stopped_and_continued_from_outside_it_repaints() {
    let pty = demo_in_use();
    let pid = pty.pid_shown();
    signal_to(pid, libc::SIGTSTP);
    pty.until("the primary screen", |screen| !screen.alternate_screen());
    pty.until_state(pid, 'T');
    assert_as_found(&pty);
    assert_earlier_text(&pty);
    signal_to(pid, libc::SIGCONT);
    pty.until("the screen again", |screen| {
        screen.alternate_screen() && screen.contents().contains(FIRST)
    });
    assert!(!pty.modes().cooked());

    // Nobody can be warned of SIGSTOP: whatever was written meanwhile is drawn over.
    signal_to(pid, libc::SIGSTOP);
    pty.until_state(pid, 'T');
    let before = pty.raw().len();
    signal_to(pid, libc::SIGCONT);
    pty.until_raw("drawn whole", |raw| {
        let new = String::from_utf8_lossy(&raw[before..]);
        new.contains("DEMO") && new.contains("demo-cp-c")
    });
    pty.send("ZZ");
    assert_eq!(pty.code_shown(), 0);
    assert_as_found(&pty);
}

// ---- Panics and lending: this binary again, on a terminal ----

/// Runs the test of this name once more on a terminal, where [`on_stage`] is true.
fn stage(test: &str) -> Pty {
    let own = std::env::current_exe().unwrap();
    let words = [own.to_str().unwrap(), "--exact", test, "--nocapture"];
    Start::in_use(&words).env(ON_STAGE, "1").env("RUST_BACKTRACE", "0").size(200, 40).go()
}

fn on_stage() -> bool {
    std::env::var_os(ON_STAGE).is_some()
}

/// The terminal as the cockpit opens it, with a screen that says `text`.
fn open(text: &'static str) -> (Terminal, std::sync::mpsc::Receiver<Event>) {
    let asked = Asked { ascii: false, link: Link::Fast, tty: true };
    let profile = detect(&|name| std::env::var(name).ok(), asked).unwrap();
    let (tx, events) = std::sync::mpsc::channel();
    let tx = std::sync::Mutex::new(tx);
    let tell = move |event| drop(tx.lock().unwrap().send(event));
    let mut terminal = Terminal::open(&profile, tell).unwrap();
    draw(&mut terminal, text);
    (terminal, events)
}

fn draw(terminal: &mut Terminal, text: &'static str) {
    terminal.draw(|frame| frame.render_widget(text, frame.area()));
}

/// Waits for the next key.
fn key(events: &std::sync::mpsc::Receiver<Event>) {
    while !matches!(events.recv(), Ok(Event::Input(Input::Key(..)))) {}
}

#[test]
fn a_panic_of_the_ui_leaves_the_terminal_before_it_is_told() {
    if on_stage() {
        let (_terminal, events) = open("the cockpit");
        key(&events);
        panic!("the ui has a bug");
    }
    let pty = stage("a_panic_of_the_ui_leaves_the_terminal_before_it_is_told");
    pty.until_text("the cockpit");
    assert!(pty.screen(Screen::alternate_screen) && !pty.modes().cooked());
    pty.send("x");
    assert_eq!(pty.code_shown(), 101);
    assert_as_found(&pty);
    assert_earlier_text(&pty);
    let shown = pty.rows();
    let told = shown.iter().position(|row| row == "the ui has a bug");
    let told = told.unwrap_or_else(|| panic!("{shown:?}"));
    assert!(shown[told - 1].contains("panicked at"), "from its first column: {shown:?}");
}

#[test]
fn a_panic_of_another_thread_is_told_after_the_terminal_is_left() {
    if on_stage() {
        let (terminal, events) = open("the cockpit");
        key(&events);
        let worker = std::thread::Builder::new().name("worker".into());
        let _ = worker.spawn(|| panic!("a worker has a bug")).unwrap().join();
        let words = events.iter().find_map(|event| match event {
            Event::Panicked(words) => Some(words),
            _ => None,
        });
        drop(terminal);
        eprintln!("{}", words.unwrap());
        std::process::exit(101);
    }
    let pty = stage("a_panic_of_another_thread_is_told_after_the_terminal_is_left");
    pty.until_text("the cockpit");
    pty.send("x");
    assert_eq!(pty.code_shown(), 101);
    assert_as_found(&pty);
    assert_earlier_text(&pty);
    let shown = pty.rows().concat();
    assert!(shown.contains("thread 'worker' panicked at"), "{shown}");
    assert!(shown.contains("a worker has a bug"), "{shown}");
}

#[test]
fn a_lent_terminal_is_as_it_was_found_and_is_taken_back() {
    if on_stage() {
        let (mut terminal, events) = open("the cockpit");
        key(&events);
        let script = "echo lent; read answer; echo \"heard $answer.\"";
        let lent = terminal
            .lend_to(|| std::process::Command::new("sh").args(["-c", script]).status().unwrap());
        assert!(lent.unwrap().success());
        draw(&mut terminal, "taken back");
        key(&events);
        return;
    }
    let pty = stage("a_lent_terminal_is_as_it_was_found_and_is_taken_back");
    pty.until_text("the cockpit");
    pty.send("x");
    pty.until_text("lent");
    assert_as_found(&pty);
    assert_earlier_text(&pty);
    pty.send("every key is the borrower's\n");
    pty.until_text("taken back");
    assert!(pty.screen(Screen::alternate_screen) && !pty.modes().cooked());
    pty.send("x");
    assert_eq!(pty.code_shown(), 0);
    assert_as_found(&pty);
    assert!(pty.rows().contains(&"heard every key is the borrower's.".to_owned()));
}

// ---- Sizes ----

/// The screen is the demo's and nothing runs over its edges.
fn fits(screen: &Screen) -> bool {
    let shown = rows(screen);
    let (height, width) = screen.size();
    let (height, width) = (height.get(), width.get());
    shown[0].contains("demo")
        && shown[0].trim_end().chars().count() > usize::from(width) * 3 / 4
        && shown[usize::from(height) - 1].contains("describe")
        && (0..height).all(|row| !screen.row_wrapped(row))
}

#[test]
fn it_follows_every_size_from_40x10_to_300x100() {
    let pty = demo_in_use();
    for (columns, height) in [(40, 10), (80, 24), (300, 100), (40, 10), (100, 30)] {
        pty.resize(columns, height);
        pty.until(&format!("{columns}x{height}"), |screen| {
            fits(screen)
                && rows(screen).iter().any(|row| row.contains("NAME"))
                && cursor_row(screen).is_some_and(|row| row.contains(FIRST))
        });
    }
    pty.send("ZZ");
    assert_eq!(pty.code_shown(), 0);
    assert_as_found(&pty);
}

#[test]
fn every_view_is_readable_at_40x10() {
    let pty = demo_alone().size(40, 10).go();
    pty.until_text(FIRST);
    for view in wheelhouse::views::ALL {
        pty.send(&format!(":{}\r", view.id));
        // What is on this machine is not in the demo: a new home has no runs.
        let empty = view.table == "journal";
        pty.until(view.id, |screen| {
            fits(screen)
                && rows(screen).iter().any(|row| row.contains("NAME"))
                && (empty && rows(screen).iter().any(|row| row.contains("there are no runs"))
                    || cursor_row(screen).is_some_and(|row| row.len() > 20))
        });
    }
    let wide = positions(&pty.raw()).into_iter().find(|&(row, column)| row > 10 || column > 40);
    assert_eq!(wide, None, "nothing is put beyond the edges");
}

/// Where the cursor was sent to, from 1.
fn positions(raw: &[u8]) -> Vec<(u16, u16)> {
    let places = csi(raw, 'H').into_iter();
    places.map(|p| (*p.first().unwrap_or(&1), *p.get(1).unwrap_or(&1))).collect()
}

/// The parameters of each `ESC [ .. end`.
fn csi(raw: &[u8], end: char) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let (parameters, _) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != ';')?);
        rest[parameters.len()..].starts_with(end).then_some(parameters)
    });
    let numbers = |p: &str| p.split(';').map(|n| n.parse().unwrap_or(0)).collect();
    sequences.map(numbers).collect()
}

// ---- Colours and glyphs ----

/// What was written until the demo's nodes, a document and the help had been seen.
fn tour(start: Start) -> Vec<u8> {
    let pty = start.go();
    pty.until_text(FIRST);
    pty.send("y");
    pty.until_text("kind: Node");
    pty.send("\x1b");
    pty.until("back", |screen| cursor_row(screen).is_some());
    pty.send("?");
    pty.until_text("(describe)");
    pty.raw()
}

/// Whether any of the foreground or background parameters matches.
fn sends(raw: &[u8], wanted: impl Fn(&[u16]) -> bool) -> bool {
    csi(raw, 'm').iter().any(|parameters| wanted(parameters))
}

const FIXED: fn(&[u16]) -> bool = |p| p.windows(2).any(|w| w == [38, 5] || w == [48, 5]);
const EXACT: fn(&[u16]) -> bool = |p| p.windows(2).any(|w| w == [38, 2] || w == [48, 2]);
const NAMED: fn(&[u16]) -> bool =
    |p| p.iter().any(|n| matches!(n, 30..=37 | 40..=47 | 90..=97 | 100..=107));
const ANY: fn(&[u16]) -> bool = |p| p.iter().any(|n| matches!(n, 30..=49 | 90..=107));

#[test]
fn colours_are_those_the_terminal_can_show() {
    let raw = tour(demo_alone().env("NO_COLOR", "1").env("COLORTERM", "truecolor"));
    assert!(!sends(&raw, ANY), "no colour at all");
    assert!(sends(&raw, |p| p.contains(&1) || p.contains(&7)), "but weight and reverse");

    let raw = tour(demo_alone().env("TERM", "xterm"));
    assert!(sends(&raw, NAMED) && !sends(&raw, FIXED) && !sends(&raw, EXACT), "sixteen");

    let raw = tour(demo_alone());
    assert!(sends(&raw, ANY) && !sends(&raw, EXACT), "at most 256");

    let raw = tour(demo_alone().env("COLORTERM", "truecolor"));
    assert!(sends(&raw, ANY), "any");
}

#[test]
fn in_a_c_locale_everything_is_ascii() {
    for locale in ["C", "POSIX", "de_DE"] {
        let raw = tour(demo_alone().env("LANG", locale));
        let other = raw.iter().position(|byte| !byte.is_ascii());
        assert_eq!(other, None, "{locale}: {:?}", other.map(|at| around(&raw, at)));
    }
    assert!(!tour(demo_alone()).is_ascii(), "with a UTF-8 locale it is not");
}

fn around(raw: &[u8], at: usize) -> String {
    let part = &raw[at.saturating_sub(40)..(at + 10).min(raw.len())];
    String::from_utf8_lossy(part).into_owned()
}

// ---- No screen ----

#[test]
fn without_a_screen_it_refuses_in_words_and_names_print() {
    let cases = [
        (Some("dumb"), r#""$@""#, "TERM=dumb"),
        (None, r#""$@""#, "TERM is not set"),
        (Some("xterm"), r#""$@" </dev/null"#, "not a terminal"),
        (Some("xterm"), r#""$@" >out; code=$?; cat out; (exit $code)"#, "not a terminal"),
        (Some("xterm"), r#""$@" </dev/null | cat; (exit 2)"#, "not a terminal"),
    ];
    for (term, script, why) in cases {
        let script = format!("exec 2>words; {script}");
        let words = [&["sh", "-c", &script, "sh"], &DEMO[..]].concat();
        let start = Start::in_use(&words).without("TERM");
        let pty = match term {
            Some(term) => start.env("TERM", term).go(),
            None => start.go(),
        };
        assert_eq!(pty.code_shown(), 2, "{script}");
        let told = std::fs::read_to_string(pty.home().join("words")).unwrap();
        assert!(told.contains(why) && told.contains("`wheelhouse print"), "{script}: {told}");
        assert_eq!(pty.rows()[2..].concat(), "ended 2.", "nothing on standard output");
        assert!(!pty.raw().contains(&0x1b) && pty.modes() == *pty.modes_found());
    }
}

// ---- Keys ----

#[test]
fn a_key_that_arrives_in_pieces_is_one_key() {
    // Over SSH a lone ESC is held for longest.
    let pty = demo_alone().env("SSH_TTY", "/dev/pts/9").go();
    pty.until_text(FIRST);
    let mut at = 1;
    for (first, second) in [("\x1b", "[B"), ("\x1b[", "B"), ("\x1bO", "B")] {
        in_pieces(&pty, first, second);
        at += 1;
        let next = format!("demo-a-0{at}");
        pty.until(&next, |s| cursor_row(s).is_some_and(|row| row.contains(&next)));
    }
}

/// Sends two pieces so that they are read one after the other, but soon.
fn in_pieces(pty: &Pty, first: &str, second: &str) {
    let started = Instant::now();
    pty.send(first);
    pty.until_read();
    pty.send(second);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(80), "this machine is too slow for this test: {took:?}");
}

#[test]
fn a_lone_esc_is_escape() {
    let pty = demo_alone().go();
    pty.until_text(FIRST);
    pty.send("/demo-b");
    pty.until("the filter", |s| last_row(s) == "/demo-b" && !s.contents().contains(FIRST));
    pty.send("\x1b");
    pty.until("no filter", |s| s.contents().contains(FIRST) && last_row(s).contains("help"));
}

fn last_row(screen: &Screen) -> String {
    rows(screen).pop().unwrap_or_default()
}

#[test]
fn a_paste_is_text_and_never_keys() {
    let pty = demo_alone().go();
    pty.until_text(FIRST);
    // Where nothing is typed, it does nothing: no document, no prompt, no end.
    pty.send("\x1b[200~y:ZZ\x03\x1b[201~/demo-b");
    pty.until("the filter", |s| last_row(s) == "/demo-b");
    pty.send("\x1b");
    pty.until("no filter", |s| s.contents().contains(FIRST) && last_row(s).contains("help"));

    pty.send("/\x1b[200~demo-c\nZZ\x1b[A\x03");
    pty.until_read();
    pty.send("\x1b[20");
    pty.until_read();
    pty.send("1~");
    pty.until("the paste as one line", |s| last_row(s) == "/demo-c ZZ\u{25a1}[A\u{25a1}");
    pty.send("\x1b");
    pty.until("no filter", |s| s.contents().contains(FIRST) && last_row(s).contains("help"));
    pty.send("ZZ");
    assert_eq!(pty.end().exit_code(), 0);
}

// ---- What is written beside the screen ----

#[test]
fn over_ssh_a_copy_is_one_osc_52() {
    let pty = demo_alone().env("SSH_TTY", "/dev/pts/9").go();
    pty.until("the first node", |s| cursor_row(s).is_some_and(|row| row.contains(FIRST)));
    pty.send("Y");
    pty.until_text("sent to the terminal's clipboard (OSC 52)");
    let encoded = base64::engine::general_purpose::STANDARD.encode(FIRST);
    let copies: Vec<_> = pty.strange().into_iter().filter(|s| s.starts_with("copy")).collect();
    assert_eq!(copies, [format!("copy c {encoded}")]);
}

/// What the terminal was asked for beside drawing, frames and focus reports.
fn foreign(pty: &Pty) -> BTreeSet<String> {
    let ours = ["csi ?[[1004]]h", "csi ?[[1004]]l", "csi ?[[2026]]h", "csi ?[[2026]]l"];
    pty.strange().into_iter().filter(|asked| !ours.contains(&asked.as_str())).collect()
}

#[test]
fn a_slow_link_gets_few_bytes_and_no_bar() {
    let bar = |screen: &Screen| {
        let at = rows(screen).iter().position(|row| row.contains(FIRST)).unwrap() as u16;
        (0..90).filter(|&column| screen.cell(at, column).unwrap().inverse()).count()
    };
    let near = demo_alone().go();
    near.until("the bar", |s| s.contents().contains(FIRST) && bar(s) == 90);

    let slow = Start::alone(&["--demo", "--link", "slow"]).go();
    slow.until("the marker", |s| cursor_row(s).is_some_and(|row| row.contains(FIRST)));
    assert_eq!(slow.screen(bar), 0);
    slow.until("the last node", |s| s.contents().contains("demo-cp-c"));
    let window = Duration::from_secs(3);
    let written = slow.written_within(window);
    assert!(written < 3 * 8 * 1024, "{written} bytes in {window:?}");
    assert!(written > 0, "the demo lives");
}

// ---- A server that means harm, and a credential plugin ----

/// Sets the title, asks where the cursor is, copies, does some of it in 8-bit controls, and turns the writing direction.
const HARM: &str = "harm\u{1b}]0;owned\u{7}\u{1b}[6n\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{9d}0;owned\u{9c}\u{202e}\r\n\u{8}done";

/// Answers whatever is asked with text that would take over a terminal, for as long as the process lives.
fn harmful_server() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let tls =
        rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_no_client_auth();
    let tls = Arc::new(tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let tls = rustls::ServerConnection::new(Arc::clone(&tls)).unwrap();
            let stream = rustls::StreamOwned::new(tls, connection.unwrap());
            std::thread::spawn(move || answer(BufReader::new(stream)));
        }
    });
    address
}

/// One request, one answer. Whoever asks may go away at any time.
fn answer(mut reader: BufReader<impl Read + Write>) {
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let _ = reader.read_exact(&mut vec![0; length]);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (code, body) = harm(path);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {code} x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = reader.get_mut().write_all((head + &body).as_bytes());
}

fn harm(path: &str) -> (u16, Value) {
    let node = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name, "uid": name, "resourceVersion": "1",
                "labels": {format!("node-role.kubernetes.io/{HARM}"): HARM},
                "annotations": {"note": HARM},
            },
            "status": {
                "nodeInfo": {"kubeletVersion": HARM, "osImage": HARM},
                "conditions": [{"type": "Ready", "status": "False", "reason": HARM, "message": HARM}],
            },
        })
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match path {
        "/version" => (200, json!({"gitVersion": HARM})),
        "/api/v1/nodes" if !query.contains("watch") => {
            let list = json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [node("a-node"), node(&format!("node-{HARM}"))]});
            (200, list)
        }
        path if path.starts_with("/api/v1/nodes/") => (200, node("a-node")),
        _ => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": HARM});
            (403, status)
        }
    }
}

/// A kubeconfig for that server, whose credentials come from a plugin that asks.
fn asking_kubeconfig(folder: &Path) -> String {
    let plugin = folder.join("plugin");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"},
    });
    let script = format!(
        "#!/bin/sh\nprintf 'code, please: ' >&2\nread code\necho \"got $code.\" >&2\necho '{credential}'\n"
    );
    std::fs::write(&plugin, script).unwrap();
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755)).unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": HARM,
        "clusters": [{"name": HARM, "cluster": {
            "server": format!("https://{}", harmful_server()), "insecure-skip-tls-verify": true,
        }}],
        "contexts": [{"name": HARM, "context": {"cluster": HARM, "user": HARM}}],
        "users": [{"name": HARM, "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Always",
        }}}],
    });
    let path = folder.join("config");
    // YAML takes 8-bit controls only as escapes.
    let escape = |c: char| match c {
        ' '..='~' => c.to_string(),
        c => format!("\\u{:04x}", u32::from(c)),
    };
    let text = config.to_string();
    std::fs::write(&path, text.chars().map(escape).collect::<String>()).unwrap();
    path.display().to_string()
}

#[test]
fn a_plugin_asks_before_the_screen_and_text_of_a_cluster_controls_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = asking_kubeconfig(folder.path());
    let pty = Start::in_use(&[WHEELHOUSE, "--kubeconfig", &config]).go();
    pty.until_text("code, please:");
    assert_eq!(pty.modes(), *pty.modes_found(), "it asks on the terminal as it was found");
    pty.send("4711\n");
    pty.until("the screen", |s| s.alternate_screen() || s.contents().contains("ended"));
    pty.until_text("node-harm");
    let steps = [
        ("d", "note: harm\u{25a1}]0;owned\u{25a1}\u{25a1}[6n\u{25a1}]52"),
        ("\x1b", "NAME ↑"),
        ("y", "annotations:"),
        ("\x1b", "NAME ↑"),
        ("F", "no watch right: listed"),
        ("\x1b", "NAME ↑"),
        (":pods\r", "The server says: harm"),
    ];
    for (keys, text) in steps {
        pty.send(keys);
        pty.until_text(text);
    }
    pty.send("ZZ");
    assert_eq!(pty.code_shown(), 0);
    assert_as_found(&pty);
    assert_eq!(foreign(&pty), BTreeSet::new());
    assert!(!String::from_utf8(pty.raw()).unwrap().contains('\u{202e}'));
    assert!(pty.rows().iter().any(|row| row.ends_with("got 4711.")));
}
