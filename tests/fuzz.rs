//! The fuzz targets' own checks on their corpus and on inputs made from it: short, the same every time, and without
//! nightly. `fuzz/` runs them for hours.

#[path = "../fuzz/fuzz_targets/common.rs"]
mod common;

use std::path::Path;
use wheelhouse::app::cluster::decode::Encoding;

/// Inputs made from each file of a corpus.
const EACH: usize = 1500;

/// Lengths and numbers that go wrong most easily.
const ODD: [&[u8]; 8] = [
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x00, 0x00, 0x00, 0x00],
    &[0x7f, 0xff, 0xff, 0xff],
    b"99999999999999999999",
    b"{[{[\"",
    b"\\ud800",
    b"k8s\0",
];

/// A generator that needs no library and gives the same numbers everywhere (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn mutated(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, ODD[random.below(ODD.len())].iter().copied())),
            3 => {
                let end = (at + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + random.below(200)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
        }
    }
    bytes
}

fn run(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("the corpus is in the repository") {
        let bytes =
            std::fs::read(file.expect("a readable folder").path()).expect("a readable file");
        files += 1;
        check(&bytes);
        for _ in 0..EACH {
            check(&mutated(&bytes, &mut random));
        }
    }
    assert!(files > 0, "the corpus of {target} is empty");
}

#[test]
fn watches_survive_whatever_arrives() {
    run("pb_watch", |bytes| common::watch(Encoding::Protobuf, bytes));
    run("json_watch", |bytes| common::watch(Encoding::Json, bytes));
}

#[test]
fn lists_survive_whatever_arrives() {
    run("pb_list", |bytes| common::list(Encoding::Protobuf, bytes));
    run("json_list", |bytes| common::list(Encoding::Json, bytes));
}

#[test]
fn objects_survive_whatever_arrives() {
    run("pb_object", |bytes| common::object(Encoding::Protobuf, bytes));
}

#[test]
fn metrics_survive_whatever_arrives() {
    run("metrics", common::metrics);
}

#[test]
fn dumps_survive_whatever_arrives() {
    run("dumps", common::dumps);
}
