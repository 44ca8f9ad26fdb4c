//! Who holds an object by a finalizer: by its name where that is known, else by what the cluster shows.

use super::evidence::{Evidence, Grant, Lease, Workload};
use super::{Held, Holder, Life, PATIENCE, Veto, long};
use crate::state::rules::finalizers::{Keeper, belongs, domain, known_as};
use crate::state::time::Epoch;

/// Words that names share without meaning the same.
const COMMON: [&str; 16] = [
    "controller",
    "operator",
    "manager",
    "finalizer",
    "finalizers",
    "cleanup",
    "example",
    "kubernetes",
    "system",
    "server",
    "kube",
    "com",
    "org",
    "net",
    "dev",
    "test",
];

/// What is to be said of one finalizer of an object.
pub(super) fn holder(held: &Held, finalizer: &str, seen: &Evidence) -> Holder {
    let known = known_as(finalizer);
    let skips = known.map_or_else(
        || {
            format!(
                "whatever {} would clean up, here or outside of the cluster, is not cleaned up",
                domain(finalizer).unwrap_or(finalizer)
            )
        },
        |known| known.skips.to_owned(),
    );
    let found = match known.map(|k| (k.keeper, k.owner)) {
        Some((Keeper::ApiServer, owner)) => server(held, owner, seen),
        Some((Keeper::Manager(_), owner)) => by_lease(held, owner, "kube-controller-manager", seen),
        Some((Keeper::Cloud(_), owner)) => by_lease(held, owner, "cloud-controller-manager", seen),
        Some((Keeper::Leader(beginning), owner)) => by_lease(held, owner, beginning, seen),
        Some((Keeper::Workload(hints), owner)) => {
            let like = |w: &Workload| hints.iter().any(|h| w.names.iter().any(|n| n.contains(h)));
            by_workloads(held, finalizer, owner, &like, seen)
        }
        None => unknown(held, finalizer, seen),
    };
    let (owner, life, why, vetoes) = found;
    Holder { finalizer: finalizer.to_owned(), owner, life, why, skips, vetoes }
}

type Found = (String, Life, String, Vec<Veto>);

/// The API server lives: it answers.
fn server(held: &Held, owner: &str, seen: &Evidence) -> Found {
    let silence = held.since().age(seen.now);
    let left = held.dependents.map_or(0, |(n, _)| n);
    let why = match silence {
        ..PATIENCE => format!("{owner} deletes what is left of it first"),
        _ => format!(
            "{owner} lives and has been deleting what is left of it for {}: its custom resources have finalizers of their own{}",
            long(held.since(), seen.now),
            if left > 0 { format!(" ({left} depend on it)") } else { String::new() },
        ),
    };
    (owner.into(), if silence < PATIENCE { Life::Works } else { Life::Fails }, why, vec![])
}

/// A controller that renews a Lease as long as it leads.
fn by_lease(held: &Held, owner: &str, name: &str, seen: &Evidence) -> Found {
    let whose =
        |l: &&Lease| if name.ends_with('-') { l.name.starts_with(name) } else { l.name == name };
    let Some(lease) = seen.leases.iter().filter(whose).max_by_key(|l| l.renewed) else {
        let unread = seen.unread.iter().any(|words| words.contains("leases"));
        return match (unread, name.ends_with('-')) {
            (false, true) => (
                owner.into(),
                Life::Unknown,
                format!(
                    "nobody here holds a Lease {name}*; {owner} may lead without one, or not run"
                ),
                vec![],
            ),
            _ => (
                owner.into(),
                Life::Unknown,
                format!("whether {owner} runs cannot be told: there is no Lease {name} to be read"),
                vec![],
            ),
        };
    };
    let veto = vec![Veto::Lease(lease.path(), lease.renewed)];
    if !lease.is_fresh(seen.now) {
        let ago = long(lease.renewed, seen.now);
        let why = format!(
            "{owner} does not run: its Lease {}/{} was renewed {ago} ago",
            lease.namespace, lease.name
        );
        return (owner.into(), Life::Gone, why, veto);
    }
    let (life, words) = patience(held, Epoch::default(), seen);
    // Whoever protects something that is in use does what it is there for, however long that takes.
    let used = held.gvk.kind == "PersistentVolumeClaim"
        && seen.users.get(&held.path()).is_some_and(|pods| !pods.is_empty());
    let life = if used { Life::Works } else { life };
    let words = protects(held, seen).unwrap_or(words);
    (owner.into(), life, format!("{owner} lives ({}); {words}", lease.holder), vec![])
}

/// What a protecting controller waits for, where that can be told from what is here.
fn protects(held: &Held, seen: &Evidence) -> Option<String> {
    match held.gvk.kind {
        "PersistentVolumeClaim" => Some(match seen.users.get(&held.path()) {
            Some(pods) if !pods.is_empty() => format!(
                "it waits for the pods that use the claim, ended ones too: {}",
                pods.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ")
            ),
            Some(_) => "no pod is found that uses the claim".into(),
            None => "it waits until no pod uses the claim, ended ones too".into(),
        }),
        "PersistentVolume" => Some("it waits until no claim is bound to the volume".into()),
        _ if held.propagation() == "Foreground" => {
            let (all, blocking) = held.dependents?;
            (all > 0).then(|| {
                let age = long(held.since(), seen.now);
                format!("{all} dependents are still there after {age}, {blocking} of them hold it")
            })
        }
        _ => None,
    }
}

/// A life that is known to be there: at work, or silent for too long.
fn patience(held: &Held, alive_since: Epoch, seen: &Evidence) -> (Life, String) {
    let warned = seen.warnings.get(&held.uid).and_then(|all| all.iter().max_by_key(|w| w.0));
    if let Some((at, reason, message)) = warned.filter(|w| w.0 >= held.since()) {
        let ago = long(*at, seen.now);
        return (Life::Fails, format!("its last word, {ago} ago: {reason}: {message}"));
    }
    let from = Epoch(held.since().0.max(alive_since.0));
    match from.age(seen.now) {
        ..PATIENCE => (Life::Works, format!("it has had {} so far", long(from, seen.now))),
        _ => (Life::Fails, format!("it has not let go in {}", long(from, seen.now))),
    }
}

/// A finalizer that no table knows: by rights, by who wrote it, by name.
fn unknown(held: &Held, finalizer: &str, seen: &Evidence) -> Found {
    let like = |w: &Workload| resembles(w, held, finalizer);
    by_workloads(held, finalizer, domain(finalizer).unwrap_or(finalizer), &like, seen)
}

/// Whether a workload is named like a finalizer or like who set it.
fn resembles(workload: &Workload, held: &Held, finalizer: &str) -> bool {
    let manager = held.wrote(finalizer).map(|(manager, _)| manager);
    if manager.is_some_and(|m| {
        m.len() > 3 && !COMMON.contains(&m) && workload.names.iter().any(|n| n == m)
    }) {
        return true;
    }
    let mut words = finalizer.split(['.', '/', '-']).filter(|w| w.len() > 3 && !COMMON.contains(w));
    words.any(|word| {
        workload.names.iter().any(|name| name.split(['-', '.', '/']).any(|part| part == word))
    })
}

/// Whether a role speaks of the kind, or of the finalizer's own kinds, by name.
fn speaks_of(grant: &Grant, held: &Held, finalizer: &str) -> bool {
    let of_kind = held.gvk.group.contains('.')
        && grant.groups.iter().any(|g| g == held.gvk.group)
        && grant.resources.iter().any(|r| r == "*" || r.split('/').next() == Some(held.gvk.plural));
    let of_domain = domain(finalizer).is_some_and(|d| grant.groups.iter().any(|g| belongs(g, d)));
    of_kind || of_domain
}

fn by_workloads(
    held: &Held,
    finalizer: &str,
    owner: &str,
    like: &dyn Fn(&Workload) -> bool,
    seen: &Evidence,
) -> Found {
    let Some(workloads) = &seen.workloads else {
        return (
            owner.into(),
            Life::Unknown,
            "whether its controller runs cannot be told: workloads could not be read".into(),
            vec![],
        );
    };
    let grants = seen.grants.as_deref().unwrap_or_default();
    let able: Vec<&Grant> = grants.iter().filter(|g| speaks_of(g, held, finalizer)).collect();
    let runs_as = |w: &Workload, g: &Grant| w.namespace == g.namespace && w.account == g.account;
    // What may write the kind and is also named like it is more than either alone.
    let mut found: Vec<&Workload> =
        workloads.iter().filter(|w| able.iter().any(|g| runs_as(w, g))).collect();
    if found.is_empty() {
        found = workloads.iter().filter(|w| like(w)).collect();
    } else if found.iter().any(|w| like(w)) {
        found.retain(|w| like(w));
    }
    let vetoes: Vec<Veto> = found.iter().map(|w| Veto::Workload(w.path())).collect();
    if let Some(best) = found.iter().max_by_key(|w| (w.ready, w.wanted)) {
        return of_workload(held, best, vetoes, seen);
    }
    if let Some(grant) = able.first() {
        let who = format!("{}/{}", grant.namespace, grant.account);
        let why = format!(
            "its controller is gone: the role {} is for service account {who}, and no workload runs as it",
            grant.role
        );
        let list = format!("/apis/apps/v1/namespaces/{}/deployments", grant.namespace);
        let veto = vec![Veto::Account(list, grant.account.clone())];
        return (format!("what ran as {who}"), Life::Gone, why, veto);
    }
    nobody(held, finalizer, owner, workloads, seen)
}

fn of_workload(held: &Held, best: &Workload, vetoes: Vec<Veto>, seen: &Evidence) -> Found {
    let title = best.title();
    match (best.ready, best.wanted) {
        (0, 0) => {
            let why = format!("its controller is gone: {title} is scaled to zero");
            (title, Life::Gone, why, vetoes)
        }
        (0, wanted) => {
            let why =
                format!("its controller does not run: {title} has none of {wanted} pods ready");
            (title, Life::Gone, why, vetoes)
        }
        (ready, _) => {
            let (life, words) = patience(held, best.since, seen);
            let why = format!("{title} lives ({ready} ready); {words}");
            (title, life, why, vec![])
        }
    }
}

/// No workload and no role is found for a finalizer.
fn nobody(
    held: &Held,
    finalizer: &str,
    owner: &str,
    workloads: &[Workload],
    seen: &Evidence,
) -> Found {
    let owner = owner.to_owned();
    let Some(grants) = &seen.grants else {
        let why = "no workload is named like it, and roles could not be read: somebody may do it who cannot be seen here";
        return (owner, Life::Unknown, why.into(), vec![]);
    };
    let wrote = held.status_by().filter(|(_, at)| at.age(seen.now) < 60);
    if let Some((manager, at)) = wrote {
        let why = format!(
            "somebody who calls itself {manager} wrote its status {} ago and leaves the finalizer; no workload here is known to be that",
            long(at, seen.now)
        );
        return (owner, Life::Unknown, why, vec![]);
    }
    let all =
        |g: &&Grant| g.groups.iter().any(|x| x == "*") && g.resources.iter().any(|x| x == "*");
    let mighty = grants.iter().filter(all).find_map(|g| {
        let runs = |w: &&Workload| {
            w.namespace == g.namespace
                && w.account == g.account
                && w.ready > 0
                && w.namespace != "kube-system"
        };
        workloads.iter().find(runs)
    });
    if let Some(workload) = mighty {
        let why = format!(
            "nothing here is named like it; {} may write everything and might be the one",
            workload.title()
        );
        return (owner, Life::Unknown, why, vec![]);
    }
    let kind = match held.gvk.group {
        "" => held.gvk.plural.to_owned(),
        group => format!("{}.{group}", held.gvk.plural),
    };
    let set = match held.wrote(finalizer) {
        Some((manager, at)) if at.is_set() => {
            format!("; it was set by {manager} {} ago", long(at, seen.now))
        }
        _ => String::new(),
    };
    let why = format!(
        "its controller is gone: no workload here is named like it, and no role lets one write {kind}{set}"
    );
    (owner, Life::Gone, why, vec![])
}
