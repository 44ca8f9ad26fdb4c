//! Seats of levels, per API server (apiserver `apf_controller.go`): a level's share of all, rounded up; what it lends
//! and borrows is a percentage of that, rounded to the nearest.

use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;

/// What a server has without flags: `--max-requests-inflight=400` and `--max-mutating-requests-inflight=200`.
pub const USUAL_TOTAL: i64 = 600;

/// A PriorityLevelConfiguration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`, which responses name in `X-Kubernetes-PF-PriorityLevel-UID`.
    pub uid: String,
    /// `metadata.resourceVersion`
    pub version: String,
    /// `metadata.creationTimestamp`
    pub created: Epoch,
    /// Whether its requests never wait.
    pub exempt: bool,
    /// `nominalConcurrencyShares`
    pub shares: i64,
    /// `lendablePercent`
    pub lendable: i64,
    /// `borrowingLimitPercent`; none is no limit.
    pub borrowing: Option<i64>,
    /// Queues and the length of each; none where what finds no seat is rejected at once.
    pub queues: Option<(i64, i64)>,
}

/// Seats of one level on one server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seats {
    /// Its own.
    pub nominal: i64,
    /// Left when it has lent all it may.
    pub least: i64,
    /// With all it may borrow; none is no limit but the server's.
    pub most: Option<i64>,
}

impl Level {
    /// Reads a PriorityLevelConfiguration, with the API's defaults (`flowcontrol/v1/defaults.go`).
    pub fn of(object: &Value) -> Level {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let spec = &object["spec"];
        let exempt = spec["type"] == "Exempt";
        let part = if exempt { &spec["exempt"] } else { &spec["limited"] };
        let response = &part["limitResponse"];
        let queuing = &response["queuing"];
        let number = |v: &Value, usual: i64| v.as_i64().unwrap_or(usual);
        Level {
            name: text(&object["metadata"]["name"]),
            uid: text(&object["metadata"]["uid"]),
            version: text(&object["metadata"]["resourceVersion"]),
            created: parse_rfc3339(&text(&object["metadata"]["creationTimestamp"]))
                .unwrap_or_default(),
            exempt,
            shares: number(&part["nominalConcurrencyShares"], if exempt { 0 } else { 30 }),
            lendable: number(&part["lendablePercent"], 0),
            borrowing: part["borrowingLimitPercent"].as_i64(),
            queues: (response["type"] == "Queue").then(|| {
                (number(&queuing["queues"], 64), number(&queuing["queueLengthLimit"], 50))
            }),
        }
    }

    /// Its seats on a server with `total`, when all levels' shares are `shares`.
    pub fn seats(&self, total: i64, shares: i64) -> Seats {
        let wanted = total.saturating_mul(self.shares).saturating_add(shares.saturating_sub(1));
        let nominal = if shares > 0 { wanted / shares } else { 0 };
        let percent = |p: i64| (nominal as f64 * p as f64 / 100.0).round() as i64;
        Seats {
            nominal,
            least: nominal.saturating_sub(percent(self.lendable)),
            most: self.borrowing.map(|p| nominal.saturating_add(percent(p))),
        }
    }
}

/// The least and the most seats that a server can have whose levels, by their shares of all `shares`, have these nominal seats:
/// [`Level::seats`] the other way round. `None` if nothing is known or no number of seats makes all of them.
pub fn total(known: &[(i64, i64)], shares: i64) -> Option<(i64, i64)> {
    let mut range = None;
    for &(own, nominal) in known.iter().filter(|(own, nominal)| *own > 0 && *nominal > 0) {
        // nominal = ceil(total * own / shares)
        let up_to = |seats: i64| seats.saturating_mul(shares) / own;
        let (least, most) = (up_to(nominal - 1).saturating_add(1), up_to(nominal));
        let (a, b) = range.unwrap_or((least, most));
        range = Some((a.max(least), b.min(most)));
    }
    range.filter(|(least, most)| least <= most)
}

/// The number of seats that a server most likely has, of the least and the most it can have: what it has without flags, or else
/// the roundest, as people set flags.
pub fn likely((least, most): (i64, i64)) -> i64 {
    let rounded = [100, 50, 10].map(|by| most / by * by);
    let round = [USUAL_TOTAL].into_iter().chain(rounded).find(|n| (least..=most).contains(n));
    round.unwrap_or(most)
}
