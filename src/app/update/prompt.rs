//! The line being typed: filter, search, palette.

use super::App;
use crate::actions;
use crate::app::keymap::{Hit, Place};
use crate::app::msg::{Effect, Now};
use crate::app::terminal::chord::{Chord, Key};
use crate::state::cell::Role;
use crate::state::commands::{self, Layer};
use crate::state::fairness::question::read;
use crate::state::nearest;
use crate::state::ui::prompt::{Asking, Candidate, Prompt};
use crate::views;

/// Lines remembered for going back to.
const REMEMBERED: usize = 50;

impl App {
    pub(super) fn prompt_key(&mut self, chord: Chord, now: Now, fx: &mut Vec<Effect>) {
        let hit = self.keymap.find(Place::Prompt, &[chord]);
        let Some(prompt) = &mut self.state.ui.prompt else { return };
        match (hit, chord.key) {
            (Hit::Id("cancel"), _) => return self.cancel(),
            (Hit::Id("accept"), _) => return self.accept(now, fx),
            (Hit::Id("complete"), _) => return prompt.pick(false),
            (Hit::Id("complete-back"), _) => return prompt.pick(true),
            (Hit::Id("char-left"), _) => return prompt.step(-1),
            (Hit::Id("char-right"), _) => return prompt.step(1),
            (Hit::Id("delete-back"), _) => {
                if !prompt.backspace() && prompt.text.is_empty() {
                    return self.cancel();
                }
            }
            (Hit::Id("delete-word"), _) => prompt.delete_word(),
            (Hit::Id("delete-line"), _) => prompt.delete_line(),
            (Hit::Id(id @ ("typed-before" | "typed-after")), _) => {
                self.recall(id == "typed-before")
            }
            (_, Key::Char(c)) if !chord.ctrl && !chord.alt => {
                prompt.insert(c.encode_utf8(&mut [0; 4]))
            }
            (_, Key::Space) => prompt.insert(" "),
            _ => return,
        }
        self.typed();
    }

    pub(super) fn paste(&mut self, text: &str, now: Now) {
        match &mut self.state.ui.prompt {
            Some(prompt) => {
                let line: String =
                    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                prompt.insert(line.trim());
                self.typed();
            }
            // Pasted text would run as keys: it is not even looked at.
            None => self.say(now, Role::Warn, "pasted text was ignored; / or : takes text"),
        }
    }

    /// The text changed: a filter works at once, and completions follow.
    fn typed(&mut self) {
        let Some(prompt) = &self.state.ui.prompt else { return };
        let (asking, text) = (prompt.asking, prompt.text.clone());
        let wrong = match asking {
            Asking::Filter => self.filter(&text).err().map(|e| (e.at, e.why)),
            Asking::Command | Asking::Search => None,
            Asking::Argument(..) => self.argument_is_wrong(&text).map(|why| (0..text.len(), why)),
        };
        if let Some(prompt) = &mut self.state.ui.prompt {
            prompt.wrong = wrong;
        }
        self.complete();
    }

    fn recall(&mut self, back: bool) {
        let typed = &self.state.ui.typed;
        let Some(prompt) = &mut self.state.ui.prompt else { return };
        let at = match (prompt.past, back) {
            (None, true) => typed.len().checked_sub(1),
            (Some(i), true) => Some(i.saturating_sub(1)),
            (Some(i), false) if i + 1 < typed.len() => Some(i + 1),
            _ => None,
        };
        prompt.past = at;
        prompt.set(at.map_or("", |i| &typed[i]));
    }

    fn cancel(&mut self) {
        let Some(prompt) = self.state.ui.prompt.take() else { return };
        self.wish = None;
        self.unlocking = false;
        if prompt.asking == Asking::Filter {
            // The filter before the prompt was valid.
            let _ = self.filter(&prompt.before);
        }
    }

    fn accept(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let Some(prompt) = self.state.ui.prompt.take() else { return };
        let line = meant(&prompt);
        if let (Asking::Argument(..), Some(_)) = (prompt.asking, &prompt.wrong) {
            // What is wrong with it stands beside it.
            self.state.ui.prompt = Some(prompt);
            return;
        }
        if let Some((_, why)) = &prompt.wrong {
            let why = why.clone();
            let _ = self.filter(&prompt.before);
            return self.say(now, Role::Warn, format!("filter unchanged: {why}"));
        }
        if !line.is_empty() && self.state.ui.typed.last() != Some(&line) {
            self.state.ui.typed.push(line.clone());
            let n = self.state.ui.typed.len();
            self.state.ui.typed.drain(..n.saturating_sub(REMEMBERED));
        }
        match prompt.asking {
            Asking::Filter => {}
            Asking::Search => {
                let found = self.state.ui.document_mut().is_some_and(|doc| {
                    doc.search = line;
                    doc.search.is_empty() || doc.find(false)
                });
                if !found {
                    self.say(now, Role::Dim, "no line matches");
                }
            }
            Asking::Command => self.command_line(&line, now, fx),
            Asking::Argument(..) => self.argument(line, now, fx),
        }
    }

    /// A line of the palette. Nothing here needs confirming: what would is an action with a preview of its own.
    fn command_line(&mut self, line: &str, now: Now, fx: &mut Vec<Effect>) {
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(w, r)| (w, r.trim()));
        match (word, rest) {
            ("", _) => {}
            ("q" | "q!" | "quit" | "exit", "") => self.run("quit", now, fx),
            ("ctx" | "context", name) if !name.is_empty() => self.switch_context(name, now, fx),
            ("ns" | "namespace", name) if !name.is_empty() => self.switch_namespace(name, fx),
            ("whatif", "") => self.whatif("me list pods", now, fx),
            ("whatif", question) => self.whatif(question, now, fx),
            ("sort", column) if !column.is_empty() => self.sort_column(column),
            _ => match views::named(word) {
                Some(view) => {
                    self.visit_view(view.id, fx);
                    if !rest.is_empty()
                        && let Err(e) = self.filter(rest)
                    {
                        self.say(now, Role::Warn, format!("filter not used: {}", e.why));
                    }
                }
                None => self.palette_id(word, now, fx),
            },
        }
    }

    fn palette_id(&mut self, word: &str, now: Now, fx: &mut Vec<Effect>) {
        if actions::named(word).is_some() || commands::named(word).is_some() {
            return self.run(word, now, fx);
        }
        let known = palette(self).into_iter().map(|c| c.line).collect::<Vec<_>>();
        let hint = nearest::hint(word, known.iter().map(String::as_str));
        self.say(now, Role::Warn, format!("there is no view, action or command `{word}`{hint}"));
    }

    /// The page of a question.
    fn whatif(&mut self, question: &str, now: Now, fx: &mut Vec<Effect>) {
        match read(question) {
            Ok(question) => self.ask_schema(Box::new(question), fx),
            Err(why) => self.say(now, Role::Warn, why),
        }
    }

    fn switch_context(&mut self, name: &str, now: Now, fx: &mut Vec<Effect>) {
        let contexts = &self.state.cluster.contexts;
        if !contexts.iter().any(|c| c == name) {
            let hint = nearest::hint(name, contexts.iter().map(String::as_str));
            return self.say(now, Role::Warn, format!("there is no context `{name}`{hint}"));
        }
        if self.drain.as_ref().is_some_and(|d| d.runs()) {
            let words =
                "a drain runs here: end it first, or open the other cluster in another window";
            return self.say(now, Role::Warn, words);
        }
        self.session.0 += 1;
        self.state.cluster.switching = Some(name.to_owned());
        fx.push(Effect::SwitchContext(name.to_owned(), false));
    }

    fn switch_namespace(&mut self, name: &str, fx: &mut Vec<Effect>) {
        let scope = match name {
            "all" | "*" | "-" => None,
            name => Some(name.to_owned()),
        };
        self.state.cluster.namespace = scope.clone();
        fx.push(Effect::SwitchNamespace(scope));
        self.read_deeds(fx);
    }

    /// Works out what the line could become.
    pub(super) fn complete(&mut self) {
        let Some(prompt) = &self.state.ui.prompt else { return };
        let candidates = match prompt.asking {
            Asking::Command => {
                let text = prompt.text.to_lowercase();
                let mut found = palette(self);
                found.retain(|c| c.line.to_lowercase().contains(&text));
                // What begins with the text comes before what only holds it.
                found.sort_by_key(|c| !c.line.to_lowercase().starts_with(&text));
                found
            }
            Asking::Filter => self.filter_candidates(prompt),
            Asking::Search | Asking::Argument(..) => vec![],
        };
        if let Some(prompt) = &mut self.state.ui.prompt {
            prompt.candidates = candidates;
            prompt.picked = None;
        }
    }

    /// Column names for the word being typed.
    fn filter_candidates(&self, prompt: &Prompt) -> Vec<Candidate> {
        let Some(table) = self.state.ui.table() else { return vec![] };
        let start = prompt.text.rfind(' ').map_or(0, |i| i + 1);
        let (head, word) = prompt.text.split_at(start);
        let word = word.trim_start_matches('!');
        if word.is_empty() || word.contains(':') {
            return vec![];
        }
        let columns = self.state.store.table_at(table.table).spec.columns.iter();
        columns
            .filter(|c| c.id.starts_with(word))
            .map(|c| Candidate { line: format!("{head}{}:", c.id), note: c.title.to_owned() })
            .collect()
    }
}

/// The line that was typed, or the only one that it can become.
fn meant(prompt: &Prompt) -> String {
    match prompt.candidates.as_slice() {
        [only] if prompt.asking == Asking::Command && !prompt.text.is_empty() => only.line.clone(),
        _ => prompt.text.trim().to_owned(),
    }
}

/// Everything the palette knows.
fn palette(app: &App) -> Vec<Candidate> {
    let mut all = vec![];
    let mut add =
        |line: &str, note: &str| all.push(Candidate { line: line.into(), note: note.into() });
    for view in views::ALL {
        add(view.id, &format!("view ({})", view.aliases.join(", ")));
    }
    let here = actions::ask(&app.state);
    for action in actions::ALL {
        let spec = action.spec();
        if here.as_ref().is_some_and(|ask| actions::fits(*action, ask.target.table)) {
            add(spec.id, spec.help);
        }
    }
    for command in commands::ALL.iter().filter(|c| c.layer == Layer::Global) {
        add(command.id, command.help);
    }
    for context in &app.state.cluster.contexts {
        let note =
            if *context == app.state.cluster.context { "context, this one" } else { "context" };
        add(&format!("ctx {context}"), note);
    }
    add(
        "whatif me list pods",
        "which flow schema catches this: USER VERB WHAT [-n NAMESPACE] [-g GROUP]",
    );
    add("ns all", "all namespaces");
    let mut namespaces: Vec<_> = app.state.store.rows("namespaces").map(|r| r.name()).collect();
    if namespaces.is_empty() && !app.state.cluster.home.is_empty() {
        namespaces.push(app.state.cluster.home.clone().into());
    }
    namespaces.sort_unstable();
    for namespace in namespaces {
        add(&format!("ns {namespace}"), "namespace");
    }
    if let Some(table) = app.state.ui.table() {
        for column in &table.columns {
            add(&format!("sort {}", column.id), "sort by this column");
        }
    }
    all
}
