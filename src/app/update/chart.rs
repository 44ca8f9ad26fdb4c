//! Charts: opened from a row, sampled while they are in the history, saved as CSV.

use super::App;
use super::export::file_name;
use crate::actions;
use crate::app::msg::{Effect, Now};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::export::csv_trace;
use crate::state::series::{TICK, Unit};
use crate::state::ui::Page;
use crate::state::ui::chart::ChartUi;
use std::time::Duration;

impl App {
    /// Takes samples of what is charted, as far as they are due.
    pub fn observe(&mut self, now: Now) {
        let charts = self.state.ui.routes.iter().filter_map(|route| match &route.page {
            Page::Chart(chart) => Some((chart.table, chart.target.key)),
            _ => None,
        });
        let charted: Vec<_> = charts.collect();
        self.state.series.observe(&self.state.store, now.server, &charted);
    }

    /// How long to wait for the next sample at most; `None` while nothing is charted.
    pub fn samples(&self) -> Option<Duration> {
        let charts = |page: &Page| matches!(page, Page::Chart(_));
        let any = self.state.ui.routes.iter().any(|route| charts(&route.page));
        any.then_some(Duration::from_secs(TICK as u64))
    }

    /// Opens a chart of the row: of the column the rows are sorted by if it holds numbers, else of the first that was seen to
    /// change, else of the first there is.
    pub(super) fn open_chart(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let State { store, ui, .. } = &self.state;
        let Some((table, view)) = ui.table().zip(ui.route().map(|route| route.view)) else {
            return;
        };
        let Some(row) = table.seen(store) else {
            return self.say(now, Role::Dim, "no row was on screen yet; press it again");
        };
        let counts = |id: &str| {
            let column = row.table.spec.column(id);
            column.is_some_and(|c| Unit::of(&(c.cell)(row, now.server).value).is_some())
        };
        let first: Vec<_> = table.columns.iter().map(|column| column.id).collect();
        let all = row.table.spec.columns.iter().map(|column| column.id);
        let sorted = [table.sort.0.id].into_iter();
        // What never changed is seldom what is asked for.
        let trace = self.state.series.trace(table.table, row.key());
        let moved = |id: &str| {
            let line = trace.and_then(|trace| trace.line(id));
            line.is_some_and(|line| line.extremes.0 < line.extremes.1)
        };
        let moved: Vec<_> = first.iter().copied().filter(|id| moved(id)).collect();
        let Some(column) =
            sorted.chain(moved).chain(first.iter().copied()).chain(all).find(|id| counts(id))
        else {
            return self.say(now, Role::Dim, "this row holds no number to draw");
        };
        let (index, key) = (table.table, row.key());
        let target = crate::state::ui::document::Target {
            table: row.table.spec.id,
            key,
            namespace: row.namespace().to_owned(),
            name: row.name().into_owned(),
            ..actions::target(row)
        };
        let about = target.path();
        let chart =
            ChartUi { target, table: index, view, column, first, span: None, fitted: false };
        self.state.ui.visit("chart", about, Page::Chart(Box::new(chart)));
        self.follow(fx);
        self.observe(now);
    }

    /// A command of the chart layer. Whether it was one.
    pub(super) fn chart_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let State { series, ui, .. } = &mut self.state;
        let Some(chart) = ui.chart_mut() else { return false };
        match id {
            "chart-next" => chart.step(series, 1),
            "chart-previous" => chart.step(series, -1),
            "chart-closer" => chart.zoom(true),
            "chart-farther" => chart.zoom(false),
            "chart-zero" => chart.fitted = !chart.fitted,
            "chart-save" => self.save_chart(now, fx),
            _ => return false,
        }
        true
    }

    /// Asks for the samples of the row as a file.
    fn save_chart(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let Some(chart) = self.state.ui.chart() else { return };
        let Some(trace) = chart.trace(&self.state.series).filter(|t| t.samples() > 0) else {
            return self.say(now, Role::Dim, "nothing was measured yet: no file was made");
        };
        let about = format!("{}-{}", chart.view, chart.target.path());
        let n = trace.samples();
        let what = format!("{n} sample{} of {}", if n == 1 { "" } else { "s" }, chart.target.name);
        let file = file_name(&about, now.server);
        fx.push(Effect::SaveText(file, csv_trace(trace), what));
    }
}
