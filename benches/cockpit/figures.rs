//! What was measured, and whether it is within its budget.

/// A line of the table.
pub struct Figure {
    pub what: &'static str,
    pub unit: &'static str,
    /// The most it may be; none where nothing was promised.
    pub budget: Option<f64>,
    pub runs: Vec<f64>,
}

/// The figures in the order they were first measured.
#[derive(Default)]
pub struct Figures(pub Vec<Figure>);

impl Figures {
    pub fn note(
        &mut self,
        what: &'static str,
        unit: &'static str,
        budget: Option<f64>,
        value: f64,
    ) {
        match self.0.iter_mut().find(|f| f.what == what) {
            Some(figure) => figure.runs.push(value),
            None => self.0.push(Figure { what, unit, budget, runs: vec![value] }),
        }
    }

    /// Prints the table; how many budgets do not hold. The median decides.
    pub fn print(&self) -> usize {
        let head = ["what", "unit", "budget", "min", "median", "max", ""];
        let [what, unit, budget, min, median, max, verdict] = head;
        println!("| {what} | {unit} | {budget} | {min} | {median} | {max} | {verdict} |");
        println!("|---|---|---|---|---|---|---|");
        let mut failed = 0;
        for figure in &self.0 {
            let mut runs = figure.runs.clone();
            runs.sort_by(f64::total_cmp);
            let (min, median, max) = (runs[0], runs[runs.len() / 2], runs[runs.len() - 1]);
            let verdict = match figure.budget {
                None => "",
                Some(most) if median <= most => "pass",
                Some(_) => "FAIL",
            };
            failed += usize::from(verdict == "FAIL");
            let budget = figure.budget.map_or("-".to_owned(), |most| format!("{most}"));
            let (what, unit) = (figure.what, figure.unit);
            println!(
                "| {what} | {unit} | {budget} | {min:.2} | {median:.2} | {max:.2} | {verdict} |"
            );
        }
        failed
    }
}
