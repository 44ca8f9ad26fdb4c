//! What decoders hand to the store: rows in flight, with text, free of symbols.
//!
//! A [`Draft`] collects one object; [`Parcel::push`] closes it. Decoders run on other threads than the store, so a
//! parcel owns everything it says.

use super::decl::{Kind, Stored, TableSpec, Word};
use super::health::FeedId;
use super::time::Epoch;
use std::borrow::Cow;

/// A piece of text in a byte arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// First byte.
    pub at: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Text {
    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    fn pack(self) -> u64 {
        u64::from(self.at) << 32 | u64::from(self.len)
    }

    fn unpack(word: u64) -> Text {
        Text { at: (word >> 32) as u32, len: word as u32 }
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.at as usize..self.at as usize + self.len as usize).unwrap_or_default()
    }
}

/// Notes about one element of a repeated field while an object is read.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Which path it stands for.
    pub tag: usize,
    /// Numbers, as the kind sees fit.
    pub num: [i64; 10],
    /// Texts, as the kind sees fit.
    pub txt: [Text; 4],
}

/// The metadata every row carries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RawHead {
    /// `metadata.uid`, empty where the server gives none.
    pub uid: Text,
    /// `metadata.namespace`.
    pub namespace: Text,
    /// `metadata.name`.
    pub name: Text,
    /// `metadata.resourceVersion` as a number, 0 if it is none.
    pub rv: u64,
    /// `metadata.creationTimestamp`.
    pub created: Epoch,
    /// Which of the table's kinds this is.
    pub kind: u8,
}

/// One object while a decoder walks it. Reused, so that a steady feed allocates nothing.
#[derive(Default)]
pub struct Draft {
    /// Metadata.
    pub head: RawHead,
    /// Elements seen so far, in the order of their [`super::decl::Hit::Open`].
    pub items: Vec<Item>,
    words: Vec<u64>,
    bytes: Vec<u8>,
    // Pairs may arrive with anything in between; each set grows apart so that a hostile order costs no copies.
    sets: Vec<(Word, Vec<u8>)>,
    version: Text,
}

impl Draft {
    /// Forgets the last object and makes room for a row of `spec`.
    pub fn reset(&mut self, spec: &TableSpec, kind: u8) {
        self.head = RawHead { kind, ..RawHead::default() };
        self.version = Text::default();
        self.items.clear();
        self.bytes.clear();
        self.sets.iter_mut().for_each(|(_, pairs)| pairs.clear());
        self.words.clear();
        self.words.resize(spec.stride(), 0);
    }

    /// Keeps a text for later.
    pub fn keep(&mut self, text: &str) -> Text {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text.as_bytes());
        Text { at, len: text.len() as u32 }
    }

    /// A kept text.
    pub fn text(&self, text: Text) -> &str {
        std::str::from_utf8(text.of(&self.bytes)).unwrap_or_default()
    }

    /// Sets a number, a time or a wide word.
    pub fn set(&mut self, word: Word, value: i64) {
        self.words[usize::from(word.at)] = value as u64;
    }

    /// A number, time or wide word set earlier, else 0.
    pub fn get(&self, word: Word) -> i64 {
        self.words[usize::from(word.at)] as i64
    }

    /// Sets a text word to a text kept earlier.
    pub fn point(&mut self, word: Word, text: Text) {
        self.words[usize::from(word.at)] = text.pack();
    }

    /// Sets a text word.
    pub fn put(&mut self, word: Word, text: &str) {
        let text = self.keep(text);
        self.point(word, text);
    }

    /// The text of a text word, else empty.
    pub fn word(&self, word: Word) -> &str {
        self.text(Text::unpack(self.words[usize::from(word.at)]))
    }

    /// Adds a pair to a [`Stored::Set`] word. The word holds the set from [`Draft::finish`] on.
    pub fn pair(&mut self, word: Word, key: &str, value: &str) {
        let at = match self.sets.iter().position(|(w, _)| *w == word) {
            Some(at) => at,
            None => {
                self.sets.push((word, vec![]));
                self.sets.len() - 1
            }
        };
        let pairs = &mut self.sets[at].1;
        if !pairs.is_empty() {
            pairs.push(0);
        }
        for part in [key, "=", value] {
            pairs.extend_from_slice(part.as_bytes());
        }
    }

    /// Makes the words of sets point at what was collected for them. [`Draft::finish`] does it; whoever fills the words of
    /// a kind by hand calls it before pushing the row.
    pub fn settle(&mut self) {
        for (word, pairs) in &self.sets {
            let old = Text::unpack(self.words.get(usize::from(word.at)).copied().unwrap_or(0));
            if !pairs.is_empty() && pairs.len() != old.len as usize {
                let set = Text { at: self.bytes.len() as u32, len: pairs.len() as u32 };
                self.bytes.extend_from_slice(pairs);
                self.words[usize::from(word.at)] = set.pack();
            }
        }
    }

    /// Notes `metadata.resourceVersion`.
    pub fn set_version(&mut self, version: &str) {
        self.head.rv = version.parse().unwrap_or(0);
        // Opaque by contract: what is no number is kept as it is, for a watch to go on from.
        self.version = if self.head.rv == 0 { self.keep(version) } else { Text::default() };
    }

    /// `metadata.resourceVersion` as the server wrote it.
    pub fn version(&self) -> Cow<'_, str> {
        match self.head.rv {
            0 => Cow::Borrowed(self.text(self.version)),
            rv => Cow::Owned(rv.to_string()),
        }
    }

    /// The key of the object.
    pub fn key(&self) -> Key {
        let h = &self.head;
        Key::of(self.text(h.uid), self.text(h.namespace), self.text(h.name))
    }

    /// Begins an element.
    pub fn open(&mut self, tag: usize) {
        self.items.push(Item { tag, ..Item::default() });
    }

    /// The element begun last; a finding outside of any element goes to a fresh one.
    pub fn item(&mut self) -> &mut Item {
        if self.items.is_empty() {
            self.open(usize::MAX);
        }
        self.items.last_mut().expect("an item was pushed if there was none")
    }

    /// Keeps a text in slot `i` of the element begun last.
    pub fn note(&mut self, i: usize, text: &str) {
        let text = self.keep(text);
        self.item().txt[i] = text;
    }

    /// Lets the kind decide its words.
    pub fn finish(&mut self, kind: &Kind) {
        self.settle();
        (kind.finish)(self);
        // `finish` may have added pairs of its own.
        self.settle();
    }
}

/// A row key: the server's uid, or for objects that have none a digest of namespace and name. Only the former can
/// become the target of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16], pub bool);

impl Key {
    /// The key of an object. A uid that is no UUID (they are opaque by contract) is digested too.
    pub fn of(uid: &str, namespace: &str, name: &str) -> Key {
        match parse_uuid(uid) {
            Some(id) => Key(id, true),
            None => Key(digest(uid, namespace, name), false),
        }
    }

    /// The uid as text, where the server gave one.
    pub fn uid(&self) -> Option<String> {
        self.1.then(|| {
            let hex: String = self.0.iter().map(|b| format!("{b:02x}")).collect();
            [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
        })
    }
}

fn parse_uuid(uid: &str) -> Option<[u8; 16]> {
    let b = uid.as_bytes();
    if b.len() != 36 {
        return None;
    }
    let mut out = [0u8; 16];
    let mut n = 0;
    for (i, &c) in b.iter().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return None;
            }
            continue;
        }
        // Upper case would print back differently, so it counts as opaque.
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        out[n / 2] = out[n / 2] << 4 | digit;
        n += 1;
    }
    Some(out)
}

/// 128 bits of FNV-1a; enough to tell objects of one table apart that have no uid.
fn digest(uid: &str, namespace: &str, name: &str) -> [u8; 16] {
    let mut h: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in [uid, "\0", namespace, "\0", name] {
        for &b in part.as_bytes() {
            h = (h ^ u128::from(b)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    h.to_le_bytes()
}

/// A batch of rows of one feed.
#[derive(Clone, Debug, Default)]
pub struct Parcel {
    /// Who sends it.
    pub feed: FeedId,
    /// The feed's relist number: rows that a finished list did not mention are swept.
    pub generation: u8,
    /// Words per row.
    pub stride: usize,
    heads: Vec<RawHead>,
    words: Vec<u64>,
    bytes: Vec<u8>,
    /// Objects that went away.
    pub gone: Vec<Key>,
    /// The list of this generation is complete: rows of the feed with another generation go.
    pub sweep: bool,
    /// Where samples end with this parcel: the look they are from.
    pub look: Option<Look>,
}

/// A look at samples that is over: it decides how long they are worth something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// When it was taken, by the clock that ages are told by.
    pub at: Epoch,
    /// Samples it brought.
    pub samples: u64,
    /// The longest window that one of them was measured over, in seconds.
    pub window: i64,
    /// Seconds until the next look is over, at most.
    pub pause: i64,
}

/// One row of a parcel.
#[derive(Clone, Copy)]
pub struct RawRow<'a> {
    /// Metadata.
    pub head: RawHead,
    words: &'a [u64],
    bytes: &'a [u8],
}

impl<'a> RawRow<'a> {
    /// A text of this row.
    pub fn text(&self, text: Text) -> &'a str {
        std::str::from_utf8(text.of(self.bytes)).unwrap_or_default()
    }

    /// The raw bytes of a text or set word.
    pub fn bytes(&self, word: Word) -> &'a [u8] {
        Text::unpack(self.words[usize::from(word.at)]).of(self.bytes)
    }

    /// A number, time or wide word.
    pub fn num(&self, word: Word) -> i64 {
        self.words[usize::from(word.at)] as i64
    }

    /// The row's key.
    pub fn key(&self) -> Key {
        let h = &self.head;
        Key::of(self.text(h.uid), self.text(h.namespace), self.text(h.name))
    }
}

impl Parcel {
    /// An empty parcel for rows of `spec`.
    pub fn new(feed: FeedId, generation: u8, spec: &TableSpec) -> Parcel {
        Parcel { feed, generation, stride: spec.stride(), ..Parcel::default() }
    }

    /// Adds the object a draft holds.
    pub fn push(&mut self, draft: &Draft, spec: &TableSpec) {
        let row = RawRow { head: draft.head, words: &draft.words, bytes: &draft.bytes };
        self.adopt(row, spec);
    }

    /// Copies one row of a draft or of another parcel of the same table: only the texts its words point at, not what
    /// `fold` noted on the way.
    pub fn adopt(&mut self, row: RawRow<'_>, spec: &TableSpec) {
        let bytes = &mut self.bytes;
        let mut copy = |text: Text| {
            let at = bytes.len() as u32;
            bytes.extend_from_slice(text.of(row.bytes));
            Text { at, len: bytes.len() as u32 - at }
        };
        self.heads.push(RawHead {
            uid: copy(row.head.uid),
            namespace: copy(row.head.namespace),
            name: copy(row.head.name),
            ..row.head
        });
        let first = self.words.len();
        self.words.extend_from_slice(&row.words[..self.stride]);
        for word in spec.words {
            if matches!(word.ty, Stored::Sym | Stored::Loose | Stored::Set | Stored::Ip) {
                let at = first + usize::from(word.at);
                self.words[at] = copy(Text::unpack(self.words[at])).pack();
            }
        }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.gone.is_empty() && !self.sweep
    }

    /// Bytes held, for bounding what is in flight.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.words.len() * 8 + self.heads.len() * size_of::<RawHead>()
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> RawRow<'_> {
        let words = &self.words[i * self.stride..(i + 1) * self.stride];
        RawRow { head: self.heads[i], words, bytes: &self.bytes }
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = RawRow<'_>> {
        (0..self.len()).map(|i| self.row(i))
    }
}
