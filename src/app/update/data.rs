//! News from the cluster.

use super::App;
use crate::app::msg::{Effect, Now, SessionId};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::cluster::Cluster;
use crate::state::doc::Line;
use crate::state::health::{FeedId, Health};
use crate::state::lens::{Budget, Progress};
use crate::state::parcel::Parcel;
use crate::state::store::{Changed, Store};
use crate::state::ui::document::{DocUi, Fetched, Form, Loaded, News};
use crate::state::ui::{Overlay, Page, RouteId};
use std::sync::Arc;

impl App {
    pub(super) fn rows(&mut self, parcel: &Parcel) {
        let changed = self.state.store.apply(parcel);
        self.absorb(&changed);
    }

    /// Tells every table in the history, and every document whose object changed.
    pub fn absorb(&mut self, changed: &Changed) {
        let State { store, ui, .. } = &mut self.state;
        for route in &mut ui.routes {
            match &mut route.page {
                Page::Table(table) => {
                    table.lens.absorb(store, changed);
                    self.busy |= !table.lens.settled();
                }
                Page::Document(doc) => {
                    let row = store.find(doc.target.table, doc.target.key);
                    doc.news = match row {
                        Some(row) if row.rv() != doc.target.rv => News::Changed,
                        // An object that is gone stays readable; what stands there is then all there is.
                        None if store.follows(doc.target.table, &doc.target.namespace) => {
                            News::Gone
                        }
                        _ => News::None,
                    };
                }
                Page::Board(_) | Page::Chart(_) => {}
            }
        }
    }

    /// Does a slice of the work over whole tables that is still open, and tests filters on ages again each minute. Only
    /// the table on screen is worked on.
    pub fn work(&mut self, now: Now, rows: usize) {
        let minute = now.server.0.div_euclid(60);
        let beat = std::mem::replace(&mut self.minute, minute) != minute;
        let State { store, ui, .. } = &mut self.state;
        self.busy = match ui.routes.get_mut(ui.at).map(|r| &mut r.page) {
            Some(Page::Table(table)) => {
                if beat {
                    table.lens.rebind(store, now.server);
                }
                table.lens.work(store, now.server, Budget { rows }) == Progress::More
            }
            _ => false,
        };
        self.busy |= self.export.is_some();
    }

    pub(super) fn health(&mut self, id: FeedId, health: Health, now: Now, fx: &mut Vec<Effect>) {
        let denied = matches!(health, Health::Denied { verb: "list", .. });
        let before = self.state.store.feeds.iter().find(|f| f.id == id).map(|f| &f.health);
        let was_down = matches!(before, Some(Health::Down { .. }));
        let fault = match &health {
            Health::Down { fault, .. } if !was_down => Some(fault.clone()),
            _ => None,
        };
        let changed = self.state.store.set_health(id, health);
        self.absorb(&changed);
        let Some(feed) = self.state.store.feeds.iter().find(|f| f.id == id) else { return };
        let gvk = &self.state.store.table_at(feed.table).spec.kinds[usize::from(feed.kind)].gvk;
        if let Some(fault) = fault {
            let what = gvk.plural;
            self.state.ui.say(now.server, Role::Bad, format!("{what}: {fault}"));
        }
        // Rights on one namespace only: what is allowed there is shown instead of nothing.
        if denied
            && gvk.namespaced
            && feed.namespace.is_none()
            && self.state.cluster.namespace.is_none()
        {
            let home = self.state.cluster.home.clone();
            let what = gvk.plural;
            self.say(now, Role::Warn, format!("you may not list {what} in all namespaces; this is {home}, :ns NAME shows another"));
            self.state.cluster.namespace = Some(home.clone());
            fx.push(Effect::SwitchNamespace(Some(home)));
            self.read_deeds(fx);
        }
    }

    pub(super) fn reading(&mut self, route: RouteId, read: usize, fx: &mut Vec<Effect>) {
        if self.drain_reading(route, read) {
            return;
        }
        match self.state.ui.route_mut().filter(|r| r.id == route).map(|r| &mut r.page) {
            Some(Page::Document(doc)) => {
                if let Loaded::Asking(so_far) = &mut doc.loaded {
                    *so_far = read;
                }
            }
            _ => {
                let routes = &mut self.state.ui.routes;
                if let Some(Page::Document(doc)) =
                    routes.iter_mut().find(|r| r.id == route).map(|r| &mut r.page)
                {
                    doc.loaded = Loaded::Refused("left before it was read; r reads again".into());
                }
                fx.push(Effect::StopReading);
            }
        }
    }

    pub(super) fn fetched(&mut self, route: RouteId, fetched: Result<Fetched, String>, now: Now) {
        let State { store, ui, .. } = &mut self.state;
        let Some(doc) = ui.routes.iter_mut().find(|r| r.id == route) else { return };
        let Page::Document(doc) = &mut doc.page else { return };
        doc.news = News::None;
        doc.loaded = match fetched {
            Ok(fetched) => {
                let rv = fetched.object["metadata"]["resourceVersion"].as_str();
                doc.target.rv = rv.and_then(|rv| rv.parse().ok()).unwrap_or(0);
                Loaded::Here(Arc::new(fetched))
            }
            Err(why) => Loaded::Refused(why),
        };
        write(doc, store, now);
    }

    pub(super) fn connected(
        &mut self,
        id: SessionId,
        outcome: Result<Cluster, String>,
        fx: &mut Vec<Effect>,
    ) {
        if id != self.session {
            return;
        }
        self.state.cluster.switching = None;
        match outcome {
            Ok(cluster) => {
                fx.push(Effect::Adopt);
                self.enter(cluster, fx);
            }
            Err(why) => {
                let title = format!("Still on {}", self.state.cluster.context);
                self.state.ui.notice(title, why);
            }
        }
    }

    /// Begins on a cluster with nothing of the one before.
    pub fn enter(&mut self, cluster: Cluster, fx: &mut Vec<Effect>) {
        self.state.cluster = cluster;
        self.keep_locked();
        self.state.store = Default::default();
        self.state.series = Default::default();
        self.export = None;
        self.state.store.server = self.state.cluster.server.clone();
        self.state.ui.routes.clear();
        self.state.ui.at = 0;
        self.state.ui.prompt = None;
        self.state.ui.overlay = Overlay::None;
        self.doubted = None;
        self.forget_changes();
        if !self.state.cluster.notes.is_empty() {
            let notes = self.state.cluster.notes.join("\n");
            self.state.ui.notice("To know before you begin".into(), notes);
        }
        if !self.drain.as_ref().is_some_and(|d| d.runs()) {
            self.drain = None;
            self.state.ui.underway = None;
        }
        fx.push(Effect::FindDrains);
        self.visit_view(self.home, fx);
    }
}

/// Makes a document's lines from what was fetched.
pub(super) fn write(doc: &mut DocUi, store: &Store, now: Now) {
    let Loaded::Here(fetched) = &doc.loaded else { return };
    doc.doc = match doc.form {
        Form::Describe if fetched.page.is_some() => fetched.page.clone().unwrap_or_default(),
        Form::Yaml => crate::state::doc::yaml(&fetched.object, doc.open),
        Form::Describe => {
            let events = fetched.events.as_deref().ok();
            let mut page =
                crate::state::doc::describe_in(store, &fetched.object, events, now.server);
            if let Err(why) = &fetched.events {
                page.lines.push(Line::of(Role::Warn, format!("Events: {why}")));
            }
            page
        }
        Form::Why | Form::Stuck | Form::Kubelet | Form::WhatIf | Form::Dump => {
            fetched.page.clone().unwrap_or_default()
        }
    };
}
