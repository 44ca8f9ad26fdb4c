//! Lists of metadata, and what is kept of them: objects that are being deleted, how many objects name each owner, and what
//! is left in namespaces that go.

use super::Progress;
use super::pace::Pace;
use crate::app::cluster::decode::{Encoding, Trie};
use crate::app::cluster::session::Fault;
use crate::state::decl::{Gvk, Hit, Path, Ty};
use crate::state::parcel::Key;
use crate::state::rules::stuck::{Content, Held, Named};
use crate::state::time::Epoch;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

/// Examples kept of what is left in a namespace.
const EXAMPLES: usize = 20;

/// Paths below `metadata` (`k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto`, v0.37).
static TRIE: LazyLock<Trie> = LazyLock::new(|| {
    Trie::new(&[
        Path { pb: &[1, 1], json: "metadata.name", ty: Ty::Text },
        Path { pb: &[1, 3], json: "metadata.namespace", ty: Ty::Text },
        Path { pb: &[1, 5], json: "metadata.uid", ty: Ty::Text },
        Path { pb: &[1, 6], json: "metadata.resourceVersion", ty: Ty::Text },
        Path { pb: &[1, 9], json: "metadata.deletionTimestamp", ty: Ty::Time },
        Path { pb: &[1, 10], json: "metadata.deletionGracePeriodSeconds", ty: Ty::Int },
        Path { pb: &[1, 14], json: "metadata.finalizers", ty: Ty::Text },
        Path { pb: &[1, 13], json: "metadata.ownerReferences", ty: Ty::Item },
        Path { pb: &[1, 13, 4], json: "metadata.ownerReferences.uid", ty: Ty::Text },
        Path { pb: &[1, 13, 7], json: "metadata.ownerReferences.blockOwnerDeletion", ty: Ty::Bool },
    ])
});

/// An object's metadata, reused from one to the next.
#[derive(Default)]
struct Meta {
    name: String,
    namespace: String,
    uid: String,
    rv: u64,
    due: Epoch,
    grace: i64,
    finalizers: Vec<String>,
    owners: Vec<(String, bool)>,
}

impl Meta {
    fn read(&mut self, encoding: Encoding, object: &[u8]) -> Result<(), Fault> {
        self.clear();
        let walked = encoding.walk(&TRIE, object, &mut |path, hit| match (path, hit) {
            (0, Hit::Text(t)) => self.name.push_str(t),
            (1, Hit::Text(t)) => self.namespace.push_str(t),
            (2, Hit::Text(t)) => self.uid.push_str(t),
            (3, Hit::Text(t)) => self.rv = t.parse().unwrap_or(0),
            (4, Hit::Time(at)) => self.due = at,
            (5, Hit::Int(n)) => self.grace = n,
            (6, Hit::Text(t)) => self.finalizers.push(t.to_owned()),
            (7, Hit::Open) => self.owners.push((String::new(), false)),
            (8, Hit::Text(t)) => {
                if let Some(owner) = self.owners.last_mut() {
                    owner.0.push_str(t);
                }
            }
            (9, Hit::Int(yes)) => {
                if let Some(owner) = self.owners.last_mut() {
                    owner.1 = yes != 0;
                }
            }
            _ => {}
        });
        walked.map_err(|why| Fault::Foreign(why.to_string()))
    }

    fn clear(&mut self) {
        for text in [&mut self.name, &mut self.namespace, &mut self.uid] {
            text.clear();
        }
        self.finalizers.clear();
        self.owners.clear();
        (self.rv, self.due, self.grace) = (0, Epoch::default(), 0);
    }

    fn held(&self, gvk: &'static Gvk) -> Held {
        Held {
            gvk,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            rv: self.rv,
            due: self.due,
            grace: self.grace,
            finalizers: self.finalizers.clone(),
            dependents: None,
            object: Value::Null,
        }
    }
}

/// What was read so far.
pub(super) struct Scan {
    scope: Option<String>,
    found: BTreeMap<String, Held>,
    dependents: HashMap<Key, (u32, u32)>,
    ending: BTreeSet<String>,
    /// Whether every kind was read to its end.
    whole: bool,
    /// Objects left in namespaces that go.
    pub content: BTreeMap<String, Content>,
    /// What could not be read.
    pub unread: Vec<String>,
    /// How far it is.
    pub progress: Progress,
}

impl Scan {
    pub(super) fn new(scope: Option<String>) -> Scan {
        Scan {
            scope,
            found: BTreeMap::new(),
            dependents: HashMap::new(),
            ending: BTreeSet::new(),
            whole: true,
            content: BTreeMap::new(),
            unread: vec![],
            progress: Progress::default(),
        }
    }

    /// Lists a kind; what keeps it from being listed is noted.
    pub(super) async fn list(
        &mut self,
        pace: &mut Pace,
        gvk: &'static Gvk,
        told: &(dyn Fn(Progress) + Sync),
    ) {
        let scope = self.scope.clone().filter(|_| gvk.namespaced);
        let path = gvk.collection(scope.as_deref());
        let mut meta = Meta::default();
        let mut take = |encoding: Encoding, object: &[u8]| {
            meta.read(encoding, object)?;
            self.take(gvk, &meta);
            if self.progress.objects.is_multiple_of(500) {
                told(self.progress);
            }
            Ok(())
        };
        match pace.metadata(&path, &mut take).await {
            Ok(()) => {}
            // A kind that went away meanwhile, or that only lists in part.
            Err(Fault::NotFound { .. }) => {}
            Err(Fault::Rejected { code: 405, .. }) => {}
            Err(fault) => {
                self.whole = false;
                self.unread.push(cannot(gvk, scope.as_deref(), &fault));
            }
        }
    }

    fn take(&mut self, gvk: &'static Gvk, meta: &Meta) {
        self.progress.objects += 1;
        for (owner, blocks) in &meta.owners {
            let count = self.dependents.entry(Key::of(owner, "", "")).or_default();
            count.0 += 1;
            count.1 += u32::from(*blocks);
        }
        if self.ending.contains(&meta.namespace) {
            let content = self.content.entry(meta.namespace.clone()).or_default();
            *content.objects.entry(gvk.resource()).or_default() += 1;
        }
        if meta.due.is_set() {
            if gvk.group.is_empty() && gvk.plural == "namespaces" {
                self.ending.insert(meta.name.clone());
            }
            // A kind that two groups serve has one uid.
            let key = if meta.uid.is_empty() {
                gvk.object(&meta.namespace, &meta.name)
            } else {
                meta.uid.clone()
            };
            self.found.entry(key).or_insert_with(|| meta.held(gvk));
            self.progress.held = self.found.len();
        }
    }

    /// The objects that are being deleted, the longest first.
    pub(super) fn held(&mut self) -> Vec<Held> {
        let mut all: Vec<Held> = std::mem::take(&mut self.found).into_values().collect();
        for held in &mut all {
            let (n, blocking) =
                self.dependents.get(&Key::of(&held.uid, "", "")).copied().unwrap_or_default();
            held.dependents = self.whole.then_some((n as usize, blocking as usize));
        }
        all.sort_by_key(Held::since);
        all
    }
}

/// Why a kind is not in a survey.
fn cannot(gvk: &Gvk, scope: Option<&str>, fault: &Fault) -> String {
    let place = scope.map(|ns| format!(" in {ns}")).unwrap_or_default();
    match fault {
        Fault::Forbidden { .. } => format!(
            "{} are left out: you may not list them{place} (a rule for list {} is missing)",
            gvk.plural,
            gvk.resource()
        ),
        fault => format!("{} are left out: {fault}", gvk.resource()),
    }
}

/// Everything left in one namespace.
pub(super) async fn left_in(pace: &mut Pace, kinds: &[&'static Gvk], namespace: &str) -> Content {
    let mut content = Content::default();
    let mut meta = Meta::default();
    for gvk in kinds {
        let path = gvk.collection(Some(namespace));
        let mut take = |encoding: Encoding, object: &[u8]| {
            meta.read(encoding, object)?;
            *content.objects.entry(gvk.resource()).or_default() += 1;
            if content.examples.len() < EXAMPLES {
                content.examples.push(Named {
                    resource: gvk.resource(),
                    name: meta.name.clone(),
                    finalizers: meta.finalizers.clone(),
                });
            }
            Ok(())
        };
        match pace.metadata(&path, &mut take).await {
            Ok(()) | Err(Fault::NotFound { .. } | Fault::Rejected { code: 405, .. }) => {}
            Err(fault) => content.unknown.push(cannot(gvk, Some(namespace), &fault)),
        }
    }
    content
}
