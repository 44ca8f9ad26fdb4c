//! The operator's thresholds, `$XDG_CONFIG_HOME/wheelhouse/limits.toml`:
//!
//! ```toml
//! version = 1
//! etcd_fsync_p99 = [0.2, 0.5]     # worth a look from, not well from; names and units: state/metrics/apiserver/limits.rs
//! ```

use crate::app::preferences;
use crate::app::toml_file::Reader;
use crate::state::metrics::apiserver::limits::{ALL, Limits};
use std::io::ErrorKind;
use std::path::Path;
use toml::de::DeValue;

/// The format this program knows. A file that names none is of the first.
const VERSION: i64 = 1;

/// The thresholds in force, and what there is to say of the operator's file, a sentence each. A file with a mistake changes
/// nothing: a board with some of its thresholds would look like the one that was asked for.
pub fn of_env() -> (Limits, Vec<String>) {
    match preferences::folder(&|name| std::env::var(name).ok()) {
        Some(folder) => of_file(&folder.join("limits.toml")),
        None => (Limits::default(), vec![]),
    }
}

fn of_file(file: &Path) -> (Limits, Vec<String>) {
    let read = match std::fs::read_to_string(file) {
        Ok(text) => parse(file, &text),
        Err(e) if e.kind() == ErrorKind::NotFound => return (Limits::default(), vec![]),
        Err(e) => Err(format!("{} cannot be read: {e}. {OUTCOME}", file.display())),
    };
    read.unwrap_or_else(|why| (Limits::default(), vec![why]))
}

const OUTCOME: &str = "The shipped thresholds hold until it is mended";

fn parse(file: &Path, text: &str) -> Result<(Limits, Vec<String>), String> {
    let reader = Reader { file, text, outcome: OUTCOME };
    let parsed = reader.parse()?;
    let table = parsed.get_ref();
    let newer = reader.version(table)?.unwrap_or(VERSION) > VERSION;
    let known: Vec<&str> = ALL.iter().map(|l| l.id).chain(["version"]).collect();
    let mut warnings = vec![];
    reader.check_keys(table, &known, newer, &mut warnings)?;
    let mut limits = Limits::default();
    for limit in ALL {
        let Some((key, value)) = table.iter().find(|(k, _)| k.get_ref().as_ref() == limit.id)
        else {
            continue;
        };
        let numbers = value.get_ref().as_array();
        let numbers: Option<Vec<f64>> =
            numbers.and_then(|all| all.iter().map(|v| number(v.get_ref())).collect());
        match numbers.as_deref() {
            Some(&[warn, bad]) if warn <= bad => limits.set(limit, warn, bad),
            _ => {
                let why = format!(
                    "`{id}` is two numbers in {unit}, the first no larger: {id} = [{}, {}]",
                    limit.warn,
                    limit.bad,
                    id = limit.id,
                    unit = limit.unit
                );
                return Err(reader.wrong(key.span(), &why));
            }
        }
    }
    Ok((limits, warnings))
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = |digits: &str| digits.replace('_', "").parse::<f64>().ok();
    let number = match value {
        DeValue::Integer(n) => text(n.as_str()),
        DeValue::Float(n) => text(n.as_str()),
        _ => None,
    };
    number.filter(|n| n.is_finite() && *n >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::metrics::apiserver::limits::{COMMIT, FSYNC, Verdict};

    fn read(text: &str) -> Result<(Limits, Vec<String>), String> {
        parse(Path::new("/c/limits.toml"), text)
    }

    #[test]
    fn a_file_changes_what_it_names_with_or_without_a_version() {
        for head in ["", "version = 1\n"] {
            let (limits, warnings) = read(&format!("{head}etcd_fsync_p99 = [0.1, 2]")).unwrap();
            assert_eq!(limits.judge(&FSYNC, 0.2), Verdict::Warn);
            assert_eq!(limits.judge(&COMMIT, 0.6), Verdict::Bad);
            assert!(warnings.is_empty(), "{warnings:?}");
        }
        assert_eq!(Limits::default().judge(&FSYNC, 0.2), Verdict::Ok);
    }

    #[test]
    fn mistakes_name_line_column_and_key() {
        let cases = [
            ("\netcd_fsync_p9 = [1, 2]", "line 2, column 1", "etcd_fsync_p99"),
            ("version = 1\netcd_fsync_p99 = 1", "line 2, column 1", "two numbers in s"),
            ("  etcd_fsync_p99 = [2, 1]", "line 1, column 3", "no larger"),
            ("etcd_fsync_p99 = [1, \"2\", 3]", "line 1", "two numbers"),
            ("etcd_fsync_p99 = [1, nan]", "line 1", "two numbers"),
            ("=", "line 1, column 1", ""),
            ("version = 0", "line 1, column 1", "version"),
        ];
        for (text, place, word) in cases {
            let why = read(text).unwrap_err();
            assert!(why.contains(place) && why.contains(word), "{text}: {why}");
            assert!(why.starts_with("/c/limits.toml") && why.ends_with(OUTCOME), "{why}");
        }
    }

    #[test]
    fn what_a_newer_version_added_is_a_warning_and_the_rest_holds() {
        let (limits, warnings) =
            read("version = 2\nmoon = [1, 2]\netcd_fsync_p99 = [0.1, 2]").unwrap();
        assert!(warnings[0].contains("line 2, column 1: `moon`"), "{warnings:?}");
        assert_eq!(limits.judge(&FSYNC, 0.2), Verdict::Warn);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let (limits, said) = of_file(dir.path());
        assert_eq!(limits, Limits::default());
        assert!(said[0].contains("cannot be read"), "{said:?}");
        assert!(of_file(&dir.path().join("limits.toml")).1.is_empty());
    }
}
