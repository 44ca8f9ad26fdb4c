//! What containers ask for, read beside their samples: rows of pods know sums alone.
//!
//! Read anew when a sample's container is not known, and by age: a pod of a StatefulSet comes back under its name with other
//! limits, and a pod is resized in place. What the last reading lacked is no reason for another one. Where nothing measures,
//! what is asked for stands alone in the rows.

use super::FeedSpec;
use super::run::Trouble;
use crate::app::cluster::decode::{ListReader, Plan};
use crate::app::cluster::mailbox::{Outbox, is_full};
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::kinds::containers::Asked;
use crate::state::kinds::containers::asked::{SHAPE, each, turn};
use crate::state::parcel::{Draft, Key, Parcel};
use http_body_util::BodyExt as _;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// Shortest time between two lists of pods; on large clusters, where some pod is always new, it is longer.
const EVERY: Duration = Duration::from_secs(60);
/// Containers from which it is: each further so many cost a minute.
const MANY: usize = 20_000;
/// Age at which they are read anew in any case, and the longest time between two lists.
const OLD: Duration = Duration::from_secs(300);
/// Containers kept at most; 56 bytes each.
const MOST: usize = 500_000;
/// Longest silence within a page.
const SILENCE: Duration = Duration::from_secs(60);

/// Requests and limits by container.
#[derive(Default)]
pub(super) struct Requests {
    known: HashMap<Key, Asked>,
    /// What samples named and the last reading lacked.
    lacked: HashSet<Key>,
    /// No look has ended since the last reading.
    fresh: bool,
    /// A container of the last look was not among them, and may be by now.
    missing: bool,
    read: Option<Instant>,
    /// Why the last reading failed, until one succeeds.
    pub fault: Option<String>,
}

impl Requests {
    /// What a container asks for; that it is not known is noted.
    pub fn of(&mut self, namespace: &str, pod: &str, container: &str) -> Option<Asked> {
        let key = Key::of(container, namespace, pod);
        let known = self.known.get(&key).copied();
        if known.is_none() && self.fault.is_none() {
            match self.fresh {
                true => drop(self.lacked.insert(key)),
                false => self.missing |= !self.lacked.contains(&key),
            }
        }
        known
    }

    /// A look is over.
    pub fn looked(&mut self) {
        self.fresh = false;
    }

    /// Whether it is time to read them.
    pub fn due(&self) -> bool {
        let pause = match self.missing || self.fault.is_some() {
            true => (EVERY * (1 + (self.known.len() / MANY) as u32)).min(OLD),
            false => OLD,
        };
        self.read.is_none_or(|at| at.elapsed() >= pause)
    }

    /// Reads all pods of a scope; `rows`, if given, becomes a row for each container that runs.
    pub async fn refresh(&mut self, up: &Upstream, rows: Rows<'_>) -> Result<(), Trouble> {
        self.read = Some(Instant::now());
        let read = list(up, rows).await;
        match read {
            Ok(known) => {
                *self = Requests { known, read: self.read, fresh: true, ..Requests::default() };
                Ok(())
            }
            Err(trouble) => {
                self.fault = Some(trouble.words());
                Err(trouble)
            }
        }
    }
}

/// Where rows of requests alone go.
pub(super) struct Rows<'a> {
    /// The feed they are of.
    pub spec: &'a FeedSpec,
    /// Its generation, and its way out, if there are to be rows.
    pub out: Option<(u8, &'a mut Outbox)>,
}

impl Rows<'_> {
    /// Adds the containers of a pod.
    async fn add(&mut self, parcel: &mut Parcel, draft: &mut Draft) {
        let Some((_, out)) = &mut self.out else { return };
        let mut i = 0;
        while let Some(runs) = turn(draft, i) {
            i += 1;
            if runs {
                parcel.push(draft, self.spec.table);
            }
            if is_full(parcel) {
                let empty = Parcel::new(parcel.feed, parcel.generation, self.spec.table);
                out.bulk(std::mem::replace(parcel, empty)).await;
            }
        }
    }

    /// Those before go.
    async fn end(&mut self, mut parcel: Parcel) {
        if let Some((_, out)) = &mut self.out {
            parcel.sweep = true;
            out.bulk(parcel).await;
        }
    }
}

async fn list(up: &Upstream, mut rows: Rows<'_>) -> Result<HashMap<Key, Asked>, Trouble> {
    let (plan, mut draft) = (Plan::new(&SHAPE, 0), Draft::default());
    let path = SHAPE.kinds[0].gvk.collection(rows.spec.namespace.as_deref());
    let fault = |fault| Trouble::Fault("list", fault);
    let generation = rows.out.as_ref().map_or(0, |(generation, _)| *generation);
    let mut parcel = Parcel::new(rows.spec.id, generation, rows.spec.table);
    let (mut known, mut query) = (HashMap::new(), "limit=2000".to_owned());
    loop {
        let request = read(&format!("{path}?{query}"), Accept::Any).map_err(fault)?;
        let (encoding, mut body) = open(&up.client, request).await.map_err(fault)?;
        let mut reader = ListReader::new(encoding);
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await;
            let silent = |_| Trouble::Cut("the connection fell silent");
            let Some(frame) = frame.map_err(silent)? else { break };
            let frame = frame.map_err(|e| fault(Fault::of_error(&e)))?;
            let Ok(data) = frame.into_data() else { continue };
            up.pulse.heard();
            reader.push(&data);
            while let Some(item) = reader.next_item()? {
                plan.read(encoding, item, &mut draft)?;
                let (ns, pod) = (draft.text(draft.head.namespace), draft.text(draft.head.name));
                let all = each(&draft);
                known.extend(all.map(|(name, asked)| (Key::of(name, ns, pod), asked)));
                rows.add(&mut parcel, &mut draft).await;
            }
        }
        let cut = |_| Trouble::Cut("the list was cut off before its end");
        let meta = reader.end().map_err(cut)?;
        if meta.next.is_empty() || known.len() >= MOST {
            rows.end(parcel).await;
            return Ok(known);
        }
        query = format!("limit=5000&continue={}", encode(&meta.next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(known: &[&str]) -> Requests {
        let key = |name: &&str| (Key::of("app", "shop", name), [1, 2, 3, 4]);
        let known = known.iter().map(key).collect();
        Requests { known, read: Some(Instant::now()), fresh: true, ..Requests::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_read_anew_by_age_and_for_what_came_since() {
        let mut requests = read(&["web-1"]);
        assert_eq!(requests.of("shop", "web-1", "app"), Some([1, 2, 3, 4]));
        requests.looked();
        tokio::time::advance(EVERY).await;
        assert!(!requests.due(), "all were known");
        tokio::time::advance(OLD - EVERY).await;
        assert!(requests.due(), "limits change under the same name");
        let mut requests = read(&["web-1"]);
        requests.looked();
        assert_eq!(requests.of("shop", "web-2", "app"), None);
        assert!(!requests.due(), "not more often than every minute");
        tokio::time::advance(EVERY).await;
        assert!(requests.due());
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_reading_lacked_is_no_reason_for_another() {
        let mut requests = read(&["web-1"]);
        assert_eq!(requests.of("shop", "ghost", "app"), None);
        requests.looked();
        for _ in 0..4 {
            tokio::time::advance(EVERY).await;
            assert_eq!(requests.of("shop", "ghost", "app"), None);
            requests.looked();
            assert!(!requests.due());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_failed_is_tried_again_and_its_reason_stays_until_then() {
        let mut requests = read(&[]);
        requests.fault = Some("forbidden".into());
        requests.of("shop", "web-1", "app");
        requests.looked();
        assert!(!requests.due() && requests.lacked.is_empty());
        tokio::time::advance(EVERY).await;
        assert!(requests.due() && requests.fault.is_some());
    }
}
