//! Lists and watches in protobuf, cut into objects while they arrive.
//!
//! Envelope: `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` (magic, `runtime.Unknown{1: typeMeta, 2: raw}`);
//! lists: `{1: ListMeta, 2: items}`; watch frames: a four-byte big-endian length (`serializer/streaming`,
//! `util/framer`) before a bare `meta/v1.WatchEvent{1: type, 2: RawExtension{1: raw}}`, whose raw has the envelope
//! again.

use super::buffer::Buffer;
use super::pb::{bytes, tag, varint};
use super::stream::{Event, ListMeta, Verb};
use super::{Encoding, Malformed, OBJECT_MAX};

/// Stands before every object.
const MAGIC: &[u8] = b"k8s\0";

const TOO_LONG: Malformed = Malformed("an object is larger than 64 MiB");

/// The object inside a complete envelope.
pub(super) fn unwrap(raw: &[u8]) -> Result<&[u8], Malformed> {
    let unknown = raw.strip_prefix(MAGIC).ok_or(Malformed("no Kubernetes protobuf message"))?;
    Ok(bytes(unknown, 2)?.unwrap_or_default())
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Magic,
    /// Fields of the envelope before the list.
    Envelope,
    /// In the list; bytes of it still to come.
    List(u64),
    /// Fields of the envelope after the list.
    Tail,
}

/// Cuts a list into its items.
#[derive(Debug, Default)]
pub(super) struct List {
    buffer: Buffer,
    state: State,
    meta: ListMeta,
}

/// The beginning of a field: its number, its wire type, the bytes its key and length take, the bytes of its body.
struct Ahead {
    tag: u32,
    wire: u64,
    head: usize,
    body: usize,
}

/// Looks at the next field; `None` until its key and length are there.
fn ahead(rest: &[u8]) -> Result<Option<Ahead>, Malformed> {
    let mut raw = rest;
    let Some(key) = varint(&mut raw)? else { return Ok(None) };
    let body = match key & 7 {
        0 => match varint(&mut raw)? {
            Some(_) => 0,
            None => return Ok(None),
        },
        1 => 8,
        2 => match varint(&mut raw)? {
            Some(len) => usize::try_from(len).ok().filter(|&n| n <= OBJECT_MAX).ok_or(TOO_LONG)?,
            None => return Ok(None),
        },
        5 => 4,
        _ => return Err(Malformed("a field of a kind that is not in use")),
    };
    Ok(Some(Ahead { tag: tag(key)?, wire: key & 7, head: rest.len() - raw.len(), body }))
}

impl List {
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.push(chunk);
    }

    /// The next item that has arrived whole.
    pub fn next(&mut self) -> Result<Option<&[u8]>, Malformed> {
        loop {
            let rest = self.buffer.rest();
            if let State::Magic = self.state {
                let Some(magic) = rest.get(..MAGIC.len()) else { return Ok(None) };
                if magic != MAGIC {
                    return Err(Malformed("no Kubernetes protobuf message"));
                }
                self.buffer.advance(MAGIC.len());
                self.state = State::Envelope;
                continue;
            }
            if let State::List(0) = self.state {
                self.state = State::Tail;
            }
            // In the envelope the list itself may be of any size, so its length is no object's length.
            if let (State::Envelope, Some((head, len))) = (self.state, raw_ahead(rest)?) {
                self.buffer.advance(head);
                self.state = State::List(len);
                continue;
            }
            let Some(Ahead { tag, wire, head, body }) = ahead(rest)? else { return Ok(None) };
            let whole = head + body;
            if let State::List(left) = &mut self.state {
                let left_after = left.checked_sub(whole as u64);
                let after = left_after.ok_or(Malformed("an item is longer than its list"))?;
                if rest.len() < whole {
                    return Ok(None);
                }
                *left = after;
                self.buffer.advance(whole);
                match (tag, wire) {
                    (1, 2) => {
                        self.meta = ListMeta::read(Encoding::Protobuf, self.buffer.last(body))?;
                    }
                    (2, 2) => return Ok(Some(self.buffer.last(body))),
                    _ => {}
                }
            } else if rest.len() < whole {
                return Ok(None);
            } else {
                self.buffer.advance(whole);
            }
        }
    }

    /// What the list says of itself, once it has ended.
    pub fn end(self) -> Result<ListMeta, Malformed> {
        match self.state {
            State::List(0) | State::Tail if self.buffer.rest().is_empty() => Ok(self.meta),
            _ => Err(Malformed("the list ends in the middle")),
        }
    }
}

/// The envelope's field 2, which holds the list: bytes of its head, and its length.
fn raw_ahead(rest: &[u8]) -> Result<Option<(usize, u64)>, Malformed> {
    let mut raw = rest;
    if varint(&mut raw)? != Some(2 << 3 | 2) {
        return Ok(None);
    }
    Ok(varint(&mut raw)?.map(|len| (rest.len() - raw.len(), len)))
}

/// Cuts a watch into its events.
#[derive(Debug, Default)]
pub(super) struct Watch {
    buffer: Buffer,
}

impl Watch {
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.push(chunk);
    }

    /// The next event that has arrived whole.
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Malformed> {
        let Some((len, rest)) = self.buffer.rest().split_first_chunk::<4>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes(*len) as usize;
        if len > OBJECT_MAX {
            return Err(TOO_LONG);
        }
        if rest.len() < len {
            return Ok(None);
        }
        self.buffer.advance(4 + len);
        let frame = self.buffer.last(len);
        let verb = Verb::of(bytes(frame, 1)?.unwrap_or_default())?;
        let extension = bytes(frame, 2)?.unwrap_or_default();
        let object = unwrap(bytes(extension, 1)?.unwrap_or_default())?;
        Ok(Some(Event { verb, object }))
    }

    /// Whether it ended between two events.
    pub fn ends_well(&self) -> bool {
        self.buffer.rest().is_empty()
    }
}
