//! Copying a text to where the operator sits, by the way that reaches it from here.
//!
//! Invariant: never on the UI thread, never a claim that cannot be known: a terminal does not say whether it took an
//! OSC 52. The clipboard is written, never read. The desktop's is not touched over SSH (a stalled X forward does not
//! answer at all).

use super::profile::{Mux, TermProfile};
use super::writer::Aside;
use crate::app::files::create_private;
use base64::Engine as _;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// More raw bytes than this some terminals drop silently (100 KB of base64).
const MOST: usize = 74_000;
/// GNU screen takes a device control string of 768 bytes at most; in pieces, this much base64 arrived intact.
const SCREEN_MOST: usize = 8 * 1024;
const SCREEN_PIECE: usize = 76;
const TMUX_PATIENCE: Duration = Duration::from_millis(500);
const DESKTOP_PATIENCE: Duration = Duration::from_millis(300);

/// The way a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `tmux load-buffer -w -`: the only way that works with tmux's default options; OSC 52 if tmux does not answer.
    Tmux,
    /// OSC 52 in pieces that GNU screen passes on.
    Screen,
    /// OSC 52 to the terminal.
    Terminal,
    /// The clipboard of this desktop; OSC 52 if there is none.
    Desktop,
}

impl Route {
    /// The route for a terminal. tmux comes first: inside it the SSH variables may be those of another day.
    pub fn of(profile: &TermProfile) -> Route {
        match (profile.mux, profile.ssh) {
            (Mux::Tmux, _) => Route::Tmux,
            (Mux::Screen, _) => Route::Screen,
            (Mux::None, true) => Route::Terminal,
            (Mux::None, false) => Route::Desktop,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Route::Tmux => "the tmux buffer, and from there the terminal (load-buffer -w)",
            Route::Screen => "the terminal, in pieces through GNU screen (OSC 52)",
            Route::Terminal => "the terminal (OSC 52)",
            Route::Desktop => "this desktop's; the terminal (OSC 52) if there is none",
        })
    }
}

/// Where a text went. Its words follow "the name: " or "12 lines: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// To tmux.
    Tmux,
    /// To the terminal, through GNU screen.
    Screen,
    /// To the terminal.
    Terminal,
    /// To the desktop.
    Desktop,
    /// To a file, because it is too large for the way.
    File(PathBuf),
    /// Nowhere; why.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Tmux => {
                write!(f, "sent to the tmux buffer, and to the terminal's clipboard if it allows")
            }
            Outcome::Screen => {
                write!(f, "sent through screen to the terminal's clipboard (OSC 52)")
            }
            Outcome::Terminal => write!(f, "sent to the terminal's clipboard (OSC 52)"),
            Outcome::Desktop => write!(f, "on the desktop clipboard"),
            Outcome::File(path) => {
                write!(f, "too large for the terminal's clipboard: written to {}", path.display())
            }
            Outcome::Failed(why) => write!(f, "not copied: {why}"),
        }
    }
}

/// The clipboard's thread.
#[derive(Debug)]
pub struct Clipboard {
    texts: Option<Sender<(&'static str, String)>>,
    ended: Receiver<()>,
}

impl Clipboard {
    /// Starts the thread. `state_folder` is where large texts go, `tell` hears what was copied and what became of it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        route: Route,
        terminal: Aside,
        state_folder: Option<PathBuf>,
        tell: impl Fn(&'static str, Outcome) + Send + 'static,
    ) -> io::Result<Clipboard> {
        let (texts, wanted) = channel::<(&'static str, String)>();
        let (ending, ended) = channel();
        thread::Builder::new().name("clipboard".into()).spawn(move || {
            let mut ways = Ways {
                route,
                terminal: &|bytes| terminal.write(bytes),
                state_folder,
                tmux: "tmux".into(),
                desktop: None,
            };
            wanted.iter().for_each(|(what, text)| tell(what, ways.copy(&text)));
            drop(ways);
            // Nobody may be waiting any more.
            let _ = ending.send(());
        })?;
        Ok(Clipboard { texts: Some(texts), ended })
    }

    /// Sends a text on its way; `what` names it. Returns at once.
    pub fn copy(&self, what: &'static str, text: String) {
        if let Some(texts) = &self.texts {
            // The thread lives as long as this sender.
            let _ = texts.send((what, text));
        }
    }
}

impl Drop for Clipboard {
    /// On X11 and Wayland a text lives in the program that copied it: it needs a moment to hand it over.
    fn drop(&mut self) {
        self.texts = None;
        let _ = self.ended.recv_timeout(DESKTOP_PATIENCE);
    }
}

/// `$XDG_STATE_HOME/wheelhouse`, by the base directory specification.
pub fn state_folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(base.join("wheelhouse"))
}

/// What the thread works with; the parts that reach outside can be replaced by a test.
struct Ways<'a> {
    route: Route,
    terminal: &'a dyn Fn(Vec<u8>),
    state_folder: Option<PathBuf>,
    tmux: OsString,
    desktop: Option<Desktop>,
}

impl Ways<'_> {
    fn copy(&mut self, text: &str) -> Outcome {
        match self.route {
            Route::Desktop => match self.copy_to_desktop(text) {
                Ok(()) => return Outcome::Desktop,
                // Not asked again in this session: it would be the same wait for the same answer.
                Err(_) => self.route = Route::Terminal,
            },
            Route::Tmux if text.len() <= MOST => {
                if load_buffer(&self.tmux, text).is_ok() {
                    return Outcome::Tmux;
                }
            }
            Route::Screen => {
                let encoded = encode(text);
                if encoded.len() <= SCREEN_MOST {
                    (self.terminal)(through_screen(&encoded));
                    return Outcome::Screen;
                }
                return self.copy_to_file(text);
            }
            Route::Tmux | Route::Terminal => {}
        }
        if text.len() > MOST {
            return self.copy_to_file(text);
        }
        (self.terminal)(osc52(&encode(text)));
        Outcome::Terminal
    }

    fn copy_to_desktop(&mut self, text: &str) -> Result<(), String> {
        let desktop = match &mut self.desktop {
            Some(desktop) => desktop,
            none => none.insert(Desktop::start().map_err(|e| e.to_string())?),
        };
        desktop.set(text)
    }

    fn copy_to_file(&self, text: &str) -> Outcome {
        let Some(folder) = &self.state_folder else {
            let why = "too large for the terminal's clipboard, and neither XDG_STATE_HOME nor HOME \
                       says where to write it";
            return Outcome::Failed(why.to_owned());
        };
        match write_file(folder, text) {
            Ok(path) => Outcome::File(path),
            Err(e) => Outcome::Failed(format!(
                "too large for the terminal's clipboard, and {} cannot be written: {e}",
                folder.display()
            )),
        }
    }
}

/// A file of its own, readable by its owner alone: the text may be a whole object.
fn write_file(folder: &Path, text: &str) -> io::Result<PathBuf> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let path = folder.join(format!("clip-{}.txt", now.as_micros()));
    create_private(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

fn encode(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Ended by BEL: some terminals took only that.
fn osc52(encoded: &str) -> Vec<u8> {
    format!("\x1b]52;c;{encoded}\x07").into_bytes()
}

/// Each piece in a device control string, which screen hands to the terminal as it is.
fn through_screen(encoded: &str) -> Vec<u8> {
    let whole = osc52(encoded);
    let pieces = whole.chunks(SCREEN_PIECE).map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat());
    pieces.collect::<Vec<_>>().concat()
}

/// `-w` (tmux 3.2 and later) sends the buffer on to the terminal, whatever `set-clipboard` says.
fn load_buffer(tmux: &OsString, text: &str) -> io::Result<()> {
    let mut child = Command::new(tmux)
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let text = text.to_owned();
        // A tmux that hangs does not read either; it is killed below, which ends this write.
        thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
    let until = Instant::now() + TMUX_PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(()) } else { Err(io::Error::other("tmux refused")) };
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The desktop's clipboard on a thread of its own, because its calls may never return.
struct Desktop {
    texts: Sender<String>,
    set: Receiver<Result<(), String>>,
}

impl Desktop {
    fn start() -> io::Result<Desktop> {
        let (texts, wanted) = channel::<String>();
        let (done, set) = channel();
        thread::Builder::new().name("desktop-clipboard".into()).spawn(move || {
            let mut clipboard = arboard::Clipboard::new().map_err(|e| e.to_string());
            for text in wanted {
                let outcome = match &mut clipboard {
                    Ok(clipboard) => clipboard.set_text(text).map_err(|e| e.to_string()),
                    Err(why) => Err(why.clone()),
                };
                if done.send(outcome).is_err() {
                    return;
                }
            }
        })?;
        Ok(Desktop { texts, set })
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        self.texts.send(text.to_owned()).map_err(|e| e.to_string())?;
        self.set.recv_timeout(DESKTOP_PATIENCE).map_err(|e| e.to_string())?
    }
}

#[cfg(test)]
#[path = "clipboard_tests.rs"]
mod tests;
