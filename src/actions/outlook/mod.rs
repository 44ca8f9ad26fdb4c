//! What draining nodes means for each of their pods, before anything is touched: classes, disruption budgets, where the
//! pods would land. An estimate, and pure: the same facts give the same outlook.

mod classify;
mod facts;
mod page;
mod simulate;

#[cfg(test)]
mod tests;

pub use classify::{Class, Verdict, classify};
pub use facts::{Budget, PodFacts};
pub use page::page;
pub use simulate::{Facts, Outlook, Rounds, outlook};
