//! `wheelhouse why`: the page of the action of this name, without a screen.

use super::{Common, Failure};
use crate::app::cluster::fetch::get_object;
use crate::app::cluster::session::Fault;
use crate::app::effects::insight;
use crate::state::doc::Doc;
use crate::state::kinds::pods;
use crate::state::parcel::Key;
use crate::state::text::clean;
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
    let target = Target {
        table: pods::TABLE.id,
        gvk: &pods::TABLE.kinds[0].gvk,
        key: Key::of("", &namespace, &args.pod),
        namespace,
        name: args.pod.clone(),
        rv: 0,
    };
    let failed = |fault: Fault| Failure::failed(format!("{}: {fault}", target.path()));
    let object = get_object(&connection.client, &target).await.map_err(failed)?;
    let page = insight::why_pending(&connection.client, &object, connection.now(), &|_| {});
    let page = page.await.map_err(failed)?;
    Ok(text(&page))
}

fn text(page: &Doc) -> String {
    let lines = page.lines.iter().map(|line| format!("{}\n", clean(&line.text())));
    format!("{}\n{}", clean(&page.title), lines.collect::<String>())
}
