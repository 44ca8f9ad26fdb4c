//! What containers ask for, read beside their samples: rows of pods know sums alone.
//!
//! Read anew when a sample's container is not known, and not more often than every [`EVERY`].

use super::run::Trouble;
use crate::app::cluster::decode::{ListReader, Plan};
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::kinds::containers::Asked;
use crate::state::kinds::containers::asked::{SHAPE, each};
use crate::state::parcel::{Draft, Key};
use http_body_util::BodyExt as _;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Time between two lists of pods.
const EVERY: Duration = Duration::from_secs(60);
/// Containers kept at most; 56 bytes each.
const MOST: usize = 500_000;
/// Longest silence within a page.
const SILENCE: Duration = Duration::from_secs(60);

/// Requests and limits by container.
#[derive(Default)]
pub(super) struct Requests {
    known: HashMap<Key, Asked>,
    read: Option<Instant>,
}

impl Requests {
    /// What a container asks for.
    pub fn of(&self, namespace: &str, pod: &str, container: &str) -> Option<Asked> {
        self.known.get(&Key::of(container, namespace, pod)).copied()
    }

    /// Whether it is time to read them, if some are missing.
    pub fn due(&self, missing: bool) -> bool {
        self.read.is_none_or(|at| missing && at.elapsed() >= EVERY)
    }

    /// Reads all pods of a scope.
    pub async fn refresh(&mut self, up: &Upstream, namespace: Option<&str>) -> Result<(), Trouble> {
        self.read = Some(Instant::now());
        let (plan, mut draft) = (Plan::new(&SHAPE, 0), Draft::default());
        let path = SHAPE.kinds[0].gvk.collection(namespace);
        let fault = |fault| Trouble::Fault("list", fault);
        let (mut known, mut query) = (HashMap::new(), "limit=2000".to_owned());
        loop {
            let request = read(&format!("{path}?{query}"), Accept::Any).map_err(fault)?;
            let (encoding, mut body) = open(&up.client, request).await.map_err(fault)?;
            let mut reader = ListReader::new(encoding);
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame()).await;
                let Some(frame) = frame.map_err(|_| Trouble::Cut("silence"))? else { break };
                let frame = frame.map_err(|e| fault(Fault::of_error(&e)))?;
                let Ok(data) = frame.into_data() else { continue };
                reader.push(&data);
                while let Some(item) = reader.next_item()? {
                    plan.read(encoding, item, &mut draft)?;
                    let (ns, pod) = (draft.text(draft.head.namespace), draft.text(draft.head.name));
                    let all = each(&draft);
                    known.extend(all.map(|(name, asked)| (Key::of(name, ns, pod), asked)));
                }
            }
            let meta = reader.end().map_err(|_| Trouble::Cut("cut off"))?;
            if meta.next.is_empty() || known.len() >= MOST {
                self.known = known;
                return Ok(());
            }
            query = format!("limit=5000&continue={}", encode(&meta.next));
        }
    }
}
