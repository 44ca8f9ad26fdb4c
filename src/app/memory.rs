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
