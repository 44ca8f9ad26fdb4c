//! Jobs and what starts them on a schedule.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, Condition, born, owned_by, set_condition, since, stamp, text};
use super::super::registry::{CRON_JOBS, JOBS};
use super::super::store::Object;
use super::owned::{Owned, is_active, spawn};

/// Finished jobs a schedule keeps, the default of `successfulJobsHistoryLimit`.
const KEPT: usize = 3;

/// One step for every job: pods until enough have succeeded.
pub fn sync_jobs(world: &mut World, pods: &Owned, now: Timestamp) {
    let jobs: Vec<Object> = world.store.table(&JOBS).values().cloned().collect();
    for job in jobs.iter().filter(|j| !object::is_deleting(j)) {
        if object::holds(job, "Complete") {
            let over = since(&job["status"]["completionTime"], now);
            if job["spec"]["ttlSecondsAfterFinished"].as_i64().is_some_and(|ttl| over > ttl) {
                world.let_go(&JOBS, job, now);
            }
            continue;
        }
        let own = pods.get(object::uid(job)).map_or(&[][..], Vec::as_slice);
        let active = own.iter().filter(|p| is_active(p)).count() as u64;
        let succeeded = own.iter().filter(|p| p["status"]["phase"] == "Succeeded").count() as u64;
        let wanted = job["spec"]["completions"].as_u64().unwrap_or(1);
        let parallel = job["spec"]["parallelism"].as_u64().unwrap_or(1);
        if active < parallel && active + succeeded < wanted {
            let name = format!("{}-{}", object::name(job), world.rng.suffix(5));
            spawn(world, &JOBS, job, &name, now);
        }
        report(world, job, own, (active, succeeded, wanted), now);
    }
}

fn report(
    world: &mut World,
    job: &Object,
    own: &[Object],
    (active, succeeded, wanted): (u64, u64, u64),
    now: Timestamp,
) {
    let mut new = Value::clone(job);
    let status = &mut new["status"];
    if status["startTime"].is_null() {
        status["startTime"] = json!(stamp(now));
    }
    status["active"] = json!(active);
    status["succeeded"] = json!(succeeded);
    status["ready"] = json!(own.iter().filter(|p| object::holds(p, "Ready")).count());
    if succeeded >= wanted {
        status["completionTime"] = json!(stamp(now));
        let is = Condition {
            kind: "Complete",
            status: "True",
            reason: "CompletionsReached",
            message: "Reached expected number of succeeded pods",
        };
        set_condition(&mut new, is, now);
    }
    if new != **job {
        world.store.put(&JOBS, new);
    }
}

/// Starts a job where the time has come. Only schedules of the form `*/N * * * *` are kept.
pub fn sync_cron_jobs(world: &mut World, now: Timestamp) {
    let crons: Vec<Object> = world.store.table(&CRON_JOBS).values().cloned().collect();
    for cron in crons {
        let schedule = text(&cron["spec"]["schedule"]).strip_prefix("*/");
        let minutes = schedule.and_then(|s| s.split(' ').next()?.parse::<i64>().ok());
        let Some(minutes) = minutes.filter(|m| *m > 0 && cron["spec"]["suspend"] != true) else {
            continue;
        };
        let due = now.as_second().div_euclid(minutes * 60) * minutes;
        let name = format!("{}-{due}", object::name(&cron));
        let namespace = object::namespace(&cron);
        if world.store.get(&JOBS, namespace, &name).is_none()
            && since(&cron["status"]["lastScheduleTime"], now) >= minutes * 60
        {
            start(world, &cron, &name, now);
        }
        forget(world, &cron, now);
    }
}

fn start(world: &mut World, cron: &Object, name: &str, now: Timestamp) {
    let mut job = cron["spec"]["jobTemplate"].clone();
    job["metadata"]["name"] = json!(name);
    job["metadata"]["namespace"] = cron["metadata"]["namespace"].clone();
    job["metadata"]["ownerReferences"] = owned_by(&CRON_JOBS, cron);
    born(&JOBS, &mut job, &mut world.rng, "kube-controller-manager", now);
    world.store.put(&JOBS, job);
    let mut cron = Value::clone(cron);
    cron["status"]["lastScheduleTime"] = json!(stamp(now));
    world.store.put(&CRON_JOBS, cron);
}

fn forget(world: &mut World, cron: &Value, now: Timestamp) {
    let uid = object::uid(cron);
    let done = |j: &&Object| object::controller(j)["uid"] == uid && object::holds(j, "Complete");
    let mut done: Vec<Object> = world.store.table(&JOBS).values().filter(done).cloned().collect();
    done.sort_by_key(|j| std::cmp::Reverse(text(&j["metadata"]["creationTimestamp"]).to_owned()));
    for job in done.iter().skip(KEPT) {
        world.let_go(&JOBS, job, now);
    }
}
