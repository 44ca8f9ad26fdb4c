//! Bytes that arrived and were not used yet.
//!
//! Invariant: holds what was really received, never what a length merely claims.

/// Above this, room that an unusually large object needed is given back.
const ROOM: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    used: usize,
}

impl Buffer {
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.used));
        if self.bytes.capacity() > ROOM && self.bytes.len() + chunk.len() < ROOM / 2 {
            self.bytes.shrink_to(ROOM / 2);
        }
        self.bytes.extend_from_slice(chunk);
    }

    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    /// Marks the first `n` bytes of the rest as used. They stay readable through [`Buffer::last`].
    pub fn advance(&mut self, n: usize) {
        self.used = (self.used + n).min(self.bytes.len());
    }

    /// The `n` bytes used last.
    pub fn last(&self, n: usize) -> &[u8] {
        &self.bytes[self.used.saturating_sub(n)..self.used]
    }
}
