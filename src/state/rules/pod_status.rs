//! The STATUS column of a pod, word for word as the API server's own table prints it.
//!
//! Kubernetes: follows the rules of `printPod` in `pkg/printers/internalversion/printers.go`, v1.37.2. Since v1.37 a
//! pod whose containers have all ended, one of them badly, shows that container's reason instead of `Completed`.

use crate::state::cell::Role;
use crate::state::time::Epoch;
use std::borrow::Cow;

/// What is known of one container's state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Container<'a> {
    /// Its spec says `restartPolicy: Always`: a sidecar (KEP-753). Only set for init containers.
    pub sidecar: bool,
    /// Ready.
    pub ready: bool,
    /// Passed its startup probe.
    pub started: bool,
    /// Restarts.
    pub restarts: i64,
    /// When the last finished run ended.
    pub last_finished: Epoch,
    /// Running now.
    pub running: bool,
    /// Waiting, with its reason.
    pub waiting: Option<&'a str>,
    /// Terminated: exit code, signal, reason.
    pub terminated: Option<(i64, i64, &'a str)>,
}

/// What the status depends on.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// `status.phase`.
    pub phase: &'a str,
    /// `status.reason`.
    pub reason: &'a str,
    /// The PodScheduled condition says SchedulingGated.
    pub gated: bool,
    /// The Initialized condition is True.
    pub initialized: bool,
    /// The Ready condition is True.
    pub ready: bool,
    /// A deletion timestamp is set.
    pub deleting: bool,
    /// Init containers in the spec.
    pub init_total: usize,
    /// Statuses of init containers, in order.
    pub init: Vec<Container<'a>>,
    /// Statuses of containers, in order.
    pub containers: Vec<Container<'a>>,
}

/// What the columns READY, STATUS and RESTARTS say.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict<'a> {
    /// STATUS.
    pub status: Cow<'a, str>,
    /// Ready containers, sidecars included.
    pub ready: i64,
    /// Restarts.
    pub restarts: i64,
    /// End of the last finished run among the counted restarts.
    pub restarted: Epoch,
}

/// Decides READY, STATUS and RESTARTS.
pub fn verdict<'a>(f: &Facts<'a>) -> Verdict<'a> {
    let mut v = Verdict { status: Cow::Borrowed(f.phase), ..Verdict::default() };
    if !f.reason.is_empty() {
        v.status = Cow::Borrowed(f.reason);
    }
    if f.gated {
        v.status = Cow::Borrowed("SchedulingGated");
    }
    let waits = init(f, &mut v);
    if !waits || f.initialized {
        main(f, &mut v);
    }
    if f.deleting && f.reason == "NodeLost" {
        v.status = Cow::Borrowed("Unknown");
    } else if f.deleting && !matches!(f.phase, "Succeeded" | "Failed") {
        v.status = Cow::Borrowed("Terminating");
    }
    v
}

/// Init containers run one after the other: the first that has neither finished well nor started as a sidecar
/// decides, and nothing after it counts. Returns whether the pod is still initializing.
fn init<'a>(f: &Facts<'a>, v: &mut Verdict<'a>) -> bool {
    for (i, c) in f.init.iter().enumerate() {
        v.restarts = v.restarts.saturating_add(c.restarts);
        v.restarted = v.restarted.max(c.last_finished);
        v.status = match (c.terminated, c.waiting) {
            (Some((0, ..)), _) => continue,
            _ if c.sidecar && c.started => {
                v.ready += i64::from(c.ready);
                continue;
            }
            (Some(end), _) => Cow::Owned(format!("Init:{}", ended(end))),
            (None, Some(why)) if !why.is_empty() && why != "PodInitializing" => {
                Cow::Owned(format!("Init:{why}"))
            }
            _ => Cow::Owned(format!("Init:{i}/{}", f.init_total)),
        };
        return true;
    }
    false
}

fn main<'a>(f: &Facts<'a>, v: &mut Verdict<'a>) {
    // Restarts of finished init containers no longer count, those of sidecars do.
    let sidecars = seen(f).iter().filter(|c| c.sidecar);
    v.restarts = sidecars.clone().fold(0i64, |sum, c| sum.saturating_add(c.restarts));
    v.restarted = sidecars.map(|c| c.last_finished).max().unwrap_or_default();
    let mut running = false;
    let mut failed = None;
    for c in f.containers.iter().rev() {
        v.restarts = v.restarts.saturating_add(c.restarts);
        v.restarted = v.restarted.max(c.last_finished);
        match (c.waiting, c.terminated) {
            (Some(why), _) if !why.is_empty() => v.status = Cow::Borrowed(why),
            (_, Some(end)) => {
                v.status = ended(end);
                if end.0 != 0 {
                    failed = Some(v.status.clone());
                }
            }
            _ if c.ready && c.running => {
                running = true;
                v.ready += 1;
            }
            _ => {}
        }
    }
    if v.status == "Completed" {
        if running && f.ready {
            v.status = Cow::Borrowed("Running");
        } else if let Some(reason) = failed {
            v.status = reason;
        } else if running {
            v.status = Cow::Borrowed("NotReady");
        }
    }
}

/// The init containers that [`init`] looked at: up to and including the one that decided.
fn seen<'f, 'a>(f: &'f Facts<'a>) -> &'f [Container<'a>] {
    let decides =
        |c: &Container| !(matches!(c.terminated, Some((0, ..))) || c.sidecar && c.started);
    let end = f.init.iter().position(decides).map_or(f.init.len(), |i| i + 1);
    &f.init[..end]
}

fn ended<'a>((code, signal, reason): (i64, i64, &'a str)) -> Cow<'a, str> {
    match (reason, signal) {
        ("", 0) => Cow::Owned(format!("ExitCode:{code}")),
        ("", signal) => Cow::Owned(format!("Signal:{signal}")),
        (reason, _) => Cow::Borrowed(reason),
    }
}

/// What a status means to an operator. Words this version does not know count as waiting, not as harm.
pub fn role(status: &str) -> Role {
    let core = status.strip_prefix("Init:").unwrap_or(status);
    match core {
        "Running" => Role::Plain,
        "Completed" | "Succeeded" => Role::Dim,
        "Error"
        | "Failed"
        | "OOMKilled"
        | "CrashLoopBackOff"
        | "ImagePullBackOff"
        | "Evicted"
        | "ErrImagePull"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "CreateContainerError"
        | "CreateContainerConfigError"
        | "RunContainerError"
        | "ContainerCannotRun"
        | "StartError"
        | "DeadlineExceeded"
        | "NodeAffinity"
        | "UnexpectedAdmissionError"
        | "OutOfcpu"
        | "OutOfmemory"
        | "OutOfpods"
        | "NodeShutdown"
        | "PreStopHookError"
        | "PostStartHookError"
        | "ContainerStatusUnknown" => Role::Bad,
        _ if core.starts_with("ExitCode:") || core.starts_with("Signal:") => Role::Bad,
        _ => Role::Warn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(f: Facts<'_>) -> String {
        verdict(&f).status.into_owned()
    }

    fn up() -> Container<'static> {
        Container { ready: true, running: true, started: true, ..Container::default() }
    }

    #[test]
    fn a_finished_pod_that_is_being_deleted_stays_completed() {
        let done = Container { terminated: Some((0, 0, "Completed")), ..Container::default() };
        let f = Facts {
            phase: "Succeeded",
            deleting: true,
            containers: vec![done],
            ..Facts::default()
        };
        assert_eq!(status(f), "Completed");
    }

    #[test]
    fn deletion_wins_over_crash_and_a_lost_node_over_deletion() {
        let crash = Container { waiting: Some("CrashLoopBackOff"), ..Container::default() };
        let f = || Facts {
            phase: "Running",
            deleting: true,
            containers: vec![crash],
            ..Facts::default()
        };
        assert_eq!(status(f()), "Terminating");
        assert_eq!(status(Facts { reason: "NodeLost", ..f() }), "Unknown");
    }

    #[test]
    fn init_containers_are_counted_and_their_failures_named() {
        let done = Container { terminated: Some((0, 0, "Completed")), ..Container::default() };
        let wait = Container { waiting: Some("PodInitializing"), ..Container::default() };
        let f = |init| Facts { phase: "Pending", init_total: 3, init, ..Facts::default() };
        assert_eq!(status(f(vec![done, wait, wait])), "Init:1/3");
        let killed = Container { terminated: Some((137, 9, "")), ..Container::default() };
        assert_eq!(status(f(vec![done, killed])), "Init:Signal:9");
    }

    #[test]
    fn a_started_sidecar_counts_as_ready_and_its_restarts_stay() {
        let side = Container { sidecar: true, restarts: 2, ..up() };
        let f = Facts {
            phase: "Running",
            init_total: 1,
            init: vec![side],
            containers: vec![up()],
            ..Facts::default()
        };
        let v = verdict(&f);
        assert_eq!((v.ready, v.restarts, &*v.status), (2, 2, "Running"));
    }

    #[test]
    fn one_container_done_and_one_running_is_running_only_if_the_pod_is_ready() {
        let done = Container { terminated: Some((0, 0, "Completed")), ..Container::default() };
        let f = |ready| Facts {
            phase: "Running",
            ready,
            containers: vec![done, up()],
            ..Facts::default()
        };
        assert_eq!(status(f(true)), "Running");
        assert_eq!(status(f(false)), "NotReady");
    }

    #[test]
    fn a_bad_end_shows_through_a_completed_neighbour() {
        let done = Container { terminated: Some((0, 0, "Completed")), ..Container::default() };
        let bad = Container { terminated: Some((1, 0, "Error")), ..Container::default() };
        let f = Facts { phase: "Failed", containers: vec![done, bad], ..Facts::default() };
        assert_eq!(status(f), "Error");
    }
}
