//! Keys to commands and actions: the shipped map, with the user's lines over it.
//!
//! Invariant: every id is a registered command or action, and no chord means two things in one place. A file that
//! breaks this is refused with the line it breaks it on.

use crate::actions;
use crate::app::terminal::chord::Chord;
use crate::state::commands::{self, Layer};
use crate::state::nearest;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The shipped keys.
pub const SHIPPED: &str = include_str!("../../assets/keymap.toml");

/// Chords that multiplexers and terminals keep for themselves: the prefixes of screen and tmux, flow control.
const KEPT: [&str; 4] = ["ctrl-a", "ctrl-b", "ctrl-s", "ctrl-q"];

/// Where keys are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// On rows: actions, table, global.
    Table,
    /// In a document: actions, document, global.
    Document,
    /// While typing.
    Prompt,
    /// Where something is asked: its answers, global.
    Question,
    /// On the board of a drain: its commands, motions of tables, global.
    Board,
    /// In a chart: its commands, global.
    Chart,
}

/// What keys lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// This command or action.
    Id(&'static str),
    /// More keys have to follow.
    Pending,
    /// Nothing.
    Miss,
}

/// The keys in force.
#[derive(Debug)]
pub struct Keymap {
    keys: HashMap<Place, BTreeMap<Vec<Chord>, &'static str>>,
    shown: HashMap<String, String>,
    all: HashMap<&'static str, Vec<String>>,
}

/// One line of a key file.
type Lines = BTreeMap<&'static str, (Vec<Vec<Chord>>, String)>;

impl Keymap {
    /// The shipped keys alone.
    pub fn shipped() -> Keymap {
        Keymap::new(None).expect("a test holds the shipped keymap valid")
    }

    /// The shipped keys, with `keymap.toml` of this folder over them if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or means nothing: its name, the line and why.
    pub fn of_folder(folder: Option<&Path>) -> Result<Keymap, String> {
        let file = folder.map(|folder| folder.join("keymap.toml"));
        let Some(file) = file.filter(|file| file.exists()) else { return Keymap::new(None) };
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|e| format!("{name} cannot be read: {e}"))?;
        Keymap::new(Some((&name, &text)))
    }

    /// The shipped keys with a user's file (its name and text) over them. The error names the file and the line.
    pub fn new(user: Option<(&str, &str)>) -> Result<Keymap, String> {
        let mut lines = read("the shipped keymap", SHIPPED)?;
        let own = user.map(|(name, text)| read(name, text)).transpose()?.unwrap_or_default();
        lines.retain(|id, _| !own.contains_key(id));
        let mut map = Keymap { keys: HashMap::new(), shown: HashMap::new(), all: HashMap::new() };
        for (id, (sequences, source)) in &own {
            map.bind_all(id, sequences, source)?;
        }
        // A user's file is older than the keys that a new version brings: where they collide, the user's line holds.
        let users = map.keys.clone();
        for (id, (sequences, source)) in &mut lines {
            let taken = |keys: &Vec<Chord>| {
                let at = places(id).iter().filter_map(|place| users.get(place));
                at.flat_map(|here| here.keys()).any(|have| clash(have, keys))
            };
            sequences.retain(|keys| !taken(keys));
            map.bind_all(id, sequences, source)?;
        }
        Ok(map)
    }

    fn bind_all(
        &mut self,
        id: &'static str,
        sequences: &[Vec<Chord>],
        source: &str,
    ) -> Result<(), String> {
        for keys in sequences {
            for place in places(id) {
                self.bind(*place, keys, id, source)?;
            }
        }
        if let Some(keys) = sequences.first() {
            self.shown.insert(id.to_owned(), spell(keys));
        }
        self.all.insert(id, sequences.iter().map(|keys| spell(keys)).collect());
        Ok(())
    }

    fn bind(
        &mut self,
        place: Place,
        keys: &[Chord],
        id: &'static str,
        source: &str,
    ) -> Result<(), String> {
        let here = self.keys.entry(place).or_default();
        if let Some((have, other)) = here.iter().find(|(have, _)| clash(have, keys)) {
            let (keys, have) = (spell(keys), spell(have));
            let place = match place {
                Place::Table => "on rows",
                Place::Document => "in a document",
                Place::Prompt => "while typing",
                Place::Question => "where something is asked",
                Place::Board => "on the board of a drain",
                Place::Chart => "in a chart",
            };
            return Err(format!(
                "{source}: {place} `{keys}` for {id} collides with `{have}` for {other}. Give one of them another key, \
                 or [] for none."
            ));
        }
        here.insert(keys.to_vec(), id);
        Ok(())
    }

    /// What keys typed one after the other lead to.
    pub fn find(&self, place: Place, keys: &[Chord]) -> Hit {
        let Some(here) = self.keys.get(&place) else { return Hit::Miss };
        match here.get(keys) {
            Some(id) => Hit::Id(id),
            None if here.keys().any(|have| have.starts_with(keys)) => Hit::Pending,
            None => Hit::Miss,
        }
    }

    /// What may follow keys that are pending: the key and the id it leads to.
    pub fn following(&self, place: Place, keys: &[Chord]) -> Vec<(String, &'static str)> {
        let here = self.keys.get(&place).into_iter().flatten();
        here.filter(|(have, _)| have.starts_with(keys) && have.len() > keys.len())
            .map(|(have, id)| (spell(&have[keys.len()..]), *id))
            .collect()
    }

    /// All keys of an id, as they are shown.
    pub fn all(&self, id: &str) -> &[String] {
        self.all.get(id).map_or(&[], Vec::as_slice)
    }

    /// The first key of each id, as it is shown.
    pub fn shown(&self) -> &HashMap<String, String> {
        &self.shown
    }
}

/// Commands of tables that move the cursor of a board too.
const MOTIONS: [&str; 8] =
    ["up", "down", "half-up", "half-down", "page-up", "page-down", "top", "bottom"];

/// Whether one is the beginning of the other.
fn clash(one: &[Chord], other: &[Chord]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn places(id: &str) -> &'static [Place] {
    match commands::named(id).map(|c| c.layer) {
        Some(Layer::Table) if MOTIONS.contains(&id) => &[Place::Table, Place::Board],
        Some(Layer::Table) => &[Place::Table],
        Some(Layer::Board) => &[Place::Board],
        Some(Layer::Chart) => &[Place::Chart],
        Some(Layer::Document) => &[Place::Document],
        Some(Layer::Prompt) => &[Place::Prompt],
        Some(Layer::Question) => &[Place::Question],
        Some(Layer::Global) => {
            &[Place::Table, Place::Document, Place::Question, Place::Board, Place::Chart]
        }
        None => &[Place::Table, Place::Document],
    }
}

fn spell(keys: &[Chord]) -> String {
    keys.iter().map(|k| k.to_string()).collect::<Vec<_>>().join(" ")
}

fn read(name: &str, text: &str) -> Result<Lines, String> {
    let line_of = |at: usize| text[..at.min(text.len())].lines().count().max(1);
    let tables: toml::Table = toml::from_str(text).map_err(|e| {
        let line = line_of(e.span().map_or(0, |s| s.start));
        format!("{name}, line {line}: {}", e.message())
    })?;
    match tables.get("version").and_then(|v| v.as_integer()) {
        Some(1) => {}
        Some(v) => {
            return Err(format!(
                "{name}: version {v} is of a newer wheelhouse; this one reads version 1"
            ));
        }
        None => return Err(format!("{name}: the first line must be `version = 1`")),
    }
    let mut lines = Lines::new();
    for (layer, entries) in tables.iter().filter(|(key, _)| *key != "version") {
        let Some(entries) = entries.as_table() else {
            return Err(format!("{name}: `{layer}` is no table of keys"));
        };
        for (id, keys) in entries {
            // The text is searched for the line because a parsed table no longer knows it.
            let line = text
                .lines()
                .position(|l| l.trim_start().starts_with(id.as_str()))
                .map_or(0, |i| i + 1);
            let source = format!("{name}, line {line}");
            let (id, own) = registered(id).ok_or_else(|| unknown(&source, id))?;
            if own != layer {
                return Err(format!("{source}: {id} belongs under [{own}], not [{layer}]"));
            }
            lines.insert(id, (sequences(keys, &source)?, source));
        }
    }
    Ok(lines)
}

fn unknown(source: &str, id: &str) -> String {
    let known = commands::ALL.iter().map(|c| c.id).chain(actions::ALL.iter().map(|a| a.spec().id));
    let hint = nearest::hint(id, known);
    format!("{source}: there is no command or action `{id}`{hint}")
}

fn registered(id: &str) -> Option<(&'static str, &'static str)> {
    if let Some(action) = actions::named(id) {
        return Some((action.spec().id, "action"));
    }
    let command = commands::named(id)?;
    let layer = match command.layer {
        Layer::Global => "global",
        Layer::Table => "table",
        Layer::Document => "document",
        Layer::Prompt => "prompt",
        Layer::Question => "question",
        Layer::Board => "board",
        Layer::Chart => "chart",
    };
    Some((command.id, layer))
}

fn sequences(keys: &toml::Value, source: &str) -> Result<Vec<Vec<Chord>>, String> {
    let list = keys
        .as_array()
        .ok_or_else(|| format!("{source}: keys stand in a list: [\"j\", \"down\"]"))?;
    list.iter()
        .map(|keys| {
            let text = keys.as_str().ok_or_else(|| format!("{source}: a key is a text in quotes"))?;
            if KEPT.iter().any(|kept| text.split(' ').any(|k| k == *kept)) {
                return Err(format!("{source}: `{text}` belongs to the multiplexer or the terminal and would not arrive"));
            }
            let chord = |k: &str| k.parse::<Chord>().map_err(|e| format!("{source}: `{k}` is no key: {e}"));
            text.split(' ').filter(|k| !k.is_empty()).map(chord).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<Keymap, String> {
        Keymap::new(Some(("keymap.toml", text)))
    }

    #[test]
    fn the_shipped_keymap_is_valid_and_gives_every_command_a_key() {
        let map = Keymap::new(None).unwrap();
        let ids =
            commands::ALL.iter().map(|c| c.id).chain(actions::ALL.iter().map(|a| a.spec().id));
        for id in ids {
            assert!(map.shown().contains_key(id), "{id} has no key");
        }
    }

    #[test]
    fn a_collision_is_refused_with_file_line_and_both_names() {
        let why = user("version = 1\n[table]\nwide = [\"j\"]\ndown = [\"j\"]\n").unwrap_err();
        assert!(why.contains("wide") && why.contains("down") && why.contains("`j`"), "{why}");
    }

    #[test]
    fn mistakes_point_at_their_line() {
        let cases = [
            ("version = 1\n[table]\nwidee = [\"j\"]\n", "line 3"),
            ("version = 1\n[table]\nwide = [\"ctrl-b\"]\n", "multiplexer"),
            ("version = 1\n[global]\nwide = [\"W\"]\n", "belongs under [table]"),
            ("version = 1\n[table]\nwide = [\"hyper-x\"]\n", "no key"),
            ("version = 1\n[table\n", "line 2"),
            ("version = 9\n", "newer"),
        ];
        for (text, want) in cases {
            let why = user(text).unwrap_err();
            assert!(why.contains(want), "{why}");
        }
    }

    #[test]
    fn a_user_line_replaces_the_shipped_one_and_sequences_wait() {
        let map = user("version = 1\n[table]\nwide = [\"W\"]\n").unwrap();
        let keys = |t: &str| t.split(' ').map(|k| k.parse().unwrap()).collect::<Vec<Chord>>();
        assert_eq!(map.find(Place::Table, &keys("W")), Hit::Id("wide"));
        assert_eq!(map.find(Place::Table, &keys("w")), Hit::Miss);
        // `W` is shipped for another action: a user's file from before that goes on to hold.
        assert!(map.all("why").is_empty());
        assert_eq!(map.find(Place::Table, &keys("x")), Hit::Pending);
        assert_eq!(map.find(Place::Document, &keys("x n")), Hit::Id("copy-name"));
    }
}
