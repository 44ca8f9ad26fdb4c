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
}

impl Default for Interner {
    fn default() -> Self {
        let mut it = Self {
            bytes: vec![],
            ends: vec![],
            index: HashTable::new(),
            hasher: Default::default(),
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

    /// The symbol of a set of `key=value` pairs separated by NUL bytes. Sets repeat less often than their pairs, so a
    /// set is kept as the list of its pairs' symbols.
    pub fn intern_set(&mut self, pairs: &[u8]) -> Sym {
        if pairs.is_empty() {
            return Sym::NONE;
        }
        let mut list = [0u8; 4 * 64];
        let mut n = 0;
        // Invariant: a set is cut after 64 pairs; no object in the wild comes near it.
        for pair in pairs.split(|&b| b == 0).take(64) {
            list[n..n + 4].copy_from_slice(&self.intern(pair).0.to_le_bytes());
            n += 4;
        }
        self.intern(&list[..n])
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
