//! A switch of context: another connection is opened beside the one in use.

use crate::app::cluster::session::{Lock, PluginStdio, StartFault};
use crate::app::connect::{Connection, Origin};
use crate::app::msg::SessionId;
use crate::state::cluster::Cluster;
use std::sync::{Arc, Mutex};

/// A connection on its way to the UI thread.
pub(super) type Arriving = Arc<Mutex<Option<(SessionId, Connection)>>>;

/// A switch of context under way.
pub(super) struct Switch {
    pub id: SessionId,
    pub name: String,
    pub origin: Origin,
    pub lock: Lock,
    pub arriving: Arriving,
}

impl Switch {
    /// Opens the context and leaves the connection where [`Effect::Adopt`] finds it.
    pub async fn open(self, stdio: PluginStdio) -> Result<Cluster, StartFault> {
        let there = self.origin.at(&self.name)?;
        let connection = there.open(self.lock, stdio).await?;
        let cluster = connection.cluster.clone();
        if let Ok(mut slot) = self.arriving.lock() {
            *slot = Some((self.id, connection));
        }
        Ok(cluster)
    }
}
