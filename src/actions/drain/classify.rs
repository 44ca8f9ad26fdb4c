//! Every property of a pod that matters to a drain, and what is done with it. kubectl stops at the first property that it
//! refuses (pkg/drain/filters.go); here all of them are known before anything starts.

use super::budget::Selector;
use super::facts::PodFacts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A property of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// The kubelet runs it from a file.
    Mirror,
    /// Its DaemonSet would make it again on the same node.
    DaemonSet,
    /// Data in its emptyDir volumes are lost.
    EmptyDir,
    /// Data on the node's disk stay behind: hostPath, local volumes.
    LocalVolume,
    /// It has no controller: nothing makes it again.
    Bare,
    /// Its controller is gone: nothing makes it again.
    OwnerMissing,
    /// Succeeded or Failed: its logs go with it.
    Finished,
    /// On its way out already.
    Terminating,
    /// An annotation asks not to disturb it.
    DoNotDisrupt,
    /// It may come back to a cordoned node.
    ToleratesUnschedulable,
    /// No other pod of its owner is ready elsewhere.
    LastReadyReplica,
    /// More than one budget selects it: the server cannot evict it.
    MultipleBudgets,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 12] = [
        Class::Mirror,
        Class::DaemonSet,
        Class::EmptyDir,
        Class::LocalVolume,
        Class::Bare,
        Class::OwnerMissing,
        Class::Finished,
        Class::Terminating,
        Class::DoNotDisrupt,
        Class::ToleratesUnschedulable,
        Class::LastReadyReplica,
        Class::MultipleBudgets,
    ];

    /// A word that other programs may rely on.
    pub fn id(self) -> &'static str {
        match self {
            Class::Mirror => "mirror",
            Class::DaemonSet => "daemonset",
            Class::EmptyDir => "emptydir",
            Class::LocalVolume => "local-volume",
            Class::Bare => "bare",
            Class::OwnerMissing => "owner-missing",
            Class::Finished => "finished",
            Class::Terminating => "terminating",
            Class::DoNotDisrupt => "do-not-disrupt",
            Class::ToleratesUnschedulable => "tolerates-unschedulable",
            Class::LastReadyReplica => "last-ready-replica",
            Class::MultipleBudgets => "two-budgets",
        }
    }

    /// In a word or two, where it sets a pod that goes apart.
    pub fn brief(self) -> Option<&'static str> {
        Some(match self {
            Class::Mirror | Class::DaemonSet => return None,
            Class::EmptyDir => "emptyDir",
            Class::LocalVolume => "data on the node's disk",
            Class::Bare => "no controller",
            Class::OwnerMissing => "its controller is gone",
            Class::Finished => "finished",
            Class::Terminating => "ending already",
            Class::DoNotDisrupt => "asks not to be disturbed",
            Class::ToleratesUnschedulable => "may come back",
            Class::LastReadyReplica => "no ready replica elsewhere",
            Class::MultipleBudgets => "two budgets",
        })
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Class::Mirror => "the kubelet runs it from a file",
            Class::DaemonSet => "its DaemonSet would make it again on the same node",
            Class::EmptyDir => "data in its emptyDir volumes would be lost",
            Class::LocalVolume => "data on the node's disk would stay behind",
            Class::Bare => "no controller would make it again",
            Class::OwnerMissing => "its controller is gone, nothing would make it again",
            Class::Finished => "it ended; its logs go with it",
            Class::Terminating => "it is on its way out already",
            Class::DoNotDisrupt => "an annotation asks not to disturb it",
            Class::ToleratesUnschedulable => "it tolerates the cordon and may come back",
            Class::LastReadyReplica => "no other replica is ready elsewhere",
            Class::MultipleBudgets => "more than one budget selects it: it cannot be evicted",
        }
    }

    /// The flag of kubectl drain that decides it, if kubectl refuses it without.
    pub fn flag(self) -> Option<&'static str> {
        match self {
            Class::DaemonSet => Some("--ignore-daemonsets"),
            Class::EmptyDir => Some("--delete-emptydir-data"),
            Class::Bare | Class::OwnerMissing => Some("--force"),
            _ => None,
        }
    }
}

/// What the pod alone does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its controller was looked up and is not there.
    pub owner_missing: bool,
    /// No other pod of its owner is ready on a node that stays.
    pub last_ready: bool,
    /// One of its claims is bound to a local volume.
    pub local_volume: bool,
}

/// The classes of a pod, ordered. `budgets`: how many select it.
pub fn classify(pod: &PodFacts, known: Known, budgets: usize) -> Vec<Class> {
    // Only apps/v1 is a DaemonSet to kubectl; one of another group makes its pods again just the same.
    let daemon = pod.owner.as_ref().is_some_and(|o| o.kind == "DaemonSet");
    let live = !pod.finished();
    let set = [
        (Class::Mirror, pod.mirror),
        (Class::DaemonSet, daemon),
        (Class::EmptyDir, live && !pod.empty_dirs.is_empty()),
        (Class::LocalVolume, live && (known.local_volume || !pod.host_paths.is_empty())),
        (Class::Bare, live && !pod.mirror && pod.owner.is_none()),
        (Class::OwnerMissing, live && pod.owner.is_some() && known.owner_missing),
        (Class::Finished, !live),
        (Class::Terminating, pod.deletion.is_some()),
        (Class::DoNotDisrupt, live && !pod.keep.is_empty()),
        (Class::ToleratesUnschedulable, live && pod.tolerates_cordon),
        (Class::LastReadyReplica, live && known.last_ready),
        (Class::MultipleBudgets, budgets > 1 && !pod.ignores_budgets()),
    ];
    set.into_iter().filter(|(_, yes)| *yes).map(|(class, _)| class).collect()
}

/// kubectl drain's flags, with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switches {
    /// `--ignore-daemonsets`.
    pub ignore_daemonsets: bool,
    /// `--delete-emptydir-data`.
    pub delete_emptydir_data: bool,
    /// `--force`.
    pub force: bool,
    /// `--grace-period` in seconds; none or negative is the pod's own.
    pub grace_period: Option<i64>,
    /// `--allow-grace-zero`: 0 means 0.
    #[serde(default)]
    pub allow_zero: bool,
    /// `--pod-selector`.
    pub pod_selector: Option<Selector>,
    /// `--disable-eviction`: delete, past every budget.
    pub disable_eviction: bool,
    /// `--skip-wait-for-delete-timeout` in seconds; 0 waits for every pod.
    pub skip_wait_for_delete_timeout: u64,
    /// `--timeout` per node in seconds; 0 is none.
    pub timeout: u64,
}

impl Switches {
    /// `gracePeriodSeconds` of a request. At least 1: zero removes the pod without waiting for its kubelet, which breaks
    /// the promise that a StatefulSet's pod runs at most once. kubectl drain sends the zero; we do only if it is said twice.
    pub fn grace(&self) -> Option<i64> {
        let least = i64::from(!self.allow_zero);
        self.grace_period.filter(|g| *g >= 0).map(|g| g.max(least))
    }
}

/// What the operator chose for a class or a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// Evict it.
    Evict,
    /// Delete it, past every budget.
    Delete,
    /// Leave it where it is.
    Leave,
}

/// What the operator chose beside the switches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// By class: holds for pods that appear later as well.
    pub classes: BTreeMap<Class, Choice>,
    /// By uid; outranks the class.
    pub pods: BTreeMap<String, Choice>,
}

/// What is done with a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// It is evicted.
    Evict,
    /// It is deleted, past every budget.
    Delete,
    /// It stays, because.
    Leave(String),
    /// The operator has to decide: kubectl would refuse, for each of these.
    Ask(Vec<Class>),
}

/// What is done with a pod of these classes.
pub fn decide(
    pod: &PodFacts,
    classes: &[Class],
    switches: &Switches,
    overrides: &Overrides,
) -> Decision {
    let is = |class: Class| classes.contains(&class);
    // Deleting a mirror pod deletes a picture; the kubelet goes on running it.
    if is(Class::Mirror) {
        return Decision::Leave(Class::Mirror.words().to_owned());
    }
    if let Some(choice) = overrides.pods.get(&pod.uid) {
        return choice.decision();
    }
    if switches.pod_selector.as_ref().is_some_and(|s| !s.matches(&pod.labels)) {
        return Decision::Leave("not selected by --pod-selector".to_owned());
    }
    let chosen = |class: &&Class| overrides.classes.contains_key(class);
    let (chosen, open): (Vec<&Class>, Vec<&Class>) = classes.iter().partition(chosen);
    // The mildest choice of several wins: leaving a pod can be made good, deleting it cannot.
    let choices: Vec<Choice> = chosen.iter().map(|c| overrides.classes[c]).collect();
    if choices.contains(&Choice::Leave) {
        return Choice::Leave.decision();
    }
    if is(Class::DaemonSet) && !is(Class::Finished) && !chosen.contains(&&Class::DaemonSet) {
        return daemon(is(Class::OwnerMissing), switches);
    }
    let asks: Vec<Class> = open.into_iter().copied().filter(|c| switches.refuse(*c)).collect();
    if !asks.is_empty() {
        return Decision::Ask(asks);
    }
    if choices.contains(&Choice::Delete) && !choices.contains(&Choice::Evict) {
        return Decision::Delete;
    }
    switches.going()
}

/// A DaemonSet's pod as kubectl treats it: an orphan goes by `--force`, others stay by `--ignore-daemonsets`.
fn daemon(orphan: bool, switches: &Switches) -> Decision {
    match (orphan, switches.force, switches.ignore_daemonsets) {
        (true, true, _) => switches.going(),
        (true, false, _) => Decision::Ask(vec![Class::OwnerMissing]),
        (false, _, true) => Decision::Leave(Class::DaemonSet.words().to_owned()),
        (false, _, false) => Decision::Ask(vec![Class::DaemonSet]),
    }
}

impl Switches {
    fn refuse(&self, class: Class) -> bool {
        match class {
            Class::EmptyDir => !self.delete_emptydir_data,
            Class::Bare | Class::OwnerMissing => !self.force,
            _ => false,
        }
    }

    fn going(&self) -> Decision {
        if self.disable_eviction { Decision::Delete } else { Decision::Evict }
    }
}

impl Choice {
    /// In one word.
    pub fn words(self) -> &'static str {
        match self {
            Choice::Evict => "evict",
            Choice::Delete => "delete",
            Choice::Leave => "leave",
        }
    }

    fn decision(self) -> Decision {
        match self {
            Choice::Evict => Decision::Evict,
            Choice::Delete => Decision::Delete,
            Choice::Leave => Decision::Leave("the operator leaves it".to_owned()),
        }
    }
}
