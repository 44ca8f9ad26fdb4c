//! Text that many rows share is kept once and named by a number.
//!
//! Invariant: symbols never leave the store that made them; whatever crosses a boundary carries text.

use hashbrown::HashTable;
use std::hash::BuildHasher;

/// An interned text. [`Sym::NONE`] is the empty text and stands for "not set".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sym(pub u32);

impl Sym {
    /// The empty text.
    pub const NONE: Sym = Sym(0);

    /// Whether this is the empty text.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// An append-only arena of distinct byte strings.
///
/// Cost: the bytes plus 8 bytes an entry. Strings are UTF-8, except label sets, which are lists of symbols.
pub struct Interner {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: hashbrown::DefaultHashBuilder,
    last_set: (Vec<u8>, Sym),
    list: Vec<u8>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut it = Self {
            bytes: vec![],
            ends: vec![],
            index: HashTable::new(),
            hasher: Default::default(),
            last_set: Default::default(),
            list: vec![],
        };
        it.intern(b"");
        it
    }
}

impl Interner {
    fn slice(bytes: &[u8], ends: &[u32], at: u32) -> (usize, usize) {
        let at = at as usize;
        let start = if at == 0 { 0 } else { ends[at - 1] as usize };
        debug_assert!(ends[at] as usize <= bytes.len());
        (start, ends[at] as usize)
    }

    /// The symbol of `text`, made if it is new.
    pub fn intern(&mut self, text: &[u8]) -> Sym {
        let hash = self.hasher.hash_one(text);
        let (bytes, ends) = (&self.bytes, &self.ends);
        let same = |&at: &u32| {
            let (a, b) = Self::slice(bytes, ends, at);
            &bytes[a..b] == text
        };
        if let Some(&at) = self.index.find(hash, same) {
            return Sym(at);
        }
        let at = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.insert_unique(hash, at, |&at| {
            let (a, b) = Self::slice(bytes, ends, at);
            hasher.hash_one(&bytes[a..b])
        });
        Sym(at)
    }

    /// The symbol of `text` if it is known.
    pub fn find(&self, text: &[u8]) -> Option<Sym> {
        let hash = self.hasher.hash_one(text);
        self.index
            .find(hash, |&at| {
                let (a, b) = Self::slice(&self.bytes, &self.ends, at);
                &self.bytes[a..b] == text
            })
            .map(|&at| Sym(at))
    }

    /// The bytes behind a symbol.
    pub fn raw(&self, sym: Sym) -> &[u8] {
        let (a, b) = Self::slice(&self.bytes, &self.ends, sym.0);
        &self.bytes[a..b]
    }

    /// The text behind a symbol; empty for a label set.
    pub fn text(&self, sym: Sym) -> &str {
        std::str::from_utf8(self.raw(sym)).unwrap_or_default()
    }

    /// The pairs `key=value` of a label set made by [`Interner::intern_set`].
    pub fn set(&self, sym: Sym) -> impl Iterator<Item = Sym> + '_ {
        self.raw(sym).chunks_exact(4).map(|c| Sym(u32::from_le_bytes([c[0], c[1], c[2], c[3]])))
    }

    /// The symbol of a set of `key=value` pairs separated by NUL bytes, in any order. Sets repeat less often than
    /// their pairs, so a set is kept as the list of its pairs' symbols, in the order of their text.
    pub fn intern_set(&mut self, pairs: &[u8]) -> Sym {
        if pairs.is_empty() {
            return Sym::NONE;
        }
        // Objects of one owner are listed one after the other and mostly carry the same labels.
        if self.last_set.0 == pairs {
            return self.last_set.1;
        }
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        let mut add = |pair: &[u8]| list.extend_from_slice(&self.intern(pair).0.to_le_bytes());
        // API servers write maps sorted, in both encodings; whoever does not must not look like a change.
        if pairs.split(|&b| b == 0).is_sorted() {
            pairs.split(|&b| b == 0).for_each(&mut add);
        } else {
            let mut sorted: Vec<&[u8]> = pairs.split(|&b| b == 0).collect();
            sorted.sort_unstable();
            sorted.into_iter().for_each(&mut add);
        }
        let set = self.intern(&list);
        self.list = list;
        self.last_set.0.clear();
        self.last_set.0.extend_from_slice(pairs);
        self.last_set.1 = set;
        set
    }

    /// How many distinct strings are held.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether only the empty text is held.
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }
}
