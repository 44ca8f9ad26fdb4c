//! placeholder
use super::decl::Column;
use super::query::Query;
use super::store::{Changed, Store};
use super::time::Epoch;
/// x
pub struct Budget {
    /// x
    pub rows: usize,
}
/// x
#[derive(PartialEq, Eq, Debug)]
pub enum Progress {
    /// x
    Done,
    /// x
    More,
}
/// x
pub struct Lens {
    rows: Vec<u32>,
    table: u8,
}
#[allow(missing_docs)]
impl Lens {
    pub fn new(table: u8, _: (&'static Column, bool), _: Query, _: Query) -> Lens {
        Lens { rows: vec![], table }
    }
    pub fn set_sort(&mut self, _: (&'static Column, bool)) {}
    pub fn set_query(&mut self, _: Query) {}
    pub fn absorb(&mut self, store: &Store, _: &Changed) {
        let t = store.table_at(self.table);
        self.rows = (0..t.slots()).filter(|s| t.alive(*s)).collect();
    }
    pub fn work(&mut self, store: &Store, _: Epoch, _: Budget) -> Progress {
        self.absorb(store, &Changed::default());
        Progress::Done
    }
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }
    pub fn total(&self) -> usize {
        self.rows.len()
    }
    pub fn rank(&self, _: &Store, slot: u32) -> Option<usize> {
        self.rows.iter().position(|s| *s == slot)
    }
    pub fn settled(&self) -> bool {
        true
    }
}
