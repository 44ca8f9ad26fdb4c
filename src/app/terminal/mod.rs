//! The terminal: entering and leaving it, writing to it within a byte budget, reading from it.

pub mod backend;
pub mod bucket;
pub mod chord;
pub mod colour;
pub mod profile;
