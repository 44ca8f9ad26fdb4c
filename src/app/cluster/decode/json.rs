//! The JSON walker: the same findings as the protobuf walker, straight from the parser, without a tree of values.

use super::trie::{Leaf, Names, Node};
use super::{FINDINGS_MAX, Malformed, Trie};
use crate::state::decl::{Hit, Ty};
use crate::state::time::Epoch;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Walks one object; see [`super::Encoding::walk`]. A value of another type than its path expects is skipped.
///
/// # Errors
/// [`Malformed`].
pub fn walk(
    trie: &Trie,
    object: &[u8],
    tell: &mut impl FnMut(usize, Hit<'_>),
) -> Result<(), Malformed> {
    let mut walk = Walk { nodes: &trie.json, tell, left: FINDINGS_MAX, key: String::new() };
    let mut json = serde_json::Deserializer::from_slice(object);
    At { walk: &mut walk, node: &trie.json[0] }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|_| Malformed("this is not valid JSON"))
}

struct Walk<'t, F> {
    nodes: &'t [Node<Names>],
    tell: &'t mut F,
    left: usize,
    // The key of the map entry being read; kept here so that it need not be allocated per entry.
    key: String,
}

impl<F: FnMut(usize, Hit<'_>)> Walk<'_, F> {
    fn hit<E: Error>(&mut self, path: usize, hit: Hit<'_>) -> Result<(), E> {
        self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many parts"))?;
        (self.tell)(path, hit);
        Ok(())
    }

    fn text<E: Error>(&mut self, leaf: &Leaf, text: &str) -> Result<(), E> {
        let hit = match leaf.ty {
            _ if text.is_empty() => return Ok(()),
            Ty::Text | Ty::Quantity | Ty::IntOrString => Hit::Text(text),
            Ty::Time => match Epoch::parse(text).filter(|at| at.is_set()) {
                Some(at) => Hit::Time(at),
                None => return Ok(()),
            },
            Ty::Int => match text.parse() {
                Ok(n) => Hit::Int(n),
                Err(_) => return Ok(()),
            },
            Ty::Bool | Ty::Pairs | Ty::Quantities | Ty::Item => return Ok(()),
        };
        self.hit(leaf.path, hit)
    }

    fn number<E: Error>(&mut self, leaf: &Leaf, n: i64) -> Result<(), E> {
        match leaf.ty {
            Ty::Int | Ty::IntOrString => self.hit(leaf.path, Hit::Int(n)),
            Ty::Quantity => self.hit(leaf.path, Hit::Text(&n.to_string())),
            _ => Ok(()),
        }
    }
}

/// A value at a node: an object, its list, or a scalar. Recursion follows edges; lists in lists end at serde_json's
/// own limit of 128.
struct At<'w, 't, F> {
    walk: &'w mut Walk<'t, F>,
    node: &'t Node<Names>,
}

impl<'de, F: FnMut(usize, Hit<'_>)> DeserializeSeed<'de> for At<'_, '_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, F: FnMut(usize, Hit<'_>)> Visitor<'de> for At<'_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, node } = self;
        let pairs = node.leaves.iter().any(|l| matches!(l.ty, Ty::Pairs | Ty::Quantities));
        if pairs {
            while map.next_key_seed(Key(&mut walk.key))?.is_some() {
                map.next_value_seed(Entry { walk, leaves: &node.leaves })?;
            }
            return Ok(());
        }
        let items = || node.leaves.iter().filter(|l| l.ty == Ty::Item);
        for leaf in items() {
            walk.hit(leaf.path, Hit::Open)?;
        }
        while let Some(to) = map.next_key_seed(Edge(&node.edges))? {
            match to {
                Some(to) => map.next_value_seed(At { node: &walk.nodes[usize::from(to)], walk })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        for leaf in items() {
            (walk.tell)(leaf.path, Hit::Close);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { walk, node } = self;
        while list.next_element_seed(At { walk, node })?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.node.leaves.iter().try_for_each(|leaf| self.walk.text(leaf, text))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.node.leaves.iter().try_for_each(|leaf| self.walk.number(leaf, n))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.visit_i64(i64::try_from(n).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        for leaf in &self.node.leaves {
            match leaf.ty {
                Ty::Quantity => self.walk.hit(leaf.path, Hit::Text(&n.to_string()))?,
                _ => self.walk.number(leaf, n as i64)?,
            }
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<(), E> {
        let bools = self.node.leaves.iter().filter(|l| l.ty == Ty::Bool);
        let mut paths = bools.map(|leaf| leaf.path);
        paths.try_for_each(|path| self.walk.hit(path, Hit::Int(i64::from(yes))))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A field name, looked up while it is still in the parser's hands.
struct Edge<'t>(&'t Names);

impl<'de> DeserializeSeed<'de> for Edge<'_> {
    type Value = Option<u16>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<u16>, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Edge<'_> {
    type Value = Option<u16>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<u16>, E> {
        Ok(self.0.iter().find(|(n, _)| *n == name).map(|(_, to)| *to))
    }
}

/// The key of a map entry, copied into a buffer that is used again.
struct Key<'w>(&'w mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(key);
        Ok(())
    }
}

/// The value of a map entry whose key was just read.
struct Entry<'w, 't, F> {
    walk: &'w mut Walk<'t, F>,
    leaves: &'t [Leaf],
}

impl<F: FnMut(usize, Hit<'_>)> Entry<'_, '_, F> {
    fn tell<E: Error>(self, value: &str, number: bool) -> Result<(), E> {
        let Self { walk, leaves } = self;
        let key = std::mem::take(&mut walk.key);
        for leaf in leaves {
            if leaf.ty == Ty::Quantities || (leaf.ty == Ty::Pairs && !number) {
                walk.hit(leaf.path, Hit::Pair(&key, value))?;
            }
        }
        walk.key = key;
        Ok(())
    }
}

impl<'de, F: FnMut(usize, Hit<'_>)> DeserializeSeed<'de> for Entry<'_, '_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, F: FnMut(usize, Hit<'_>)> Visitor<'de> for Entry<'_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map value")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.tell(value, false)
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.tell(&n.to_string(), true)
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.tell(&n.to_string(), true)
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        self.tell(&n.to_string(), true)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    // Go reads null in a map of strings as the empty string.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.tell("", false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
