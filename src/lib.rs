//! wheelhouse: a terminal cockpit for people who operate Kubernetes clusters.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod actions;
pub mod app;
pub mod state;
pub mod views;
