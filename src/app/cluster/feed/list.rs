//! Lists in pages.

use super::run::{Feed, Trouble};
use crate::app::cluster::decode::ListReader;
use crate::app::cluster::request::{Accept, encode, open, read};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::sync::oneshot;

/// Items of the first page, which should be on screen at once, and of the others, which should be few.
const FIRST: u32 = 500;
const PAGE: u32 = 5000;

/// Longest silence within a page: the API server gives up on its own requests after 60 s.
const SILENCE: Duration = Duration::from_secs(60);

impl Feed {
    /// Lists everything. Never with `resourceVersion=0`: the server would then ignore the limit.
    pub async fn list(&mut self) -> Result<(), Trouble> {
        self.begin();
        let mut query = format!("limit={FIRST}");
        loop {
            let (encoding, mut body) = self.ask("list", &query).await?;
            let mut reader = ListReader::new(encoding);
            while let Some(chunk) = self.chunk("list", &mut body, SILENCE).await? {
                reader.push(&chunk);
                while let Some(item) = reader.next_item()? {
                    self.take(encoding, item).await?;
                }
                self.progress();
            }
            let cut = |_| Trouble::Cut("the list was cut off before its end");
            let meta = reader.end().map_err(cut)?;
            self.of = meta.remaining.map(|more| self.have + more);
            if meta.next.is_empty() {
                self.settle(meta.version).await;
                return Ok(());
            }
            self.flush().await;
            query = format!("limit={PAGE}&continue={}", encode(&meta.next));
        }
    }

    /// Asks how many objects there are, by a page of one: a WatchList does not tell. An estimate, and no answer if
    /// anything is odd about it: nothing depends on it but the words "of ~n".
    pub fn count(&self) -> oneshot::Receiver<u64> {
        let (told, total) = oneshot::channel();
        let path = self.spec.gvk().collection(self.spec.namespace.as_deref());
        let client = self.up.client.clone();
        tokio::spawn(async move {
            let request = read(&format!("{path}?limit=1"), Accept::Any).ok()?;
            let (encoding, body) = open(&client, request).await.ok()?;
            let page = body.collect().await.ok()?.to_bytes();
            let mut reader = ListReader::new(encoding);
            reader.push(&page);
            while let Ok(Some(_)) = reader.next_item() {}
            let remaining = reader.end().ok()?.remaining?;
            // Nobody waits any more once the list was received.
            told.send(remaining + 1).ok()
        });
        total
    }
}
