//! Memory that is no longer needed goes back to the system.

/// Hands back what was freed. glibc keeps freed pages that lie below the end of its heaps (`malloc_trim(3)`): after a switch of
/// context the rows of the cluster that was left would stay resident below those of the next one. May take some
/// milliseconds, and other threads that allocate wait for it: for moments when a screenful changes anyway.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer; glibc documents it as safe to be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives every large block pages of its own, which go back to the system as soon as it is freed. Left alone, glibc raises the
/// size from which it does so to that of the largest block freed so far (`mallopt(3)`, `M_MMAP_THRESHOLD`): the columns of a
/// large table then lie between small blocks, and what they leave behind stays resident. Call it first of all.
pub fn keep_large_blocks_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Bytes: smaller blocks are read into and freed too often to ask the system for each.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 1 << 20;
