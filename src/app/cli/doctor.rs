//! `wheelhouse doctor`: what works from here, what does not, and what is missing.

use super::{Common, exit};
use crate::app::cluster::session::{Lock, PluginStdio, Review, get, may};
use crate::app::cluster::{Client, probe};
use crate::app::config::Config;
use crate::app::connect::{Connection, Origin, cluster_uid};
use crate::app::journal::Journal;
use crate::app::limits;
use crate::app::terminal::clipboard::Route;
use crate::app::terminal::profile::{Asked, Depth, Glyphs, Link, Mux, TermProfile, detect};
use crate::app::terminal::tty;
use crate::state::cluster::UNRECORDED;
use crate::state::decl::Gvk;
use crate::state::journal::Standing;
use crate::state::kinds;
use crate::views;
use std::time::Duration;

const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// A line: whether it is well, what it is about, what was found.
struct Finding(Mark, &'static str, String);

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Well,
    Note,
    Bad,
}

/// The report and the exit code.
pub async fn doctor(common: &Common) -> (String, u8) {
    let mut found = terminal();
    let config = Config::of_env();
    found.extend(file(&config));
    found.extend(limits::of_env().1.into_iter().map(|why| Finding(Mark::Note, "limits", why)));
    found.push(journal(common.no_journal));
    let connected = match Origin::of(common) {
        Ok(origin) => origin.open(Lock::new(true), PluginStdio::Inherit).await,
        Err(fault) => Err(fault),
    };
    match connected {
        Ok(connection) => {
            found.extend(connection_facts(&connection));
            found.extend(rules(&connection, common, config.is_ok()).await);
            found.extend(abilities(&connection).await);
            found.extend(rights(&connection, common.connect.namespace.as_deref()).await);
        }
        Err(fault) => found.push(Finding(Mark::Bad, "connection", fault.paragraph())),
    }
    let code = if found.iter().any(|f| f.0 == Mark::Bad) { exit::FAILED } else { exit::DONE };
    (found.iter().map(line).collect(), code)
}

fn line(Finding(mark, about, words): &Finding) -> String {
    let mark = match mark {
        Mark::Well => "ok  ",
        Mark::Note => "note",
        Mark::Bad => "BAD ",
    };
    let words = words.trim_end().replace('\n', "\n                          ");
    format!("{mark}  {about:<18}  {words}\n")
}

fn terminal() -> Vec<Finding> {
    let env = |name: &str| std::env::var(name).ok();
    let asked = Asked { ascii: false, link: Link::Auto, tty: true };
    let mut found = match detect(&env, asked) {
        Ok(profile) => vec![
            Finding(Mark::Well, "terminal", told(&profile)),
            Finding(Mark::Well, "clipboard", Route::of(&profile).to_string()),
        ],
        Err(why) => vec![Finding(Mark::Note, "terminal", why.to_string())],
    };
    if !tty::is_tty() {
        let words = "standard input or output is not a terminal: only print works like this";
        found.push(Finding(Mark::Note, "terminal", words.into()));
    }
    found
}

fn told(profile: &TermProfile) -> String {
    let colours = match profile.depth {
        Depth::Mono => "no colours",
        Depth::Ansi16 => "16 colours",
        Depth::Ansi256 => "256 colours",
        Depth::Rgb => "true colour",
    };
    let glyphs = if profile.glyphs == Glyphs::Ascii { "ASCII" } else { "Unicode" };
    let mux = match profile.mux {
        Mux::None => "",
        Mux::Tmux => ", in tmux",
        Mux::Screen => ", in GNU screen",
    };
    let ssh = if profile.ssh { ", over SSH" } else { "" };
    let budget = match profile.budget {
        Some(rate) => format!(", at most {rate}"),
        None => String::new(),
    };
    format!("{colours}, {glyphs}{ssh}{mux}{budget}")
}

fn connection_facts(connection: &Connection) -> Vec<Finding> {
    let c = &connection.cluster;
    let mut found = vec![];
    if let Some(session) = &connection.session {
        let about = &session.about;
        let files: Vec<_> = about.files.iter().map(|f| f.display().to_string()).collect();
        let from =
            if about.in_cluster { "in-cluster service account".into() } else { files.join(", ") };
        found.push(Finding(
            Mark::Well,
            "kubeconfig",
            if from.is_empty() { "none; flags alone".into() } else { from },
        ));
        if let Some(proxy) = &about.proxy {
            found.push(Finding(Mark::Note, "proxy", proxy.clone()));
        }
        found.extend(about.notes.iter().map(|n| Finding(Mark::Note, "kubeconfig", n.clone())));
    }
    found.push(Finding(
        Mark::Well,
        "cluster",
        format!("{} at {} as {}", c.context, c.server, c.user),
    ));
    if c.insecure {
        found.push(Finding(
            Mark::Bad,
            "certificate",
            "not verified: anyone on the path can read and change everything".into(),
        ));
    }
    let version = if c.version.is_empty() { "not told (403 on /version)" } else { &c.version };
    found.push(Finding(Mark::Well, "server version", version.into()));
    match connection.meter.skew_seconds() {
        Some(skew) if skew.abs() >= 5 => found.push(Finding(
            Mark::Note,
            "clock",
            format!("the server is {skew:+} s off ours; ages are told by the server's"),
        )),
        Some(_) => found.push(Finding(Mark::Well, "clock", "the server's and ours agree".into())),
        None => {}
    }
    found
}

/// The operator's file.
fn file(config: &Result<Config, String>) -> Vec<Finding> {
    let config = match config {
        Ok(config) => config,
        Err(why) => return vec![Finding(Mark::Bad, "config", why.clone())],
    };
    let path = config.file.display();
    let words = match (config.exists, config.rules.len()) {
        (false, _) if config.file.as_os_str().is_empty() => {
            "neither XDG_CONFIG_HOME nor HOME names a folder for config.toml".to_owned()
        }
        (false, _) => format!("there is no {path}; no context is read-only or protected by it"),
        (true, 1) => format!("{path}: 1 rule"),
        (true, n) => format!("{path}: {n} rules"),
    };
    let mut found = vec![Finding(Mark::Well, "config", words)];
    found.extend(config.warnings.iter().map(|w| Finding(Mark::Note, "config", w.clone())));
    found
}

/// Whether what is done can be recorded.
fn journal(off: bool) -> Finding {
    let mark = |bad| if off { Mark::Note } else { bad };
    let journal = match Journal::home() {
        Ok(journal) => journal,
        Err(why) => return Finding(mark(Mark::Bad), "journal", why.to_string()),
    };
    let folder = journal.folder().display();
    match (journal.check(), journal.runs()) {
        (Err(why), _) | (_, Err(why)) => Finding(mark(Mark::Bad), "journal", why.to_string()),
        _ if off => Finding(Mark::Note, "journal", format!("not used: {UNRECORDED}")),
        (Ok(()), Ok(runs)) => {
            let open = runs.iter().filter(|r| r.standing == Standing::Interrupted).count();
            let words = format!("{folder}: {} runs, {open} unfinished", runs.len());
            Finding(if open > 0 { Mark::Note } else { Mark::Well }, "journal", words)
        }
    }
}

/// What holds for this context, and what a rule on this cluster would name.
async fn rules(connection: &Connection, common: &Common, read: bool) -> Vec<Finding> {
    let ruling = &connection.ruling;
    let read_only = ruling.read_only.clone().or(common.read_only.then(|| "--read-only".to_owned()));
    let told = |what: &str, by: &Option<String>| match by {
        Some(by) => format!("{what} ({by})"),
        None => format!("not {what}"),
    };
    let context = &connection.cluster.context;
    let words = match read {
        true => {
            let protected = told("protected", &ruling.protected);
            format!("{context}: {}, {protected}", told("read-only", &read_only))
        }
        false => format!("{context}: not known, as the file cannot be read"),
    };
    let mut found = vec![Finding(if read { Mark::Well } else { Mark::Bad }, "rules", words)];
    found.extend(ruling.notes.iter().map(|note| Finding(Mark::Note, "rules", note.clone())));
    found.push(match cluster_uid(&connection.client).await {
        Ok(uid) => Finding(Mark::Well, "cluster uid", format!("{uid} (namespace kube-system)")),
        Err(why) => Finding(Mark::Note, "cluster uid", format!("not known: {why}")),
    });
    found
}

async fn abilities(connection: &Connection) -> Vec<Finding> {
    let client = &connection.client;
    let told = |mark, about, words: &str| Finding(mark, about, words.to_owned());
    let mut found = vec![match probe::protobuf(client).await {
        Ok(true) => told(Mark::Well, "protobuf", "spoken"),
        Ok(false) => told(
            Mark::Note,
            "protobuf",
            "not spoken: lists come as JSON, which costs the server and us more",
        ),
        Err(why) => Finding(Mark::Note, "protobuf", format!("not known: {why}")),
    }];
    found.push(match probe::watch_list(client).await {
        Ok(true) => told(Mark::Well, "WatchList", "served: initial lists are streamed"),
        Ok(false) => told(Mark::Note, "WatchList", "not served: initial lists come in pages"),
        Err(why) => Finding(Mark::Note, "WatchList", format!("not known: {why}")),
    });
    found.push(match metrics(client).await {
        Ok(()) => told(Mark::Well, "metrics API", "served"),
        Err(why) => Finding(Mark::Note, "metrics API", why),
    });
    found
}

async fn metrics(client: &Client) -> Result<(), String> {
    let answer = get(client, "/apis/metrics.k8s.io", DEADLINE).await;
    answer.map(|_| ()).map_err(|fault| format!("not served: {fault}"))
}

/// What each right allows, by self-review. Some gateways answer reviews wrongly; only a 403 is proof.
async fn rights(connection: &Connection, namespace: Option<&str>) -> Vec<Finding> {
    let mut found = vec![];
    for view in views::ALL {
        let table = kinds::ALL.iter().find(|t| t.id == view.table);
        // A survey goes through all kinds and tells itself what it may not list, so does what is measured; runs are on this
        // machine.
        let declared = table.map(|t| t.kinds).unwrap_or_default().iter();
        for kind in declared.filter(|kind| kind.gvk.is_served()) {
            let everywhere = view_right(connection, &kind.gvk, namespace).await;
            let home = Some(connection.cluster.home.as_str()).filter(|home| !home.is_empty());
            let narrower = home.filter(|_| kind.gvk.namespaced && namespace.is_none());
            found.push(match (everywhere, narrower) {
                (Finding(Mark::Note, ..), Some(home)) => {
                    view_right(connection, &kind.gvk, Some(home)).await
                }
                (finding, _) => finding,
            });
        }
    }
    let place = namespace.unwrap_or(&connection.cluster.home);
    for (feature, verb, resource) in [("logs", "get", "pods/log"), ("shell", "create", "pods/exec")]
    {
        let review = may(&connection.client, verb, "", resource, Some(place)).await;
        found.push(match review {
            Review::Allowed => {
                Finding(Mark::Well, "rights", format!("{feature} in {place}: {verb} {resource}"))
            }
            review => Finding(
                Mark::Note,
                "rights",
                format!("no {feature} in {place}: {verb} {resource} {}", missing(&review)),
            ),
        });
    }
    found
}

/// What is shown of a kind in a scope.
async fn view_right(connection: &Connection, gvk: &Gvk, namespace: Option<&str>) -> Finding {
    let scope = namespace.filter(|_| gvk.namespaced);
    let mut lacking = vec![];
    for verb in ["list", "watch", "get"] {
        match may(&connection.client, verb, gvk.group, gvk.plural, scope).await {
            Review::Allowed => {}
            review => lacking.push((verb, missing(&review))),
        }
    }
    let place = scope.map(|ns| format!(" in {ns}")).unwrap_or_default();
    let consequence = match lacking.first() {
        None => {
            let words = format!("{}{place}: live, YAML and describe", gvk.plural);
            return Finding(Mark::Well, "rights", words);
        }
        Some(("list", _)) => "not shown",
        Some(("watch", _)) => "listed again now and then instead of live",
        Some(_) => "rows, but no YAML and no describe",
    };
    let lacking = lacking.chunk_by(|(_, why), (_, other)| why == other).map(|same| {
        let verbs: Vec<_> = same.iter().map(|(verb, _)| *verb).collect();
        format!("{} {}", verbs.join(", "), same[0].1)
    });
    let lacking = lacking.collect::<Vec<_>>().join("; ");
    Finding(Mark::Note, "rights", format!("{}{place}: {consequence} ({lacking})", gvk.plural))
}

fn missing(review: &Review) -> String {
    match review {
        Review::Allowed => String::new(),
        Review::Denied(_) => "denied by a review".into(),
        Review::Unknown(fault) => format!("not known: {fault}"),
    }
}
