//! What a pod asks of its node, as the scheduler counts it.
//!
//! Kubernetes: `PodRequests` in `k8s.io/component-helpers/resource/helpers.go`, v0.37.

/// The request of a pod in one resource: the larger of what all containers and sidecars ask together and the peak while
/// an init container runs beside the sidecars started before it; pod-level requests replace that (KEP-2837); the
/// runtime's overhead is added (KEP-688). `init` tells of each init container in order whether it is a sidecar
/// (KEP-753) and what it asks.
pub fn requested(
    init: impl Iterator<Item = (bool, i64)>,
    containers: i64,
    whole_pod: Option<i64>,
    overhead: i64,
) -> i64 {
    let (mut sidecars, mut peak) = (0i64, 0);
    for (sidecar, asks) in init {
        peak = peak.max(asks.saturating_add(sidecars));
        sidecars = if sidecar { asks.saturating_add(sidecars) } else { sidecars };
    }
    let of_containers = peak.max(containers.saturating_add(sidecars));
    whole_pod.filter(|&n| n > 0).unwrap_or(of_containers).saturating_add(overhead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_run_beside_what_comes_after_them() {
        let init = || [(false, 900), (true, 100), (false, 500)].into_iter();
        assert_eq!(requested(init(), 200, None, 0), 900, "the first init container runs alone");
        assert_eq!(requested(init(), 1000, None, 10), 1110);
        assert_eq!(requested([(true, 100), (false, 900)].into_iter(), 200, None, 0), 1000);
        assert_eq!(requested(init(), 1000, Some(700), 10), 710, "the pod's own word counts");
        assert_eq!(requested(init(), 1000, Some(0), 0), 1100);
        let absurd = [(true, i64::MAX), (true, i64::MAX)];
        assert_eq!(requested(absurd.into_iter(), i64::MAX, None, i64::MAX), i64::MAX);
    }
}
