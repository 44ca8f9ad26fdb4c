//! From bytes of an API server to rows: two encodings, one set of paths.
//!
//! Invariants: nothing here panics or recurses deeper than the paths are long, whatever the bytes; every length is
//! checked against what was really received; memory stays within one object plus one chunk; both encodings of an
//! object yield the same findings, and fields no path names are skipped.

mod buffer;
pub mod json;
mod json_stream;
pub mod pb;
mod pb_stream;
mod status;
mod stream;
mod trie;

pub use status::{Bookmark, status};
pub use stream::{Event, ListMeta, ListReader, Verb, WatchReader};
pub use trie::Trie;

use crate::state::decl::{Hit, Kind, META, TableSpec, fold_meta};
use crate::state::parcel::Draft;

/// Largest object taken in, in bytes. etcd refuses objects above 1.5 MiB by default.
pub const OBJECT_MAX: usize = 64 << 20;

/// Most findings taken from one object: bounds what an object may blow up to when it becomes a row.
pub const FINDINGS_MAX: usize = 1 << 17;

/// Bytes that are not what their encoding asks for. Says what was wrong, never what stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer cannot be read: {0}")]
pub struct Malformed(pub &'static str);

/// How a response is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Encoding {
    /// The encoding a `Content-Type` names; `None` for what no feed can read.
    pub fn of(content_type: &str) -> Option<Encoding> {
        match content_type.split(';').next()?.trim() {
            "application/vnd.kubernetes.protobuf" => Some(Encoding::Protobuf),
            "application/json" => Some(Encoding::Json),
            _ => None,
        }
    }

    /// Walks one object (without the protobuf envelope) and tells every finding with the index of its path.
    ///
    /// # Errors
    /// [`Malformed`]; what was told before stays told.
    pub fn walk(
        self,
        trie: &Trie,
        object: &[u8],
        tell: &mut impl FnMut(usize, Hit<'_>),
    ) -> Result<(), Malformed> {
        match self {
            Encoding::Protobuf => pb::walk(trie, object, tell),
            Encoding::Json => json::walk(trie, object, tell),
        }
    }
}

/// How one kind of a table is read: its paths, compiled once.
pub struct Plan {
    /// The table.
    pub spec: &'static TableSpec,
    /// Which of its kinds.
    pub kind: u8,
    trie: Trie,
}

impl Plan {
    /// Compiles the paths of kind number `kind` of a table. Panics if the table has no such kind.
    pub fn new(spec: &'static TableSpec, kind: u8) -> Plan {
        let own = spec.kinds[usize::from(kind)].paths;
        Plan { spec, kind, trie: Trie::new(META.iter().chain(own)) }
    }

    /// The kind's declaration.
    pub fn kind(&self) -> &'static Kind {
        &self.spec.kinds[usize::from(self.kind)]
    }

    /// Reads one object into `draft`, whatever it held before, ready for [`crate::state::parcel::Parcel::push`].
    ///
    /// # Errors
    /// [`Malformed`]; the draft then holds nothing of use.
    pub fn read(
        &self,
        encoding: Encoding,
        object: &[u8],
        draft: &mut Draft,
    ) -> Result<(), Malformed> {
        draft.reset(self.spec, self.kind);
        let kind = self.kind();
        encoding.walk(&self.trie, object, &mut |path, hit| match path.checked_sub(META.len()) {
            None => fold_meta(draft, path, hit, self.spec.labels),
            Some(own) => (kind.fold)(draft, own, hit),
        })?;
        if draft.head.name.is_empty() {
            return Err(Malformed("an object without a name"));
        }
        draft.finish(kind);
        Ok(())
    }
}
