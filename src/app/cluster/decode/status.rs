//! What a watch says besides rows: bookmarks and errors.

use super::{Encoding, Malformed, Trie};
use crate::state::decl::{Hit, Path, Ty};
use kube::core::Status;
use kube::core::response::StatusDetails;
use std::sync::LazyLock;

/// A bookmark: a position to go on from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// The resourceVersion.
    pub version: String,
    /// Whether the initial events of a WatchList end here (KEP-3157: annotation `k8s.io/initial-events-end`).
    pub initial_end: bool,
}

impl Bookmark {
    /// Reads the object of a bookmark event.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(encoding: Encoding, object: &[u8]) -> Result<Bookmark, Malformed> {
        static TRIE: LazyLock<Trie> = LazyLock::new(|| {
            Trie::new(&[
                Path { pb: &[1, 6], json: "metadata.resourceVersion", ty: Ty::Text },
                Path { pb: &[1, 12], json: "metadata.annotations", ty: Ty::Pairs },
            ])
        });
        let mut bookmark = Bookmark::default();
        encoding.walk(&TRIE, object, &mut |_, hit| match hit {
            Hit::Text(version) => version.clone_into(&mut bookmark.version),
            Hit::Pair("k8s.io/initial-events-end", "true") => bookmark.initial_end = true,
            _ => {}
        })?;
        Ok(bookmark)
    }
}

/// Reads the object of an error event: why the watch ends.
///
/// # Errors
/// [`Malformed`].
pub fn status(encoding: Encoding, object: &[u8]) -> Result<Status, Malformed> {
    static TRIE: LazyLock<Trie> = LazyLock::new(|| {
        Trie::new(&[
            Path { pb: &[6], json: "code", ty: Ty::Int },
            Path { pb: &[4], json: "reason", ty: Ty::Text },
            Path { pb: &[3], json: "message", ty: Ty::Text },
            Path { pb: &[5, 5], json: "details.retryAfterSeconds", ty: Ty::Int },
        ])
    });
    let mut status = Status::default();
    let mut retry_after_seconds = 0;
    encoding.walk(&TRIE, object, &mut |path, hit| match (path, hit) {
        (0, Hit::Int(code)) => status.code = u16::try_from(code).unwrap_or(0),
        (1, Hit::Text(text)) => text.clone_into(&mut status.reason),
        (2, Hit::Text(text)) => text.clone_into(&mut status.message),
        (3, Hit::Int(n)) => retry_after_seconds = u32::try_from(n).unwrap_or(0),
        _ => {}
    })?;
    status.details = Some(StatusDetails {
        retry_after_seconds,
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: vec![],
    });
    Ok(status)
}
