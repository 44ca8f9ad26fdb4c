//! What numbers of rows were since the cockpit began to look: samples, bounded, with gaps where nothing was measured.
//!
//! Two sources: rows of what is measured (the board of the API server, use of nodes and pods) are noted at each look, as long
//! as their table is small; the row of a chart is noted every [`TICK`] seconds from the moment the chart was opened.
//! Invariants: a gap is a sample without values and never bridged; memory is bounded by [`LINES`], [`KEPT`] and [`CHARTED`].

use super::cell::Value;
use super::decl::Column;
use super::parcel::Key;
use super::row::Row;
use super::store::Store;
use super::time::Epoch;
use std::collections::HashMap;

mod looks;

pub use looks::is_heard;
use looks::{is_large, is_surveyed, looks, measured_mask, missed};

/// Seconds between two samples of a charted row that is watched.
pub const TICK: i64 = 2;
/// Seconds without a tick after which this process slept and saw nothing.
const ASLEEP: i64 = 10;
/// Samples kept of a row that is noted although nobody charts it: an hour at one each 15 s.
pub const KEPT: usize = 240;
/// Samples kept of a charted row.
pub const CHARTED: usize = 600;
/// Rows of a table beyond which its looks are not noted.
pub const ROWS: usize = 2000;
/// Numbers that are noted although nobody charts them, over all rows: with [`KEPT`] samples of eight bytes, 8 MB.
pub const LINES: usize = 4000;

/// Nothing was there to be measured.
const NONE: i64 = i64::MIN;

/// What a number counts: cells, JSON and CSV are written from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Plain,
    /// Thousandths of a core.
    Milli,
    /// Bytes.
    Bytes,
    /// Thousandths a second.
    PerSecond,
    /// Microseconds.
    Micros,
}

impl Unit {
    /// The unit and number of a cell, if it is one that can be plotted: ages go by themselves and say nothing.
    pub fn of(value: &Value<'_>) -> Option<(Unit, i64)> {
        Some(match value {
            Value::Int(n) | Value::Count(n, _) | Value::Since(n, _) => (Unit::Plain, *n),
            Value::Cpu(n, _) | Value::Milli(n) => (Unit::Milli, *n),
            Value::Memory(n, _) | Value::Bytes(n) => (Unit::Bytes, *n),
            Value::PerSecond(n) => (Unit::PerSecond, *n),
            Value::Micros(n) | Value::Beyond(n) => (Unit::Micros, *n),
            _ => return None,
        })
    }

    /// A number as a cell.
    pub fn value(self, n: i64) -> Value<'static> {
        match self {
            Unit::Plain => Value::Int(n),
            Unit::Milli => Value::Milli(n),
            Unit::Bytes => Value::Bytes(n),
            Unit::PerSecond => Value::PerSecond(n),
            Unit::Micros => Value::Micros(n),
        }
    }

    /// A number in words.
    pub fn words(self, n: i64) -> String {
        self.value(n).words(Epoch::default()).into_owned()
    }

    /// What is counted, in a word; empty for things.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Plain => "",
            Unit::Milli => "cores",
            Unit::Bytes => "bytes",
            Unit::PerSecond => "a second",
            Unit::Micros => "time",
        }
    }
}

/// What one column of a row was.
#[derive(Clone, Debug)]
pub struct Line {
    /// The column.
    pub column: &'static Column,
    /// What it counts.
    pub unit: Unit,
    /// The least and the most of all that was sampled, also of samples that are no longer kept.
    pub extremes: (i64, i64),
    /// What it was when the row was noted last, kept or not; [`NONE`] where nothing was measured then.
    latest: i64,
    /// Its place among the table's columns.
    place: usize,
    values: Vec<i64>,
}

/// What a row was.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Its numbers, in the order of the table's columns.
    pub lines: Vec<Line>,
    /// Older samples made room: every second one went.
    pub thinned: bool,
    /// The row is not there any more.
    pub gone: bool,
    times: Vec<Epoch>,
    /// When it was noted last, whether that was worth keeping or not.
    noted: Epoch,
    /// Seconds between samples worth keeping.
    every: i64,
}

impl Line {
    /// What was measured last: newer than the last sample where samples were thinned out.
    pub fn latest(&self) -> Option<i64> {
        (self.latest != NONE).then_some(self.latest)
    }
}

impl Trace {
    /// The line of a column.
    pub fn line(&self, column: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.column.id == column)
    }

    /// Samples of a line, oldest first; where nothing was measured, `None`.
    pub fn points<'a>(
        &'a self,
        line: &'a Line,
    ) -> impl DoubleEndedIterator<Item = (Epoch, Option<i64>)> + 'a {
        let values = line.values.iter().map(|v| (*v != NONE).then_some(*v));
        self.times.iter().copied().zip(values)
    }

    /// Samples that hold something: gaps are none.
    pub fn samples(&self) -> usize {
        let held = |i: &usize| self.lines.iter().any(|line| line.values[*i] != NONE);
        (0..self.times.len()).filter(held).count()
    }

    /// The times of all samples and gaps, oldest first.
    pub fn times(&self) -> &[Epoch] {
        &self.times
    }

    /// Notes a row; of its columns those that are wanted and hold a number. How many lines were new.
    fn note(
        &mut self,
        row: Row<'_>,
        now: Epoch,
        limit: usize,
        wanted: impl Fn(&Column) -> bool,
    ) -> usize {
        self.gone = false;
        let last = self.times.last().copied();
        if last.is_some_and(|last| last >= now) {
            return 0;
        }
        self.noted = now;
        self.lines.iter_mut().for_each(|line| line.latest = NONE);
        let before = self.lines.len();
        let kept = last.is_none_or(|last| now.0 - last.0 >= self.every) || self.in_gap();
        if kept {
            self.times.push(now);
            self.lines.iter_mut().for_each(|line| line.values.push(NONE));
        }
        let columns = row.table.spec.columns.iter().enumerate();
        for (place, column) in columns.filter(|(_, c)| wanted(c)) {
            if let Some((unit, n)) = Unit::of(&(column.cell)(row, now).value) {
                self.write((place, column), (unit, n), kept);
            }
        }
        if self.times.len() >= limit {
            self.thin(limit);
        }
        self.lines.len() - before
    }

    fn write(
        &mut self,
        (place, column): (usize, &'static Column),
        (unit, n): (Unit, i64),
        kept: bool,
    ) {
        let line = match self.lines.iter_mut().find(|line| line.column.id == column.id) {
            Some(line) => line,
            None => {
                let values = vec![NONE; self.times.len()];
                let at = self.lines.partition_point(|line| line.place < place);
                let extremes = (n, n);
                self.lines.insert(at, Line { column, unit, place, extremes, latest: n, values });
                &mut self.lines[at]
            }
        };
        line.latest = n;
        line.extremes = (line.extremes.0.min(n), line.extremes.1.max(n));
        if let Some(last) = line.values.last_mut().filter(|_| kept) {
            *last = n;
        }
    }

    /// Whether the last sample is a gap, or there is none.
    fn in_gap(&self) -> bool {
        self.lines.iter().all(|line| line.values.last().is_none_or(|v| *v == NONE))
    }

    /// From here on nothing is measured.
    fn gap(&mut self, at: Epoch) {
        self.lines.iter_mut().for_each(|line| line.latest = NONE);
        if !self.in_gap() {
            let last = self.times.last().map_or(at.0, |last| last.0 + 1);
            self.times.push(Epoch(at.0.max(last)));
            self.lines.iter_mut().for_each(|line| line.values.push(NONE));
        }
    }

    /// Where it was not noted for longer than looks are apart, what was seen last held for a while and then is unknown.
    fn bridge(&mut self, now: Epoch, (missed, held): (i64, i64)) {
        if self.noted.is_set() && now.0 - self.noted.0 > missed {
            self.gap(Epoch(self.noted.0 + held));
        }
    }

    /// Every second sample goes, so that all the time since start stays covered; no gap does.
    fn thin(&mut self, limit: usize) {
        let gap = |i: usize| self.lines.iter().all(|line| line.values[i] == NONE);
        let mut keep: Vec<bool> = (0..self.times.len()).map(|i| i % 2 == 0 || gap(i)).collect();
        let left = keep.iter().filter(|keep| **keep).count();
        // Gaps alone fill it: the oldest go after all.
        let spare = left.saturating_sub(limit * 3 / 4);
        keep.iter_mut().filter(|keep| **keep).take(spare).for_each(|keep| *keep = false);
        let mut at = keep.iter();
        self.times.retain(|_| *at.next().unwrap_or(&true));
        for line in &mut self.lines {
            let mut at = keep.iter();
            line.values.retain(|_| *at.next().unwrap_or(&true));
        }
        self.thinned = true;
        let span = self.times.last().map_or(0, |l| l.0) - self.times.first().map_or(0, |f| f.0);
        self.every = span / (limit as i64 / 2).max(1);
    }
}

/// All that was noted in this session.
#[derive(Clone, Debug, Default)]
pub struct Series {
    traces: HashMap<(u8, Key), Trace>,
    /// The last look at each table that was noted.
    looks: HashMap<u8, Epoch>,
    /// Numbers noted.
    lines: usize,
    ticked: Epoch,
    charted: bool,
}

impl Series {
    /// What was noted of a row.
    pub fn trace(&self, table: u8, key: Key) -> Option<&Trace> {
        self.traces.get(&(table, key))
    }

    /// Takes samples that are due, given the rows that are charted. Cheap while none is.
    pub fn observe(&mut self, store: &Store, now: Epoch, charted: &[(u8, Key)]) {
        let slept = self.charted && now.0 - self.ticked.0 > ASLEEP;
        if slept {
            let from = Epoch(self.ticked.0 + TICK);
            self.traces.values_mut().for_each(|trace| trace.gap(from));
        }
        self.interrupt(store, now, charted);
        self.look(store, now, charted);
        let new = charted.iter().any(|at| !self.traces.contains_key(at));
        if new || (now.0 - self.ticked.0).abs() >= TICK {
            self.ticked = now;
            self.charted = !charted.is_empty();
            self.tick(store, now, charted);
        }
    }

    /// What is followed no more, or cannot be read, has a gap from now on.
    fn interrupt(&mut self, store: &Store, now: Epoch, charted: &[(u8, Key)]) {
        let tables = self.looks.keys().copied().chain(charted.iter().map(|(table, _)| *table));
        // This runs with every piece of news: traces are gone through only when there is something to note.
        let unheard: Vec<u8> = tables.filter(|table| !is_heard(store, *table)).collect();
        if unheard.is_empty() {
            return;
        }
        for ((table, _), trace) in &mut self.traces {
            if unheard.contains(table) {
                trace.gap(now);
            }
        }
    }

    /// Notes each row of tables that were looked at anew.
    fn look(&mut self, store: &Store, now: Epoch, charted: &[(u8, Key)]) {
        for (table, at) in looks(store) {
            if self.looks.insert(table, at) == Some(at) {
                continue;
            }
            let spec = store.table_at(table).spec;
            let mask = measured_mask(spec.id);
            let large = is_large(store, table);
            let rows: Vec<Row<'_>> = if large {
                let charted = charted.iter().filter(|(t, _)| *t == table);
                charted.filter_map(|(_, key)| store.find(spec.id, *key)).collect()
            } else {
                store.rows(spec.id).collect()
            };
            for row in rows {
                let at = (table, row.key());
                let limit = if charted.contains(&at) { CHARTED } else { KEPT };
                if limit == KEPT && self.lines >= LINES && !self.traces.contains_key(&at) {
                    continue;
                }
                let trace = self.traces.entry(at).or_default();
                trace.bridge(now, missed(store, table));
                let wanted = |c: &Column| limit == CHARTED || mask == 0 || c.needs & mask != 0;
                self.lines += trace.note(row, now, limit, wanted);
            }
            self.forget(store, table, charted);
        }
    }

    /// Rows that are gone are forgotten, unless they are charted.
    fn forget(&mut self, store: &Store, table: u8, charted: &[(u8, Key)]) {
        let here = |key: &Key| store.table_at(table).find(*key).is_some();
        self.traces.retain(|at, _| at.0 != table || here(&at.1) || charted.contains(at));
        self.lines = self.traces.values().map(|trace| trace.lines.len()).sum();
    }

    /// Notes charted rows that are watched; those that are measured are noted when they are.
    fn tick(&mut self, store: &Store, now: Epoch, charted: &[(u8, Key)]) {
        for &(table, key) in charted {
            let trace = self.traces.entry((table, key)).or_default();
            let Some(row) = store.find(store.table_at(table).spec.id, key) else {
                trace.gone = is_heard(store, table);
                trace.gap(now);
                continue;
            };
            let surveyed = is_surveyed(store, table);
            if is_heard(store, table) && (!surveyed || trace.times.is_empty()) {
                // Looks may have noted it before it was charted, and rested since.
                trace.bridge(now, missed(store, table));
                trace.note(row, now, CHARTED, |_| true);
            }
        }
        // What nobody charts any more, and no look notes, has served.
        let noted = |table: u8| self.looks.contains_key(&table);
        self.traces.retain(|at, _| noted(at.0) || charted.contains(at));
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
