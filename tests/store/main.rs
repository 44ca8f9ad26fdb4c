//! Properties of the store, the lens and the filter over random histories.

mod filter;
mod lens;
mod rows;
mod world;
