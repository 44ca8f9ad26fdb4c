//! `wheelhouse kubelet NODE`: the page of the action of this name, without a screen.

use super::format::page_text;
use super::{Common, Failure, exit};
use crate::app::cluster::kubelet::look;
use crate::state::doc::kubelet::kubelet;
use clap::Args;

/// Which node.
#[derive(Args, Debug, Clone)]
pub struct KubeletArgs {
    /// The node.
    pub node: String,
}

/// The page, and what is missing from it: 1 if nothing could be read, 4 if some of it could not.
///
/// # Errors
/// The cluster cannot be reached (1).
pub async fn page(
    common: &Common,
    args: &KubeletArgs,
) -> Result<(String, Option<Failure>), Failure> {
    let connection = common.open_to_read().await?;
    let seen = look(&connection.client, &args.node).await;
    let page = kubelet(&seen, connection.now());
    let parts = [
        seen.health.is_ok(),
        seen.summary.is_ok(),
        seen.own.is_ok(),
        seen.resource.is_ok(),
        seen.cadvisor.is_ok(),
        seen.probes.is_ok(),
        seen.config.is_ok(),
    ];
    let read = parts.iter().filter(|ok| **ok).count();
    let missing = (read < parts.len()).then(|| Failure {
        code: if read == 0 { exit::FAILED } else { exit::INCOMPLETE },
        words: format!("{read} of {} pages of the kubelet were read", parts.len()),
    });
    Ok((page_text(&page), missing))
}
