//! placeholder
use super::common;
use crate::state::decl::TableSpec;
use crate::words;
words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// x
    TAINT_LIST = Sym;
}
/// x
pub const IN_ALL: &str = "nodes_in_all";
/// x
pub mod sum {
    /// x
    pub const NODES: usize = 0;
    /// x
    pub const NOT_READY: usize = 1;
    /// x
    pub const CORDONED: usize = 2;
}
/// x
pub static TABLE: TableSpec = TableSpec { id: "namespaces", kinds: &[], words: WORDS, labels: LABELS, columns: &[common::NAMESPACE, common::NAME, common::AGE, common::UID], tallies: &[] };
