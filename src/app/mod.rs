//! The imperative shell: the only part of the program that performs I/O.

pub mod cli;
pub mod cluster;
pub mod config;
pub mod connect;
pub mod demo;
pub(crate) mod der;
pub mod drain;
pub mod effects;
pub mod enrol;
pub mod execute;
pub mod files;
pub mod journal;
pub mod keymap;
pub mod limits;
pub mod log;
pub mod memory;
pub mod msg;
pub mod nap;
pub mod pacer;
pub mod preferences;
pub mod run;
pub mod terminal;
pub(crate) mod toml_file;
pub mod update;
