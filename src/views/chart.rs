//! The painter of charts: one number of a row over time, in dots of Braille or in ASCII.

use super::page::{Pen, fit};
use super::theme::Theme;
use crate::state::State;
use crate::state::cell::Role;
use crate::state::chart::{Dots, before, dots, label, scale, times};
use crate::state::series::{Line, TICK, Trace};
use crate::state::text::width;
use crate::state::time::{Epoch, span};
use crate::state::ui::chart::ChartUi;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The shortest time a chart is drawn over, in seconds: two samples are no trend.
const SHORTEST: i64 = 60;
/// Lines above the plot: the numbers of the row, what the drawn one is, a blank.
const ABOVE: u16 = 3;
/// Lines below it: the axis and its labels.
const BELOW: u16 = 2;
/// Cells between two labels of the time axis.
const APART: usize = 12;
/// Labels on the time axis at most.
const LABELS: usize = 10;
/// Lines between two labels of the other axis.
const LINES: usize = 4;
/// A gap this wide has a word in it.
const WORDS: usize = 16;

/// Keys for the last line.
pub fn offers(_: &State, chart: &ChartUi) -> Vec<(&'static str, &'static str)> {
    let zero = if chart.fitted { "from zero" } else { "near the least" };
    vec![
        ("chart-next", "next number"),
        ("chart-save", "save CSV"),
        ("chart-closer", "less time"),
        ("chart-farther", "more"),
        ("chart-zero", zero),
    ]
}

/// Paints title and chart. Returns seconds until it looks different.
pub fn paint(
    state: &State,
    chart: &ChartUi,
    theme: &Theme,
    now: Epoch,
    (title, body): (Rect, Rect),
    buf: &mut Buffer,
) -> Option<i64> {
    let trace = chart.trace(&state.series);
    let found = trace.and_then(|trace| Some((trace, chart.line(trace)?)));
    heading(chart, found, theme, now, title, buf);
    let Some((trace, line)) = found else {
        let words = "nothing was measured yet: the line begins with the first sample";
        super::paint::notice(words, Role::Dim, theme, body, buf);
        return Some(TICK);
    };
    numbers(chart, trace, line, theme, Rect { height: 1, ..body }, buf);
    facts(trace, line, theme, Rect { y: body.y + 1, height: 1, ..body }, buf);
    let area =
        Rect { y: body.y + ABOVE, height: body.height.saturating_sub(ABOVE + BELOW), ..body };
    if area.height < 2 || area.width < 20 {
        return Some(TICK);
    }
    let from = chart.span.map_or_else(|| since(trace, line), |span| now.0 - span);
    let from = Epoch(from.min(now.0 - SHORTEST));
    plot(chart, (trace, line), theme, (from, now), area, buf);
    // A dot's worth of time: nothing moves before that.
    Some(((now.0 - from.0) / (2 * i64::from(area.width))).max(TICK))
}

/// When a line begins.
fn since(trace: &Trace, line: &Line) -> i64 {
    let first = trace.points(line).find(|(_, value)| value.is_some());
    first.map_or(i64::MAX, |(at, _)| at.0)
}

/// The second line of the screen: what is drawn, since when, from how much.
fn heading(
    chart: &ChartUi,
    found: Option<(&Trace, &Line)>,
    theme: &Theme,
    now: Epoch,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut right = String::new();
    if let Some((trace, line)) = found {
        let samples = trace.points(line).filter(|(_, value)| value.is_some()).count();
        let from = since(trace, line);
        let clock = Epoch(from).rfc3339();
        let clock = clock.get(11..19).unwrap_or_default();
        let s = if samples == 1 { "" } else { "s" };
        right = format!("since {clock} UTC, {}, {samples} sample{s} ", span(now.0 - from));
    }
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    let room = usize::from(pen.room()).saturating_sub(width(&right) + 2);
    pen.put(Role::Accent, &fit(&chart.target.path(), room, theme));
    if found.is_some_and(|(trace, _)| trace.gone) && usize::from(pen.room()) > width(&right) + 26 {
        pen.skip(2).put(Role::Warn, "gone; this is what was");
    }
    pen.right(&[(Role::Dim, right)]);
}

/// The numbers there are; the drawn one stands in brackets.
fn numbers(
    chart: &ChartUi,
    trace: &Trace,
    line: &Line,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let lines = chart.lines(trace);
    let here = lines.iter().position(|l| l.column.id == line.column.id).unwrap_or(0);
    let cells = |l: &&Line| width(l.column.title) + 2;
    // The one that is drawn is always seen: those at the left of it go first.
    let room = usize::from(area.width).saturating_sub(2);
    let mut first = 0;
    while first < here && lines[first..=here].iter().map(cells).sum::<usize>() > room {
        first += 1;
    }
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    for (i, line) in lines.iter().enumerate().skip(first) {
        if usize::from(pen.room()) < cells(line) {
            break;
        }
        let (role, text) = match i == here {
            true => (Role::Accent, format!("[{}]", line.column.title)),
            false => (Role::Dim, format!(" {} ", line.column.title)),
        };
        pen.put(role, &text);
    }
}

/// What it is now, and was at its least and most.
fn facts(trace: &Trace, line: &Line, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(2);
    match line.latest() {
        Some(n) => pen.put(Role::Dim, "now ").put(Role::Plain, &line.unit.words(n)),
        None => pen.put(Role::Warn, "not measured now"),
    };
    let (least, most) = line.extremes;
    for (word, n) in [("most", most), ("least", least)] {
        pen.skip(3).put(Role::Dim, word).skip(1).put(Role::Plain, &line.unit.words(n));
    }
    let word = line.unit.word();
    if !word.is_empty() {
        pen.skip(3).put(Role::Dim, word);
    }
    if trace.thinned {
        pen.skip(3).put(Role::Dim, "older samples thinned out");
    }
}

/// Axes and dots.
fn plot(
    chart: &ChartUi,
    (trace, line): (&Trace, &Line),
    theme: &Theme,
    (from, until): (Epoch, Epoch),
    area: Rect,
    buf: &mut Buffer,
) {
    let rows = usize::from(area.height);
    let seen = dots(trace.points(line), from, until, 1)[0];
    let (least, most) = seen.unwrap_or((0, 0));
    let least = if chart.fitted { least } else { least.min(0) };
    let ticks = scale(least, most, line.unit, (rows / LINES).clamp(1, 8));
    let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
    let step = ticks.get(1).map_or(1, |next| next - low);
    let labels: Vec<String> = ticks.iter().map(|n| label(line.unit, *n, step, high)).collect();
    let gutter = labels.iter().map(|label| width(label)).max().unwrap_or(0) as u16 + 3;
    let plane = Rect { x: area.x + gutter, width: area.width.saturating_sub(gutter + 2), ..area };
    if plane.width < 8 {
        return;
    }
    let scaled = Scale { low, high, dots: rows * 4 };
    for y in 0..area.height {
        let at = ticks.iter().position(|n| scaled.row(*n) == usize::from(y));
        let mut pen = Pen::new(buf, theme, area, area.y + y);
        let label = at.map_or("", |i| labels[i].as_str());
        pen.skip(gutter - 2 - width(label) as u16).put(Role::Dim, label).skip(1);
        pen.put(Role::Dim, theme.axis(at.is_some()));
    }
    time_axis(theme, until.0 - from.0, plane, buf);
    let columns = dots(trace.points(line), from, until, usize::from(plane.width) * 2);
    draw(&columns, &scaled, theme, plane, buf);
    gaps(&columns, theme, plane, buf);
}

/// Values to dots.
struct Scale {
    low: i64,
    high: i64,
    dots: usize,
}

impl Scale {
    /// The dot of a value, from the bottom.
    fn dot(&self, n: i64) -> usize {
        let (n, low, high) = (i128::from(n), i128::from(self.low), i128::from(self.high));
        let last = self.dots as i128 - 1;
        let span = (high - low).max(1);
        (((n - low) * last + span / 2) / span).clamp(0, last) as usize
    }

    /// The line of a value, from the top.
    fn row(&self, n: i64) -> usize {
        (self.dots - 1 - self.dot(n)) / 4
    }
}

/// The line, two columns of dots a cell.
fn draw(columns: &[Dots], scale: &Scale, theme: &Theme, plane: Rect, buf: &mut Buffer) {
    const BITS: [[u8; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
    let style = theme.style(Role::Accent);
    for (x, pair) in (plane.x..).zip(columns.chunks(2)) {
        let mut cells = vec![0_u8; usize::from(plane.height)];
        for (side, (lo, hi)) in pair.iter().enumerate().filter_map(|(i, d)| Some((i, (*d)?))) {
            for dot in scale.dot(lo)..=scale.dot(hi) {
                let row = (scale.dots - 1 - dot) / 4;
                if let Some(cell) = cells.get_mut(row) {
                    *cell |= BITS[side][dot % 4];
                }
            }
        }
        for (y, bits) in (plane.y..).zip(cells).filter(|(_, bits)| *bits != 0) {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_symbol(&theme.dots(bits)).set_style(style);
            }
        }
    }
}

/// A word where nothing was measured between two times when something was.
fn gaps(columns: &[Dots], theme: &Theme, plane: Rect, buf: &mut Buffer) {
    let Some(first) = columns.iter().position(Option::is_some) else { return };
    let mut begin = first;
    for (i, dot) in columns.iter().enumerate().skip(first).chain([(columns.len(), &Some((0, 0)))]) {
        if dot.is_some() {
            let cells = (i - begin) / 2;
            if cells >= WORDS {
                let x = plane.x + (begin / 2 + (cells - 12) / 2) as u16;
                let y = plane.y + plane.height / 2;
                let area = Rect { x, y, width: 13, height: 1 };
                Pen::new(buf, theme, area, y).put(Role::Dim, "not measured");
            }
            begin = i + 1;
        }
    }
}

/// The axis below, told from its end.
fn time_axis(theme: &Theme, secs: i64, plane: Rect, buf: &mut Buffer) {
    let (below, words) = (plane.bottom(), plane.bottom() + 1);
    let area = Rect { x: plane.x - 1, width: plane.width + 2, y: below, height: 2 };
    let style = theme.style(Role::Dim);
    let (corner, stroke, tick) = theme.ground();
    let mut line = corner.to_owned() + &stroke.repeat(usize::from(plane.width));
    let ticks = times(secs, (usize::from(plane.width) / APART).min(LABELS));
    let last = i64::from(plane.width) - 1;
    let at = |t: i64| (last - t * last / secs.max(1)) as u16;
    Pen::new(buf, theme, area, below).styled(style, &line);
    line.clear();
    for t in ticks {
        let (x, label) = (plane.x + at(t), before(t));
        if let Some(cell) = buf.cell_mut((x, below)) {
            cell.set_symbol(tick);
        }
        // The end of the label stands under the tick, so that `now` ends where the line does.
        let cells = width(&label) as u16;
        let Some(begin) = (x + 1).checked_sub(cells).filter(|begin| *begin + 1 >= plane.x) else {
            continue;
        };
        let area = Rect { x: begin, y: words, width: cells, height: 1 };
        Pen::new(buf, theme, area, words).styled(style, &label);
    }
}
