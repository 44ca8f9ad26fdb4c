//! Draining nodes: facts, classes, plan, and the engine that runs it. All of it pure: what happens comes in as values,
//! what is to be done goes out as values, time is a number.

pub mod budget;
pub mod classify;
pub mod facts;
pub mod orders;
pub mod plan;
