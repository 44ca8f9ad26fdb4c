#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use wheelhouse::app::cluster::decode::Encoding;

fuzz_target!(|data: &[u8]| common::watch(Encoding::Json, data));
