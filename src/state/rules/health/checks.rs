//! `/readyz?verbose` and `/livez?verbose`: a line a check, `[+]etcd ok` or `[-]etcd failed: reason withheld`, and a trailer
//! (apiserver `pkg/server/healthz/healthz.go`, handleRootHealth). A failure is answered with 500 and always in full.

use super::{Line, Verdict};

/// Each check with whether it passes and the words after its name.
fn each(text: &str) -> impl Iterator<Item = (bool, &str, &str)> {
    text.lines().filter_map(|line| {
        let (passes, rest) = match (line.strip_prefix("[+]"), line.strip_prefix("[-]")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((passes, name, words))
    })
}

/// Whether the checks of that name, or with that name in front of a dash, pass; one that is not there does.
pub fn passes(text: &str, name: &str) -> bool {
    let of = |check: &str| {
        check.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    each(text).filter(|(_, check, _)| of(check)).all(|(passes, _, _)| passes)
}

/// What a failed check means.
fn meaning(check: &str) -> &'static str {
    match check {
        "etcd" | "etcd-readiness" => {
            "the API server gets no answer from etcd: reads from its cache may still pass, everything else fails; \
             look at etcd's processes, disks and network"
        }
        "shutdown" => "the server is shutting down and takes no new requests",
        "informer-sync" => {
            "the server has not read its own configuration yet: it is starting, or etcd is slow"
        }
        "ping" | "log" => {
            "the process does not serve; its own log and the machine it runs on say why"
        }
        _ if check.starts_with("kms-provider") => {
            "the key service is not reached: encrypted objects can be neither read nor written"
        }
        _ if check.starts_with("poststarthook/") => {
            "a start-up task has not finished: the server is starting, or the task hangs; the server's log names it"
        }
        _ => "the reason stands in the API server's log only",
    }
}

/// A line a check, and one for all of them.
pub fn lines(endpoint: &'static str, text: &str) -> Vec<Line> {
    let mut lines = vec![];
    let mut failed = vec![];
    for (passes, name, words) in each(text) {
        let verdict = if passes { Verdict::Ok } else { Verdict::Bad };
        let why = match passes {
            true => words.to_owned(),
            false => format!("{words}: {}", meaning(name)),
        };
        if !passes {
            failed.push(name);
        }
        lines.push(Line::new(endpoint, name, verdict, why));
    }
    let all = lines.len();
    let (verdict, why) = match (all, failed.len()) {
        (0, _) if text.trim_end() == "ok" => (Verdict::Ok, "ok".to_owned()),
        (0, _) => (Verdict::Unknown, "the answer names no check".to_owned()),
        (_, 0) => (Verdict::Ok, format!("{all} checks pass")),
        (_, n) => {
            let then = match endpoint {
                "readyz" => "load balancers send this server nothing until it passes",
                _ => "its kubelet restarts it if this goes on",
            };
            (Verdict::Bad, format!("{n} of {all} checks fail ({}): {then}", failed.join(", ")))
        }
    };
    lines.insert(0, Line::new(endpoint, "(all)", verdict, why));
    lines
}
