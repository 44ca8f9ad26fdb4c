//! A stage for the core: state, keys, frames; neither terminal nor runtime.

#![allow(dead_code, reason = "each test crate uses its part of the stage")]

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Instant;
use wheelhouse::app::keymap::Keymap;
use wheelhouse::app::msg::{Effect, Msg, Now};
use wheelhouse::app::terminal::chord::Chord;
use wheelhouse::app::update::App;
use wheelhouse::state::cluster::Cluster;
use wheelhouse::state::health::Health;
use wheelhouse::state::time::Epoch;
use wheelhouse::views::paint;
use wheelhouse::views::theme::Theme;

/// Noon of a day on which nothing happens.
pub const NOON: Epoch = Epoch(1_795_435_200);

/// How screens look in tests unless a test says otherwise.
pub const PLAIN: Theme = Theme { colour: true, ascii: false, bar: false };

/// The app with what it asked for.
pub struct Stage {
    pub app: App,
    pub effects: Vec<Effect>,
    pub theme: Theme,
    pub now: Epoch,
    pub size: (u16, u16),
}

impl Stage {
    /// A stage at a view of an empty cluster.
    pub fn at(view: &'static str, size: (u16, u16)) -> Stage {
        let mut app = App::new(Keymap::shipped(), view);
        let mut effects = vec![];
        let cluster = Cluster {
            context: "prod-eu-1".into(),
            name: "prod-eu-1".into(),
            server: "https://10.0.0.1:6443".into(),
            user: "operator@corp".into(),
            version: "v1.37.2".into(),
            home: "default".into(),
            contexts: vec!["prod-eu-1".into(), "staging".into()],
            requests: 2,
            ..Cluster::default()
        };
        app.enter(cluster, &mut effects);
        let mut stage = Stage { app, effects, theme: PLAIN, now: NOON, size };
        stage.app.state.ui.size = size;
        stage.open_feeds();
        stage
    }

    /// Opens the feeds that were asked for, as the shell would.
    pub fn open_feeds(&mut self) {
        let wanted = self.effects.iter().rev().find_map(|e| match e {
            Effect::Follow(tables) => Some(tables.clone()),
            _ => None,
        });
        let store = &mut self.app.state.store;
        for table in wanted.unwrap_or_default() {
            if store.feeds.iter().all(|f| f.table != table) {
                for kind in 0..store.table_at(table).spec.kinds.len() {
                    store.open_feed(table, kind as u8, None);
                }
            }
        }
    }

    /// Says that all feeds are live.
    pub fn live(&mut self) -> &mut Stage {
        let store = &mut self.app.state.store;
        for id in store.feeds.iter().map(|feed| feed.id).collect::<Vec<_>>() {
            let changed = self.app.state.store.set_health(id, Health::Live(self.now));
            self.app.absorb(&changed);
        }
        self
    }

    /// Sends a message and everything it entails inside the core.
    pub fn send(&mut self, msg: Msg) -> &mut Stage {
        let now = Now { server: self.now, instant: Instant::now() };
        self.effects.extend(self.app.update(msg, now));
        self.settle();
        self
    }

    /// Works until nothing is left to do, and lays the screen out, as a frame would.
    pub fn settle(&mut self) {
        let now = Now { server: self.now, instant: Instant::now() };
        self.app.state.ui.size = self.size;
        loop {
            self.app.work(now, 1000);
            self.effects.extend(self.app.export(now, 1000));
            if !self.app.busy {
                break;
            }
        }
        if let Some(words) = paint::lay_out(&mut self.app.state, self.now) {
            self.app.say(now, wheelhouse::state::cell::Role::Warn, words);
        }
        self.app.drawn(Instant::now());
    }

    /// Presses keys: characters as they are, others in angle brackets: `/crash<enter>j<ctrl-d>`.
    pub fn press(&mut self, keys: &str) -> &mut Stage {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (name, after) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
                Some((name, after)) if !name.is_empty() => (name.to_owned(), after),
                _ if c == ' ' => ("space".to_owned(), &rest[1..]),
                _ => (c.to_string(), &rest[c.len_utf8()..]),
            };
            rest = after;
            let chord: Chord = name.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
            self.send(Msg::Key(chord, Instant::now()));
        }
        self
    }

    /// The frame.
    pub fn buffer(&self) -> Buffer {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        paint::paint(&self.app.state, &self.theme, self.now, area, &mut buffer);
        buffer
    }

    /// The frame's lines, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let buffer = self.buffer();
        let line = |y| (0..self.size.0).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..self.size.1).map(|y| line(y).trim_end().to_owned()).collect()
    }

    /// The frame as text.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// One letter a cell for what is coloured: `w` warn, `b` bad, `D` danger, `o` ok, `a` accent, `d` dim, `.` plain.
    pub fn roles(&self) -> String {
        use wheelhouse::state::cell::Role;
        let buffer = self.buffer();
        let names = [
            (Role::Warn, 'w'),
            (Role::Bad, 'b'),
            (Role::Danger, 'D'),
            (Role::Ok, 'o'),
            (Role::Accent, 'a'),
            (Role::Dim, 'd'),
        ];
        let letter = |x, y| {
            let cell = &buffer[(x, y)];
            if cell.symbol() == " " && cell.bg == ratatui::style::Color::Reset {
                return ' ';
            }
            let found = names.iter().find(|(role, _)| {
                let style = self.theme.style(*role);
                style.fg.unwrap_or_default() == cell.fg && style.bg.unwrap_or_default() == cell.bg
            });
            found.map_or('.', |(_, c)| *c)
        };
        let line = |y| (0..self.size.0).map(|x| letter(x, y)).collect::<String>();
        (0..self.size.1).map(|y| line(y).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    /// The line under the cursor.
    pub fn cursor_line(&self) -> String {
        let lines = self.lines();
        lines.iter().skip(3).find(|l| l.starts_with('>')).cloned().unwrap_or_default()
    }
}
