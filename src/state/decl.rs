//! How a table and its kinds are declared: which fields are read, and what becomes of them.
//!
//! One file under `kinds/` declares one table: the words of its rows, its columns, the joins it feeds, and the
//! Kubernetes kinds that fill it, each with the paths both decoders interpret.

use super::cell::{Cell, Sort};
use super::parcel::Draft;
use super::row::Row;
use super::tally::Tally;
use super::time::Epoch;
use std::sync::{Mutex, PoisonError};

/// A kind as the API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gvk {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// API version within the group.
    pub version: &'static str,
    /// Kind in the singular, `Pod`.
    pub kind: &'static str,
    /// Resource name in paths and rules, `pods`.
    pub plural: &'static str,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
}

/// The group of kinds that no server lists: their rows come from this machine.
pub const LOCAL: &str = "this-machine";

impl Gvk {
    /// Whether its objects are on this machine and not in a cluster: nothing is ever sent for them.
    pub fn is_local(&self) -> bool {
        self.group == LOCAL
    }

    /// The collection's URL path, in one namespace or over all.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace.filter(|_| self.namespaced) {
            Some(ns) => format!("{root}/namespaces/{ns}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// One object's URL path.
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(Some(namespace).filter(|ns| !ns.is_empty())))
    }

    /// `apiVersion` as objects carry it.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// Kinds that no table declares, found by discovery. They are kept as long as the process lives, as what names them is; a
/// cluster serves some hundreds.
static FOUND: Mutex<Vec<&'static Gvk>> = Mutex::new(vec![]);

impl Gvk {
    /// A kind that discovery found, the same one each time it is found.
    pub fn found(
        group: &str,
        version: &str,
        kind: &str,
        plural: &str,
        namespaced: bool,
    ) -> &'static Gvk {
        let mut known = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |g: &&'static Gvk| {
            (g.group, g.version, g.kind, g.plural, g.namespaced)
                == (group, version, kind, plural, namespaced)
        };
        if let Some(gvk) = known.iter().copied().find(same) {
            return gvk;
        }
        let keep = |text: &str| -> &'static str { Box::leak(Box::<str>::from(text)) };
        let gvk: &'static Gvk = Box::leak(Box::new(Gvk {
            group: keep(group),
            version: keep(version),
            kind: keep(kind),
            plural: keep(plural),
            namespaced,
        }));
        known.push(gvk);
        gvk
    }

    /// Of a table whose rows say themselves what kind they are: its second word holds [`Gvk::written`].
    pub const ANY: Gvk =
        Gvk { group: "", version: "", kind: "", plural: "kinds", namespaced: true };

    /// Of a table whose rows are measured, by the word for them: they are no objects, so nothing acts on them.
    pub const fn measured(plural: &'static str) -> Gvk {
        Gvk { group: "", version: "", kind: "", plural, namespaced: false }
    }

    /// Whether its rows are measured.
    pub fn is_measured(&self) -> bool {
        self.kind.is_empty() && *self != Gvk::ANY
    }

    /// Whether a server serves it: not a stand-in for tables of anything, or of nothing.
    pub fn is_served(&self) -> bool {
        !self.kind.is_empty() && !self.is_local()
    }

    /// The kind as one word, for [`Gvk::read`].
    pub fn written(&self) -> String {
        let place = if self.namespaced { "namespaced" } else { "cluster" };
        [self.group, self.version, self.kind, self.plural, place].join("/")
    }

    /// The kind that was written so; [`Gvk::ANY`] for any other text.
    pub fn read(written: &str) -> &'static Gvk {
        match written.split('/').collect::<Vec<_>>()[..] {
            [group, version, kind, plural, place] => {
                Gvk::found(group, version, kind, plural, place == "namespaced")
            }
            _ => &Gvk::ANY,
        }
    }

    /// `pods`, `deployments.apps`: as `kubectl` and rules name a resource.
    pub fn resource(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// What stands at a path, so that both encodings yield the same [`Hit`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// A string, or each string of a list.
    Text,
    /// An integer.
    Int,
    /// A boolean. Protobuf leaves out `false`.
    Bool,
    /// `Time` or `MicroTime`: seconds.
    Time,
    /// `resource.Quantity`: its text (protobuf: message with the string in field 1).
    Quantity,
    /// `IntOrString`: a number or a text.
    IntOrString,
    /// `map[string]string`: one [`Hit::Pair`] an entry.
    Pairs,
    /// `map[string]resource.Quantity`: one [`Hit::Pair`] an entry.
    Quantities,
    /// A message, single or repeated: [`Hit::Open`] before its fields, [`Hit::Close`] after them.
    Item,
}

/// A field both decoders look for.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Protobuf field numbers from the object's message downwards (`k8s.io/api/*/generated.proto`, v0.37).
    pub pb: &'static [u32],
    /// The same path in JSON, dotted. List elements need no index.
    pub json: &'static str,
    /// What stands there.
    pub ty: Ty,
}

/// What a decoder found at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hit<'a> {
    /// A string, never empty: only protobuf writes out empty ones; also a quantity's text.
    Text(&'a str),
    /// A number or a boolean (0, 1).
    Int(i64),
    /// A point in time, never unset.
    Time(Epoch),
    /// A map entry.
    Pair(&'a str, &'a str),
    /// An [`Ty::Item`] begins.
    Open,
    /// An [`Ty::Item`] ends; its fields have all been seen, in whatever order.
    Close,
}

/// A Kubernetes kind that fills a table.
pub struct Kind {
    /// As the API names it.
    pub gvk: Gvk,
    /// What is read, beyond the metadata every row carries. The index into this list is what `fold` is told.
    pub paths: &'static [Path],
    /// Takes one finding. Field order differs between encodings, so `fold` only collects.
    pub fold: fn(&mut Draft, usize, Hit<'_>),
    /// Decides the words once the whole object was seen.
    pub finish: fn(&mut Draft),
}

/// How a word of a row is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// An interned text.
    Sym,
    /// A text of the row's own, which goes when the row goes: what never repeats must not stay with the symbols. At most
    /// one a row; the word holds its digest.
    Loose,
    /// An unsigned number, cut at `u32::MAX`.
    Num,
    /// Seconds since 1970, 0 = absent.
    Time,
    /// A signed 64-bit number; takes two words.
    Wide,
    /// A set of `key=value` pairs.
    Set,
    /// An IP address: IPv4 packed, everything else interned; takes two words.
    Ip,
}

impl Stored {
    /// 32-bit words taken.
    pub const fn width(self) -> u8 {
        match self {
            Stored::Wide | Stored::Ip => 2,
            _ => 1,
        }
    }
}

/// A word of a row: where it is and how it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Offset in 32-bit words.
    pub at: u8,
    /// Storage.
    pub ty: Stored,
}

impl Word {
    /// This word's bit in a change mask.
    pub const fn bit(self) -> u64 {
        1 << self.at
    }
}

/// Bit of a change mask: a joined value (a tally) changed.
pub const TALLIED: u64 = 1 << 63;

/// Text placement in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names and words.
    Left,
    /// Numbers.
    Right,
}

/// A column: how a row's words become a cell and a sort key.
pub struct Column {
    /// Stable id in lower_snake_case: the JSON key, the `--columns` name, the filter's `col:`.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Placement.
    pub align: Align,
    /// Widest this column may grow, in cells.
    pub max: u16,
    /// Words (and [`TALLIED`]) its cell and key depend on: a change elsewhere never moves a row sorted by it.
    pub needs: u64,
    /// The cell.
    pub cell: for<'a> fn(Row<'a>, Epoch) -> Cell<'a>,
    /// The key, free of the clock: ages sort by creation.
    pub sort: for<'a> fn(Row<'a>) -> Sort<'a>,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// A table: rows of one shape, filled by one kind or several.
pub struct TableSpec {
    /// Plural in lower case, `pods`.
    pub id: &'static str,
    /// The kinds that fill it.
    pub kinds: &'static [Kind],
    /// Words of a row, in order.
    pub words: &'static [Word],
    /// The word that holds the labels, so that `label:` works in every filter.
    pub labels: Word,
    /// Every column, in the order of `-o wide`.
    pub columns: &'static [Column],
    /// Joins that this table's rows feed.
    pub tallies: &'static [Tally],
}

impl TableSpec {
    /// 32-bit words of a row.
    pub fn stride(&self) -> usize {
        self.words.last().map_or(0, |w| usize::from(w.at + w.ty.width()))
    }

    /// Whether its rows are of this machine and not of a cluster.
    pub fn is_local(&self) -> bool {
        self.kinds.iter().all(|kind| kind.gvk.is_local())
    }

    /// Whether its rows come from a look now and then and not from a watch: nothing is declared to be read from objects.
    pub fn is_looked_at(&self) -> bool {
        let looked = |kind: &Kind| kind.paths.is_empty() && kind.gvk != Gvk::ANY;
        !self.is_local() && self.kinds.iter().all(looked)
    }

    /// The column of that id.
    pub fn column(&self, id: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.id == id)
    }
}

/// The metadata every kind carries (`k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto`, v0.37). Decoders read
/// these before a kind's own paths and hand them to [`fold_meta`].
pub static META: &[Path] = &[
    Path { pb: &[1, 1], json: "metadata.name", ty: Ty::Text },
    Path { pb: &[1, 3], json: "metadata.namespace", ty: Ty::Text },
    Path { pb: &[1, 5], json: "metadata.uid", ty: Ty::Text },
    Path { pb: &[1, 6], json: "metadata.resourceVersion", ty: Ty::Text },
    Path { pb: &[1, 8], json: "metadata.creationTimestamp", ty: Ty::Time },
    Path { pb: &[1, 11], json: "metadata.labels", ty: Ty::Pairs },
];

/// Takes a finding at path `index` of [`META`].
pub fn fold_meta(draft: &mut Draft, index: usize, hit: Hit<'_>, labels: Word) {
    match (index, hit) {
        (0, Hit::Text(t)) => draft.head.name = draft.keep(t),
        (1, Hit::Text(t)) => draft.head.namespace = draft.keep(t),
        (2, Hit::Text(t)) => draft.head.uid = draft.keep(t),
        (3, Hit::Text(t)) => draft.set_version(t),
        (4, Hit::Time(at)) => draft.head.created = at,
        (5, Hit::Pair(k, v)) => draft.pair(labels, k, v),
        _ => {}
    }
}

/// Declares a column: `column!("node" "NODE" Left 40 NODE.bit(), cell, sort)`.
#[macro_export]
macro_rules! column {
    ($id:literal $title:literal $align:ident $max:literal $needs:expr, $cell:expr, $sort:expr) => {
        $crate::state::decl::Column {
            id: $id,
            title: $title,
            align: $crate::state::decl::Align::$align,
            max: $max,
            needs: $needs,
            cell: $cell,
            sort: $sort,
        }
    };
}

/// Declares a kind's paths and names their indexes:
/// `paths! { PATHS: PHASE = Text [3, 1] "status.phase"; }`
#[macro_export]
macro_rules! paths {
    ($list:ident: $($name:ident = $ty:ident [$($tag:literal),+] $json:literal;)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, dead_code)]
        enum Index { $($name),+ }
        $(#[allow(dead_code, reason = "a path may be named only for its place")]
        const $name: usize = Index::$name as usize;)+
        static $list: &[$crate::state::decl::Path] = &[$($crate::state::decl::Path {
            pb: &[$($tag),+], json: $json, ty: $crate::state::decl::Ty::$ty,
        }),+];
    };
}

/// Declares a row's words one after the other and names them: `words! { WORDS: PHASE = Sym; RESTARTS = Num; }`
#[macro_export]
macro_rules! words {
    ($(#[$own:meta])* $vis:vis $list:ident: $($(#[$doc:meta])* $name:ident = $ty:ident;)+) => {
        $crate::words!(@ 0u8; $($(#[$doc])* $name = $ty;)+);
        $(#[$own])*
        $vis static $list: &[$crate::state::decl::Word] = &[$($name),+];
    };
    (@ $at:expr;) => {};
    (@ $at:expr; $(#[$doc:meta])* $name:ident = $ty:ident; $($rest:tt)*) => {
        $(#[$doc])*
        pub const $name: $crate::state::decl::Word =
            $crate::state::decl::Word { at: $at, ty: $crate::state::decl::Stored::$ty };
        $crate::words!(@ $name.at + $name.ty.width(); $($rest)*);
    };
}
