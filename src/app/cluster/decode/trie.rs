//! Paths compiled for walking: per encoding a tree whose edges are field numbers or field names.
//!
//! Invariant: node 0 is the object itself; every edge leads to a later node, so walks end.

use crate::state::decl::{Path, Ty};

/// What is read at a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Index of the path.
    pub path: usize,
    /// What stands there.
    pub ty: Ty,
}

/// A place in an object. `edges` lead to the places below it.
#[derive(Debug, Default)]
pub(super) struct Node<E> {
    pub leaves: Vec<Leaf>,
    pub edges: E,
}

/// Node numbers by protobuf field number; 0 is no edge.
pub(super) type Tags = Vec<u16>;
/// Node numbers by JSON field name.
pub(super) type Names = Vec<(&'static str, u16)>;

/// A list of paths, compiled for both encodings.
#[derive(Debug)]
pub struct Trie {
    pub(super) pb: Vec<Node<Tags>>,
    pub(super) json: Vec<Node<Names>>,
}

impl Trie {
    /// Compiles `paths`; findings carry the index into this list. Several paths may name one place.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Trie {
        let mut trie = Trie { pb: vec![Node::default()], json: vec![Node::default()] };
        for (path, p) in paths.into_iter().enumerate() {
            let leaf = Leaf { path, ty: p.ty };
            let at = p.pb.iter().fold(0, |at, &tag| Self::by_tag(&mut trie.pb, at, tag as usize));
            trie.pb[at].leaves.push(leaf);
            let at = p.json.split('.').fold(0, |at, name| Self::by_name(&mut trie.json, at, name));
            trie.json[at].leaves.push(leaf);
        }
        trie
    }

    fn by_tag(nodes: &mut Vec<Node<Tags>>, at: usize, tag: usize) -> usize {
        let next = nodes.len() as u16;
        let edges = &mut nodes[at].edges;
        if edges.len() <= tag {
            edges.resize(tag + 1, 0);
        }
        if edges[tag] == 0 {
            edges[tag] = next;
            nodes.push(Node::default());
            return usize::from(next);
        }
        usize::from(edges[tag])
    }

    fn by_name(nodes: &mut Vec<Node<Names>>, at: usize, name: &'static str) -> usize {
        if let Some(&(_, to)) = nodes[at].edges.iter().find(|(n, _)| *n == name) {
            return usize::from(to);
        }
        let next = nodes.len() as u16;
        nodes[at].edges.push((name, next));
        nodes.push(Node::default());
        usize::from(next)
    }
}
