//! Which flow schema catches a request, and why each one before it does not.

use super::Doc;
use super::describe::page::Page;
use crate::state::cell::Role;
use crate::state::fairness::question::{Question, answer, written};
use crate::state::fairness::schema::Schema;

/// The page of a question that was [made whole](Question::whole); `ours` are schema and level that the server
/// named in the headers of its last answer to us, if the question is about ourselves.
pub fn whatif(
    question: &Question,
    schemas: &[Schema],
    levels: &[String],
    ours: Option<&(String, String)>,
) -> Doc {
    let mut page = Page::default();
    let asked = &question.asked;
    let (words, steps) = answer(asked, schemas, levels);
    let caught = steps.last().map(|step| &step.schema);
    match question.put_in.as_ref().filter(|put_in| Some(*put_in) != caught) {
        Some(put_in) => {
            let said =
                format!("the server put it in schema {put_in}; its groups are not known here");
            page.line(Role::Accent, &said);
            page.line(Role::Warn, &format!("by what is known here, {words}"));
        }
        None => page.line(if steps.is_empty() { Role::Warn } else { Role::Accent }, &words),
    }
    if let Some(note) = &question.note {
        page.line(Role::Warn, note);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fairness::catch::{Asked, What};
    use serde_json::json;

    fn schemas() -> Vec<Schema> {
        let schema = |name: &str, precedence: i64, group: &str| {
            let subject = json!({"kind": "Group", "group": {"name": group}});
            let any = json!({"verbs": ["*"], "nonResourceURLs": ["*"]});
            Schema::of(
                &json!({"metadata": {"name": name}, "spec": {"matchingPrecedence": precedence,
                "priorityLevelConfiguration": {"name": "exempt"},
                "rules": [{"subjects": [subject], "nonResourceRules": [any]}]}}),
            )
        };
        vec![schema("exempt", 1, "system:masters"), schema("rest", 9, "system:authenticated")]
    }

    #[test]
    fn what_the_server_did_is_not_contradicted() {
        let page = |put_in: Option<&str>| {
            let what = What::Path("/version".into());
            let asked =
                Asked { user: "admin".into(), verb: "get".into(), what, ..Asked::default() };
            let put_in = put_in.map(str::to_owned);
            let question = Question { asked, put_in, ..Question::default() };
            whatif(&question.whole(&Default::default()), &schemas(), &[], None).text()
        };
        assert!(page(None).starts_with("schema rest catches it: level exempt\n"), "{}", page(None));
        assert_eq!(page(Some("rest")), page(None));
        let other = "the server put it in schema exempt; its groups are not known here\n\
                     by what is known here, schema rest catches it: level exempt\n";
        assert!(page(Some("exempt")).starts_with(other), "{}", page(Some("exempt")));
    }
}
