//! A chart page: which row, which of its numbers, over what time.

use super::document::Target;
use crate::state::series::{Line, Series, Trace};

/// Seconds a chart may be narrowed to, the shortest first.
const SPANS: [i64; 5] = [60, 300, 900, 3600, 21_600];

/// The page.
#[derive(Clone, Debug)]
pub struct ChartUi {
    /// The row.
    pub target: Target,
    /// Index of its table in the store.
    pub table: u8,
    /// The view it was opened from: the chart lives on what that view lives on.
    pub view: &'static str,
    /// The column that is drawn.
    pub column: &'static str,
    /// Columns of the table it was opened from: they come first.
    pub first: Vec<&'static str>,
    /// Seconds shown; all since the first sample if not set.
    pub span: Option<i64>,
    /// The axis begins near the least and not at zero.
    pub fitted: bool,
}

impl ChartUi {
    /// What was noted of its row.
    pub fn trace<'a>(&self, series: &'a Series) -> Option<&'a Trace> {
        series.trace(self.table, self.target.key)
    }

    /// The numbers there are, those of the table it was opened from first.
    pub fn lines<'a>(&self, trace: &'a Trace) -> Vec<&'a Line> {
        let place = |line: &&Line| {
            let shown = self.first.iter().position(|id| *id == line.column.id);
            shown.unwrap_or(self.first.len())
        };
        let mut lines: Vec<_> = trace.lines.iter().collect();
        lines.sort_by_key(place);
        lines
    }

    /// The line that is drawn: the chosen one, or the first there is.
    pub fn line<'a>(&self, trace: &'a Trace) -> Option<&'a Line> {
        trace.line(self.column).or_else(|| self.lines(trace).first().copied())
    }

    /// The next number, or the one before.
    pub fn step(&mut self, series: &Series, by: i64) {
        let Some(trace) = self.trace(series) else { return };
        let lines = self.lines(trace);
        let here = self.line(trace).map_or("", |line| line.column.id);
        let at = lines.iter().position(|line| line.column.id == here).unwrap_or(0) as i64;
        if let Some(line) = lines.get((at + by).rem_euclid(lines.len().max(1) as i64) as usize) {
            self.column = line.column.id;
        }
    }

    /// Less time, or more up to all there is.
    pub fn zoom(&mut self, closer: bool) {
        let at = self.span.and_then(|span| SPANS.iter().position(|s| *s == span));
        let at = at.unwrap_or(SPANS.len());
        self.span = match closer {
            true => Some(SPANS[at.saturating_sub(1)]),
            false => SPANS.get(at + 1).copied(),
        };
    }
}
