//! From place to place.

use super::App;
use crate::actions::{self, Offer, Order};
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::fairness::question::Question;
use crate::state::kinds;
use crate::state::lens::Lens;
use crate::state::query::Query;
use crate::state::ui::document::{DocUi, Form, Target};
use crate::state::ui::table::{Cursor, TableUi};
use crate::state::ui::{Page, Route, RouteId};
use crate::views::{self, spec::Jump};

impl App {
    /// Opens a view with nothing narrowing it but what it leaves out at first.
    pub fn visit_view(&mut self, view: &'static str, fx: &mut Vec<Effect>) {
        let filter = views::opening(view).map_or("", |(filter, _)| filter).to_owned();
        self.jump(Jump { view, filter, ..Jump::default() }, fx);
    }

    /// Opens a view as a jump says.
    pub(super) fn jump(&mut self, jump: Jump, fx: &mut Vec<Effect>) {
        let Some(view) = views::named(jump.view) else { return };
        let store = &self.state.store;
        let Some(index) = store.table_index(view.table) else { return };
        let spec = store.table_at(index).spec;
        let Some(column) = spec.column(view.sort.0) else { return };
        let sort = (column, view.sort.1);
        // Scopes and links are written by views, and a test parses all of them.
        let scope = Query::parse(&jump.scope, spec).unwrap_or_default();
        let query = Query::parse(&jump.filter, spec).unwrap_or_default();
        let mut table = TableUi::new(index, Lens::new(index, sort, scope, query), sort);
        table.filter = jump.filter;
        table.indirect = view.table == kinds::events::TABLE.id;
        if let Some((namespace, name)) = jump.seek {
            table.cursor = Cursor::Seek(namespace, name);
        }
        self.state.ui.visit(view.id, jump.about, Page::Table(Box::new(table)));
        self.busy = true;
        self.follow(fx);
    }

    /// Opens a document.
    pub(super) fn open(&mut self, target: Target, form: Form, fx: &mut Vec<Effect>) {
        let view = match form {
            Form::Yaml => "yaml",
            Form::Describe => "describe",
            Form::Why => "why",
            Form::Stuck => "stuck",
            Form::Kubelet => "kubelet",
            Form::WhatIf => "whatif",
            Form::Dump => "dump",
        };
        let doc = DocUi::new(target.clone(), form);
        let id = self.state.ui.visit(view, target.path(), Page::Document(Box::new(doc)));
        fx.push(Effect::Fetch(id, target, form));
        self.follow(fx);
    }

    /// Opens the page of a question.
    pub(super) fn ask_schema(&mut self, question: Box<Question>, fx: &mut Vec<Effect>) {
        let target = actions::which_schema::about(&question);
        let doc =
            DocUi { question: Some(question.clone()), ..DocUi::new(target.clone(), Form::WhatIf) };
        let id = self.state.ui.visit("whatif", target.path(), Page::Document(Box::new(doc)));
        fx.push(Effect::WhichSchema(id, question));
        self.follow(fx);
    }

    /// Fetches the document on screen again.
    pub(super) fn reload(&mut self, fx: &mut Vec<Effect>) {
        let id = self.state.ui.route().map_or(RouteId(0), |r| r.id);
        if let Some(doc) = self.state.ui.document() {
            fx.push(match &doc.question {
                Some(question) => Effect::WhichSchema(id, question.clone()),
                None => Effect::Fetch(id, doc.target.clone(), doc.form),
            });
        }
    }

    /// Asks for the tables that the places in the history live on.
    pub(super) fn follow(&self, fx: &mut Vec<Effect>) {
        let store = &self.state.store;
        let mut tables: Vec<u8> = vec![];
        let here = self.state.ui.route().map(|route| route.id);
        for route in &self.state.ui.routes {
            let mut ids = lives_on(route);
            // Samples are asked for only while they are looked at.
            ids.retain(|id| !kinds::usage::is_sampled(id) || here == Some(route.id));
            tables.extend(ids.iter().filter_map(|id| store.table_index(id)));
        }
        tables.sort_unstable();
        tables.dedup();
        fx.push(Effect::Follow(tables));
        self.read_deeds(fx);
    }

    /// The tables that the page on screen lives on: what asks the server again and again does so only for these.
    pub(in crate::app) fn on_screen(&self) -> Vec<u8> {
        let ids = self.state.ui.route().map(lives_on).unwrap_or_default();
        ids.iter().filter_map(|id| self.state.store.table_index(id)).collect()
    }

    /// Looks again at what is measured.
    pub(super) fn look_again(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let table = self.state.ui.table().map(|table| self.state.store.table_at(table.table).spec);
        match table.is_some_and(|spec| spec.is_looked_at()) {
            true => {
                fx.push(Effect::LookAgain);
                self.say(
                    now,
                    Role::Dim,
                    "asked again; scrapes are 15 s apart and dumps 10 s, so it may take that long",
                );
            }
            false => self.say(now, Role::Dim, "this follows the cluster by itself"),
        }
    }

    /// Runs an action on what was last painted under the cursor.
    pub(super) fn act(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) {
        let Some(action) = actions::named(id) else { return };
        let spec = action.spec();
        let Some(ask) = actions::ask(&self.state) else {
            self.say(now, Role::Dim, format!("{}: there is no row here", spec.word));
            return;
        };
        if !actions::fits(action, ask.target.table) {
            let what = match spec.tables {
                [] => "objects of a cluster".to_owned(),
                tables => tables.join(", "),
            };
            self.say(now, Role::Dim, format!("{} works on {what}", spec.word));
            return;
        }
        let order = match action.offer(&ask) {
            Offer::Yes => action.order(&ask),
            Offer::No(why) => {
                self.say(now, Role::Warn, format!("{}: {why}", spec.word));
                return;
            }
        };
        match order {
            Some(Order::Open(target, form)) => self.open(target, form, fx),
            Some(Order::WhichSchema(question)) => self.ask_schema(question, fx),
            Some(Order::Go(jump)) => self.jump(jump, fx),
            Some(Order::Copy(what, text)) => fx.push(Effect::Copy(what, text)),
            Some(Order::CopyYaml(target)) => fx.push(Effect::FetchToCopy(target)),
            Some(Order::Kubectl(command)) => fx.push(Effect::Review(command)),
            Some(Order::Drain(nodes)) => self.drain_nodes(nodes, now, fx),
            Some(Order::SaveText(file, text)) => {
                fx.push(Effect::SaveText(file, text, "the page".into()));
            }
            Some(Order::SaveReport(run)) => fx.push(Effect::SaveReport(run)),
            Some(Order::Undo(run)) => self.undo(Some(run), now, fx),
            Some(Order::Change(wish)) => self.wish(wish, now, fx),
            None => self.say(now, Role::Warn, format!("{}: the row is gone", spec.word)),
        }
    }

    /// Enter on a row.
    pub(super) fn enter_row(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let view = self.state.ui.route().and_then(|r| views::named(r.view));
        let row = self.state.ui.table().and_then(|t| t.seen(&self.state.store));
        let Some((view, row)) = view.zip(row) else {
            return self.say(now, Role::Dim, "no row was on screen yet; press it again");
        };
        match (view.enter.1)(row) {
            Some(jump) if jump.view.is_empty() => {
                let target = actions::target(row);
                self.open(target, jump.form.unwrap_or(Form::Describe), fx);
            }
            Some(jump) => self.jump(jump, fx),
            None => self.say(now, Role::Dim, "this row leads to no view of wheelhouse"),
        }
    }
}

/// The tables that a place lives on.
fn lives_on(route: &Route) -> Vec<&'static str> {
    match &route.page {
        Page::Table(_) => needs(route.view),
        Page::Document(doc) => vec![doc.target.table],
        Page::Board(_) => vec!["nodes"],
        Page::Chart(chart) => needs(chart.view),
    }
}

/// The tables that a view lives on.
fn needs(view: &str) -> Vec<&'static str> {
    views::named(view).map(|v| [&[v.table], v.also].concat()).unwrap_or_default()
}
