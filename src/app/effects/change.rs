//! Changes: read what is to be changed, plan it, and once it is confirmed perform it on a thread that may wait.

use super::{Post, insight};
use crate::actions::change::{By, Seen};
use crate::actions::plan::{Armed, Before, Danger, Note, Plan, Request as Wanted, Step};
use crate::actions::{Wish, named};
use crate::app::cluster::request::encode;
use crate::app::cluster::reread::reread;
use crate::app::cluster::session::{
    Answer, ArmedId, Fault, Permit, Review, call, get, may, may_named,
};
use crate::app::cluster::upstream::Upstream;
use crate::app::cluster::{Client, fetch};
use crate::app::execute::{Report, Server, execute};
use crate::app::journal::{Journal, Trouble, who};
use crate::app::msg::Msg;
use crate::state::cluster::Cluster;
use crate::state::journal::{Began, PutBack, Sent, Standing, Story};
use crate::state::time::Epoch;
use crate::state::ui::document::Target;
use futures_util::StreamExt as _;
use http::{Method, Request, header};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest wait for the answer to a write. An admission webhook may take 30 s (admissionregistration/v1), and the
/// server gives up on its own requests after 60.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(65));
/// Longest wait when the object of an unanswered request is read again.
const LOOK: Option<Duration> = Some(Duration::from_secs(5));
/// Objects read at once before a preview.
const AT_ONCE: usize = 8;
/// Refusals of a dry run that are told one by one.
const REFUSALS: usize = 5;

/// Numbers plans, so that requests carry the plan they belong to.
static PLANS: AtomicU64 = AtomicU64::new(1);

/// The cluster, for a thread that may wait.
pub struct Reach {
    /// Where futures run.
    pub runtime: Handle,
    /// Sends requests that carry a permit.
    pub client: Client,
}

impl Server for Reach {
    fn write(&self, plan: ArmedId, wanted: &Wanted) -> Result<Answer, Fault> {
        self.runtime.block_on(send(&self.client, Permit::Write(plan), wanted))
    }

    fn look(&self, path: &str) -> Option<Result<Value, Fault>> {
        let answer = self.runtime.block_on(get(&self.client, path, LOOK));
        Some(answer.and_then(|answer| {
            serde_json::from_slice(&answer.body)
                .map_err(|_| Fault::Foreign(format!("{path} answered something that is not JSON")))
        }))
    }
}

/// Sends a planned request.
///
/// # Errors
/// As [`call`].
pub async fn send(client: &Client, permit: Permit, wanted: &Wanted) -> Result<Answer, Fault> {
    let bug =
        |e: &dyn std::fmt::Display| Fault::Bug(format!("{} {}: {e}", wanted.method, wanted.path));
    let method: Method = wanted.method.parse().map_err(|e| bug(&e))?;
    let request = Request::builder()
        .method(method)
        .uri(&wanted.path)
        .header(header::CONTENT_TYPE, &wanted.content_type)
        .body(wanted.body.to_string().into_bytes())
        .map_err(|e| bug(&e))?;
    call(client, permit, request, DEADLINE).await
}

/// Reads what a wish is about, asks for the rights, and plans it.
///
/// # Errors
/// Why nothing can or need be done, in words.
pub async fn prepare(
    upstream: &Arc<Upstream>,
    wish: &Wish,
    cluster: &Cluster,
    now: Epoch,
) -> Result<Plan, String> {
    let client = &upstream.client;
    let change = named(wish.action).and_then(|action| action.change());
    let change = change.ok_or_else(|| format!("{} changes nothing", wish.action))?;
    let wants_pods = change.wants_pods(&wish.argument);
    let read = wish.targets.iter().cloned().map(|target| read(client.clone(), target, wants_pods));
    let read: Vec<_> = futures_util::stream::iter(read).buffered(AT_ONCE).collect().await;
    let (mut seen, mut gone) = (vec![], vec![]);
    for (target, object, pods) in read {
        match object {
            Ok(object) => seen.push(Seen { target, object, pods, evidence: None }),
            Err(fault) => gone.push(format!("{}: {fault}", target.path())),
        }
    }
    if seen.is_empty() {
        return Err(gone.join("; "));
    }
    if change.wants_evidence() {
        insight::with_evidence(client, &mut seen, now).await;
    }
    let by = By { login: who(), at: now.rfc3339() };
    let mut plan = match change.rereads() {
        [] => change.plan(&seen, &wish.argument, &by)?,
        tables => {
            let among = reread(upstream, tables, &cluster.server).await;
            change.plan_among(&seen, &wish.argument, &by, &among)?
        }
    };
    plan.reason = change.reason(&wish.argument);
    if change.is_dry_run_first() {
        plan.notes.extend(dry_run(client, &plan).await);
    }
    plan.notes.extend(gone.into_iter().map(|words| Note::warn(format!("left out: {words}"))));
    plan.notes.extend(missing_rights(client, change.right(), &seen).await);
    for [verb, group, resource, name] in change.more_rights(&seen) {
        if let Review::Denied(reason) = may_named(client, &verb, &group, &resource, &name).await {
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            plan.notes.push(Note::bad(format!(
                "a review says you may not {verb} {resource} {name}{reason}; the server will refuse it"
            )));
        }
    }
    if cluster.protected {
        plan.danger = plan.danger.raised(&cluster.context);
    }
    Ok(plan)
}

/// What the server says to the steps of a plan when it only checks them. A webhook that refuses is named by its words.
async fn dry_run(client: &Client, plan: &Plan) -> Vec<Note> {
    let ask = |step: &Step| {
        let (client, request, words) = (client.clone(), step.request.dry(), step.words.clone());
        async move { (words, send(&client, Permit::DryRun, &request).await) }
    };
    let asked = plan.steps.iter().map(ask);
    let answers: Vec<_> = futures_util::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut refused = vec![];
    for (words, answer) in answers {
        if let Err(fault) = answer {
            refused.push(Note::bad(format!(
                "tried with dryRun, the server would refuse: {words}: {fault}"
            )));
        }
    }
    let more = refused.len().saturating_sub(REFUSALS);
    if refused.is_empty() {
        return vec![Note::plain("tried with dryRun: the server would take all of it")];
    }
    refused.truncate(REFUSALS);
    if more > 0 {
        refused.push(Note::bad(format!("and {more} more would be refused")));
    }
    refused
}

/// An object, and its pods if it is a node and they are wanted.
async fn read(
    client: Client,
    target: Target,
    wants_pods: bool,
) -> (Target, Result<Value, Fault>, Result<Vec<Value>, String>) {
    let object = fetch::get_object(&client, &target).await;
    let pods = match wants_pods {
        true => pods_of(&client, &target.name).await.map_err(|fault| fault.to_string()),
        false => Ok(vec![]),
    };
    (target, object, pods)
}

async fn pods_of(client: &Client, node: &str) -> Result<Vec<Value>, Fault> {
    let path = format!("/api/v1/pods?fieldSelector={}", encode(&format!("spec.nodeName={node}")));
    let answer = get(client, &path, Some(Duration::from_secs(20))).await?;
    let list: Value = serde_json::from_slice(&answer.body).map_err(|_| {
        Fault::Foreign("pods were asked for in JSON and came as something else".into())
    })?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

/// What a review says is not allowed. A warning: only the server's own refusal is proof.
async fn missing_rights(client: &Client, right: (&str, &str), seen: &[Seen]) -> Vec<Note> {
    let (verb, sub) = right;
    let mut asked: Vec<(&str, String, &str)> = vec![];
    for Seen { target, .. } in seen {
        let slash = if sub.is_empty() { "" } else { "/" };
        let place =
            (target.gvk.group, format!("{}{slash}{sub}", target.gvk.plural), &*target.namespace);
        if !asked.contains(&place) {
            asked.push(place);
        }
    }
    let mut notes = vec![];
    for (group, resource, namespace) in asked {
        let place = Some(namespace).filter(|ns| !ns.is_empty());
        if let Review::Denied(reason) = may(client, verb, group, &resource, place).await {
            let place = place.map(|ns| format!(" in {ns}")).unwrap_or_default();
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            notes.push(Note::bad(format!(
                "a review says you may not {verb} {resource}{place}{reason}; the server will refuse it"
            )));
        }
    }
    notes
}

/// Performs a confirmed plan on a thread of its own.
pub fn perform(
    armed: Armed,
    reach: Reach,
    cluster: &Cluster,
    cancelled: Arc<AtomicBool>,
    post: Post,
) -> std::io::Result<()> {
    let (began, journal) = (began(cluster), journal_of(cluster));
    let run = move || {
        let mut told = |n| post(Msg::Progress(n));
        let report = run_plan(&armed, &reach, &journal, began, &mut told, &cancelled);
        post(Msg::Executed(Box::new(report)));
    };
    std::thread::Builder::new().name("hands".into()).spawn(run).map(|_| ())
}

/// Performs a confirmed plan here and now.
pub fn run_plan(
    armed: &Armed,
    server: &dyn Server,
    journal: &Result<Journal, Trouble>,
    began: Began,
    told: &mut dyn FnMut(usize),
    cancelled: &AtomicBool,
) -> Report {
    execute(armed, next_id(), server, journal, began, told, cancelled)
}

/// The number of one more confirmed plan.
pub fn next_id() -> ArmedId {
    ArmedId(PLANS.fetch_add(1, Ordering::Relaxed))
}

/// Where it is recorded: the operator's journal, or nowhere if that was asked for.
///
/// # Errors
/// [`Trouble::NoHome`].
pub fn journal_of(cluster: &Cluster) -> Result<Journal, Trouble> {
    if cluster.unrecorded { Ok(Journal::off()) } else { Journal::home() }
}

/// Who does it, where.
pub fn began(cluster: &Cluster) -> Began {
    Began {
        context: cluster.context.clone(),
        server: cluster.server.clone(),
        user: cluster.user.clone(),
        ..Began::default()
    }
}

/// The plan that puts back what a run did, the last one on this server if none is named. On a protected context it asks
/// one level more, whoever calls.
///
/// # Errors
/// Why there is nothing to be put back.
pub fn undo(run: Option<&str>, cluster: &Cluster) -> Result<Plan, String> {
    undo_from(&Journal::home().map_err(|why| why.to_string())?, run, cluster)
}

/// [`undo`] of what stands in this journal.
///
/// # Errors
/// As [`undo`].
pub fn undo_from(journal: &Journal, run: Option<&str>, cluster: &Cluster) -> Result<Plan, String> {
    let words = |why: crate::app::journal::Trouble| why.to_string();
    let wanted = run.map(|word| journal.find(word)).transpose().map_err(words)?;
    let mut later = PutBack::default();
    for summary in journal.runs().map_err(words)? {
        let name = summary.run;
        let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == name);
        let story = match journal.read(&name) {
            Ok(story) => story,
            Err(why) if is_wanted => return Err(why.to_string()),
            // What it put back is not known here; the steps test it themselves.
            Err(_) => continue,
        };
        let left = later.left(&Sent::undos(&story), Sent::by(&story));
        let here = story.began.server == cluster.server;
        match &wanted {
            _ if !is_wanted => continue,
            Some(_) if !here => {
                return Err(format!("{name} was on {}, not here", story.began.server));
            }
            None if !here => continue,
            _ => {}
        }
        if matches!(story.standing(), Standing::Alive { .. }) {
            return Err(format!("{name} is still running"));
        }
        let steps = story.undo_steps().into_iter().zip(left).filter(|(_, left)| *left);
        let steps: Vec<Step> = steps.filter_map(|(entry, _)| back(entry)).collect();
        if !steps.is_empty() {
            return Ok(undo_plan(&story, steps, cluster));
        }
        if wanted.is_some() {
            return Err(format!("nothing of {name} can be put back, or all of it was"));
        }
    }
    Err("nothing that was done from here on this cluster can be put back".into())
}

fn undo_plan(story: &Story, steps: Vec<Step>, cluster: &Cluster) -> Plan {
    let began = &story.began;
    let at = Epoch(story.at as i64).rfc3339();
    let mut notes = vec![Note::plain(format!("{} was done {at} by {}", began.run, began.login))];
    if !story.strange.is_empty() || !story.damaged.is_empty() {
        notes.push(Note::warn("some of its records cannot be understood; what they tell of stays"));
    }
    if story.standing() == Standing::Interrupted {
        notes.push(Note::warn("it was interrupted; what is known to be done is put back"));
    }
    let danger = match cluster.protected {
        true => Danger::Disruptive.raised(&cluster.context),
        false => Danger::Disruptive,
    };
    let title = format!("undo {}: {}", began.run, began.title);
    Plan { action: "undo".into(), title, steps, notes, danger, drain: None, reason: String::new() }
}

fn back(entry: &crate::state::journal::Entry) -> Option<Step> {
    let intent = &entry.intent;
    let undo = intent.undo.clone()?;
    let (method, path, content_type, body) = (undo.method, undo.path, undo.content_type, undo.body);
    Some(Step {
        words: undo.words,
        object: [&intent.kind, &intent.namespace, &intent.name, &intent.uid].map(Clone::clone),
        request: Wanted { method, path, content_type, body },
        undo: None,
        before: Before::default(),
    })
}
