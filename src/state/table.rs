//! Rows of one shape: a slab of heads, a slab of 32-bit words, an index by key.

use super::decl::{Stored, TableSpec};
use super::health::FeedId;
use super::intern::{Interner, Sym};
use super::parcel::{Key, Look, RawRow};
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;
use std::net::Ipv4Addr;

/// Bytes of a name that are kept in the row; what stands before them is shared with the names of its siblings.
const TAIL: usize = 12;

/// A name as `stem` + `tail`: generated names (`web-7d9f8-x2x4q`) share all but the tail, so 150,000 pods need
/// some thousand stems and no text of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The shared part.
    pub stem: Sym,
    tail: [u8; TAIL],
}

impl Name {
    fn new(name: &str, syms: &mut Interner) -> Name {
        let (stem, tail) = Name::cut(name);
        Name { stem: syms.intern(stem.as_bytes()), tail }
    }

    /// As [`Name::new`]; `None` if no row can have that name.
    fn find(name: &str, syms: &Interner) -> Option<Name> {
        let (stem, tail) = Name::cut(name);
        Some(Name { stem: syms.find(stem.as_bytes())?, tail })
    }

    fn cut(name: &str) -> (&str, [u8; TAIL]) {
        let cut = match name.rfind('-') {
            _ if name.len() <= TAIL => 0,
            Some(dash) if name.len() - dash - 1 <= TAIL => dash + 1,
            _ => name.len(),
        };
        let (stem, rest) = name.split_at(cut);
        let mut tail = [0u8; TAIL];
        tail[..rest.len()].copy_from_slice(rest.as_bytes());
        (stem, tail)
    }

    /// The part of its own.
    pub fn tail(&self) -> &str {
        let len = self.tail.iter().position(|&b| b == 0).unwrap_or(TAIL);
        std::str::from_utf8(&self.tail[..len]).unwrap_or_default()
    }
}

/// What every row carries.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Identity.
    pub key: Key,
    /// Which of the table's kinds.
    pub kind: u8,
    /// The feed's relist number when the row was last seen.
    pub generation: u8,
    /// Whether the slot is taken.
    pub alive: bool,
    /// The feed that owns the row.
    pub feed: FeedId,
    /// resourceVersion, 0 if it is no number.
    pub rv: u64,
    /// Namespace.
    pub namespace: Sym,
    /// Name.
    pub name: Name,
    /// Seconds since 1970; good until 2106.
    pub created: u32,
}

/// A table of the store.
pub struct Table {
    /// Its declaration.
    pub spec: &'static TableSpec,
    /// Whether tallies point at rows of this table, so that they must be found by name.
    pub named: bool,
    /// The last look at what is measured of its rows.
    pub look: Option<Look>,
    stride: usize,
    heads: Vec<Head>,
    words: Vec<u32>,
    /// Texts of the rows' own, by slot; empty if the table declares no [`Stored::Loose`] word.
    loose: Vec<Box<str>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    names: HashMap<Sym, u32>,
    /// Slots by namespace and name, where something other than objects is joined to them; 5 bytes a row.
    places: Option<HashTable<u32>>,
    hasher: hashbrown::DefaultHashBuilder,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new.
    New,
    /// Words changed.
    Changed,
    /// It is gone; the slot may be reused from now on.
    Gone,
}

impl Table {
    /// An empty table.
    pub fn new(spec: &'static TableSpec, named: bool) -> Table {
        Table {
            spec,
            named,
            look: None,
            stride: spec.stride(),
            heads: vec![],
            words: vec![],
            loose: vec![],
            free: vec![],
            index: HashTable::new(),
            names: HashMap::new(),
            places: None,
            hasher: Default::default(),
        }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.heads.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slots in use or free; slot numbers are below this.
    pub fn slots(&self) -> u32 {
        self.heads.len() as u32
    }

    /// Whether a slot holds a row.
    pub fn alive(&self, slot: u32) -> bool {
        self.heads.get(slot as usize).is_some_and(|h| h.alive)
    }

    /// A row's head.
    pub fn head(&self, slot: u32) -> &Head {
        &self.heads[slot as usize]
    }

    /// A row's words.
    pub fn words(&self, slot: u32) -> &[u32] {
        let at = slot as usize * self.stride;
        &self.words[at..at + self.stride]
    }

    /// The text of a row's own.
    pub fn loose(&self, slot: u32) -> &str {
        self.loose.get(slot as usize).map_or("", |text| text)
    }

    /// The slot of an object.
    pub fn find(&self, key: Key) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |&slot| self.heads[slot as usize].key == key).copied()
    }

    /// The slot of the object of that name, in tables that tallies point at.
    pub fn find_name(&self, name: Sym) -> Option<u32> {
        self.names.get(&name).copied()
    }

    /// The slot of the object of that namespace and name. The first to ask has the index made.
    pub(super) fn find_place(
        &mut self,
        namespace: &str,
        name: &str,
        syms: &Interner,
    ) -> Option<u32> {
        if self.places.is_none() {
            self.places = Some(HashTable::with_capacity(self.len()));
            (0..self.slots())
                .filter(|&slot| self.alive(slot))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|slot| self.note_place(slot));
        }
        let (namespace, name) = (syms.find(namespace.as_bytes())?, Name::find(name, syms)?);
        let hash = self.hasher.hash_one(place(namespace, &name));
        let here = |&slot: &u32| {
            let head = &self.heads[slot as usize];
            head.namespace == namespace && head.name == name
        };
        self.places.as_ref()?.find(hash, here).copied()
    }

    fn note_place(&mut self, slot: u32) {
        let (heads, hasher) = (&self.heads, &self.hasher);
        let hash = |slot: u32| {
            let head = &heads[slot as usize];
            hasher.hash_one(place(head.namespace, &head.name))
        };
        if let Some(places) = &mut self.places {
            places.insert_unique(hash(slot), slot, |&slot| hash(slot));
        }
    }

    fn forget_place(&mut self, slot: u32) {
        let head = &self.heads[slot as usize];
        let hash = self.hasher.hash_one(place(head.namespace, &head.name));
        if let Some(entry) =
            self.places.as_mut().and_then(|p| p.find_entry(hash, |&s| s == slot).ok())
        {
            entry.remove();
        }
    }

    /// Words of a raw row as they are stored.
    pub(super) fn encode(&self, row: RawRow<'_>, syms: &mut Interner, out: &mut Vec<u32>) {
        out.clear();
        out.resize(self.stride, 0);
        for &word in self.spec.words {
            let at = usize::from(word.at);
            match word.ty {
                Stored::Sym => out[at] = syms.intern(row.bytes(word)).0,
                Stored::Loose => out[at] = digest(row.bytes(word)),
                Stored::Set => out[at] = syms.intern_set(row.bytes(word)).0,
                Stored::Num | Stored::Time => out[at] = clamp(row.num(word)),
                Stored::Wide => {
                    out[at] = row.num(word) as u32;
                    out[at + 1] = (row.num(word) as u64 >> 32) as u32;
                }
                Stored::Ip => {
                    let text = row.bytes(word);
                    let v4 =
                        std::str::from_utf8(text).ok().and_then(|t| t.parse::<Ipv4Addr>().ok());
                    (out[at], out[at + 1]) = match v4 {
                        Some(ip) => (1, ip.into()),
                        None => (0, syms.intern(text).0),
                    };
                }
            }
        }
    }

    /// Bits of the words in which a row differs from `new`.
    pub(super) fn differs(&self, slot: u32, new: &[u32]) -> u64 {
        let old = self.words(slot);
        self.spec.words.iter().fold(0, |mask, w| {
            let range = usize::from(w.at)..usize::from(w.at + w.ty.width());
            if old[range.clone()] == new[range] { mask } else { mask | w.bit() }
        })
    }

    /// Overwrites a row's words.
    pub(super) fn write(&mut self, slot: u32, new: &[u32]) {
        let at = slot as usize * self.stride;
        self.words[at..at + self.stride].copy_from_slice(new);
    }

    /// Notes that a row was seen again.
    pub(super) fn touch(&mut self, slot: u32, feed: FeedId, generation: u8, rv: u64) {
        let head = &mut self.heads[slot as usize];
        head.feed = feed;
        head.generation = generation;
        head.rv = rv;
    }

    /// Adds a row.
    pub(super) fn insert(
        &mut self,
        key: Key,
        row: RawRow<'_>,
        feed: FeedId,
        generation: u8,
        words: &[u32],
        syms: &mut Interner,
    ) -> u32 {
        let name = row.text(row.head.name);
        let head = Head {
            key,
            kind: row.head.kind,
            generation,
            alive: true,
            feed,
            rv: row.head.rv,
            namespace: syms.intern(row.text(row.head.namespace).as_bytes()),
            name: Name::new(name, syms),
            created: clamp(row.head.created.0),
        };
        let slot = self.place(head, words);
        self.say(slot, row);
        if self.named {
            self.names.insert(syms.intern(name.as_bytes()), slot);
        }
        slot
    }

    /// Finds room for a row.
    fn place(&mut self, head: Head, words: &[u32]) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.heads[slot as usize] = head;
                self.write(slot, words);
                slot
            }
            None => {
                self.heads.push(head);
                self.words.extend_from_slice(words);
                self.heads.len() as u32 - 1
            }
        };
        let (heads, hasher) = (&self.heads, &self.hasher);
        self.index.insert_unique(hasher.hash_one(head.key), slot, |&slot| {
            hasher.hash_one(heads[slot as usize].key)
        });
        self.note_place(slot);
        slot
    }

    /// Keeps the text of a row's own, if the table has such.
    pub(super) fn say(&mut self, slot: u32, row: RawRow<'_>) {
        let own = self.spec.words.iter().find(|word| word.ty == Stored::Loose);
        if let Some(&word) = own {
            let text = std::str::from_utf8(row.bytes(word)).unwrap_or_default();
            self.say_text(slot, text.into());
        }
    }

    fn say_text(&mut self, slot: u32, text: Box<str>) {
        if self.loose.len() <= slot as usize {
            self.loose.resize(slot as usize + 1, Box::default());
        }
        self.loose[slot as usize] = text;
    }

    /// Copies a row of another table of the same kinds and the same store; returns its slot here and whether it is new.
    pub(super) fn copy(&mut self, from: &Table, slot: u32) -> (u32, bool) {
        let (head, words) = (*from.head(slot), from.words(slot));
        let (to, new) = match self.find(head.key) {
            Some(to) => {
                self.heads[to as usize] = head;
                self.write(to, words);
                (to, false)
            }
            None => (self.place(head, words), true),
        };
        if !from.loose.is_empty() {
            self.say_text(to, from.loose(slot).into());
        }
        (to, new)
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, slot: u32, syms: &Interner) {
        let head = self.heads[slot as usize];
        let hash = self.hasher.hash_one(head.key);
        if let Ok(entry) = self.index.find_entry(hash, |&s| s == slot) {
            entry.remove();
        }
        if self.named {
            let name = [syms.text(head.name.stem), head.name.tail()].concat();
            // A recreated object of the same name may have taken the place already.
            if let Some(sym) =
                syms.find(name.as_bytes()).filter(|s| self.names.get(s) == Some(&slot))
            {
                self.names.remove(&sym);
            }
        }
        self.forget_place(slot);
        self.heads[slot as usize].alive = false;
        if let Some(text) = self.loose.get_mut(slot as usize) {
            *text = Box::default();
        }
        self.free.push(slot);
    }
}

fn place(namespace: Sym, name: &Name) -> (u32, u32, [u8; TAIL]) {
    (namespace.0, name.stem.0, name.tail)
}

/// Tells a text from the one before it.
fn digest(text: &[u8]) -> u32 {
    let fnv = |h: u32, b: &u8| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193);
    text.iter().fold(0x811c_9dc5, fnv)
}

fn clamp(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}
