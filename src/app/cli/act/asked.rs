//! What the words of a command line ask for: an action, a kind, names, and what the action takes beside them.

use super::{Act, Words};
use crate::app::cli::Failure;
use crate::state::decl::Gvk;
use crate::state::kinds;
use crate::state::nearest;
use crate::state::text::clean;

/// Names that kubectl knows kinds by, beside their own.
const SHORT: [(&str, &str); 10] = [
    ("no", "nodes"),
    ("po", "pods"),
    ("ns", "namespaces"),
    ("deploy", "deployments"),
    ("sts", "statefulsets"),
    ("ds", "daemonsets"),
    ("rs", "replicasets"),
    ("cj", "cronjobs"),
    ("pdb", "poddisruptionbudgets"),
    ("rc", "replicationcontrollers"),
];

/// What an action is asked for: its id, kind, names, and the rest.
pub(super) type Asked = (&'static str, &'static Gvk, Vec<String>, String);

/// What is asked for, unless it is an undo.
///
/// # Errors
/// Usage: words that name no kind or no object.
pub(super) fn asked(act: &Act) -> Result<Option<Asked>, Failure> {
    let node = kind("nodes")?;
    Ok(Some(match act {
        Act::Undo { .. } => return Ok(None),
        Act::Cordon { nodes, reason, ticket, owner, .. } => {
            let field = |name: &str, value: &Option<String>| {
                value.as_ref().map(|v| format!(" {name}={v}")).unwrap_or_default()
            };
            let why = format!("{reason}{}{}", field("ticket", ticket), field("owner", owner));
            ("cordon", node, nodes.nodes.clone(), why)
        }
        Act::Uncordon { nodes, .. } => ("uncordon", node, nodes.nodes.clone(), String::new()),
        Act::Evict { pods, .. } => ("evict", kind("pods")?, pods.clone(), String::new()),
        Act::Taint(words) => split("taint", words, |w| w.contains(':') || w.ends_with('-'))?,
        Act::Label(words) => split("label", words, |w| w.contains('=') || w.ends_with('-'))?,
        Act::Annotate(words) => split("annotate", words, |w| w.contains('=') || w.ends_with('-'))?,
        Act::Delete(words) => split("delete", words, |_| false)?,
        Act::Restart(words) => split("restart", words, |_| false)?,
        Act::Limits(words) => {
            let levels = vec!["prioritylevelconfigurations".to_owned()];
            let words = Words { words: [levels, words.words.clone()].concat(), ..words.clone() };
            split("limits", &words, |w| w.contains('='))?
        }
        Act::Scale { replicas, words } => {
            let (action, kind, names, _) = split("scale", words, |_| false)?;
            (action, kind, names, replicas.to_string())
        }
    }))
}

/// Kind, names, and the words that are neither.
fn split(action: &'static str, words: &Words, rest: fn(&str) -> bool) -> Result<Asked, Failure> {
    let (argument, names): (Vec<&String>, Vec<&String>) = words.words.iter().partition(|w| rest(w));
    let argument = argument.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut names = names.into_iter();
    let first = names.next().ok_or_else(|| Failure::usage(format!("{action} needs a kind")))?;
    let mut found: Vec<String> = names.cloned().collect();
    let kind = match first.split_once('/') {
        Some((named, name)) => {
            found.insert(0, name.to_owned());
            kind(named)?
        }
        None => kind(first)?,
    };
    if found.is_empty() {
        return Err(Failure::usage(format!("{action} needs the name of a {}", kind.kind)));
    }
    Ok((action, kind, found, argument))
}

fn kind(word: &str) -> Result<&'static Gvk, Failure> {
    let lower = word.to_lowercase();
    let long = SHORT.iter().find(|(short, _)| *short == lower).map_or(&*lower, |(_, long)| long);
    let all = || {
        let kinds = kinds::ALL.iter().flat_map(|table| table.kinds).map(|kind| &kind.gvk);
        kinds.filter(|gvk| gvk.is_served())
    };
    let is = |gvk: &&Gvk| gvk.plural == long || gvk.kind.to_lowercase() == long;
    all().find(is).ok_or_else(|| {
        let hint = nearest::hint(long, all().map(|gvk| gvk.plural));
        Failure::usage(format!("there is no kind `{}` here{hint}", clean(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::Cli;
    use crate::app::cli::Command;
    use clap::Parser;

    /// Action, plural, names and argument of a command line.
    fn read(line: &str) -> Result<(&'static str, &'static str, String, String), String> {
        let cli = Cli::try_parse_from(line.split(' ')).map_err(|e| e.to_string())?;
        let Some(Command::Act(act)) = cli.command else { return Err("no act".into()) };
        match asked(&act).map_err(|failure| failure.words)? {
            Some((action, gvk, names, rest)) => Ok((action, gvk.plural, names.join(","), rest)),
            None => Err("undo".into()),
        }
    }

    #[test]
    fn kinds_and_names_are_written_as_kubectl_takes_them() {
        let ok = |a, b, c: &str, d: &str| Ok((a, b, c.to_owned(), d.to_owned()));
        let cases = [
            (
                "wh taint nodes n1 n2 a=b:NoSchedule old-",
                ok("taint", "nodes", "n1,n2", "a=b:NoSchedule old-"),
            ),
            (
                "wh label deploy/web example.com/a=1 b-",
                ok("label", "deployments", "web", "example.com/a=1 b-"),
            ),
            ("wh delete po web-0 web-1 -n shop", ok("delete", "pods", "web-0,web-1", "")),
            ("wh restart sts db", ok("restart", "statefulsets", "db", "")),
            ("wh scale deployment web --replicas 3", ok("scale", "deployments", "web", "3")),
            (
                "wh limits workload-low shares=8 queues=32",
                ok("limits", "prioritylevelconfigurations", "workload-low", "shares=8 queues=32"),
            ),
            ("wh evict web-0 -n shop", ok("evict", "pods", "web-0", "")),
            (
                "wh cordon n1 --reason kernel --ticket CHG-7",
                ok("cordon", "nodes", "n1", "kernel ticket=CHG-7"),
            ),
        ];
        for (line, wanted) in cases {
            assert_eq!(read(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_names_no_object_is_a_mistake_of_usage() {
        for line in [
            "wh delete pods",
            "wh delete moons x",
            "wh label nodes a=1",
            "wh cordon",
            "wh scale deploy web",
            "wh limits shares=8",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
