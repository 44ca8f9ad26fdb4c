//! A node as its kubelet sees it, asked through the API server.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Opens the kubelet's page.
pub struct Kubelet;

impl Action for Kubelet {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "kubelet",
            word: "kubelet",
            help: "the node as its kubelet sees it: ephemeral storage, emptyDirs, pressure, throttling, probes, configuration",
            tables: &["nodes"],
            shown: false,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Kubelet))
    }
}
