//! Copies the cell of the sort column.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::time::Epoch;

/// Copies the cell of the sort column.
pub struct CopyCell;

impl Action for CopyCell {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-cell",
            word: "copy cell",
            help: "copy the cell of the column the rows are sorted by",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.table {
            Some(_) => Offer::Yes,
            None => Offer::No("a document has no columns".into()),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let column = ask.table?.sort.0;
        // A time is copied as the API writes it: an age would be stale when pasted.
        let cell = (column.cell)(ask.row?, Epoch(0));
        let text = match cell.value {
            crate::state::cell::Value::Time(at) => at.rfc3339(),
            value => value.words(Epoch(0)).into_owned(),
        };
        Some(Order::Copy(column.title, text))
    }
}
