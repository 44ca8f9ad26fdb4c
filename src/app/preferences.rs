//! The operator's own files: keymap and chosen columns, in `$XDG_CONFIG_HOME/wheelhouse`.
//!
//! Files are versioned, refused with the line that is wrong, and written whole or not at all.

use crate::views;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of the operator's files, if the environment names one.
pub fn folder(var: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    // The base directory specification has relative paths ignored.
    let base = set("XDG_CONFIG_HOME").filter(|p| p.is_absolute());
    Some(base.or_else(|| Some(set("HOME")?.join(".config")))?.join("wheelhouse"))
}

/// Chosen columns by view.
pub type Columns = HashMap<&'static str, Vec<&'static str>>;

/// Reads the chosen columns. A missing file is none; an unknown column is left out, so that a file written by another
/// version does no harm.
///
/// # Errors
/// The file and line that cannot be read.
pub fn read_columns(folder: &Path) -> Result<Columns, String> {
    let path = folder.join("columns.toml");
    let name = path.display();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Columns::new()),
        Err(e) => {
            return Err(format!(
                "{name} cannot be read: {e}. Without it the views show their own columns"
            ));
        }
    };
    let table: toml::Table = toml::from_str(&text).map_err(|e| {
        let line = text[..e.span().map_or(0, |s| s.start)].lines().count().max(1);
        format!("{name}, line {line}: {}. Mend or delete the file", e.message())
    })?;
    if table.get("version").and_then(toml::Value::as_integer) != Some(1) {
        return Err(format!(
            "{name}: the first line must be `version = 1`. Mend or delete the file"
        ));
    }
    let mut columns = Columns::new();
    for view in views::ALL {
        let Some(ids) = table.get(view.id).and_then(toml::Value::as_array) else { continue };
        let Some(spec) = crate::state::kinds::ALL.iter().find(|t| t.id == view.table) else {
            continue;
        };
        let known = ids.iter().filter_map(|id| spec.column(id.as_str()?).map(|c| c.id));
        let known: Vec<_> = known.collect();
        if !known.is_empty() {
            columns.insert(view.id, known);
        }
    }
    Ok(columns)
}

/// Writes the chosen columns.
///
/// # Errors
/// What kept the file from being written; the old file then still stands.
pub fn write_columns(folder: &Path, columns: &Columns) -> Result<(), String> {
    let mut text = String::from("version = 1\n# Columns chosen in the cockpit (C), by view.\n");
    let mut views: Vec<_> = columns.iter().collect();
    views.sort_unstable();
    for (view, ids) in views {
        text.push_str(&format!("{view} = {ids:?}\n"));
    }
    let path = folder.join("columns.toml");
    write_whole(&path, &text).map_err(|e| format!("{} was not saved: {e}", path.display()))
}

/// Replaces a file in one step: a full disk or a crash leaves the old one.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written = std::fs::File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
        // Best effort: what could not be written need not stay.
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back_as_they_were_saved() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("wheelhouse");
        assert_eq!(read_columns(&folder), Ok(Columns::new()));
        let chosen = Columns::from([("pods", vec!["name", "status"])]);
        write_columns(&folder, &chosen).unwrap();
        assert_eq!(read_columns(&folder), Ok(chosen));
    }

    #[test]
    fn a_broken_file_names_its_line_and_an_unknown_column_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("columns.toml"), "version = 1\npods = [\n").unwrap();
        assert!(read_columns(dir.path()).unwrap_err().contains("line"));
        std::fs::write(
            dir.path().join("columns.toml"),
            "version = 1\npods = [\"name\", \"moon\"]\n",
        )
        .unwrap();
        assert_eq!(read_columns(dir.path()).unwrap()["pods"], vec!["name"]);
    }

    #[test]
    fn the_folder_follows_the_base_directory_rules() {
        let env = |xdg: &'static str| {
            move |name: &str| match name {
                "XDG_CONFIG_HOME" => Some(xdg.to_owned()),
                _ => Some("/home/op".to_owned()),
            }
        };
        assert_eq!(folder(&env("/etc/op")), Some("/etc/op/wheelhouse".into()));
        assert_eq!(folder(&env("relative")), Some("/home/op/.config/wheelhouse".into()));
    }
}
