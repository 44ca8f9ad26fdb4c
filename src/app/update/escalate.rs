//! What a drain never does by itself: a pod is deleted past its budgets, its object removed without its kubelet, or a
//! finalizer taken away. Each goes through the pipeline of changes and takes a typed name.

use super::App;
use super::desk::Stage;
use crate::actions::Wish;
use crate::actions::drain::verdict::Verdict;
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::kinds::pods;
use crate::state::ui::board::About;
use crate::state::ui::document::Target;

impl App {
    /// One pod; or, by force, all that a dead node holds: they share a cause that is proven, and its name is typed once.
    pub(super) fn escalate(
        &mut self,
        action: &'static str,
        here: &About,
        now: Now,
        fx: &mut Vec<Effect>,
    ) {
        let (uids, argument) = match here {
            About::Pod(uid) => (vec![uid.clone()], String::new()),
            About::Node(node) if action == "force-delete" => {
                (self.held_by_dead(node), node.clone())
            }
            _ => (vec![], String::new()),
        };
        let targets: Vec<Target> = uids.iter().filter_map(|uid| self.board_pod(uid)).collect();
        if targets.is_empty() {
            let words = match here {
                About::Node(_) if action == "force-delete" => {
                    "nothing on it is past its grace because the node is dead"
                }
                _ => "put the cursor on a pod",
            };
            return self.say(now, Role::Dim, words);
        }
        self.wish(Wish { action, targets, argument }, now, fx);
    }

    /// uids of the pods that do not end because this node is dead.
    fn held_by_dead(&self, name: &str) -> Vec<String> {
        let progress = self.drain.as_ref().and_then(|desk| desk.stage.progress());
        let nodes = progress.into_iter().flat_map(|p| &p.nodes).filter(|n| n.name == name);
        let dead = nodes.flat_map(|n| &n.pods).filter(
            |pod| matches!(pod.state.verdict(), Some(Verdict::NodeDead { node, .. }) if node == name),
        );
        dead.map(|pod| pod.uid.clone()).collect()
    }

    /// A pod of the board by its uid.
    pub(super) fn board_pod(&self, uid: &str) -> Option<Target> {
        let named =
            |namespace: &str, name: &str| Target::in_table(&pods::TABLE, namespace, name, uid);
        match &self.drain.as_ref()?.stage {
            Stage::Planned { plan, .. } => {
                let pod = plan.pods.iter().find(|p| p.uid == uid)?;
                Some(named(&pod.namespace, &pod.name))
            }
            stage => {
                let rows = stage.progress()?.nodes.iter().flat_map(|n| &n.pods);
                let pod = rows.into_iter().find(|p| p.uid == uid)?;
                Some(named(&pod.namespace, &pod.name))
            }
        }
    }
}
