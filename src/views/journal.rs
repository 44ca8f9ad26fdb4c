//! What was changed from this machine, newest first.

use super::spec::{self, Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::journal as runs;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "journal",
    aliases: &["runs", "history"],
    table: "journal",
    also: &[],
    columns: &["name", "age", "result", "undo", "title", "targets", "context", "who"],
    wide: &["reason", "host", "unknown", "ended", "server", "action"],
    narrow: &[
        "action", "server", "host", "ended", "targets", "who", "unknown", "reason", "context",
        "name",
    ],
    sort: ("name", true),
    enter: ("report", spec::describe),
    summary,
    detail,
    help: "What wheelhouse changed from this machine, on every cluster, newest first. Enter shows the report of a run, `x y` copies \
           it as Markdown for a ticket, `x r` saves it, `v` puts back what the run did after a preview. `interrupted` means \
           that the process ended before the run did: what is listed was recorded, the rest was not sent. The last 90 days and \
           the last 1000 runs are kept.",
};

fn summary(state: &State) -> Vec<Part> {
    let all = || state.store.rows("journal");
    let count = |is: fn(Row<'_>) -> bool| all().filter(|r| is(*r)).count() as i64;
    let jump = |filter: &str| Some(Jump::filtered("journal", filter));
    let here = all().filter(|r| r.text(runs::SERVER) == state.cluster.server).count() as i64;
    let context = format!("context:={}", state.cluster.context);
    let unfinished = count(runs::is_unfinished);
    let unknown = count(|r| r.num(runs::UNKNOWN) > 0);
    vec![
        Part::say(format!("{} runs", crate::state::cell::grouped(all().count() as i64))),
        Part::count(here, "on this cluster", Role::Plain, jump(&context)),
        Part::count(unfinished, "unfinished", Role::Bad, jump("result:=interrupted")),
        Part::count(unknown, "with unknown results", Role::Bad, jump("unknown:>0")),
        Part::count(
            count(|r| r.num(runs::UNDO_STEPS) > 0),
            "can be undone",
            Role::Plain,
            jump("undo:yes | undo:steps"),
        ),
    ]
}

/// What matters most: what nobody knows, what is wrong, why it was done.
fn detail(row: Row<'_>) -> Option<String> {
    let unknown = row.num(runs::UNKNOWN);
    let words = match row.text(runs::RESULT) {
        _ if !row.text(runs::REMARK).is_empty() => row.text(runs::REMARK).to_owned(),
        "interrupted" if unknown > 0 => {
            format!(
                "unfinished: its process ended; {unknown} results are unknown, look at them first"
            )
        }
        "interrupted" => "unfinished: its process ended before the run did".to_owned(),
        _ if unknown > 0 => format!("{unknown} results are unknown, look at the objects"),
        _ => row.text(runs::REASON).to_owned(),
    };
    Some(words).filter(|words| !words.is_empty())
}
