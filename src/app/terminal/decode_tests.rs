//! Tests of `decode`.

use super::*;
use proptest::prelude::*;

const WAIT: Duration = Duration::from_millis(25);
const MS: Duration = Duration::from_millis(1);

/// What a script of reads and silences becomes, keys by name.
fn read(script: &[(&[u8], Duration)]) -> Vec<String> {
    let mut now = Instant::now();
    let mut decoder = Decoder::new(WAIT, now);
    let mut seen = vec![];
    for (bytes, silence) in script {
        decoder.feed(bytes, now, &mut |input| seen.push(name(&input)));
        now += *silence;
        decoder.expire(now, &mut |input| seen.push(name(&input)));
    }
    seen
}

fn name(input: &Input) -> String {
    match input {
        Input::Key(chord, _) => chord.to_string(),
        Input::Paste(text) => format!("paste {text:?}"),
        Input::Focus(gained) => format!("focus {gained}"),
        other => panic!("no terminal sends {other:?}"),
    }
}

fn at_once(bytes: &[u8]) -> Vec<String> {
    read(&[(bytes, GIVE_UP)])
}

#[test]
fn keys_as_terminals_send_them() {
    let cases: &[(&[u8], &str)] = &[
        (b"j", "j"),
        (b"G", "G"),
        (b" ", "space"),
        ("ü".as_bytes(), "ü"),
        ("节".as_bytes(), "节"),
        (b"\r", "enter"),
        (b"\t", "tab"),
        (b"\x1b[Z", "shift-tab"),
        (b"\x7f", "backspace"),
        (b"\x08", "ctrl-h"),
        (b"\x03", "ctrl-c"),
        (b"\x1c", "ctrl-\\"),
        (b"\0", "ctrl-space"),
        (b"\x1b", "esc"),
        (b"\x1bn", "alt-n"),
        ("\x1bü".as_bytes(), "alt-ü"),
        (b"\x1b[A", "up"),
        (b"\x1bOB", "down"),
        (b"\x1b[1;3D", "alt-left"),
        (b"\x1b[1;5C", "ctrl-right"),
        (b"\x1b[1;2A", "shift-up"),
        (b"\x1b[H", "home"),
        (b"\x1b[4~", "end"),
        (b"\x1b[5~", "page-up"),
        (b"\x1b[6;5~", "ctrl-page-down"),
        (b"\x1b[3~", "delete"),
        (b"\x1bOP", "f1"),
        (b"\x1b[[B", "f2"),
        (b"\x1b[15~", "f5"),
        (b"\x1b[24~", "f12"),
        (b"\x1b[27;5;100~", "ctrl-d"),
        (b"\x1b[100;5u", "ctrl-d"),
        (b"\x1b[I", "focus true"),
        (b"\x1b[O", "focus false"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(at_once(bytes), [*expected], "{bytes:?}");
    }
}

#[test]
fn answers_and_noise_are_not_keys() {
    for bytes in [
        &b"\x1b[12;40R"[..],
        b"\x1b[0n",
        b"\x1b[?62;22c",
        b"\x1b[<0;10;20M",
        b"\x1b[201~",
        b"\x1b[999~",
        b"\x1b[1;",
        b"\x1b[",
        b"\xff",
        b"\xe8\x8a",
    ] {
        assert_eq!(at_once(bytes), [""; 0], "{bytes:?}");
    }
    assert_eq!(at_once(b"\x1b[12\x1b[A"), ["up"], "a new sequence ends a broken one");
    assert_eq!(at_once(b"\xe8j"), ["j"]);
}

#[test]
fn a_cursor_key_cut_anywhere_is_one_key() {
    for key in [&b"\x1b[A"[..], b"\x1bOA", b"\x1b[1;1A"] {
        for cut in 1..key.len() {
            let gap = 20 * MS;
            assert_eq!(read(&[(&key[..cut], gap), (&key[cut..], gap)]), ["up"], "cut at {cut}");
        }
    }
}

#[test]
fn a_lone_esc_is_escape_when_nothing_follows_in_time() {
    assert_eq!(read(&[(b"\x1b", 24 * MS)]), [""; 0]);
    assert_eq!(read(&[(b"\x1b", 25 * MS)]), ["esc"]);
    assert_eq!(read(&[(b"\x1b", 10 * MS), (b"j", MS)]), ["esc", "j"], "two keys, not Alt");
    assert_eq!(read(&[(b"\x1b", 10 * MS), (b"\x1b", 30 * MS)]), ["esc", "esc"]);
    assert_eq!(at_once(b"\x1b\x1b[A"), ["esc", "up"]);
}

#[test]
fn the_escape_key_was_read_when_it_arrived() {
    let now = Instant::now();
    let mut decoder = Decoder::new(WAIT, now);
    let mut seen = vec![];
    decoder.feed(b"\x1b", now, &mut |input| seen.push(input));
    assert_eq!(decoder.deadline(), Some(now + WAIT));
    decoder.expire(now + WAIT, &mut |input| seen.push(input));
    assert_eq!(seen, [Input::Key(Chord::plain(Key::Esc), now)]);
    assert_eq!(decoder.deadline(), None);
}

#[test]
fn pasted_text_is_one_clean_line_and_never_keys() {
    let paste = |text: &str| at_once(format!("\x1b[200~{text}\x1b[201~j").as_bytes());
    assert_eq!(paste("dddd\r"), ["paste \"dddd\"", "j"]);
    assert_eq!(paste("a\r\nb\tc"), ["paste \"a b c\"", "j"]);
    assert_eq!(paste("x\x1b[A\x03y"), ["paste \"x\u{fffd}[A\u{fffd}y\"", "j"]);
    assert_eq!(paste("节"), ["paste \"节\"", "j"]);
    let most = "x".repeat(PASTE_MOST + 100);
    assert_eq!(paste(&most), [format!("paste {:?}", "x".repeat(PASTE_MOST)), "j".to_owned()]);
}

proptest! {
    /// Reads may end anywhere; silences shorter than the wait for ESC change nothing.
    #[test]
    fn cuts_do_not_change_what_is_read(
        keys in proptest::collection::vec(
            proptest::sample::select(vec![
                &b"\x1b[A"[..], b"\x1bOP", b"\x1b[6;5~", b"j", "节".as_bytes(), b"\r",
                b"\x1b[200~d\rd\x1b[201~", b"\x1b[I", b"\x1b[3;4R",
            ]),
            1..8,
        ),
        cuts in proptest::collection::vec(1usize..5, 0..40),
    ) {
        let bytes = keys.concat();
        let mut script: Vec<(&[u8], Duration)> = vec![];
        let mut rest = &bytes[..];
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            script.push((head, 5 * MS));
            rest = tail;
        }
        script.push((rest, GIVE_UP));
        prop_assert_eq!(read(&script), at_once(&bytes));
    }

    #[test]
    fn nothing_a_terminal_sends_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let now = Instant::now();
        let mut decoder = Decoder::new(WAIT, now);
        decoder.feed(&bytes, now, &mut |_| {});
        decoder.give_up(&mut |_| {});
        prop_assert_eq!(decoder.deadline(), None);
    }
}
