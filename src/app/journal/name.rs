//! What a run is called, and who runs it: this machine's clock, host and login.

use crate::state::time::Epoch;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// How a run's file ends.
pub(super) const SUFFIX: &str = ".jsonl";

/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// Seconds since 1970 by this machine's clock.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A name that sorts by time, to the millisecond, and is most likely new: `20261123T020456.789Z-k3xz`.
pub(super) fn fresh(now: f64) -> String {
    let millis = (now * 1000.0) as i64;
    let day: String =
        Epoch(millis / 1000).rfc3339().chars().filter(char::is_ascii_alphanumeric).collect();
    // The standard library's hasher is keyed anew by the system's randomness in each thread and counts up from there.
    let mut dice = RandomState::new().build_hasher().finish();
    let mut tail = String::new();
    for _ in 0..4 {
        tail.push(char::from(ALPHABET[(dice % 32) as usize]));
        dice /= 32;
    }
    format!("{}.{:03}Z-{tail}", day.trim_end_matches('Z'), millis % 1000)
}

/// This host's name; empty if the system does not tell.
pub(super) fn host() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is ours and its length is passed less one, so that it ends in a zero whatever is written.
    let told = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let end = name.iter().position(|&b| b == 0).unwrap_or(0);
    if told == 0 { String::from_utf8_lossy(&name[..end]).into_owned() } else { String::new() }
}

/// `op@host, process 4711`.
pub(super) fn login() -> String {
    format!("{}, process {}", who(), std::process::id())
}

/// `op@host`: the login name behind a sudo, if there is one.
pub fn who() -> String {
    let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    // SAFETY: it has no preconditions and cannot fail.
    let uid = unsafe { libc::getuid() };
    let user = set("SUDO_USER").or_else(|| set("LOGNAME")).or_else(|| set("USER"));
    format!("{}@{}", user.unwrap_or_else(|| format!("uid {uid}")), host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_differ_within_a_millisecond() {
        let name = fresh(1_795_399_496.789);
        assert!(name.starts_with("20261123T020456.789Z-"), "{name}");
        assert_eq!(name.len(), "20261123T020456.789Z-k3xz".len());
        assert!(fresh(1_795_399_496.9) > name);
        let many: std::collections::HashSet<_> = (0..50).map(|_| fresh(1.0)).collect();
        assert!(many.len() > 45, "{many:?}");
    }
}
