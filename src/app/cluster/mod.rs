//! The only edge to Kubernetes: sessions, what is read through them, and the way it takes to the UI thread.
//!
//! `session` opens a cluster; an [`upstream::Upstream`] is what the feeds of one session share; a `feed` lists and
//! watches one kind, `decode` turns what it receives into rows, and the `mailbox` hands these to the UI thread.

pub mod bases;
pub mod count;
pub mod decode;
pub mod fairness;
pub mod feed;
pub mod fetch;
pub mod follow;
pub mod gather;
pub mod inflow;
pub mod kubelet;
pub mod mailbox;
pub mod probe;
pub mod pulse;
pub mod raw;
pub mod request;
pub mod reread;
pub mod scrape;
pub mod session;
pub mod survey;
pub mod upstream;

pub use kube::Client;
