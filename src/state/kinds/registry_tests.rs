//! What must hold of every declared table.

use super::ALL;
use crate::state::decl::{META, TALLIED, TableSpec, Ty};
use std::collections::HashSet;

fn snake(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn tables_and_kinds_have_names_of_their_own() {
    let mut ids = HashSet::new();
    let mut kinds = HashSet::new();
    for spec in ALL {
        assert!(snake(spec.id) && ids.insert(spec.id), "{}", spec.id);
        assert!(!spec.kinds.is_empty(), "{} is filled by nothing", spec.id);
        for kind in spec.kinds {
            assert!(kinds.insert(kind.gvk), "{} is listed twice", kind.gvk.kind);
        }
    }
}

#[test]
fn columns_have_ids_of_their_own_and_the_common_ones_are_there() {
    for spec in ALL {
        let mut ids = HashSet::new();
        for column in spec.columns {
            assert!(snake(column.id) && ids.insert(column.id), "{}.{}", spec.id, column.id);
        }
        let namespaced = spec.kinds.iter().any(|k| k.gvk.namespaced);
        for id in ["name", "age", "uid", "labels"] {
            assert!(ids.contains(id), "{} lacks {id}", spec.id);
        }
        assert_eq!(ids.contains("namespace"), namespaced, "{}", spec.id);
    }
}

#[test]
fn words_follow_each_other_and_leave_room_in_the_change_mask() {
    for spec in ALL {
        let mut next = 0;
        for word in spec.words {
            assert_eq!(word.at, next, "{} has a gap or an overlap", spec.id);
            next += word.ty.width();
        }
        assert!(spec.stride() <= 60, "{} needs {} words", spec.id, spec.stride());
        assert!(spec.words.contains(&spec.labels), "{}", spec.id);
        let all = spec.words.iter().fold(TALLIED, |mask, w| mask | w.bit());
        for column in spec.columns {
            assert_eq!(column.needs & !all, 0, "{}.{} needs no such word", spec.id, column.id);
        }
    }
}

#[test]
fn tallies_go_to_a_table_or_to_the_totals() {
    let mut ids = HashSet::new();
    for tally in ALL.iter().flat_map(|s| s.tallies) {
        assert!(ids.insert(tally.id), "{}", tally.id);
        assert!(tally.to.is_empty() || ALL.iter().any(|s| s.id == tally.to), "{}", tally.id);
    }
}

/// A path written twice loses one of its findings; one that is inside an item in one spelling only hands them to the
/// wrong element.
#[test]
fn paths_are_distinct_and_their_two_spellings_agree() {
    for (spec, kind) in ALL.iter().flat_map(|s| s.kinds.iter().map(move |k| (s, k))) {
        let mut tags = HashSet::new();
        let mut names = HashSet::new();
        for path in META.iter().chain(kind.paths) {
            let what = format!("{} {} {}", spec.id, kind.gvk.kind, path.json);
            assert!(tags.insert(path.pb), "{what}: its tags are listed twice");
            assert!(names.insert(path.json), "{what} is listed twice");
            assert_eq!(path.pb.len(), path.json.split('.').count(), "{what}");
        }
        items_agree(spec, kind.paths);
    }
}

fn items_agree(spec: &TableSpec, paths: &[crate::state::decl::Path]) {
    for item in paths.iter().filter(|p| p.ty == Ty::Item) {
        for path in paths {
            let inside_pb = path.pb.len() > item.pb.len() && path.pb.starts_with(item.pb);
            let inside_json = path.json.strip_prefix(item.json).is_some_and(|r| r.starts_with('.'));
            assert_eq!(inside_pb, inside_json, "{} {} in {}", spec.id, path.json, item.json);
        }
    }
}
