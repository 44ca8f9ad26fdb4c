//! What is shown of pods.

use super::common;
use super::pods::*;
use super::usage;
use crate::column;
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::Column;
use crate::state::rules::pod_status;

/// Percent of a limit from which a pod is worth a look: CPU is throttled at it, memory kills.
const FULL: i64 = 90;

/// Every column of the table.
pub(super) static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    common::NAME,
    column!("ready" "READY" Right 9 READY.bit() | CONTAINERS.bit(),
        |r, _| {
            let (ready, of) = (r.num(READY), r.num(CONTAINERS));
            let short = ready < of && !finished(r);
            let text = format!("{ready}/{of}");
            Value::text(text).role(if short { Role::Warn } else { Role::Plain })
        },
        |r| Sort::Int(r.num(READY) * 1000 - r.num(CONTAINERS))),
    column!("status" "STATUS" Left 28 STATUS.bit(),
        |r, _| Value::text(r.text(STATUS)).role(pod_status::role(r.text(STATUS))),
        |r| Sort::Text(r.text(STATUS), "")),
    column!("restarts" "RESTARTS" Left 16 RESTARTS.bit() | RESTARTED.bit(),
        |r, _| Value::Since(r.num(RESTARTS), r.time(RESTARTED)).into(),
        |r| Sort::Int(r.num(RESTARTS))),
    common::AGE,
    column!("ip" "IP" Left 39 IP.bit(), |r, _| Value::text(r.ip(IP)).into(), |r| common::ip_sort(r, IP)),
    column!("node" "NODE" Left 40 NODE.bit(),
        |r, _| Value::text(r.text(NODE)).into(), |r| Sort::Text(r.text(NODE), "")),
    column!("nominated_node" "NOMINATED" Left 40 NOMINATED.bit(),
        |r, _| Value::text(r.text(NOMINATED)).into(), |r| Sort::Text(r.text(NOMINATED), "")),
    column!("readiness_gates" "GATES" Right 7 GATES.bit(),
        |r, _| match r.num(GATES) {
            0 => Value::Absent.into(),
            n => Value::text(format!("{}/{}", n >> 16, n & 0xffff)).into(),
        },
        |r| Sort::Int(r.num(GATES))),
    column!("owner" "OWNER" Left 44 OWNER.bit(),
        |r, _| Value::text(r.text(OWNER)).into(), |r| Sort::Text(r.text(OWNER), "")),
    column!("qos" "QOS" Left 10 QOS.bit(),
        |r, _| Value::text(r.text(QOS)).into(), |r| Sort::Text(r.text(QOS), "")),
    column!("cpu_requests" "CPU REQ" Right 8 CPU.bit(),
        |r, _| match r.num(CPU) { 0 => Value::Absent.into(), n => Value::Milli(n).into() },
        |r| Sort::Int(r.num(CPU))),
    column!("memory_requests" "MEM REQ" Right 8 MEMORY.bit(),
        |r, _| match r.num(MEMORY) { 0 => Value::Absent.into(), n => Value::Bytes(n).into() },
        |r| Sort::Int(r.num(MEMORY))),
    column!("cpu_used" "CPU" Right 8 CPU_USED.bit() | MEASURED.bit(),
        |r, now| usage::cell(r, MEASURED, now, Value::Milli(r.num(CPU_USED)), Role::Plain),
        |r| usage::order(r.time(MEASURED), Some(r.num(CPU_USED)))),
    column!("memory_used" "MEM" Right 8 MEMORY_USED.bit() | MEASURED.bit(),
        |r, now| usage::cell(r, MEASURED, now, Value::Bytes(r.num(MEMORY_USED) * usage::KIB), Role::Plain),
        |r| usage::order(r.time(MEASURED), Some(r.num(MEMORY_USED)))),
    column!("cpu_request_pct" "%CPU/R" Right 8 CPU_USED.bit() | MEASURED.bit() | CPU.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(CPU_USED), r.num(CPU)), i64::MAX),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(CPU_USED), r.num(CPU)))),
    column!("memory_request_pct" "%MEM/R" Right 8 MEMORY_USED.bit() | MEASURED.bit() | MEMORY.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(MEMORY_USED) * usage::KIB, r.num(MEMORY)), i64::MAX),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(MEMORY_USED) * usage::KIB, r.num(MEMORY)))),
    column!("cpu_limit_pct" "%CPU/L" Right 8 CPU_USED.bit() | MEASURED.bit() | CPU_LIMIT.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(CPU_USED), r.num(CPU_LIMIT)), FULL),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(CPU_USED), r.num(CPU_LIMIT)))),
    column!("memory_limit_pct" "%MEM/L" Right 8 MEMORY_USED.bit() | MEASURED.bit() | MEMORY_LIMIT.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(MEMORY_USED), r.num(MEMORY_LIMIT)), FULL),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(MEMORY_USED), r.num(MEMORY_LIMIT)))),
    column!("cpu_limits" "CPU LIM" Right 8 CPU_LIMIT.bit(),
        |r, _| match r.num(CPU_LIMIT) { 0 => Value::Absent.into(), n => Value::Milli(n).into() },
        |r| Sort::Int(r.num(CPU_LIMIT))),
    column!("memory_limits" "MEM LIM" Right 8 MEMORY_LIMIT.bit(),
        |r, _| match r.num(MEMORY_LIMIT) { 0 => Value::Absent.into(), n => Value::Bytes(n * usage::KIB).into() },
        |r| Sort::Int(r.num(MEMORY_LIMIT))),
    column!("measured" "MEASURED" Right 8 MEASURED.bit(),
        |r, now| usage::cell(r, MEASURED, now, Value::time(r.time(MEASURED)), Role::Plain),
        |r| Sort::Int(-r.time(MEASURED).0)),
    column!("failing" "FAILING" Left 7 STATUS.bit(),
        |r, _| Value::Bool(pod_status::role(r.text(STATUS)) == Role::Bad).into(),
        |r| Sort::Int(i64::from(pod_status::role(r.text(STATUS)) == Role::Bad))),
    column!("phase" "PHASE" Left 10 PHASE.bit(),
        |r, _| Value::text(phase::NAMES[r.num(PHASE) as usize % 5]).into(), |r| Sort::Int(r.num(PHASE))),
    column!("restarted" "LAST RESTART" Right 8 RESTARTED.bit(),
        |r, _| Value::time(r.time(RESTARTED)).into(), |r| Sort::Int(r.time(RESTARTED).0)),
    common::LABELS,
    common::UID,
];
