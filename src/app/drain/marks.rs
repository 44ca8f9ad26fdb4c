//! The marks that a running drain keeps on its nodes.

use super::drive::Driver;
use super::job::News;
use super::mark::EVERY;
use crate::actions::drain::wire::Wire;
use crate::app::cluster::session::Permit;
use crate::app::effects::change::send;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

impl Driver {
    /// A drain that lives says so on its nodes. Not in the journal: it says nothing that the run does not.
    pub(super) fn renew_marks(&mut self) {
        let due = |at: &Instant| at.elapsed() >= EVERY;
        if !self.marked.values().any(due) {
            return;
        }
        self.mark.at = self.clock.epoch().rfc3339();
        let text = self.mark.text();
        for (name, at) in self.marked.iter_mut().filter(|(_, at)| due(at)) {
            *at = Instant::now();
            let Some(node) = self.nodes.get(name) else { continue };
            let Ok(step) = Wire::mark(name, &node.uid, Some(&text)) else { continue };
            let (client, id) = (self.job.client.clone(), self.job.id);
            self.job.runtime.spawn(async move {
                // A mark that cannot be renewed looks old, which is all that can be done about it.
                let _ = send(&client, Permit::Write(id), &step.request).await;
            });
        }
    }

    /// Takes the marks off, and waits a moment for it.
    pub(super) fn unmark(&mut self, news: &Receiver<News>) {
        let mut open = 0;
        for name in self.marked.keys() {
            let Some(node) = self.nodes.get(name) else { continue };
            let Ok(step) = Wire::mark(name, &node.uid, None) else { continue };
            let (client, id, done) = (self.job.client.clone(), self.job.id, self.sender.clone());
            open += 1;
            self.job.runtime.spawn(async move {
                let _ = send(&client, Permit::Write(id), &step.request).await;
                let _ = done.send(News::Leave);
            });
        }
        let patience = Instant::now() + Duration::from_secs(10);
        while open > 0 {
            let left = patience.saturating_duration_since(Instant::now());
            match news.recv_timeout(left) {
                Ok(News::Leave) => open -= 1,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}
