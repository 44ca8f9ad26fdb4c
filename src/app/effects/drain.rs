//! What the board of a drain asks for.

use super::Effects;
use super::change::{began, journal_of, next_id};
use crate::actions::drain::landing::land;
use crate::actions::drain::plan::DrainPlan;
use crate::actions::plan::Armed;
use crate::app::cluster::gather::gather;
use crate::app::drain::{Ended, Job, drive, facts, reins, unfinished};
use crate::app::journal::who;
use crate::app::msg::{Msg, Note, SessionId};
use crate::state::cell::Role;
use crate::state::ui::RouteId;

impl Effects {
    pub(super) fn read_drain(&self, route: RouteId, nodes: Vec<String>) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        let now = self.connection.now();
        self.runtime.spawn(async move {
            let facts = facts::gather(&client, &nodes, now).await.map(Box::new);
            post(Msg::DrainRead(route, facts));
        });
    }

    /// Reads the whole cluster; one such reading at a time.
    pub(super) fn land_drain(&mut self, route: RouteId, plan: DrainPlan) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.stop_reading();
        self.reading = Some(self.runtime.spawn(async move {
            let told = |read| post(Msg::Reading(route, read));
            let gathered = gather(&client, &told, |_| {}).await;
            let landing = match gathered {
                Err(fault) => Err(fault.to_string()),
                // Thousands of nodes take a moment, in which the feeds' thread must not stand still.
                Ok(gathered) => tokio::task::spawn_blocking(move || {
                    let mut landing = land(&plan, &gathered.world);
                    landing.unread = gathered.unread;
                    landing
                })
                .await
                .map_err(|e| format!("the simulator ended: {e}")),
            };
            post(Msg::DrainLanded(route, landing));
        }));
    }

    /// Runs a confirmed drain on a thread of its own.
    pub(super) fn run_drain(&mut self, armed: Armed) {
        let job = Job {
            runtime: self.runtime.clone(),
            client: self.connection.client.clone(),
            now: self.connection.now(),
            id: next_id(),
            armed,
            began: began(&self.connection.cluster),
            journal: journal_of(&self.connection.cluster),
            by: who(),
        };
        let (reins, ends) = reins();
        self.reins = Some(reins);
        let post = self.post.clone();
        let run = move || {
            let ended = drive(job, ends, &mut |told| post(Msg::DrainTold(Box::new(told))));
            post(Msg::DrainEnded(Box::new(ended)));
        };
        if let Err(why) = std::thread::Builder::new().name("drain".into()).spawn(run) {
            let stopped = Some(format!("nothing was sent: the system gives no thread: {why}"));
            let ended = Ended { run: String::new(), progress: None, how: None, stopped };
            (self.post)(Msg::DrainEnded(Box::new(ended)));
        }
    }

    pub(super) fn find_drains(&self, id: SessionId) {
        let (cluster, post) = (self.connection.cluster.clone(), self.post.clone());
        self.runtime.spawn_blocking(move || {
            // A journal that cannot be read is said where one is written.
            if let Ok(found) = unfinished::list(&cluster) {
                post(Msg::DrainsLeft(id, found));
            }
        });
    }

    pub(super) fn resume_drain(&self, id: SessionId) {
        let (cluster, post) = (self.connection.cluster.clone(), self.post.clone());
        self.runtime.spawn_blocking(move || {
            post(Msg::Prepared(id, unfinished::plan(None, &cluster).map(Box::new)));
        });
    }

    pub(super) fn abandon_drain(&self) {
        let (cluster, post) = (self.connection.cluster.clone(), self.post.clone());
        self.runtime.spawn_blocking(move || {
            let note = match unfinished::abandon(None, &cluster) {
                Ok(run) => Note {
                    role: Role::Accent,
                    text: format!("run {run} is closed; its nodes are as they are"),
                },
                Err(text) => Note { role: Role::Warn, text },
            };
            post(Msg::Said(note));
        });
    }
}
