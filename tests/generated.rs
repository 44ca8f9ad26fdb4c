//! Files that derive from the registries. `BLESS=1 cargo test --test generated` writes them; without it a stale one fails.

use std::path::Path;
use wheelhouse::actions;
use wheelhouse::app::keymap::Keymap;
use wheelhouse::state::commands::{self, Layer};
use wheelhouse::state::kinds;
use wheelhouse::views;

fn fresh(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let have = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(have == text, "{path} is stale: BLESS=1 cargo test --test generated writes it");
}

#[test]
fn keys() {
    let map = Keymap::shipped();
    let mut text = String::from(
        "# Keys\n\nDerived from `assets/keymap.toml` and the lists of commands and actions. `?` shows them inside.\n",
    );
    let row = |text: &mut String, id: &str, help: &str| {
        let keys = map.all(id).join("`, `");
        text.push_str(&format!("| `{keys}` | {id} | {help} |\n"));
    };
    let head = "\n| keys | id | what it does |\n|---|---|---|\n";
    text.push_str(&format!("\n## On an object\n{head}"));
    for action in actions::ALL {
        row(&mut text, action.spec().id, action.spec().help);
    }
    for (title, layer) in [
        ("On rows", Layer::Table),
        ("In a document", Layer::Document),
        ("Everywhere", Layer::Global),
        ("On the board of a drain", Layer::Board),
        ("In a chart", Layer::Chart),
        ("While typing", Layer::Prompt),
        ("Where something is asked", Layer::Question),
    ] {
        text.push_str(&format!("\n## {title}\n{head}"));
        for command in commands::ALL.iter().filter(|c| c.layer == layer) {
            row(&mut text, command.id, command.help);
        }
    }
    fresh("docs/keys.md", &text);
}

#[test]
fn views_page() {
    let mut text = String::from("# Views\n\nDerived from the list in `src/views/mod.rs`.\n");
    for view in views::ALL {
        let spec = kinds::ALL.iter().find(|t| t.id == view.table).unwrap();
        let joined = |ids: &[&str]| ids.join(", ");
        text.push_str(&format!(
            "\n## {}\n\nAlso: {}. {}\n\n- shown: {}\n- wide: {}\n- all columns: {}\n",
            view.id,
            joined(view.aliases),
            view.help,
            joined(view.columns),
            joined(view.wide),
            spec.columns.iter().map(|c| c.id).collect::<Vec<_>>().join(", "),
        ));
    }
    fresh("docs/views.md", &text);
}

#[test]
fn every_column_a_view_names_exists_and_every_jump_parses() {
    for view in views::ALL {
        let spec = kinds::ALL.iter().find(|t| t.id == view.table).unwrap();
        for id in view.columns.iter().chain(view.wide).chain(view.narrow).chain([&view.sort.0]) {
            assert!(spec.column(id).is_some(), "{}: no column {id}", view.id);
        }
        for table in view.also {
            assert!(kinds::ALL.iter().any(|t| t.id == *table), "{}: no table {table}", view.id);
        }
    }
}

#[test]
fn names_in_the_lists_are_unique() {
    let views = views::ALL.iter().flat_map(|v| std::iter::once(&v.id).chain(v.aliases));
    let ids = actions::ALL.iter().map(|a| a.spec().id).chain(commands::ALL.iter().map(|c| c.id));
    for mut names in [views.copied().collect::<Vec<_>>(), ids.collect()] {
        names.sort_unstable();
        let twice = names.windows(2).find(|w| w[0] == w[1]);
        assert_eq!(twice, None);
    }
}
