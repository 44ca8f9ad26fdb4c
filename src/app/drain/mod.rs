//! Running a drain: the shell around the engine of [`crate::actions::drain`]. It brings the engine what is read, performs
//! its orders, and records each before it is sent.

mod answers;
mod drive;
mod eyes;
pub mod facts;
mod job;
pub mod mark;
mod marks;
mod past;
pub mod saved;
pub mod unfinished;

pub use answers::outcome;
pub use drive::drive;
pub use job::{Ended, Job, News, Reins, Told, reins};
