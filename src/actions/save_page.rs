//! Saves the page on screen as text, for a ticket or another program.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Saves a document.
pub struct SavePage;

impl Action for SavePage {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "save-page",
            word: "save page",
            help: "save the page on screen as text in a new file, in the folder this was started in",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match &ask.text {
            Some(text) if !text.trim().is_empty() => Offer::Yes,
            Some(_) => Offer::No("there is nothing on it yet".into()),
            None => Offer::No("open a page first (yaml, describe, ...)".into()),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let about = ask.target.path();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '-' };
        // A file's name has 255 bytes.
        let about: String = about.chars().take(120).map(plain).collect();
        let file = format!("wheelhouse-{}-{about}.txt", ask.target.gvk.plural);
        Some(Order::SaveText(file, ask.text.clone()?))
    }
}
