//! An object as YAML to be read: keys in the server's order, bookkeeping and secret values folded.
//!
//! Invariant: while `Folds::secrets` is closed, no value of a Secret is in the text: not under `data`, nor in the
//! last-applied annotation, whatever else is open. A folded text is no valid base64, so that applying it is refused.

use super::{Doc, Fold, Line, size, title};
use crate::state::cell::Role;
use serde_json::{Map, Value};

/// What is unfolded. By default nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    /// `metadata.managedFields` and the last-applied annotation are shown.
    pub managed: bool,
    /// Values of a Secret are shown.
    pub secrets: bool,
}

/// Where `kubectl apply` keeps what was applied last (`LastAppliedConfigAnnotation` in `core/v1/annotation_key_constants.go`).
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object as a document.
pub fn yaml(object: &Value, open: Folds) -> Doc {
    let text = yaml_text(object, open);
    Doc { title: title(object), lines: lines(&text, |path| folded(object, path, open)) }
}

/// The object as text, for copying and for `-o yaml`. The objects of a list are folded one by one.
pub fn yaml_text(object: &Value, open: Folds) -> String {
    let mut object = object.clone();
    fold(&mut object, open);
    print(&object)
}

/// A value as YAML.
pub(super) fn print(value: &Value) -> String {
    // Never wrap a long line: what was one line in the object is one line here.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options)
        .expect("every JSON value has a YAML form and a String takes all of it")
}

/// Puts a sentence in place of what stays folded.
pub(super) fn fold(object: &mut Value, open: Folds) {
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| fold(item, open));
    }
    let secret = is_secret(object) && !open.secrets;
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        fold_metadata(meta, open, secret);
    }
    if secret {
        for field in ["data", "stringData"] {
            if let Some(values) = object.get_mut(field).and_then(Value::as_object_mut) {
                for value in values.values_mut() {
                    *value = Value::String(masked(value, field == "data"));
                }
            }
        }
    }
}

fn fold_metadata(meta: &mut Map<String, Value>, open: Folds, secret: bool) {
    if !open.managed
        && let Some(Value::Array(entries)) = meta.get("managedFields")
    {
        let entries = match entries.len() {
            1 => "1 entry".to_owned(),
            n => format!("{n} entries"),
        };
        meta["managedFields"] = Value::String(format!("({entries}; M unfolds)"));
    }
    let applied = meta.get_mut("annotations").and_then(|a| a.get_mut(LAST_APPLIED));
    if let Some(value) = applied
        && (!open.managed || secret)
    {
        let size = size(value.as_str().map_or(0, str::len));
        *value = Value::String(match secret {
            true => format!("({size} that hold secret values; x and M show)"),
            false => format!("({size}; M unfolds)"),
        });
    }
}

/// The length of a secret value in its place. Base64 has four digits to three bytes.
fn masked(value: &Value, base64: bool) -> String {
    let text = value.as_str().unwrap_or_default();
    let digits = text.trim_end_matches('=').len();
    let n = if base64 { digits * 3 / 4 } else { text.len() };
    format!("({}, x shows)", size(n))
}

fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
        && object.get("apiVersion").and_then(Value::as_str).is_none_or(|v| v == "v1")
}

/// Which fold, if any, the line at these keys is.
fn folded(object: &Value, path: &[&str], open: Folds) -> Option<Fold> {
    let secret = is_secret(object) && !open.secrets;
    match path {
        ["data" | "stringData", _] if secret => Some(Fold::Secrets),
        ["metadata", "annotations", LAST_APPLIED] if secret => Some(Fold::Secrets),
        ["metadata", "managedFields"] | ["metadata", "annotations", LAST_APPLIED] => {
            (!open.managed).then_some(Fold::Managed)
        }
        _ => None,
    }
}

/// Text that [`print`] made, as lines: keys stand out, folded values stay back. `fold` is told the keys that lead to a
/// line and says what is folded there.
pub(super) fn lines(text: &str, fold: impl Fn(&[&str]) -> Option<Fold>) -> Vec<Line> {
    let mut lines = vec![];
    let mut keys: Vec<(usize, &str)> = vec![];
    // Lines indented deeper than this belong to a block of text and hold no keys.
    let mut block: Option<usize> = None;
    for raw in text.lines() {
        let indent = raw.len() - raw.trim_start_matches(' ').len();
        if block.is_some_and(|b| indent > b || raw.trim().is_empty()) {
            lines.push(Line::of(Role::Plain, raw));
            continue;
        }
        let parts = split(raw);
        block = is_block(parts.value).then_some(parts.column);
        keys.retain(|(column, _)| *column < parts.column);
        let mut line = Line::default();
        line.push(Role::Plain, parts.lead);
        if let Some(key) = parts.key {
            keys.push((parts.column, key.trim_matches(['"', '\''])));
            line.push(Role::Accent, format!("{key}:"));
            let path: Vec<_> = keys.iter().map(|(_, key)| *key).collect();
            line.fold = fold(&path);
        }
        let role = if line.fold.is_some() { Role::Dim } else { Role::Plain };
        line.push(role, parts.value);
        lines.push(line);
    }
    lines
}

/// `|`, `|-`, `|2+`: the text follows on lines of its own.
fn is_block(value: &str) -> bool {
    let value = value.trim();
    value.starts_with(['|', '>']) && value[1..].chars().all(|c| matches!(c, '0'..='9' | '+' | '-'))
}

struct Parts<'a> {
    /// Indentation and dashes.
    lead: &'a str,
    /// The key as written, quotes included.
    key: Option<&'a str>,
    /// What follows the key's colon, or all that follows `lead`.
    value: &'a str,
    /// Where the key begins; without a key, where the last dash stands.
    column: usize,
}

fn split(raw: &str) -> Parts<'_> {
    let mut at = raw.len() - raw.trim_start_matches(' ').len();
    let mut dash = at;
    while raw[at..].starts_with("- ") {
        dash = at;
        at += 2;
    }
    let rest = &raw[at..];
    match key_end(rest) {
        Some(end) => {
            Parts { lead: &raw[..at], key: Some(&rest[..end]), value: &rest[end + 1..], column: at }
        }
        None => Parts { lead: &raw[..at], key: None, value: rest, column: dash },
    }
}

/// Where the colon after the key stands. A plain scalar holds no `: `, or it would be quoted.
fn key_end(text: &str) -> Option<usize> {
    let end = match text.as_bytes().first()? {
        quote @ (b'"' | b'\'') => closing(text.as_bytes(), *quote)? + 1,
        _ => text.find(": ").or_else(|| text.strip_suffix(':').map(str::len))?,
    };
    let after = text.get(end..)?;
    (after == ":" || after.starts_with(": ")).then_some(end)
}

fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut i = 1;
    while i < text.len() {
        match text[i] {
            b'\\' if quote == b'"' => i += 1,
            c if c == quote => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "db",
                "annotations": { LAST_APPLIED: "{\"data\":{\"password\":\"aHVudGVyMg==\"}}", "note": "x" },
                "managedFields": [{ "manager": "kubectl" }],
            },
            "data": { "password": "aHVudGVyMg==", "tls.key": "eA==" },
        })
    }

    #[test]
    fn secret_values_are_nowhere_in_the_text_until_asked_for() {
        for managed in [false, true] {
            let text = yaml_text(&secret(), Folds { managed, secrets: false });
            assert!(!text.contains("aHVudGVyMg"), "{text}");
            assert!(text.contains("password: (7 bytes, x shows)"), "{text}");
            assert!(text.contains("tls.key: (1 byte, x shows)"), "{text}");
        }
        let text = yaml_text(&secret(), Folds { managed: true, secrets: true });
        assert_eq!(text.matches("aHVudGVyMg").count(), 2, "{text}");
    }

    #[test]
    fn secrets_in_a_list_are_masked_too() {
        let list = json!({ "kind": "List", "items": [secret()] });
        assert!(!yaml_text(&list, Folds::default()).contains("aHVudGVyMg"));
    }

    #[test]
    fn folded_lines_say_which_fold_they_are() {
        let doc = yaml(&secret(), Folds::default());
        let folds: Vec<_> =
            doc.lines.iter().filter_map(|l| Some((l.text().trim().to_owned(), l.fold?))).collect();
        let has = |text: &str, fold| folds.iter().any(|(t, f)| t.starts_with(text) && *f == fold);
        assert!(has("managedFields: (1 entry; M unfolds)", Fold::Managed), "{folds:?}");
        assert!(has(LAST_APPLIED, Fold::Secrets), "{folds:?}");
        assert!(has("password:", Fold::Secrets), "{folds:?}");
        assert_eq!(folds.len(), 4);
        assert_eq!(doc.title, "Secret db");
    }

    #[test]
    fn the_lines_are_the_text_and_blocks_hold_no_keys() {
        let object = json!({
            "kind": "ConfigMap",
            "data": { "a.conf": "key: value\n\n  deeper: x\n", "n: m": "- x: y", "z": "" },
            "list": [{ "run": "if: x\nthen: y", "next": "- a" }, ["p: q"], "plain:colon"],
        });
        let doc = yaml(&object, Folds::default());
        assert_eq!(doc.text(), yaml_text(&object, Folds::default()));
        let keys: Vec<&str> = doc
            .lines
            .iter()
            .flat_map(|l| l.spans.iter().filter(|s| s.0 == Role::Accent).map(|s| s.1.as_str()))
            .collect();
        assert_eq!(
            keys,
            ["kind:", "data:", "a.conf:", "\"n: m\":", "z:", "list:", "run:", "next:"]
        );
    }

    #[test]
    fn control_characters_are_escaped_by_the_emitter() {
        let text = yaml_text(&json!({ "a": "\u{1b}[31m\r\n" }), Folds::default());
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
}
