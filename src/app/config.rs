//! The operator's configuration, `$XDG_CONFIG_HOME/wheelhouse/config.toml`: which contexts are read-only, which protected.
//!
//! ```toml
//! version = 1
//!
//! [[context]]
//! name = "prod-*"        # the context's name; * stands for anything
//! protected = true       # confirmation takes one level more
//!
//! [[context]]
//! uid = "4c0b..."        # uid of the namespace kube-system: the cluster, whatever the context is called
//! read_only = true       # nothing that changes something leaves the process
//! ```
//!
//! A rule with both a name and a uid is about contexts that fit both. Rules add up: none takes back what another asks for. A
//! mistake in a file of this version refuses to start, as a rule that silently does not hold is worse than none; in a file
//! of a newer version what is not known is a warning.

use crate::app::cluster::session::name_matches;
use crate::app::preferences;
use crate::app::toml_file::{Reader, entry};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeValue;

/// The format this program knows.
const VERSION: i64 = 1;
/// Keys of the file and of a rule.
const TOP: [&str; 2] = ["version", "context"];
const RULE: [&str; 4] = ["name", "uid", "read_only", "protected"];

/// What the file says. Without a file, nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where it is or would be.
    pub file: PathBuf,
    /// Whether there is one.
    pub exists: bool,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// What of it is not known to this version, a sentence each.
    pub warnings: Vec<String>,
}

/// What is asked of some contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Line of its first key, from 1.
    pub line: usize,
    /// Pattern of the context's name.
    pub name: Option<String>,
    /// uid of the namespace kube-system.
    pub uid: Option<String>,
    /// Nothing that changes something is sent.
    pub read_only: bool,
    /// Confirmation takes one level more.
    pub protected: bool,
}

/// What holds for one context, and what says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// Who asks for read-only: `config.toml line 7`.
    pub read_only: Option<String>,
    /// Who asks for protection: `config.toml line 3`, `--protect`.
    pub protected: Option<String>,
    /// What could not be found out, a sentence each.
    pub notes: Vec<String>,
}

impl Config {
    /// The configuration of the operator's folder, if the environment names one.
    ///
    /// # Errors
    /// The file cannot be read, or means nothing: its name, line, column, the key and why.
    pub fn of_env() -> Result<Config, String> {
        match preferences::folder(&|name| std::env::var(name).ok()) {
            Some(folder) => Config::of_folder(&folder),
            None => Ok(Config::default()),
        }
    }

    /// The configuration of a folder. A missing file is none.
    ///
    /// # Errors
    /// As [`Config::of_env`].
    pub fn of_folder(folder: &Path) -> Result<Config, String> {
        let file = folder.join("config.toml");
        match std::fs::read_to_string(&file) {
            Ok(text) => Config::parse(&file, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Ok(Config { file, ..Config::default() })
            }
            Err(e) => Err(format!(
                "{} cannot be read: {e}. It may say that this context is read-only, so nothing is begun without it",
                file.display()
            )),
        }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// As [`Config::of_env`].
    pub fn parse(file: &Path, text: &str) -> Result<Config, String> {
        let reader = Reader { file, text, outcome: "Nothing was begun: mend the file first" };
        let parsed = reader.parse()?;
        let table = parsed.get_ref();
        let version = reader.version(table)?;
        let version = version.ok_or_else(|| {
            reader.wrong(0..0, "`version` is missing: the file begins with version = 1")
        })?;
        let newer = version > VERSION;
        let mut config = Config { file: file.to_owned(), exists: true, ..Config::default() };
        reader.check_keys(table, &TOP, newer, &mut config.warnings)?;
        if let Some((key, rules)) = entry(table, "context") {
            let list = rules.get_ref().as_array();
            let list = list.ok_or_else(|| {
                reader.wrong(key.span(), "`context` is a list of rules: write [[context]]")
            })?;
            for rule in list {
                let read = reader.rule(rule, newer, &mut config.warnings)?;
                config.rules.push(read);
            }
        }
        Ok(config)
    }

    /// Whether the cluster's uid decides anything for a context.
    pub fn asks_uid(&self, context: &str) -> bool {
        self.rules.iter().any(|rule| rule.uid.is_some() && rule.is_named(context))
    }

    /// What holds for a context of a cluster. A uid that could not be read fits every rule: what protects must not fail open.
    pub fn ruling(&self, context: &str, uid: &Result<String, String>) -> Ruling {
        let mut ruling = Ruling::default();
        for rule in self.rules.iter().filter(|rule| rule.is_named(context)) {
            let fits = match (&rule.uid, uid) {
                (None, _) => true,
                (Some(wanted), Ok(uid)) => wanted == uid,
                (Some(_), Err(why)) => {
                    ruling.notes.push(format!(
                        "The rule in line {} of {} goes by the uid of the namespace kube-system, which could not be read \
                         ({why}): it is taken to fit. A name beside the uid narrows it.",
                        rule.line,
                        self.file.display()
                    ));
                    true
                }
            };
            let source = || format!("config.toml line {}", rule.line);
            if fits && rule.read_only {
                ruling.read_only.get_or_insert_with(source);
            }
            if fits && rule.protected {
                ruling.protected.get_or_insert_with(source);
            }
        }
        ruling
    }
}

impl Rule {
    fn is_named(&self, context: &str) -> bool {
        self.name.as_deref().is_none_or(|pattern| name_matches(pattern, context))
    }
}

impl Reader<'_> {
    fn rule(
        &self,
        rule: &Spanned<DeValue<'_>>,
        newer: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Rule, String> {
        let table = rule.get_ref().as_table();
        let table =
            table.ok_or_else(|| self.wrong(rule.span(), "a rule is a table: write [[context]]"))?;
        self.check_keys(table, &RULE, newer, warnings)?;
        let text = |key: &str| match entry(table, key) {
            None => Ok(None),
            Some((at, value)) => match value.get_ref().as_str().map(str::trim) {
                Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
                _ => Err(self.wrong(at.span(), &format!("`{key}` is a text in quotes"))),
            },
        };
        let flag = |key: &str| match entry(table, key) {
            None => Ok(false),
            Some((at, value)) => value
                .get_ref()
                .as_bool()
                .ok_or_else(|| self.wrong(at.span(), &format!("`{key}` is true or false"))),
        };
        // The line of the first key: where `[[context]]` stands is not in the parsed table.
        let first = table.keys().map(|key| key.span().start).min().unwrap_or(rule.span().start);
        let read = Rule {
            line: self.place(first).0,
            name: text("name")?,
            uid: text("uid")?,
            read_only: flag("read_only")?,
            protected: flag("protected")?,
        };
        if read.name.is_none() && read.uid.is_none() {
            let why =
                "a rule needs `name` or `uid`: which contexts is it about (name = \"*\" for all)";
            return Err(self.wrong(first..first, why));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("/c/config.toml"), text)
    }

    const RULES: &str = "version = 1\n\n[[context]]\nname = \"prod-*\"\nprotected = true\n\n[[context]]\nuid = \"u-1\"\nread_only = true\n";

    #[test]
    fn rules_add_up_by_name_and_by_uid() {
        let config = parse(RULES).unwrap();
        let by = |line: usize| Some(format!("config.toml line {line}"));
        let uid = |uid: &str| Ok::<_, String>(uid.to_owned());
        let prod = config.ruling("prod-eu", &uid("u-1"));
        assert_eq!((prod.read_only, prod.protected), (by(8), by(4)));
        let renamed = config.ruling("test", &uid("u-1"));
        assert_eq!((renamed.read_only, renamed.protected), (by(8), None));
        assert_eq!(config.ruling("test", &uid("u-2")), Ruling::default());
        assert!(config.asks_uid("anything"));
    }

    #[test]
    fn a_uid_that_cannot_be_read_closes() {
        let config = parse(RULES).unwrap();
        let ruling = config.ruling("test", &Err("403".into()));
        assert!(ruling.read_only.is_some());
        assert!(ruling.notes[0].contains("line 8") && ruling.notes[0].contains("403"));
        let narrow =
            parse("version = 1\n[[context]]\nname = \"prod\"\nuid = \"u\"\nread_only = true\n");
        let narrow = narrow.unwrap();
        assert!(!narrow.asks_uid("test"));
        assert_eq!(narrow.ruling("test", &Err("403".into())), Ruling::default());
    }

    #[test]
    fn mistakes_name_line_column_and_key() {
        let cases = [
            ("", "line 1, column 1", "version"),
            ("version = 0\n", "line 1, column 1", "version"),
            ("version = 1\n[[context]\n", "line 2", "`]`"),
            (
                "version = 1\n[[context]]\nname = \"a\"\n  readonly = true\n",
                "line 4, column 3",
                "read_only",
            ),
            (
                "version = 1\n[[context]]\nname = \"a\"\nread_only = 1\n",
                "line 4, column 1",
                "true or false",
            ),
            ("version = 1\n[[context]]\nname = 7\n", "line 3, column 1", "`name`"),
            ("version = 1\n[[context]]\nread_only = true\n", "line 3, column 1", "`uid`"),
            ("version = 1\ncontext = 1\n", "line 2, column 1", "[[context]]"),
            ("version = 1\ncontexts = 1\n", "line 2, column 1", "context"),
        ];
        for (text, place, word) in cases {
            let why = parse(text).unwrap_err();
            assert!(why.contains(place) && why.contains(word), "{text}: {why}");
            assert!(why.starts_with("/c/config.toml"), "{why}");
        }
    }

    #[test]
    fn what_a_newer_version_added_is_a_warning_and_the_rest_holds() {
        let newer =
            "version = 2\ntheme = \"x\"\n[[context]]\nname = \"*\"\nread_only = true\nfreeze = 1\n";
        let config = parse(newer).unwrap();
        assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
        assert!(config.warnings[1].contains("line 6, column 1: `freeze`"));
        assert!(config.ruling("a", &Ok(String::new())).read_only.is_some());
    }

    #[test]
    fn a_missing_file_rules_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::of_folder(dir.path()).unwrap();
        assert!(!config.exists && config.rules.is_empty());
        assert_eq!(config.file, dir.path().join("config.toml"));
    }
}
