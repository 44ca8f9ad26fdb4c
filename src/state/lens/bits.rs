//! A set of slots, one bit each.

/// Grows as needed; what was never put in is not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Every slot below `slots`.
    pub fn all(slots: u32) -> Bits {
        let mut words = vec![u64::MAX; slots as usize / 64];
        if slots % 64 != 0 {
            words.push((1 << (slots % 64)) - 1);
        }
        Bits(words)
    }

    pub fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Puts a slot in or takes it out; returns whether that changed anything.
    pub fn put(&mut self, slot: u32, inside: bool) -> bool {
        if self.has(slot) == inside {
            return false;
        }
        let at = slot as usize / 64;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        self.0[at] ^= 1 << (slot % 64);
        true
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// What either holds.
    pub fn with(&self, other: &Bits) -> Bits {
        let (mut long, short) = if self.0.len() < other.0.len() {
            (other.clone(), self)
        } else {
            (self.clone(), other)
        };
        long.0.iter_mut().zip(&short.0).for_each(|(word, more)| *word |= more);
        long
    }

    /// Takes out the lowest slot at or above `*from`, a place to continue at.
    pub fn pop(&mut self, from: &mut u32) -> Option<u32> {
        let first = *from as usize / 64;
        let at = first + self.0.get(first..)?.iter().position(|&word| word != 0)?;
        let slot = at as u32 * 64 + self.0[at].trailing_zeros();
        self.0[at] &= self.0[at] - 1;
        *from = slot;
        Some(slot)
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().zip(0u32..).flat_map(|(&word, at)| {
            let rest = |&word: &u64| Some(word & (word - 1)).filter(|&rest| rest != 0);
            let words = std::iter::successors(Some(word).filter(|&word| word != 0), rest);
            words.map(move |word| at * 64 + word.trailing_zeros())
        })
    }
}
