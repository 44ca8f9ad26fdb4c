//! `wheelhouse why`: the page of the action of this name, without a screen.

use super::format::page_text;
use super::{Common, Failure};
use crate::app::cluster::fetch::get_object;
use crate::app::cluster::session::Fault;
use crate::app::effects::insight;
use crate::state::kinds::pods;
use crate::state::ui::document::Target;
use clap::Args;

/// Which pod.
#[derive(Args, Debug, Clone)]
pub struct WhyArgs {
    /// The pod, in the namespace of `-n` or of the context.
    pub pod: String,
}

/// The page.
///
/// # Errors
/// The cluster, the pod, nodes or pods cannot be read (1).
pub async fn why(common: &Common, args: &WhyArgs) -> Result<String, Failure> {
    let connection = common.open_to_read().await?;
    let named = common.connect.namespace.clone();
    let namespace = named.unwrap_or_else(|| connection.cluster.home.clone());
    let target = Target::in_table(&pods::TABLE, &namespace, &args.pod, "");
    let failed = |fault: Fault| Failure::failed(format!("{}: {fault}", target.path()));
    let object = get_object(&connection.client, &target).await.map_err(failed)?;
    let page = insight::why_pending(&connection.client, &object, connection.now(), &|_| {});
    let page = page.await.map_err(failed)?;
    Ok(page_text(&page))
}
