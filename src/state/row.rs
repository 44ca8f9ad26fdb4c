//! Reading a row: the store's words as text, numbers and times.

use super::cell::Sort;
use super::decl::{Stored, Word};
use super::intern::Sym;
use super::parcel::Key;
use super::store::Store;
use super::table::{Head, Table};
use super::tally::MAX_SUMS;
use super::time::Epoch;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::Ipv4Addr;

/// One row of one table. A slot number never leaves the view that computed it; what outlives a frame is the [`Key`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The store it lives in.
    pub store: &'a Store,
    /// Its table.
    pub table: &'a Table,
    /// Its place.
    pub slot: u32,
}

impl<'a> Row<'a> {
    fn head(&self) -> &'a Head {
        self.table.head(self.slot)
    }

    fn word(&self, word: Word) -> u32 {
        self.table.words(self.slot)[usize::from(word.at)]
    }

    /// The object's identity.
    pub fn key(&self) -> Key {
        self.head().key
    }

    /// The object's kind.
    pub fn gvk(&self) -> &'static super::decl::Gvk {
        let spec = self.table.spec;
        match &spec.kinds[usize::from(self.head().kind)].gvk {
            &super::decl::Gvk::ANY => super::decl::Gvk::read(self.text(spec.words[1])),
            gvk => gvk,
        }
    }

    /// The resourceVersion last seen, 0 if it is no number.
    pub fn rv(&self) -> u64 {
        self.head().rv
    }

    /// Time of creation.
    pub fn created(&self) -> Epoch {
        Epoch(i64::from(self.head().created))
    }

    /// Namespace, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &'a str {
        self.store.syms.text(self.head().namespace)
    }

    /// Namespace as a symbol.
    pub fn namespace_sym(&self) -> Sym {
        self.head().namespace
    }

    /// The name in the two pieces it is kept in.
    pub fn name_parts(&self) -> (&'a str, &'a str) {
        let name = &self.head().name;
        (self.store.syms.text(name.stem), name.tail())
    }

    /// The first piece of the name as a symbol.
    pub fn stem_sym(&self) -> Sym {
        self.head().name.stem
    }

    /// The name.
    pub fn name(&self) -> Cow<'a, str> {
        match self.name_parts() {
            ("", tail) => Cow::Borrowed(tail),
            (stem, "") => Cow::Borrowed(stem),
            (stem, tail) => Cow::Owned([stem, tail].concat()),
        }
    }

    /// The order that decides where a column does not: namespace, name, identity.
    pub fn compare_names(&self, other: &Row<'_>) -> Ordering {
        let (a, b) = (self.head(), other.head());
        let (stem, tail) = self.name_parts();
        let (other_stem, other_tail) = other.name_parts();
        let namespaces = match a.namespace == b.namespace {
            true => Ordering::Equal,
            false => self.namespace().cmp(other.namespace()),
        };
        namespaces
            .then_with(|| Sort::Text(stem, tail).compare(&Sort::Text(other_stem, other_tail)))
            .then_with(|| a.key.cmp(&b.key))
    }

    /// A number.
    pub fn num(&self, word: Word) -> i64 {
        let low = self.word(word);
        if word.ty != Stored::Wide {
            return i64::from(low);
        }
        let high = self.table.words(self.slot)[usize::from(word.at) + 1];
        (u64::from(high) << 32 | u64::from(low)) as i64
    }

    /// A time.
    pub fn time(&self, word: Word) -> Epoch {
        Epoch(i64::from(self.word(word)))
    }

    /// A text word as a symbol.
    pub fn sym(&self, word: Word) -> Sym {
        Sym(self.word(word))
    }

    /// A text.
    pub fn text(&self, word: Word) -> &'a str {
        if word.ty == Stored::Loose {
            return self.table.loose(self.slot);
        }
        self.store.syms.text(self.sym(word))
    }

    /// The pairs of a set, `key=value`.
    pub fn set(&self, word: Word) -> impl Iterator<Item = &'a str> + use<'a> {
        let syms = &self.store.syms;
        syms.set(self.sym(word)).map(|pair| syms.text(pair))
    }

    /// The value of `key` in a set.
    pub fn label(&self, word: Word, key: &str) -> Option<&'a str> {
        self.set(word).find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }

    /// An address, empty if there is none.
    pub fn ip(&self, word: Word) -> Cow<'a, str> {
        let words = &self.table.words(self.slot)[usize::from(word.at)..];
        match (words[0], words[1]) {
            (0, sym) => Cow::Borrowed(self.store.syms.text(Sym(sym))),
            (_, v4) => Cow::Owned(Ipv4Addr::from(v4).to_string()),
        }
    }

    /// The sums that a tally keeps for this row.
    pub fn sums(&self, tally: &str) -> [i64; MAX_SUMS] {
        let (stem, tail) = self.name_parts();
        let known = match (stem, tail) {
            ("", one) | (one, "") => self.store.syms.find(one.as_bytes()),
            (a, b) => self.store.syms.find([a, b].concat().as_bytes()),
        };
        known.map_or([0; MAX_SUMS], |sym| self.store.sums(tally, sym))
    }
}
