//! The feeds in use: what the places in the history need, no more.

use super::Post;
use crate::app::cluster::feed::{self, FeedHandle};
use crate::app::cluster::mailbox::{Delivery, Mailbox};
use crate::app::cluster::upstream::Upstream;
use crate::app::connect::Connection;
use crate::app::msg::Msg;
use crate::app::update::App;
use crate::state::health::FeedId;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Feeds of one connection.
pub(super) struct Feeds {
    runtime: Handle,
    upstream: Arc<Upstream>,
    mailbox: Mailbox,
    running: Vec<(u8, FeedId, FeedHandle)>,
}

impl Feeds {
    pub(super) fn new(runtime: Handle, connection: &Connection, post: Post) -> Feeds {
        let mailbox = Mailbox::new(Arc::new(move || post(Msg::Woken)));
        Feeds { runtime, upstream: connection.upstream.clone(), mailbox, running: vec![] }
    }

    pub(super) fn trickles(&self) -> bool {
        self.mailbox.trickles()
    }

    pub(super) fn drain(&self, rows: usize) -> Vec<Msg> {
        let news = self.mailbox.drain(rows).into_iter();
        news.map(|d| match d {
            Delivery::Rows(parcel) => Msg::Rows(parcel),
            Delivery::Health(id, health) => Msg::Health(id, health),
        })
        .collect()
    }

    /// Follows these tables; those no longer needed are let go with their rows.
    pub(super) fn follow(&mut self, app: &mut App, tables: &[u8]) {
        let (keep, drop): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.running).into_iter().partition(|(t, ..)| tables.contains(t));
        self.running = keep;
        for (_, id, handle) in drop {
            std::mem::drop(handle);
            let changed = app.state.store.close_feed(id);
            app.absorb(&changed);
        }
        for &table in tables {
            if !self.running.iter().any(|(t, ..)| *t == table) {
                self.open(app, table);
            }
        }
        let here = app.on_screen();
        self.running.iter().for_each(|(table, _, feed)| feed.look(here.contains(table)));
    }

    /// The namespace looked at changed: everything is listed anew, and nothing of the old scope stays.
    pub(super) fn rescope(&mut self, app: &mut App) {
        let tables: Vec<u8> = self.running.iter().map(|(t, ..)| *t).collect();
        self.follow(app, &[]);
        self.follow(app, &tables);
    }

    fn open(&mut self, app: &mut App, table: u8) {
        let _context = self.runtime.enter();
        let scope = app.state.cluster.namespace.as_deref();
        for spec in feed::specs(&mut app.state.store, table, scope) {
            let id = spec.id;
            self.running.push((table, id, feed::spawn(spec, &self.upstream, &self.mailbox)));
        }
    }
}
