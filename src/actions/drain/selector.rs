//! A label selector as it is typed: `app=web,tier!=db,zone in (a,b),!old`.

use super::budget::{Requirement, Selector};

/// Reads a selector (apimachinery `labels.Parse`, the parts of it that kubectl's help shows).
///
/// # Errors
/// What is not understood.
pub fn parse(text: &str) -> Result<Selector, String> {
    let mut selector = Selector { given: true, ..Selector::default() };
    for part in split(text) {
        let part = part.trim();
        let wrong = || format!("`{part}` is no label selector");
        let one = |key: &str, operator: &str, values: Vec<String>| Requirement {
            key: key.trim().to_owned(),
            operator: operator.to_owned(),
            values,
        };
        let requirement = if let Some((key, values)) = part.split_once(" notin ") {
            one(key, "NotIn", values_of(values).ok_or_else(wrong)?)
        } else if let Some((key, values)) = part.split_once(" in ") {
            one(key, "In", values_of(values).ok_or_else(wrong)?)
        } else if let Some((key, value)) = part.split_once("!=") {
            one(key, "NotIn", vec![value.trim().to_owned()])
        } else if let Some((key, value)) = part.split_once('=') {
            let value = value.trim_start_matches('=').trim().to_owned();
            one(key, "In", vec![value])
        } else if let Some(key) = part.strip_prefix('!') {
            one(key, "DoesNotExist", vec![])
        } else {
            one(part, "Exists", vec![])
        };
        let key = &requirement.key;
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "()!=,".contains(c)) {
            return Err(wrong());
        }
        selector.expressions.push(requirement);
    }
    Ok(selector)
}

/// Parts between commas that are not within parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut deep) = (vec![], 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => deep += 1,
            ')' => deep -= 1,
            ',' if deep == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn values_of(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(',').map(|v| v.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::drain::facts::Labels;

    #[test]
    fn what_kubectl_understands_is_understood() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let web = labels(&[("app", "web"), ("zone", "a")]);
        for (text, fits) in [
            ("app=web", true),
            ("app==web,zone in (a, b)", true),
            ("app!=web", false),
            ("tier!=db", true),
            ("zone notin (a,b)", false),
            ("!old", true),
            ("old", false),
            ("app", true),
        ] {
            assert_eq!(parse(text).unwrap().matches(&web), fits, "{text}");
        }
        for text in ["", "=web", "a b", "zone in a", "app=web,"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
