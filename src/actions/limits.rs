//! Shares and limits of a priority level, with the seats that all levels get by it worked out before.
//!
//! Objects that the server suggests are put back within about a minute (measured on 1.37.2) as long as `apf.kubernetes.io/autoupdate-spec` is `true` (apiserver
//! `pkg/util/flowcontrol`, kube-apiserver `flowcontrol/rest` and `flowcontrol/ensurer`): the same patch sets it to `false`. Of the mandatory
//! ones `catch-all` is refused by the server with any other spec; `exempt` has no limits. Its `spec.exempt`, the shares and what
//! it lends, can be changed in the API, but not here.

use super::change::{Argument, By, Change, Draft, Seen, pointer};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::fairness::seats::{Level, Seats, USUAL_TOTAL, likely, total};
use crate::state::kinds::priority_levels::{EXECUTING, NOMINAL, QUEUES, SHARES, TOLD};
use crate::state::row::Row;
use crate::state::store::Store;
use serde_json::{Map, Value, json};

/// Changes shares and limits.
pub struct Limits;

const TABLE: &str = "prioritylevelconfigurations";
const AUTOUPDATE: &str = "apf.kubernetes.io/autoupdate-spec";
/// Objects that the server always has (apiserver `flowcontrol/bootstrap/default.go`).
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

/// Why a mandatory level is not changed (apiserver `apis/flowcontrol/validation`).
fn mandatory(name: &str) -> String {
    let why = match name {
        "exempt" => "it has no limits: nothing in it ever waits",
        _ => "the server refuses it with any other limits than its own",
    };
    format!("{name} is mandatory: {why}")
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
        let mut levels: Vec<(Level, Level)> = vec![];
        for seen in on {
            match step(seen, &wanted, &mut draft) {
                Ok((step, after)) => {
                    draft.step(step);
                    let mut object = seen.object.clone();
                    object["spec"]["limited"] = Value::Object(after);
                    levels.push((Level::of(&seen.object), Level::of(&object)));
                }
                Err(why) => draft.skip(why),
            }
        }
        for note in seats(among, &levels) {
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

/// A step, unless its object has no uid, and the limits after it.
type Stepped = (Result<Step, super::plan::NoUid>, Map<String, Value>);

/// What the server reads in the annotation: Go's `strconv.ParseBool`. What it cannot read is as good as absent.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The step for one level.
fn step(seen: &Seen, wanted: &[Field], draft: &mut Draft<'_>) -> Result<Stepped, String> {
    let (name, spec) = (&seen.target.name, &seen.object["spec"]);
    if MANDATORY.contains(&name.as_str()) {
        return Err(mandatory(name));
    }
    let before = spec["limited"].as_object();
    let before =
        before.ok_or_else(|| format!("{name} has no limits: its type is {}", spec["type"]))?;
    let (after, words) = changed(name, before, wanted)?;
    let marked = seen.object["metadata"]["annotations"][AUTOUPDATE].as_str();
    let takes_over = match marked.and_then(truth) {
        Some(marked) => marked,
        None => SUGGESTED.contains(&name.as_str()),
    };
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
    Ok((Step::new(format!("{name}: {}", words.join(", ")), &uids(there), undo), after))
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

/// The seats of each level on one server, before and after; `new` are the levels that change, as they are and as they will be.
fn seats(among: &Store, new: &[(Level, Level)]) -> Vec<Note> {
    let rows: Vec<Row<'_>> = among.rows(TABLE).collect();
    if rows.is_empty() {
        return vec![Note::warn(
            "the other levels could not be read: the seats are not worked out",
        )];
    }
    let told = rows.iter().filter(|r| r.num(TOLD) != 0);
    let known: Vec<(i64, i64)> = told.map(|r| (r.num(SHARES), r.num(NOMINAL))).collect();
    let own = |r: &Row<'_>| new.iter().find(|(level, _)| level.name == *r.name());
    let shares = |r: &Row<'_>| own(r).map_or(r.num(SHARES), |(_, after)| after.shares);
    let sum = |of: &dyn Fn(&Row<'_>) -> i64| rows.iter().map(of).fold(0, i64::saturating_add);
    let (before, after) = (sum(&|r| r.num(SHARES)), sum(&shares));
    let range = total(&known, before);
    let all = range.map_or(USUAL_TOTAL, likely);
    let mut notes = vec![];
    let mut others = vec![];
    for row in &rows {
        match own(row) {
            Some((was, is)) => {
                let (was, is) = ((was, was.seats(all, before)), (is, is.seats(all, after)));
                notes.extend(short(row, was.1.nominal, is.1.nominal));
                notes.extend(own_seats(was, is, all));
            }
            None => {
                let of =
                    |of: i64| Level { shares: row.num(SHARES), ..Level::default() }.seats(all, of);
                let (was, is) = (of(before).nominal, of(after).nominal);
                notes.extend(short(row, was, is).filter(|_| is == 0));
                if was != is {
                    others.push(format!("{} {was} → {is}", row.name()));
                }
            }
        }
    }
    if !others.is_empty() {
        notes.push(Note::plain(format!("the others: {}", others.join(", "))));
    }
    notes.push(whose(range, known.is_empty()));
    notes
}

/// What is short of seats by it.
fn short(row: &Row<'_>, was: i64, is: i64) -> Option<Note> {
    let (name, executing) = (row.name(), row.num(EXECUTING) - 1);
    if is == 0 && was > 0 {
        // Seen on 1.37.2.
        let then = match row.num(QUEUES) {
            0 => "is turned away",
            _ => "waits in its queues until it times out",
        };
        let words =
            format!("{name} is left without seats of its own: what cannot borrow then {then}");
        return Some(Note::bad(words));
    }
    let words = || format!("{name} executes {executing} now, more than its {is} seats");
    (executing > is).then(|| Note::warn(words()))
}

/// A level's seats, what lending and borrowing leave and add, and what its queues hold.
fn own_seats(was: (&Level, Seats), is: (&Level, Seats), all: i64) -> Vec<Note> {
    let name = &was.0.name;
    let most = |seats: Seats| seats.most.map_or("no limit".to_owned(), |n| n.to_string());
    let mut notes = vec![
        Note::plain(format!("{name}: {} → {} of {all} seats", was.1.nominal, is.1.nominal)),
        Note::plain(format!(
            "{name}, by lending and borrowing: least {} → {}, most {} → {}",
            was.1.least,
            is.1.least,
            most(was.1),
            most(is.1)
        )),
    ];
    let hold = |level: &Level| level.queues.map(|(queues, length)| queues.saturating_mul(length));
    if let (Some(was), Some(is)) = (hold(was.0), hold(is.0))
        && was != is
    {
        notes.push(Note::plain(format!("{name}: its queues hold {was} → {is} requests")));
    }
    notes
}

/// Whose seats they are, by what the levels' seats say of their sum.
fn whose(range: Option<(i64, i64)>, untold: bool) -> Note {
    let whose = match range {
        None if untold => "of a server with the usual 600 (its metrics could not be read)".to_owned(),
        None => "of a server with the usual 600 (the seats in its metrics do not go with the shares: those were changed after the \
                 metrics were read, at most 15 s ago)"
            .to_owned(),
        Some((least, most)) if least == most => "of the server that was asked".to_owned(),
        Some((least, most)) => {
            format!(
                "of the server that was asked, which has {least} to {most}: one more or less is possible"
            )
        }
    };
    Note::plain(format!("seats {whose}; each API server has its own"))
}
