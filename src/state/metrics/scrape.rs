//! What one scrape found of the wanted families, compact: label texts are kept once, histograms as one list of counts.

use super::family::{Part, text_size};
use super::{By, STARTED, Want};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use super::family::{Family, Histogram, Type, Value};

/// Series of one family at most, of numbers and of histograms. What comes after is folded: added up in a series whose labels
/// say [`MORE`] where they have many values, and keep what they say where the server's code bounds it (verbs, codes). So
/// that what all series come to by verb and code is right however many there are.
pub const SERIES: usize = 3072;
/// A histogram takes as much room as twenty numbers.
pub const HISTOGRAMS: usize = 1024;
/// Folded series of one family at most; what comes after is one series whose labels all say [`MORE`].
const FOLDED: usize = 500;
/// Bytes of one scrape at most, as [`Scrape::size`] counts them: from there on nothing new gets a series of its own. A page
/// of 50 MB takes two thirds of it.
pub const BUDGET: usize = 1 << 20;
/// Bytes beyond the budget for what folded series take.
const RESERVE: usize = 128 << 10;
/// The label of what found no series of its own.
pub const MORE: &str = "(more)";

/// Labels whose values the server's code bounds: they are never folded.
const EXACT: &[&str] = &[
    "code",
    "error_type",
    "execute",
    "fallback",
    "grpc_method",
    "grpc_type",
    "operation",
    "priority_level",
    "reason",
    "request_kind",
    "success",
    "verb",
];

/// Whether a label says what it says also of series that are folded.
pub(super) fn is_exact(name: &str) -> bool {
    EXACT.contains(&name)
}

/// What a scrape cost and what was odd about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of text read.
    pub bytes: u64,
    /// Lines of text read.
    pub lines: u64,
    /// Samples that were wanted.
    pub kept: u64,
    /// Lines that are no sample and no comment.
    pub malformed: u64,
    /// Samples that found no series of their own ([`SERIES`], [`BUDGET`]).
    pub folded: u64,
    /// Buckets that found no room: of a family with too many bounds, or beyond the [`BUDGET`].
    pub left: u64,
}

/// One scrape of one process.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    /// When the process started, seconds since 1970, as it says itself: its identity.
    pub started: Option<f64>,
    /// What it cost.
    pub cost: Cost,
    texts: Vec<Arc<str>>,
    /// Only while the page is read.
    known: HashMap<Arc<str>, u32>,
    families: HashMap<&'static str, Family>,
    /// About what it takes.
    spent: usize,
}

impl Scrape {
    /// The process at its start, when every counter was zero.
    pub fn born(&self) -> Scrape {
        Scrape { started: self.started, ..Scrape::default() }
    }

    /// Whether the process exposes the family. A family without any series counts as absent: Go registers vectors long
    /// before their first series.
    pub fn has(&self, family: &str) -> bool {
        self.families.get(family).is_some_and(|f| !f.series.is_empty())
    }

    /// The family's type as declared.
    pub fn kind(&self, family: &str) -> Option<Type> {
        Some(self.families.get(family)?.kind)
    }

    /// Series over all families.
    pub fn series(&self) -> usize {
        self.families.values().map(|f| f.series.len()).sum()
    }

    /// Bytes on the heap, about: texts, keys, values and what maps keep beside them.
    pub fn size(&self) -> usize {
        let texts: usize = self.texts.iter().map(|t| text_size(t)).sum();
        texts + self.families.values().map(Family::size).sum::<usize>()
    }

    /// The page was read: what only helped to read it goes.
    pub(super) fn settle(mut self) -> Scrape {
        self.known = HashMap::new();
        self.texts.shrink_to_fit();
        self
    }

    /// Every series of a family as its labels, sorted by name, and its value; in no order.
    pub fn each(&self, family: &str) -> impl Iterator<Item = (Vec<(&str, &str)>, Value)> {
        let family = self.families.get(family);
        family.into_iter().flat_map(move |f| {
            f.series.iter().map(move |(key, kept)| (self.labels(key), f.value(kept)))
        })
    }

    /// The one series with these labels among others, or the sum of those that have them; `None` if there is none.
    pub fn number(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |has: &[(&str, &str)]| labels.iter().all(|l| has.contains(l));
        let numbers = self.each(family).filter(|(has, _)| fits(has)).map(|(_, v)| v.count());
        numbers.reduce(|a, b| a + b)
    }

    /// The family added up by some labels: their values in the order asked for (empty where a series lacks one).
    pub fn grouped(&self, family: &str, by: &[&str]) -> BTreeMap<Vec<String>, Value> {
        let mut groups: BTreeMap<Vec<String>, Value> = BTreeMap::new();
        for (labels, value) in self.each(family) {
            let of = |name: &&str| {
                let label = labels.iter().find(|(n, _)| n == name);
                label.map_or(String::new(), |(_, v)| (*v).to_owned())
            };
            let key: Vec<String> = by.iter().map(of).collect();
            match groups.get_mut(&key) {
                Some(sum) => sum.add(value),
                None => drop(groups.insert(key, value)),
            }
        }
        groups
    }

    fn labels(&self, key: &[u32]) -> Vec<(&str, &str)> {
        let text = |i: u32| self.texts.get(i as usize).map_or("", |t| &**t);
        key.chunks_exact(2).map(|pair| (text(pair[0]), text(pair[1]))).collect()
    }

    fn key(&mut self, pairs: &[(&str, &str)]) -> Box<[u32]> {
        pairs.iter().flat_map(|(name, value)| [self.text(name), self.text(value)]).collect()
    }

    /// The key of a series that is there: a full family must not fill the texts either.
    fn known(&self, family: &str, pairs: &[(&str, &str)]) -> Option<Box<[u32]>> {
        let texts = pairs.iter().flat_map(|(name, value)| [*name, *value]);
        let key: Option<Box<[u32]>> = texts.map(|t| self.known.get(t).copied()).collect();
        key.filter(|key| self.families.get(family).is_some_and(|f| f.series.contains_key(key)))
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(&at) = self.known.get(text) {
            return at;
        }
        let (at, shared) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.spent += text_size(text);
        self.texts.push(shared.clone());
        self.known.insert(shared, at);
        at
    }

    /// Notes a family's type.
    pub(super) fn declare(&mut self, family: &'static str, kind: Type) {
        self.families.entry(family).or_default().kind = kind;
    }

    /// Takes a sample of a wanted family; its labels without `le`.
    pub(super) fn take(
        &mut self,
        want: &Want,
        part: &Part,
        labels: &[(String, String)],
        value: f64,
    ) {
        let has = |name: &str| labels.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v);
        if want.without.iter().any(|(name, value)| has(name) == *value) {
            return;
        }
        self.cost.kept += 1;
        if want.family == STARTED {
            self.started = Some(value);
        }
        let mut pairs: Vec<(&str, &str)> = match &want.by {
            By::Total => vec![],
            By::Labels(names) => {
                names.iter().map(|n| (*n, has(n))).filter(|(_, v)| !v.is_empty()).collect()
            }
            By::All => labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect(),
        };
        pairs.sort_unstable();
        let most = if matches!(part, Part::Value) { SERIES } else { HISTOGRAMS };
        let full = self.spent >= BUDGET || self.held(want) >= most;
        let known = if full { self.known(want.family, &pairs) } else { Some(self.key(&pairs)) };
        let key = known.unwrap_or_else(|| {
            self.cost.folded += 1;
            self.folded(want, &pairs, most + FOLDED)
        });
        let room = self.spent < BUDGET + RESERVE;
        let family = self.families.entry(want.family).or_default();
        match family.take(key, part, value, room) {
            Some(bytes) => self.spent += bytes,
            None => self.cost.left += 1,
        }
    }

    fn held(&self, want: &Want) -> usize {
        self.families.get(want.family).map_or(0, |f| f.series.len())
    }

    /// The key of a series that others share, as long as the family has fewer than so many.
    fn folded(&mut self, want: &Want, pairs: &[(&str, &str)], most: usize) -> Box<[u32]> {
        let shared = fold(pairs.iter().copied(), &want.by);
        if let Some(key) = self.known(want.family, &shared) {
            return key;
        }
        if self.held(want) < most && self.spent < BUDGET + RESERVE {
            return self.key(&shared);
        }
        self.key(&rest(&want.by))
    }
}

/// The labels of the series that one is added to when it finds none of its own.
fn fold<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, by: &By) -> Vec<(&'a str, &'a str)> {
    let mut shared: Vec<_> =
        pairs.map(|(name, value)| (name, if is_exact(name) { value } else { MORE })).collect();
    if let By::Labels(names) = by {
        // Also those that this one lacks: one series for all that say the same of what is exact.
        let lacks: Vec<&str> =
            names.iter().filter(|n| !shared.iter().any(|(has, _)| has == *n)).copied().collect();
        shared.extend(lacks.into_iter().filter(|n| !is_exact(n)).map(|n| (n, MORE)));
        shared.sort_unstable();
    }
    shared
}

/// The labels of the last series of a family.
fn rest(by: &By) -> Vec<(&'static str, &'static str)> {
    let mut all = match by {
        By::Total => vec![],
        By::Labels(names) => names.iter().map(|n| (*n, MORE)).collect(),
        By::All => vec![(MORE, MORE)],
    };
    all.sort_unstable();
    all
}
