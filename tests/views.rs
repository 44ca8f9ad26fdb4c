//! Every view in every scene and size, from the registry: a new view is covered the moment it is listed.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use scenes::SCENES;
use stage::{PLAIN, Stage};
use wheelhouse::state::text::harmless;
use wheelhouse::views;
use wheelhouse::views::theme::Theme;

const SIZES: [(u16, u16); 3] = [(120, 20), (80, 24), (200, 12)];

#[test]
fn every_view_in_every_scene() {
    for view in views::ALL {
        for scene in SCENES {
            // One size shows a scene; the typical one is shown in all.
            let sizes = if scene == "typical" { &SIZES[..] } else { &SIZES[..1] };
            for size in sizes {
                let stage = Stage::scene(view.id, scene, *size);
                let name = format!("{}-{scene}-{}x{}", view.id, size.0, size.1);
                let both = format!("{}\n--- roles\n{}", stage.text(), stage.roles());
                insta::assert_snapshot!(name, both);
            }
        }
    }
}

#[test]
fn the_health_board_on_a_large_terminal() {
    let stage = Stage::scene("health", "typical", (200, 50));
    insta::assert_snapshot!("health-typical-200x50", stage.text());
}

#[test]
fn what_nodes_and_pods_use_stands_beside_what_they_ask_for() {
    for (view, size) in [("nodes", (200, 12)), ("pods", (200, 20))] {
        let mut stage = Stage::scene(view, "typical", size);
        stage.used().settle();
        insta::assert_snapshot!(format!("{view}-used-{}x{}", size.0, size.1), stage.text());
    }
}

#[test]
fn mono_ascii_says_the_same_in_words() {
    for view in views::ALL {
        let mut stage = Stage::scene(view.id, "typical", (120, 20));
        stage.theme = Theme { colour: false, ascii: true, bar: false };
        let text = stage.text();
        assert!(text.is_ascii(), "{}: {text}", view.id);
        for cell in &stage.buffer().content {
            assert_eq!(
                cell.fg,
                ratatui::style::Color::Reset,
                "{}: a colour without colours",
                view.id
            );
        }
        insta::assert_snapshot!(format!("{}-mono-ascii", view.id), text);
    }
}

#[test]
fn no_size_breaks_a_view_and_nothing_hostile_is_drawn() {
    for view in views::ALL {
        for scene in ["typical", "hostile", "denied"] {
            let mut stage = Stage::scene(view.id, scene, (120, 40));
            for w in (1..=130).step_by(7) {
                for h in 1..=40 {
                    stage.size = (w, h);
                    stage.settle();
                    let text = stage.text();
                    assert!(
                        text.chars().all(|c| c == '\n' || harmless(c)),
                        "{} {w}x{h}: {text:?}",
                        view.id
                    );
                }
            }
        }
    }
}

#[test]
fn freshness_is_said_at_every_size_a_page_is_drawn_on() {
    for view in views::ALL {
        for width in [40, 80, 120, 200] {
            let stage = Stage::scene(view.id, "typical", (width, 12));
            assert!(
                stage.lines()[0].contains("live"),
                "{} at {width}: {}",
                view.id,
                stage.lines()[0]
            );
            assert!(stage.lines()[0].contains("prod-eu-1"), "{} at {width}", view.id);
            let stale = Stage::scene(view.id, "stale", (width, 12));
            assert!(
                stale.lines()[0].contains("stale"),
                "{} at {width}: {}",
                view.id,
                stale.lines()[0]
            );
        }
    }
}

#[test]
fn the_demo_and_an_unverified_certificate_are_said_in_the_first_line() {
    let mut stage = Stage::scene("nodes", "typical", (80, 12));
    stage.app.state.cluster.demo = true;
    stage.app.state.cluster.insecure = true;
    assert!(stage.lines()[0].contains("DEMO"));
    assert!(stage.lines()[0].contains("certificate not verified"));
}

#[test]
fn help_lists_every_key_that_works_here() {
    for view in views::ALL {
        let mut stage = Stage::scene(view.id, "typical", (120, 200));
        stage.press("?");
        let text = stage.text();
        // What is measured is no object: there is nothing to describe.
        let table = wheelhouse::state::kinds::ALL.iter().find(|t| t.id == view.table);
        let measured = table.is_some_and(|t| t.kinds.iter().all(|k| k.gvk.is_measured()));
        let row = if measured { "copy-name" } else { "describe" };
        for id in ["enter", "sort-next", "filter", "quit", row] {
            assert!(text.contains(&format!("({id})")), "{}: {id} is missing\n{text}", view.id);
        }
    }
    assert_eq!(PLAIN.style(wheelhouse::state::cell::Role::Plain), ratatui::style::Style::new());
}
