//! What of a run can still be put back, in the light of the runs after it.

use super::{Entry, Fate, Story};
use serde_json::Value;
use std::collections::HashMap;

/// A request, as far as it tells whether an undo was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// HTTP method.
    pub method: String,
    /// URL path with query.
    pub path: String,
    /// The document.
    pub body: Value,
}

/// Goes through runs from the newest to the oldest and tells of each what nobody has put back since.
///
/// A step counts as put back when a later done request is exactly what its undo says. Each such request puts back one
/// step: the latest before it.
#[derive(Clone, Debug, Default)]
pub struct PutBack {
    later: HashMap<String, Vec<Sent>>,
}

impl Sent {
    fn of(entry: &Entry) -> Sent {
        let intent = &entry.intent;
        Sent { method: intent.method.clone(), path: intent.path.clone(), body: intent.body.clone() }
    }

    /// What a run sent and the server did.
    pub fn by(story: &Story) -> Vec<Sent> {
        story.entries.iter().filter(|entry| entry.fate() == Fate::Done).map(Sent::of).collect()
    }

    /// The requests that would put back what a run did, latest step first; see [`Story::undo_steps`].
    pub fn undos(story: &Story) -> Vec<Sent> {
        let undos = story.undo_steps().into_iter().filter_map(|entry| entry.intent.undo.as_ref());
        undos
            .map(|undo| Sent {
                method: undo.method.clone(),
                path: undo.path.clone(),
                body: undo.body.clone(),
            })
            .collect()
    }
}

impl PutBack {
    /// For each of a run's undos whether it is still to be sent, then remembers what the run itself sent. Runs must come
    /// newest first.
    pub fn left(&mut self, undos: &[Sent], sent: Vec<Sent>) -> Vec<bool> {
        let left = undos.iter().map(|undo| !self.take(undo)).collect();
        for request in sent {
            self.later.entry(request.path.clone()).or_default().push(request);
        }
        left
    }

    /// Whether a later run sent this; it stands for one step only.
    fn take(&mut self, undo: &Sent) -> bool {
        let Some(same) = self.later.get_mut(&undo.path) else { return false };
        // A body that was not recorded is none that could be compared.
        let at = same.iter().position(|sent| !undo.body.is_null() && sent == undo);
        at.map(|at| same.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(path: &str, n: i64) -> Sent {
        Sent { method: "PATCH".into(), path: path.into(), body: json!({ "n": n }) }
    }

    #[test]
    fn each_later_request_puts_back_one_step() {
        let mut back = PutBack::default();
        // Newest first: a redo, the undo, what was undone, and the same once more before that.
        assert_eq!(back.left(&[sent("/a", 1)], vec![sent("/a", 2)]), [true]);
        assert_eq!(back.left(&[], vec![sent("/a", 1)]), Vec::<bool>::new());
        assert_eq!(back.left(&[sent("/a", 1), sent("/b", 1)], vec![]), [false, true]);
        assert_eq!(back.left(&[sent("/a", 1)], vec![]), [true]);
    }

    #[test]
    fn what_has_no_body_is_never_taken_for_sent() {
        let mut back = PutBack::default();
        let bare = Sent { body: Value::Null, ..sent("/a", 1) };
        back.left(&[], vec![bare.clone()]);
        assert_eq!(back.left(&[bare], vec![]), [true]);
    }
}
