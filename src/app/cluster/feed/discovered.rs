//! Which versions of `metrics.k8s.io` a server has, and when it was asked last: kept for feeds that come and go with their views.

use crate::app::cluster::session::{Fault, get};
use crate::state::kinds::usage::{GROUP, VERSIONS};
use kube::Client;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for a group's versions.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// A table in a scope.
type Place = (&'static str, Option<String>);

/// What the feeds of one session learned.
#[derive(Default)]
pub struct Known(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    /// The version that answered last.
    version: Option<&'static str>,
    /// The ends of the last lists.
    looked: HashMap<Place, Instant>,
}

impl Known {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that answered last, if one did.
    pub fn version(&self) -> Option<&'static str> {
        self.facts().version
    }

    /// Notes which version answered, or that the one known does not any more.
    pub fn found(&self, version: Option<&'static str>) {
        self.facts().version = version;
    }

    /// Notes that everything was just listed for a table in a scope.
    pub fn looked(&self, table: &'static str, scope: Option<&str>) {
        let at = (table, scope.map(str::to_owned));
        self.facts().looked.insert(at, Instant::now());
    }

    /// When that was.
    pub fn last(&self, table: &'static str, scope: Option<&str>) -> Option<Instant> {
        self.facts().looked.get(&(table, scope.map(str::to_owned))).copied()
    }
}

/// The versions that are served and read here, in the server's order of preference.
///
/// # Errors
/// [`Fault::NotFound`] where there is no such group, whatever rights there are; and whatever kept an answer from coming. Where
/// discovery itself is refused all versions are worth a try.
pub async fn versions(client: &Client) -> Result<Vec<&'static str>, Fault> {
    let answer = match get(client, &format!("/apis/{GROUP}"), DEADLINE).await {
        Ok(answer) => answer,
        Err(Fault::Forbidden { .. }) => return Ok(VERSIONS.to_vec()),
        Err(fault) => return Err(fault),
    };
    let group: Value = serde_json::from_slice(&answer.body).map_err(|_| {
        Fault::Foreign(format!("/apis/{GROUP} answered something that is not JSON"))
    })?;
    match read(&group) {
        none if none.is_empty() => {
            let message = format!("the server has no version of {GROUP} that is read here");
            Err(Fault::NotFound { message })
        }
        versions => Ok(versions),
    }
}

/// An `APIGroup`: its preferred version comes first in its list (apimachinery `meta/v1/types.go`).
fn read(group: &Value) -> Vec<&'static str> {
    let served = group["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let known = |v: &Value| VERSIONS.into_iter().find(|version| v["version"] == **version);
    served.iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_taken_in_the_servers_order_and_only_those_that_are_read() {
        let group = |versions: &[&str]| {
            let versions: Vec<Value> = versions.iter().map(|v| json!({"version": v})).collect();
            read(&json!({"kind": "APIGroup", "versions": versions}))
        };
        assert_eq!(group(&["v1", "v1beta1"]), ["v1", "v1beta1"]);
        assert_eq!(group(&["v2", "v1beta1"]), ["v1beta1"]);
        assert_eq!(group(&[]), [""; 0]);
    }
}
