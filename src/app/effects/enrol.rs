//! Making a user from the screen: the plan first; once it is confirmed the key waits here for its certificate.

use super::Effects;
use super::change::prepare;
use crate::actions::make_user::{self, User};
use crate::actions::plan::Armed;
use crate::actions::{Wish, plan::Plan};
use crate::app::cluster::fetch::get_object;
use crate::app::enrol::{Enrolment, Place, pinned};
use crate::app::msg::{Msg, Note, SessionId};
use crate::state::cell::Role;
use crate::state::kinds::certificate_requests::TABLE;
use crate::state::text::clean;
use crate::state::ui::document::Target;
use std::path::PathBuf;
use std::time::Duration;

/// How long a request may wait for somebody to approve it.
const PATIENCE: Duration = Duration::from_secs(900);
/// Looks for the request that was just submitted, half a second apart.
const LOOKS: usize = 40;

/// A user between the plan and the kubeconfig.
pub(super) struct Enrolling {
    made: Enrolment,
    place: Place,
    file: PathBuf,
}

impl Effects {
    /// Makes key and plan; the file is taken before anything is sent.
    pub(super) fn prepare_user(&mut self, id: SessionId, wish: &Wish) {
        let planned = self.plan_user(wish).map(Box::new);
        (self.post)(Msg::Prepared(id, planned));
    }

    fn plan_user(&mut self, wish: &Wish) -> Result<Plan, String> {
        // A plan that was left holds a file that is of no use to anybody.
        self.enrolment = None;
        let made = Enrolment::new(User::parse(&wish.argument)?)?;
        let file = PathBuf::from(made.file_name());
        let mut plan = made.plan()?;
        let place = Place::take(&file, false)?;
        let words = format!("once it is signed, {} is written for you alone", file.display());
        plan.notes.push(crate::actions::plan::Note::plain(words));
        let cluster = &self.connection.cluster;
        if cluster.protected {
            plan.danger = plan.danger.raised(&cluster.context);
        }
        self.enrolment = Some(Enrolling { made, place, file });
        Ok(plan)
    }

    /// The plan was confirmed: waits for the request, offers to approve it, and writes the kubeconfig when it is signed.
    pub(super) fn enrol(&mut self, id: SessionId, armed: &Armed) {
        if armed.plan().action != make_user::ID {
            return;
        }
        let Some(Enrolling { made, place, file }) = self.enrolment.take() else { return };
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        let upstream = self.connection.upstream.clone();
        let (cluster, now) = (self.connection.cluster.clone(), self.connection.now());
        let pinned = pinned(&self.connection);
        self.runtime.spawn(async move {
            let by_name = Target::in_table(&TABLE, "", &made.request, "");
            let mut found = None;
            for _ in 0..LOOKS {
                found = get_object(&client, &by_name).await.ok();
                if found.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            // What kept it from being made was told by the run itself.
            let Some(object) = found else { return };
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
            let targets = vec![Target::in_table(&TABLE, "", &made.request, uid)];
            let argument = "made with wheelhouse".into();
            let wish = Wish { action: "approve", targets, argument };
            let plan = prepare(&upstream, &wish, &cluster, now).await;
            post(Msg::Prepared(id, plan.map(Box::new)));
            let written = async {
                let certificate = made.certificate(&client, PATIENCE).await?;
                place.fill(&made.kubeconfig(&pinned?, &certificate)?)
            };
            let (role, text) = match written.await {
                Ok(()) => (Role::Ok, format!("{} holds key and certificate", file.display())),
                Err(why) => {
                    (Role::Bad, format!("{}: no kubeconfig: {}", made.request, clean(&why)))
                }
            };
            post(Msg::Said(Note { role, text }));
        });
    }
}
