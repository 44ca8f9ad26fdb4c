//! Tests of `clipboard`.

use super::*;
use crate::app::terminal::profile::{Asked, Link, detect};
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt as _;

fn route(vars: &[(&str, &str)]) -> Route {
    let find = |name: &str| match name {
        "TERM" if vars.iter().all(|(n, _)| *n != "TERM") => Some("xterm".to_owned()),
        name => vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()),
    };
    Route::of(&detect(&find, Asked { ascii: false, link: Link::Auto, tty: true }).unwrap())
}

/// Copies by a route; returns the outcome and what the terminal got.
fn copy(route: Route, tmux: &str, folder: Option<&Path>, text: &str) -> (Outcome, Vec<u8>) {
    let got = RefCell::new(vec![]);
    let mut ways = Ways {
        route,
        terminal: &|bytes| got.borrow_mut().extend(bytes),
        state_folder: folder.map(Path::to_owned),
        tmux: tmux.into(),
        desktop: None,
    };
    let outcome = ways.copy(text);
    (outcome, got.take())
}

/// A stand-in for tmux.
fn program(folder: &Path, script: &str) -> String {
    let path = folder.join("tmux");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_route_follows_where_the_operator_sits() {
    assert_eq!(route(&[]), Route::Desktop);
    assert_eq!(route(&[("SSH_TTY", "/dev/pts/3")]), Route::Terminal);
    assert_eq!(route(&[("SSH_CLIENT", "x"), ("STY", "1.pts")]), Route::Screen);
    assert_eq!(route(&[("TERM", "screen.xterm-256color")]), Route::Screen);
    let nested = [("TMUX", "/tmp/t,1,0"), ("SSH_TTY", "/dev/pts/3"), ("TERM", "screen")];
    assert_eq!(route(&nested), Route::Tmux);
}

#[test]
fn over_ssh_it_is_one_osc_52() {
    let (outcome, got) = copy(Route::Terminal, "-", None, "node-00017");
    assert_eq!(got, b"\x1b]52;c;bm9kZS0wMDAxNw==\x07");
    assert_eq!(outcome.to_string(), "sent to the terminal's clipboard (OSC 52)");
}

#[test]
fn screen_gets_pieces_that_join_to_the_same() {
    let text = "x".repeat(600);
    let (outcome, got) = copy(Route::Screen, "-", None, &text);
    assert_eq!(outcome, Outcome::Screen);
    let got = String::from_utf8(got).unwrap();
    let pieces: Vec<_> = got.split("\x1b\\").collect();
    assert!(pieces.len() > 10 && pieces.iter().all(|piece| piece.len() <= SCREEN_PIECE + 2));
    let joined: String = pieces.iter().map(|piece| piece.trim_start_matches("\x1bP")).collect();
    assert_eq!(joined.into_bytes(), osc52(&encode(&text)));
}

#[test]
fn tmux_gets_the_text_and_the_terminal_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("told");
    let tmux = program(dir.path(), &format!("echo \"$@\" > {0}; cat >> {0}", told.display()));
    let (outcome, got) = copy(Route::Tmux, &tmux, None, "shop/web");
    assert_eq!((outcome, got), (Outcome::Tmux, vec![]));
    assert_eq!(std::fs::read_to_string(told).unwrap(), "load-buffer -w -\nshop/web");
}

#[test]
fn a_tmux_that_is_missing_refuses_or_hangs_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let refuses = program(dir.path(), "exit 1");
    let other = tempfile::tempdir().unwrap();
    let hangs = program(other.path(), "exec sleep 60");
    for tmux in ["/nowhere/tmux", &refuses, &hangs] {
        let started = Instant::now();
        // More than a pipe holds, so that the write hangs too.
        let (outcome, got) = copy(Route::Tmux, tmux, None, &"x".repeat(70_000));
        assert_eq!(outcome, Outcome::Terminal, "{tmux}");
        assert!(got.starts_with(b"\x1b]52;c;"));
        assert!(started.elapsed() < Duration::from_secs(20), "{tmux}");
    }
}

#[test]
fn what_is_too_large_becomes_a_private_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("state/wheelhouse");
    let fits = "x".repeat(MOST);
    assert_eq!(copy(Route::Terminal, "-", Some(&folder), &fits).0, Outcome::Terminal);
    let large = "x".repeat(MOST + 1);
    for (route, text) in
        [(Route::Terminal, &large), (Route::Tmux, &large), (Route::Screen, &"x".repeat(7_000))]
    {
        let (outcome, got) = copy(route, "-", Some(&folder), text);
        let Outcome::File(path) = &outcome else { panic!("{outcome}") };
        assert!(got.is_empty() && outcome.to_string().contains(path.to_str().unwrap()));
        assert_eq!(std::fs::read_to_string(path).unwrap(), *text);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (outcome, _) = copy(Route::Terminal, "-", None, &large);
    assert!(outcome.to_string().starts_with("not copied: "), "{outcome}");
}

#[test]
fn the_state_folder_follows_the_base_directory_rules() {
    let env = |state: &'static str| {
        move |name: &str| match name {
            "XDG_STATE_HOME" => Some(state.to_owned()),
            "HOME" => Some("/home/op".to_owned()),
            _ => None,
        }
    };
    assert_eq!(state_folder(&env("/var/op")), Some("/var/op/wheelhouse".into()));
    for ignored in ["", "relative"] {
        assert_eq!(state_folder(&env(ignored)), Some("/home/op/.local/state/wheelhouse".into()));
    }
    assert_eq!(state_folder(&|_| None), None);
}
