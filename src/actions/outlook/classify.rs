//! Every property of a pod that matters to a drain, all at once: kubectl tells the first that stops it, one run at a time
//! (semantics.md A1).

use super::facts::PodFacts;

/// A property of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Its DaemonSet would make it again on the same node.
    DaemonSet,
    /// The kubelet runs it from a file; the API cannot end it.
    Mirror,
    /// It has ended. A drain removes what is left of it, its logs too.
    Finished,
    /// It is on its way out already.
    Terminating,
    /// Nothing makes it again.
    Bare,
    /// Data in these emptyDir volumes are lost.
    EmptyDir(Vec<String>),
    /// Data on this node's disk stay behind.
    HostPath(Vec<String>),
    /// Somebody asks not to disturb it.
    Keep(Vec<String>),
    /// It tolerates the cordon and may come back.
    ComesBack,
    /// No other pod of its owner is ready elsewhere.
    LastReady,
    /// It is given longer than five minutes to end: seconds.
    LongGrace(i64),
    /// It will not be gone before these are.
    Finalizers(Vec<String>),
}

/// What a drain does with a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is evicted.
    Evict,
    /// It stays.
    Stay,
    /// A person has to decide.
    Ask,
}

/// Pods that are given longer than this make a drain long.
const LONG: i64 = 300;

/// The classes of a pod and what follows from them. `alone`: no other pod of its owner is ready elsewhere.
pub fn classify(pod: &PodFacts, alone: bool) -> (Vec<Class>, Verdict) {
    let mut classes = vec![];
    let daemon = pod.owner.as_ref().is_some_and(|(kind, ..)| kind == "DaemonSet");
    let live = !pod.finished();
    let mut add = |yes: bool, class: Class| classes.extend(yes.then_some(class));
    add(daemon, Class::DaemonSet);
    add(pod.mirror, Class::Mirror);
    add(!live, Class::Finished);
    add(pod.deleting, Class::Terminating);
    add(live && pod.owner.is_none() && !pod.mirror, Class::Bare);
    let sized = |(name, limit): &(String, String)| match limit.as_str() {
        "" => name.clone(),
        limit => format!("{name} (at most {limit})"),
    };
    let dirs: Vec<String> = pod.empty_dirs.iter().map(sized).collect();
    add(live && !dirs.is_empty(), Class::EmptyDir(dirs));
    add(live && !pod.host_paths.is_empty(), Class::HostPath(pod.host_paths.clone()));
    add(live && !pod.keep.is_empty(), Class::Keep(pod.keep.clone()));
    add(live && pod.comes_back && !daemon && !pod.mirror, Class::ComesBack);
    add(live && alone && pod.ready && !daemon && !pod.mirror, Class::LastReady);
    add(live && pod.grace > LONG, Class::LongGrace(pod.grace));
    add(!pod.finalizers.is_empty(), Class::Finalizers(pod.finalizers.clone()));
    let verdict = verdict(&classes);
    (classes, verdict)
}

fn verdict(classes: &[Class]) -> Verdict {
    let has = |wanted: fn(&Class) -> bool| classes.iter().any(wanted);
    // A finished pod is evicted whatever made it: kubectl does not ask about it either.
    if has(|c| matches!(c, Class::Mirror)) {
        Verdict::Stay
    } else if has(|c| matches!(c, Class::Finished)) {
        Verdict::Evict
    } else if has(|c| matches!(c, Class::DaemonSet)) {
        Verdict::Stay
    } else if has(|c| matches!(c, Class::Bare | Class::EmptyDir(_) | Class::Keep(_))) {
        Verdict::Ask
    } else {
        Verdict::Evict
    }
}

impl Class {
    /// What it means, in words.
    pub fn words(&self) -> String {
        match self {
            Class::DaemonSet => {
                "its DaemonSet would make it again here (kubectl: --ignore-daemonsets)".into()
            }
            Class::Mirror => "the kubelet runs it from a file; it ends with the node".into(),
            Class::Finished => "it has ended; its logs go with it".into(),
            Class::Terminating => "it is on its way out already".into(),
            Class::Bare => "nothing will make it again (kubectl: --force)".into(),
            Class::EmptyDir(dirs) => {
                format!(
                    "data in {} would be lost (kubectl: --delete-emptydir-data)",
                    dirs.join(", ")
                )
            }
            Class::HostPath(paths) => {
                format!("what it wrote to {} stays on this node", paths.join(", "))
            }
            Class::Keep(marks) => format!("it asks not to be disturbed: {}", marks.join(", ")),
            Class::ComesBack => "it tolerates the cordon and may come back to this node".into(),
            Class::LastReady => {
                "no other pod of its owner is ready elsewhere: it is away while it moves".into()
            }
            Class::LongGrace(seconds) => format!("it is given {seconds} s to end"),
            Class::Finalizers(names) => {
                format!("it stays until its finalizers are done: {}", names.join(", "))
            }
        }
    }
}
