//! The imperative shell: the only part of the program that performs I/O.

pub mod cluster;
pub mod demo;
pub mod terminal;
