//! Which flow schema catches a request that waits or executes, and why the ones before it do not.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::fairness::question::{Question, written};
use crate::state::kinds::{flow_schemas, requests};
use crate::state::ui::document::Target;

/// Asks which schema catches a request.
pub struct WhichSchema;

/// What a page about a question is about: it is called by the question in words.
pub fn about(question: &Question) -> Target {
    Target::in_table(&flow_schemas::TABLE, "", &written(&question.asked), "")
}

impl Action for WhichSchema {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "which-schema",
            word: "schema",
            help: "which flow schema catches this request, and why each one before it does not",
            tables: &["requests"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.and_then(requests::question) {
            Some(_) => Offer::Yes,
            None => Offer::No("the server's dump holds no user, verb or path of it".into()),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::WhichSchema(Box::new(requests::question(ask.row?)?)))
    }
}
