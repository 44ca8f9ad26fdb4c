//! Shares and limits of a priority level, with the seats that all levels get by it worked out before.
//!
//! Objects that the server suggests are put back within about a minute (measured on 1.37.2) as long as `apf.kubernetes.io/autoupdate-spec` is `true` (apiserver
//! `pkg/util/flowcontrol`, kube-apiserver `flowcontrol/rest` and `flowcontrol/ensurer`): the same patch sets it to `false`. Mandatory
//! ones are always put back.

use super::change::{Argument, By, Change, Draft, Seen, pointer};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::fairness::seats::{Level, USUAL_TOTAL, likely, total};
use crate::state::kinds::priority_levels::{EXECUTING, NOMINAL, SHARES, TOLD};
use crate::state::row::Row;
use crate::state::store::Store;
use serde_json::{Map, Value, json};

/// Changes shares and limits.
pub struct Limits;

const TABLE: &str = "prioritylevelconfigurations";
const AUTOUPDATE: &str = "apf.kubernetes.io/autoupdate-spec";
/// Objects that the server keeps as they are (apiserver `flowcontrol/bootstrap/default.go`).
const MANDATORY: [&str; 2] = ["exempt", "catch-all"];
/// Objects that it suggests.
const SUGGESTED: [&str; 6] =
    ["system", "node-high", "leader-election", "workload-high", "workload-low", "global-default"];

impl Action for Limits {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "limits",
            word: "limits",
            help: "other shares and limits of a priority level; says before how many seats each level gets by it",
            tables: &[TABLE],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.target.name.as_str() {
            name if MANDATORY.contains(&name) => Offer::No(mandatory(name)),
            _ => ask.may_write(),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

fn mandatory(name: &str) -> String {
    format!("{name} is mandatory: the server puts it back as it is, always")
}

impl Change for Limits {
    fn argument(&self) -> Option<Argument> {
        Some(Argument {
            label: "shares, or fields",
            example: "shares=40 lendable=50 borrowing=100",
        })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        fields(argument).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn rereads(&self) -> &'static [&'static str] {
        &[TABLE]
    }

    fn is_dry_run_first(&self) -> bool {
        true
    }

    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String> {
        self.plan_among(on, argument, by, &Store::default())
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        _: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        let wanted = fields(argument)?;
        let mut draft = Draft::new("limits", Danger::Disruptive);
        let mut shares: Vec<(String, i64)> = vec![];
        for seen in on {
            match step(seen, &wanted, &mut draft) {
                Ok(step) => {
                    draft.step(step);
                    let level = Level::of(&seen.object);
                    let new = wanted.iter().find(|f| f.name == "shares").and_then(|f| f.value);
                    shares.push((level.name, new.unwrap_or(level.shares)));
                }
                Err(why) => draft.skip(why),
            }
        }
        for note in seats(among, &shares) {
            draft.note(note);
        }
        draft.finish(on, "level")
    }
}

/// A field that is to be set; no value takes it away.
#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: &'static str,
    at: &'static [&'static str],
    value: Option<i64>,
}

/// What may be set: as it is typed, where it is in `spec.limited`, and its least and most (apiserver
/// `apis/flowcontrol/validation`).
const FIELDS: [(&str, &[&str], i64, i64); 6] = [
    ("shares", &["nominalConcurrencyShares"], 0, i32::MAX as i64),
    ("lendable", &["lendablePercent"], 0, 100),
    ("borrowing", &["borrowingLimitPercent"], 0, i32::MAX as i64),
    ("queues", &["limitResponse", "queuing", "queues"], 1, 10_000_000),
    ("hand-size", &["limitResponse", "queuing", "handSize"], 1, 10_000_000),
    ("queue-length", &["limitResponse", "queuing", "queueLengthLimit"], 1, i32::MAX as i64),
];

fn fields(argument: &str) -> Result<Vec<Field>, String> {
    let names = || FIELDS.map(|(name, ..)| name).join(", ");
    let mut fields: Vec<Field> = vec![];
    for word in argument.split_whitespace() {
        // A bare number is what is changed most.
        let (name, value) = word.split_once('=').unwrap_or(("shares", word));
        let known = FIELDS.iter().find(|(known, ..)| *known == name);
        let Some(&(name, at, least, most)) = known else {
            return Err(format!("there is no {name}: {}", names()));
        };
        let value = match (value, value.parse::<i64>()) {
            ("none", _) if name == "borrowing" => None,
            (_, Ok(n)) if (least..=most).contains(&n) => Some(n),
            _ => return Err(format!("{name} is a number from {least} to {most}")),
        };
        if fields.iter().any(|field| field.name == name) {
            return Err(format!("{name} is set twice"));
        }
        fields.push(Field { name, at, value });
    }
    if fields.is_empty() {
        return Err(format!("a number of shares, or NAME=NUMBER: {}", names()));
    }
    Ok(fields)
}

/// The step for one level.
fn step(
    seen: &Seen,
    wanted: &[Field],
    draft: &mut Draft<'_>,
) -> Result<Result<Step, super::plan::NoUid>, String> {
    let (name, spec) = (&seen.target.name, &seen.object["spec"]);
    if MANDATORY.contains(&name.as_str()) {
        return Err(mandatory(name));
    }
    let before = spec["limited"].as_object();
    let before =
        before.ok_or_else(|| format!("{name} has no limits: its type is {}", spec["type"]))?;
    let (after, words) = changed(name, before, wanted)?;
    let marked = seen.object["metadata"]["annotations"][AUTOUPDATE].as_str();
    let takes_over =
        marked == Some("true") || marked.is_none() && SUGGESTED.contains(&name.as_str());
    if takes_over {
        draft.note(Note::warn(format!(
            "{name} is suggested by the server, which puts its own values back within about a minute while {AUTOUPDATE} is true: the same \
             patch sets it to false. Later releases then do not bring new values"
        )));
    }
    let uids = |body: Vec<Value>| Write {
        method: Method::JsonPatch,
        target: seen.target.clone(),
        sub: "",
        body: Value::Array(body),
    };
    let swap = |from: &Map<String, Value>, to: &Map<String, Value>| {
        vec![
            json!({"op": "test", "path": "/spec/limited", "value": from}),
            json!({"op": "replace", "path": "/spec/limited", "value": to}),
        ]
    };
    let (mut there, mut back) = (swap(before, &after), swap(&after, before));
    if takes_over {
        let path = format!("/metadata/annotations/{}", pointer(AUTOUPDATE));
        there.push(match seen.object["metadata"]["annotations"].is_object() {
            true => json!({"op": "add", "path": path, "value": "false"}),
            false => json!({"op": "add", "path": "/metadata/annotations", "value": {AUTOUPDATE: "false"}}),
        });
        back.push(json!({"op": "test", "path": path, "value": "false"}));
        back.push(match marked {
            Some(was) => json!({"op": "replace", "path": path, "value": was}),
            None => json!({"op": "remove", "path": path}),
        });
    }
    let undo = Some((format!("{name}: limits as they were"), uids(back)));
    Ok(Step::new(format!("{name}: {}", words.join(", ")), &uids(there), undo))
}

/// The limits after the change, and what changes in words.
fn changed(
    name: &str,
    before: &Map<String, Value>,
    wanted: &[Field],
) -> Result<(Map<String, Value>, Vec<String>), String> {
    let mut after = Value::Object(before.clone());
    let mut words = vec![];
    for field in wanted {
        let (last, parents) = field.at.split_last().ok_or("a field has a place")?;
        let mut place = &mut after;
        for parent in parents {
            place = &mut place[*parent];
        }
        let Some(place) = place.as_object_mut() else {
            return Err(format!("{name} rejects what finds no seat: it has no {}", field.name));
        };
        let was = place.get(*last).and_then(Value::as_i64);
        if was == field.value {
            continue;
        }
        let told = |n: Option<i64>| n.map_or("no limit".to_owned(), |n| n.to_string());
        words.push(format!("{} {} → {}", field.name, told(was), told(field.value)));
        match field.value {
            Some(n) => drop(place.insert((*last).to_owned(), n.into())),
            None => drop(place.remove(*last)),
        }
    }
    match (after, words.is_empty()) {
        (Value::Object(after), false) => Ok((after, words)),
        _ => Err(format!("{name} is so already")),
    }
}

/// The seats of each level on one server, before and after.
fn seats(among: &Store, new: &[(String, i64)]) -> Vec<Note> {
    let rows: Vec<Row<'_>> = among.rows(TABLE).collect();
    if rows.is_empty() {
        return vec![Note::warn(
            "the other levels could not be read: the seats are not worked out",
        )];
    }
    let sum: i64 = rows.iter().map(|r| r.num(SHARES)).sum();
    let told = rows.iter().filter(|r| r.num(TOLD) != 0);
    let known: Vec<(i64, i64)> = told.map(|r| (r.num(SHARES), r.num(NOMINAL))).collect();
    let range = total(&known, sum);
    let all = range.map_or(USUAL_TOTAL, likely);
    let shares = |r: &Row<'_>| {
        new.iter().find(|(name, _)| *name == *r.name()).map_or(r.num(SHARES), |(_, n)| *n)
    };
    let after: i64 = rows.iter().map(&shares).sum();
    let seats =
        |own: i64, of: i64| Level { shares: own, ..Level::default() }.seats(all, of).nominal;
    let mut notes = vec![];
    let mut others = vec![];
    for row in &rows {
        let (was, is) = (seats(row.num(SHARES), sum), seats(shares(row), after));
        let name = row.name();
        let own = new.iter().any(|(n, _)| *n == *name);
        if was == is && !own {
            continue;
        }
        if is == 0 && was > 0 {
            notes.push(Note::bad(format!(
                "{name} is left without seats of its own: seen on 1.37.2, what cannot borrow then waits for ever"
            )));
        } else if own && row.num(EXECUTING) - 1 > is {
            notes.push(Note::warn(format!(
                "{name} executes {} now, more than its {is} seats",
                row.num(EXECUTING) - 1
            )));
        }
        match own {
            true => notes.push(Note::plain(format!("{name}: {was} → {is} of {all} seats"))),
            false => others.push(format!("{name} {was} → {is}")),
        }
    }
    if !others.is_empty() {
        notes.push(Note::plain(format!("the others: {}", others.join(", "))));
    }
    let whose = match range {
        None => "of a server with the usual 600 (its metrics could not be read)".to_owned(),
        Some((least, most)) if least == most => "of the server that was asked".to_owned(),
        Some((least, most)) => {
            format!(
                "of the server that was asked, which has {least} to {most}: one more or less is possible"
            )
        }
    };
    notes.push(Note::plain(format!(
        "seats {whose}, before lending and borrowing; each API server has its own"
    )));
    notes
}
