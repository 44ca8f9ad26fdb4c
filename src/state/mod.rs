//! The functional core: tables of rows fed by watches, and what can be said about them.
//!
//! Invariant: no kube, tokio, ratatui or crossterm; no I/O; time arrives as a value. Nothing here can fail at run time:
//! what is not known is a value (`Absent`, `Unknown`, `Health`), not an error.

pub mod cell;
pub mod chart;
pub mod cluster;
pub mod commands;
pub mod decl;
pub mod derive;
pub mod doc;
pub mod export;
pub mod fairness;
pub mod health;
pub mod intern;
pub mod journal;
pub mod kinds;
pub mod lens;
pub mod metrics;
pub mod nearest;
pub mod parcel;
pub mod quantity;
pub mod query;
pub mod row;
pub mod rules;
pub mod series;
pub mod store;
pub mod table;
pub mod tally;
pub mod text;
pub mod time;
pub mod timeline;
pub mod ui;

/// Everything the program knows. Plain data: a test is "state, keys, state, frame".
#[derive(Default)]
pub struct State {
    /// The session.
    pub cluster: cluster::Cluster,
    /// The objects.
    pub store: store::Store,
    /// What numbers of rows were since start.
    pub series: series::Series,
    /// The screen.
    pub ui: ui::Ui,
}
