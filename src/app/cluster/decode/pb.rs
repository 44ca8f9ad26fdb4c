//! The protobuf walker: visits the fields a trie names, skips the rest.
//!
//! Wire format: `protobuf.dev/programming-guides/encoding`. The shapes of `Time`, `Quantity`, `IntOrString` and map
//! entries: `k8s.io/apimachinery` `meta/v1`, `api/resource` and `util/intstr` `generated.proto`, v0.37.

use super::trie::{Leaf, Node, Tags};
use super::{FINDINGS_MAX, Malformed, Trie};
use crate::state::decl::{Hit, Ty};
use crate::state::time::Epoch;

/// Field value as the wire has it. 64- and 32-bit fixed values occur in no Kubernetes message we read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Takes a varint off the front. `None`: there is no whole one yet.
pub(super) fn varint(raw: &mut &[u8]) -> Result<Option<u64>, Malformed> {
    let mut value = 0u64;
    for (i, &byte) in raw.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *raw = &raw[i + 1..];
            return Ok(Some(value));
        }
    }
    if raw.len() < 10 { Ok(None) } else { Err(Malformed("a number is longer than ten bytes")) }
}

fn whole_varint(raw: &mut &[u8]) -> Result<u64, Malformed> {
    // Most numbers are field keys and short lengths.
    if let [byte, rest @ ..] = *raw
        && *byte < 0x80
    {
        *raw = rest;
        return Ok(u64::from(*byte));
    }
    varint(raw)?.ok_or(Malformed("a number ends in the middle"))
}

fn take<'a>(raw: &mut &'a [u8], len: u64) -> Result<&'a [u8], Malformed> {
    let cut = usize::try_from(len).ok().and_then(|len| raw.split_at_checked(len));
    let (taken, rest) = cut.ok_or(Malformed("a field is longer than what holds it"))?;
    *raw = rest;
    Ok(taken)
}

/// Takes a field off the front of a complete message; `None` at its end.
pub(super) fn field<'a>(raw: &mut &'a [u8]) -> Result<Option<(u32, Field<'a>)>, Malformed> {
    if raw.is_empty() {
        return Ok(None);
    }
    let key = whole_varint(raw)?;
    let value = match key & 7 {
        0 => Field::Varint(whole_varint(raw)?),
        2 => {
            let len = whole_varint(raw)?;
            Field::Bytes(take(raw, len)?)
        }
        1 => take(raw, 8).map(|_| Field::Fixed)?,
        5 => take(raw, 4).map(|_| Field::Fixed)?,
        _ => return Err(Malformed("a field of a kind that is not in use")),
    };
    Ok(Some((tag(key)?, value)))
}

/// The field number of a key.
pub(super) fn tag(key: u64) -> Result<u32, Malformed> {
    match key >> 3 {
        tag @ 1..=0x1fff_ffff => Ok(tag as u32),
        _ => Err(Malformed("a field number out of range")),
    }
}

/// The last bytes field of that number.
pub(super) fn bytes(mut raw: &[u8], wanted: u32) -> Result<Option<&[u8]>, Malformed> {
    let mut found = None;
    while let Some((tag, value)) = field(&mut raw)? {
        if let (true, Field::Bytes(b)) = (tag == wanted, value) {
            found = Some(b);
        }
    }
    Ok(found)
}

/// Walks one object; see [`super::Encoding::walk`].
///
/// # Errors
/// [`Malformed`].
pub fn walk(
    trie: &Trie,
    object: &[u8],
    tell: &mut impl FnMut(usize, Hit<'_>),
) -> Result<(), Malformed> {
    Walk { nodes: &trie.pb, tell, left: FINDINGS_MAX }.message(&trie.pb[0], object)
}

struct Walk<'t, F> {
    nodes: &'t [Node<Tags>],
    tell: &'t mut F,
    left: usize,
}

impl<'t, F: FnMut(usize, Hit<'_>)> Walk<'t, F> {
    /// Recursion follows edges of the trie only, so it is as deep as the longest path.
    fn message(&mut self, node: &'t Node<Tags>, mut raw: &[u8]) -> Result<(), Malformed> {
        while let Some((tag, value)) = field(&mut raw)? {
            match node.edges.get(tag as usize) {
                None | Some(0) => {}
                Some(&to) => self.value(&self.nodes[usize::from(to)], value)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, node: &'t Node<Tags>, value: Field<'_>) -> Result<(), Malformed> {
        for leaf in &node.leaves {
            match value {
                Field::Varint(n) => self.number(leaf, n)?,
                Field::Bytes(raw) => self.leaf(leaf, raw)?,
                Field::Fixed => {}
            }
        }
        if let (false, Field::Bytes(raw)) = (node.edges.is_empty(), value) {
            self.message(node, raw)?;
        }
        for leaf in node.leaves.iter().filter(|l| l.ty == Ty::Item) {
            if let Field::Bytes(_) = value {
                (self.tell)(leaf.path, Hit::Close);
            }
        }
        Ok(())
    }

    fn hit(&mut self, path: usize, hit: Hit<'_>) -> Result<(), Malformed> {
        self.left = self.left.checked_sub(1).ok_or(Malformed("an object with too many parts"))?;
        (self.tell)(path, hit);
        Ok(())
    }

    fn text(&mut self, path: usize, raw: &[u8]) -> Result<(), Malformed> {
        match clean(raw) {
            text if text.is_empty() => Ok(()),
            text => self.hit(path, Hit::Text(&text)),
        }
    }

    fn number(&mut self, leaf: &Leaf, n: u64) -> Result<(), Malformed> {
        match leaf.ty {
            // Negative int32 are sign-extended to 64 bits on the wire.
            Ty::Int => self.hit(leaf.path, Hit::Int(n as i64)),
            Ty::Bool => self.hit(leaf.path, Hit::Int(i64::from(n != 0))),
            _ => Ok(()),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, mut raw: &[u8]) -> Result<(), Malformed> {
        match leaf.ty {
            Ty::Text => self.text(leaf.path, raw),
            Ty::Int | Ty::Bool => {
                // A repeated number may be packed.
                while !raw.is_empty() {
                    let n = whole_varint(&mut raw)?;
                    self.number(leaf, n)?;
                }
                Ok(())
            }
            Ty::Time => self.time(leaf.path, raw),
            Ty::Quantity => {
                let text = bytes(raw, 1)?.unwrap_or_default();
                self.text(leaf.path, text)
            }
            Ty::IntOrString => self.int_or_string(leaf.path, raw),
            Ty::Pairs | Ty::Quantities => self.pair(leaf, raw),
            Ty::Item => self.hit(leaf.path, Hit::Open),
        }
    }

    /// `Time` and `MicroTime`: `{1: seconds, 2: nanos}`; an unset time is an empty message.
    fn time(&mut self, path: usize, mut raw: &[u8]) -> Result<(), Malformed> {
        let mut at = Epoch(0);
        while let Some((tag, value)) = field(&mut raw)? {
            if let (1, Field::Varint(seconds)) = (tag, value) {
                at = Epoch(seconds as i64);
            }
        }
        if at.is_set() { self.hit(path, Hit::Time(at)) } else { Ok(()) }
    }

    /// `IntOrString`: `{1: type (0 int, 1 string), 2: intVal, 3: strVal}`.
    fn int_or_string(&mut self, path: usize, mut raw: &[u8]) -> Result<(), Malformed> {
        let (mut is_text, mut number, mut text) = (false, 0, &[][..]);
        while let Some((tag, value)) = field(&mut raw)? {
            match (tag, value) {
                (1, Field::Varint(ty)) => is_text = ty == 1,
                (2, Field::Varint(n)) => number = n as i64,
                (3, Field::Bytes(t)) => text = t,
                _ => {}
            }
        }
        if is_text { self.text(path, text) } else { self.hit(path, Hit::Int(number)) }
    }

    /// A map entry: `{1: key, 2: value}`.
    fn pair(&mut self, leaf: &Leaf, mut raw: &[u8]) -> Result<(), Malformed> {
        let (mut key, mut value) = (&[][..], &[][..]);
        while let Some((tag, part)) = field(&mut raw)? {
            match (tag, part) {
                (1, Field::Bytes(k)) => key = k,
                (2, Field::Bytes(v)) => value = v,
                _ => {}
            }
        }
        if leaf.ty == Ty::Quantities {
            value = bytes(value, 1)?.unwrap_or_default();
        }
        self.hit(leaf.path, Hit::Pair(&clean(key), &clean(value)))
    }
}

/// Strings are UTF-8 by contract; what is not is replaced, so that one odd byte does not hide an object.
pub(super) fn clean(raw: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(raw)
}
