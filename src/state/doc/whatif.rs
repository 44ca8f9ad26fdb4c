//! Which flow schema catches a request, and why each one before it does not.

use super::Doc;
use super::describe::page::Page;
use crate::state::cell::Role;
use crate::state::fairness::catch::Asked;
use crate::state::fairness::question::{answer, written};
use crate::state::fairness::schema::Schema;

/// The page of a question. `asked` holds the groups that the server adds by itself; `ours` are schema and level that the server
/// named in the headers of its last answer to us, if the question is about ourselves.
pub fn whatif(
    asked: &Asked,
    schemas: &[Schema],
    levels: &[String],
    ours: Option<&(String, String)>,
) -> Doc {
    let mut page = Page::default();
    let (words, steps) = answer(asked, schemas, levels);
    page.line(if steps.is_empty() { Role::Warn } else { Role::Accent }, &words);
    page.line(Role::Dim, &format!("user {}, groups {}", asked.user, asked.groups.join(", ")));
    if let Some((schema, level)) = ours {
        page.line(
            Role::Plain,
            &format!(
                "By the headers of the server's last answer to us, whatever that was to: schema {schema}, level {level}."
            ),
        );
    }
    if !steps.is_empty() {
        page.heading("Asked in this order");
        page.indent = 2;
        let rows: Vec<_> = steps
            .iter()
            .map(|step| {
                let role = if step.catches { Role::Ok } else { Role::Plain };
                let why = match step.catches {
                    true => format!("catches: {}", step.why),
                    false => step.why.clone(),
                };
                let cells =
                    [step.precedence.to_string(), step.schema.clone(), step.level.clone(), why];
                cells.map(|text| (role, text))
            })
            .collect();
        page.table(["PRECEDENCE", "SCHEMA", "LEVEL", "WHY"], &rows);
        page.indent = 0;
    }
    page.lines.push(super::Line::default());
    page.line(
        Role::Dim,
        "Worked out from the schemas by the server's own rules; groups of a real user that were not named are not known here.",
    );
    Doc { title: written(asked), lines: page.lines }
}
