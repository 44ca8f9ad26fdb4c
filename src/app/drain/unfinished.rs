//! Drains that did not come to their end: found in the journal, and taken up again only after a look and a yes.

use crate::actions::drain::orders::DrainRun;
use crate::actions::plan::{Danger, Note, Plan};
use crate::app::journal::Journal;
use crate::state::cluster::Cluster;
use crate::state::journal::{How, Standing, Story};
use crate::state::time::Epoch;

/// A drain that was interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// Its run.
    pub run: String,
    /// `drain 3 nodes`.
    pub title: String,
    /// When it began.
    pub at: Epoch,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Evictions that the server had accepted.
    pub accepted: usize,
}

impl Unfinished {
    /// In one line.
    pub fn words(&self) -> String {
        format!(
            "{} (run {}) from {} was interrupted; {} pods were moved by then",
            self.title,
            self.run,
            self.at.rfc3339(),
            self.accepted
        )
    }
}

/// Interrupted drains on this server, newest first. Blocks.
///
/// # Errors
/// The journal cannot be read.
pub fn list(cluster: &Cluster) -> Result<Vec<Unfinished>, String> {
    let journal = Journal::home().map_err(|why| why.to_string())?;
    let runs = journal.runs().map_err(|why| why.to_string())?;
    let drains = runs
        .into_iter()
        .filter(|r| r.action == "drain" && r.standing == Standing::Interrupted)
        .filter_map(|r| journal.read(&r.run).ok());
    Ok(drains.filter(|s| s.began.server == cluster.server).filter_map(|s| of(&s)).collect())
}

fn of(story: &Story) -> Option<Unfinished> {
    let (header, past) = super::past::read(story).ok()?;
    Some(Unfinished {
        run: story.began.run.clone(),
        title: story.began.title.clone(),
        at: Epoch(story.at as i64),
        nodes: header.mandate.nodes.iter().map(|n| n.name.clone()).collect(),
        accepted: past.accepted.len(),
    })
}

/// The plan to go on with a run, the newest interrupted one if none is named. Blocks.
///
/// # Errors
/// There is none, it is of another cluster, or its process lives.
pub fn plan(run: Option<&str>, cluster: &Cluster) -> Result<Plan, String> {
    let journal = Journal::home().map_err(|why| why.to_string())?;
    let name = match run {
        Some(word) => journal.find(word).map_err(|why| why.to_string())?,
        None => match list(cluster)?.into_iter().next() {
            Some(found) => found.run,
            None => return Err("no interrupted drain of this cluster is in the journal".into()),
        },
    };
    let story = journal.read(&name).map_err(|why| why.to_string())?;
    match story.standing() {
        Standing::Interrupted => {}
        Standing::Alive { pid, host } => {
            return Err(format!("{name} runs: process {pid} on {host}"));
        }
        other => return Err(format!("{name} is not interrupted: {}", other.words())),
    }
    if story.began.server != cluster.server {
        return Err(format!("{name} was on {}, not here", story.began.server));
    }
    let (header, past) = super::past::read(&story)?;
    let nodes: Vec<&str> = header.mandate.nodes.iter().map(|n| n.name.as_str()).collect();
    let mut notes = vec![
        Note::plain(format!("begun {} by {}", Epoch(story.at as i64).rfc3339(), story.began.login)),
        Note::plain(format!("nodes: {}", nodes.join(" "))),
        Note::plain(format!(
            "{} evictions were accepted; none of these pods is asked again",
            past.accepted.len()
        )),
    ];
    if !past.unsure.is_empty() {
        notes.push(Note::warn(format!(
            "of {} requests nobody knows what became; each pod is read by its uid before anything is sent for it",
            past.unsure.len()
        )));
    }
    let danger = match cluster.protected {
        true => Danger::Disruptive.raised(&cluster.context),
        false => Danger::Disruptive,
    };
    let plan = Plan {
        action: "drain".into(),
        title: format!("go on with {}", story.began.title),
        steps: vec![],
        notes,
        danger,
        drain: Some(Box::new(DrainRun {
            mandate: header.mandate,
            reason: String::new(),
            resume: Some(name),
        })),
        reason: String::new(),
    };
    Ok(plan)
}

/// Says of an interrupted drain that nobody will go on with it. Nothing is sent. Blocks.
///
/// # Errors
/// As [`plan`], and a journal that cannot be written.
pub fn abandon(run: Option<&str>, cluster: &Cluster) -> Result<String, String> {
    let plan = plan(run, cluster)?;
    let name = plan.drain.and_then(|drain| drain.resume).unwrap_or_default();
    let journal = Journal::home().map_err(|why| why.to_string())?;
    let (_, mut taken) = journal.resume(&name).map_err(|why| why.to_string())?;
    let ended = taken.end(How::Aborted, "left as it is by the operator");
    ended.map_err(|why| why.to_string())?;
    Ok(name)
}
