//! The only source of chance in the demo: the same seed gives the same names, the same lives and the same frames.

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, good enough for names and dice.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// The letters Kubernetes builds random names from (apimachinery `util/rand`): no vowels, so no words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Rng {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `0..n`; `n` must not be 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A name suffix of `n` letters.
    pub fn suffix(&mut self, n: usize) -> String {
        letters(self.next(), n)
    }

    /// A version 4 uid.
    pub fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// Scrambles 64 bits: the hash step of SplitMix64.
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stable hash of a text, the same in every build (FNV-1a, then mixed).
pub fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    mix(text.bytes().fold(start, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
}

/// `n` letters drawn from 64 bits, at most 13.
pub fn letters(mut bits: u64, n: usize) -> String {
    let mut name = String::with_capacity(n);
    for _ in 0..n {
        name.push(char::from(LETTERS[(bits % LETTERS.len() as u64) as usize]));
        bits /= LETTERS.len() as u64;
    }
    name
}
