//! The terminal: entering and leaving it, writing to it within a byte budget, reading from it.
pub mod chord;
