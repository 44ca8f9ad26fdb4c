//! Draining nodes: facts, classes, plan, and the engine that runs it. All of it pure: what happens comes in as values,
//! what is to be done goes out as values, time is a number.

pub mod board;
pub mod budget;
pub mod classify;
mod commands;
pub mod engine;
mod explain;
pub mod facts;
mod gate;
mod guard;
pub mod landing;
mod later;
mod node;
mod nodes;
pub mod orders;
pub mod past;
pub mod plan;
mod pod;
pub mod progress;
pub mod propose;
mod pump;
pub mod selector;
pub mod verdict;
pub mod wire;
