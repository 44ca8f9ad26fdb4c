//! What a watch or a refusal says besides rows: bookmarks and `Status`.

use super::{Encoding, Malformed, Trie, pb_stream};
use crate::state::decl::{Hit, Path, Ty};
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

/// The server's refusal (`meta/v1.Status`), as far as a feed needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// HTTP code, 0 if it says none.
    pub code: u16,
    /// The server's sentence; hostile until cleaned.
    pub message: String,
    /// Seconds to wait before another attempt.
    pub retry_after: Option<u32>,
}

impl Status {
    /// Reads the object of an error event.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(encoding: Encoding, object: &[u8]) -> Result<Status, Malformed> {
        static TRIE: LazyLock<Trie> = LazyLock::new(|| {
            Trie::new(&[
                Path { pb: &[6], json: "code", ty: Ty::Int },
                Path { pb: &[3], json: "message", ty: Ty::Text },
                Path { pb: &[5, 5], json: "details.retryAfterSeconds", ty: Ty::Int },
            ])
        });
        let mut status = Status::default();
        encoding.walk(&TRIE, object, &mut |path, hit| match (path, hit) {
            (0, Hit::Int(code)) => status.code = u16::try_from(code).unwrap_or(0),
            (1, Hit::Text(text)) => text.clone_into(&mut status.message),
            (2, Hit::Int(secs)) => status.retry_after = u32::try_from(secs).ok().filter(|s| *s > 0),
            _ => {}
        })?;
        Ok(status)
    }

    /// Reads the body of a response with an error code. Whatever stands between us and the server may have written
    /// it, so what is no `Status` is quoted.
    pub fn of_body(code: u16, body: &[u8]) -> Status {
        let read = match pb_stream::unwrap(body) {
            Ok(object) => Status::read(Encoding::Protobuf, object),
            Err(_) => Status::read(Encoding::Json, body),
        };
        let mut status = read.unwrap_or_default();
        if status.message.is_empty() {
            status.message = String::from_utf8_lossy(body).trim().chars().take(200).collect();
        }
        Status { code, ..status }
    }
}
