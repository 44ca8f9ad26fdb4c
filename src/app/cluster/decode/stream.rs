//! Lists and watches in either encoding, fed chunk by chunk.

use super::{Encoding, Malformed, Trie, json_stream, pb_stream};
use crate::state::decl::{Hit, Path, Ty};
use std::sync::LazyLock;

/// What a list says of itself (`meta/v1.ListMeta`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListMeta {
    /// The version of the collection this list shows; a watch goes on from here.
    pub version: String,
    /// The token of the next page; empty on the last.
    pub next: String,
    /// Items on the pages after this one, where the server knows.
    pub remaining: Option<u64>,
}

impl ListMeta {
    /// Reads a `ListMeta` message or object.
    pub(super) fn read(encoding: Encoding, raw: &[u8]) -> Result<ListMeta, Malformed> {
        static TRIE: LazyLock<Trie> = LazyLock::new(|| {
            Trie::new(&[
                Path { pb: &[2], json: "resourceVersion", ty: Ty::Text },
                Path { pb: &[3], json: "continue", ty: Ty::Text },
                Path { pb: &[4], json: "remainingItemCount", ty: Ty::Int },
            ])
        });
        let mut meta = ListMeta::default();
        encoding.walk(&TRIE, raw, &mut |path, hit| match (path, hit) {
            (0, Hit::Text(t)) => t.clone_into(&mut meta.version),
            (1, Hit::Text(t)) => t.clone_into(&mut meta.next),
            (2, Hit::Int(n)) => meta.remaining = u64::try_from(n).ok(),
            _ => {}
        })?;
        Ok(meta)
    }
}

/// What an event says became of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is there, as shown: ADDED or MODIFIED.
    Put,
    /// It is gone; its last state is shown.
    Gone,
    /// Nothing happened; the position to go on from is shown.
    Bookmark,
    /// The watch failed; a `Status` is shown.
    Error,
}

impl Verb {
    pub(super) fn of(text: &[u8]) -> Result<Verb, Malformed> {
        match text {
            b"ADDED" | b"MODIFIED" => Ok(Verb::Put),
            b"DELETED" => Ok(Verb::Gone),
            b"BOOKMARK" => Ok(Verb::Bookmark),
            b"ERROR" => Ok(Verb::Error),
            _ => Err(Malformed("an event of an unknown type")),
        }
    }
}

/// An event of a watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// What happened.
    pub verb: Verb,
    /// The object, without envelope.
    pub object: &'a [u8],
}

/// Reads one list response: push each chunk, then take items until there is none.
#[derive(Debug)]
pub struct ListReader(List);

#[derive(Debug)]
enum List {
    Protobuf(pb_stream::List),
    Json(json_stream::List),
}

impl ListReader {
    /// A reader for one response.
    pub fn new(encoding: Encoding) -> ListReader {
        ListReader(match encoding {
            Encoding::Protobuf => List::Protobuf(pb_stream::List::default()),
            Encoding::Json => List::Json(json_stream::List::default()),
        })
    }

    /// Adds what arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.0 {
            List::Protobuf(list) => list.push(chunk),
            List::Json(list) => list.push(chunk),
        }
    }

    /// The next item, without envelope; `None` until more has arrived.
    ///
    /// # Errors
    /// [`Malformed`]; nothing after it can be read.
    pub fn next_item(&mut self) -> Result<Option<&[u8]>, Malformed> {
        match &mut self.0 {
            List::Protobuf(list) => list.next(),
            List::Json(list) => list.next(),
        }
    }

    /// What the list says of itself; call it when the response has ended and all items were taken.
    ///
    /// # Errors
    /// [`Malformed`] if the response ended too early or was no list: an answer that merely looks empty must not empty
    /// a table.
    pub fn end(self) -> Result<ListMeta, Malformed> {
        let meta = self.end_unversioned()?;
        if meta.version.is_empty() {
            Err(Malformed("no list, or one without version"))
        } else {
            Ok(meta)
        }
    }

    /// As [`ListReader::end`], of a list that is made up when it is asked for and has no version: samples.
    ///
    /// # Errors
    /// [`Malformed`] if the response ended too early or was no list.
    pub fn end_unversioned(self) -> Result<ListMeta, Malformed> {
        match self.0 {
            List::Protobuf(list) => list.end(),
            List::Json(list) => list.end(),
        }
    }
}

/// Reads one watch response: push each chunk, then take events until there is none.
#[derive(Debug)]
pub struct WatchReader(Watch);

#[derive(Debug)]
enum Watch {
    Protobuf(pb_stream::Watch),
    Json(json_stream::Watch),
}

impl WatchReader {
    /// A reader for one response.
    pub fn new(encoding: Encoding) -> WatchReader {
        WatchReader(match encoding {
            Encoding::Protobuf => Watch::Protobuf(pb_stream::Watch::default()),
            Encoding::Json => Watch::Json(json_stream::Watch::default()),
        })
    }

    /// Adds what arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.0 {
            Watch::Protobuf(watch) => watch.push(chunk),
            Watch::Json(watch) => watch.push(chunk),
        }
    }

    /// The next event; `None` until more has arrived.
    ///
    /// # Errors
    /// [`Malformed`]; nothing after it can be read.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Malformed> {
        match &mut self.0 {
            Watch::Protobuf(watch) => watch.next(),
            Watch::Json(watch) => watch.next(),
        }
    }

    /// Whether everything that arrived was whole events.
    pub fn ends_well(&self) -> bool {
        match &self.0 {
            Watch::Protobuf(watch) => watch.ends_well(),
            Watch::Json(watch) => watch.ends_well(),
        }
    }
}
