//! The decoders: both encodings yield the same rows, and no bytes whatever do harm.

mod encode;

use encode::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use wheelhouse::app::cluster::decode::{
    Bookmark, Encoding, FINDINGS_MAX, ListReader, Malformed, Plan, Verb, WatchReader, status,
};
use wheelhouse::state::kinds::{self, pods};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;

const BOTH: [Encoding; 2] = [Encoding::Protobuf, Encoding::Json];

fn plan() -> Plan {
    Plan::new(&pods::TABLE, 0)
}

fn encoded(encoding: Encoding, pod: &Value, whim: &mut dyn Whim) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => Schema::of(&pods::TABLE, 0).encode(pod, whim),
        Encoding::Json => pod.to_string().into_bytes(),
    }
}

/// Everything a row shows.
fn shown(encoding: Encoding, object: &[u8]) -> Result<Vec<String>, Malformed> {
    shown_of(&plan(), encoding, object)
}

fn shown_of(plan: &Plan, encoding: Encoding, object: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut draft = Draft::default();
    plan.read(encoding, object, &mut draft)?;
    let mut store = Store::default();
    let table = store.table_index(plan.spec.id).expect("every table is in the registry");
    let feed = store.open_feed(table, plan.kind, None);
    let mut parcel = Parcel::new(feed, 1, plan.spec);
    parcel.push(&draft, plan.spec);
    store.apply(&parcel);
    let row = store.rows(plan.spec.id).next().expect("one object is one row");
    let now = Epoch(1_800_000_000);
    let cells = plan.spec.columns.iter().map(|c| format!("{} {:?}", c.id, (c.cell)(row, now)));
    let keys = plan.spec.columns.iter().map(|c| format!("{:?}", (c.sort)(row)));
    let head = format!("{:?} {} {:?} {}", row.key(), row.rv(), row.created(), draft.version());
    Ok(cells.chain(keys).chain([head]).collect())
}

proptest! {
    #[test]
    fn both_encodings_of_an_object_are_the_same_row(choices in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut dice = Dice(&choices);
        let pod = any_pod(&mut dice);
        let raw = encoded(Encoding::Protobuf, &pod, &mut dice);
        prop_assert_eq!(shown(Encoding::Protobuf, &raw), shown(Encoding::Json, pod.to_string().as_bytes()));
    }

    #[test]
    fn both_encodings_are_the_same_row_of_whichever_kind(choices in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut dice = Dice(&choices);
        let every = kinds::ALL.iter().flat_map(|spec| (0..spec.kinds.len()).map(move |kind| (*spec, kind)));
        // Samples are written into the rows of what they measure, see `usage.rs`.
        let every = every.filter(|(spec, kind)| spec.kinds[*kind].gvk.group != "metrics.k8s.io");
        for (spec, kind) in every {
            let schema = Schema::of(spec, kind);
            let mut object = schema.any(&mut dice);
            object["metadata"]["name"] = json!("one");
            let raw = schema.encode(&object, &mut dice);
            let plan = Plan::new(spec, kind as u8);
            let [pb, js] = [(Encoding::Protobuf, raw), (Encoding::Json, object.to_string().into_bytes())]
                .map(|(encoding, raw)| shown_of(&plan, encoding, &raw));
            prop_assert_eq!(pb, js, "{} {}", spec.id, object);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..300), step in 1usize..40) {
        digest_anything(&raw, step);
    }

    #[test]
    fn damaged_answers_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), step in 1usize..200) {
        for mut raw in answers() {
            let at = at.index(raw.len());
            raw[at] = byte;
            digest_anything(&raw, step);
        }
    }
}

/// Reads bytes as everything they could be.
fn digest_anything(raw: &[u8], step: usize) {
    for encoding in BOTH {
        let _ = plan().read(encoding, raw, &mut Draft::default());
        let _ = status(encoding, raw);
        let _ = listed(encoding, raw, step);
        let _ = watched(encoding, raw, step);
    }
}

/// Two pods as list and watch in both encodings.
fn answers() -> Vec<Vec<u8>> {
    let two: Vec<Value> = (0..2).map(pod).collect();
    let raw: Vec<_> = two.iter().map(|p| encoded(Encoding::Protobuf, p, &mut Plain)).collect();
    vec![
        pb_list(&raw, "77", "tok", Some(9)),
        json_list(&two, "77", "tok", Some(9)),
        [pb_event("ADDED", "Pod", &raw[0]), pb_event("BOOKMARK", "Pod", &pb_bookmark("78", true))]
            .concat(),
        [json_event("DELETED", &two[1]), json_event("BOOKMARK", &json_bookmark("78", true))]
            .concat(),
    ]
}

/// The names of a list's items, read in chunks, and what it says at its end.
fn listed(encoding: Encoding, raw: &[u8], step: usize) -> (Vec<String>, Result<String, Malformed>) {
    let (plan, mut draft, mut names) = (plan(), Draft::default(), vec![]);
    let mut reader = ListReader::new(encoding);
    for chunk in raw.chunks(step) {
        reader.push(chunk);
        loop {
            match reader
                .next_item()
                .and_then(|item| item.map(|raw| plan.read(encoding, raw, &mut draft)).transpose())
            {
                Ok(Some(())) => names.push(draft.text(draft.head.name).to_owned()),
                Ok(None) => break,
                Err(why) => return (names, Err(why)),
            }
        }
    }
    (names, reader.end().map(|meta| format!("{meta:?}")))
}

/// The verbs and names of a watch's events, read in chunks, and whether it ended between events.
fn watched(encoding: Encoding, raw: &[u8], step: usize) -> Result<(Vec<String>, bool), Malformed> {
    let (plan, mut draft, mut seen) = (plan(), Draft::default(), vec![]);
    let mut reader = WatchReader::new(encoding);
    for chunk in raw.chunks(step) {
        reader.push(chunk);
        while let Some(event) = reader.next_event()? {
            seen.push(match event.verb {
                Verb::Put | Verb::Gone => {
                    plan.read(encoding, event.object, &mut draft)?;
                    format!("{:?} {}", event.verb, draft.text(draft.head.name))
                }
                Verb::Bookmark => format!("{:?}", Bookmark::read(encoding, event.object)?),
                Verb::Error => format!("{:?}", status(encoding, event.object)?),
            });
        }
    }
    Ok((seen, reader.ends_well()))
}

#[test]
fn lists_read_the_same_however_they_are_cut() {
    let [pb, js, ..] = &answers()[..] else { panic!() };
    let whole = listed(Encoding::Protobuf, pb, pb.len());
    assert_eq!(whole.0.len(), 2);
    assert_eq!(
        whole.1.as_deref().unwrap(),
        r#"ListMeta { version: "77", next: "tok", remaining: Some(9) }"#
    );
    for step in (1..200).chain([1000]) {
        assert_eq!(listed(Encoding::Protobuf, pb, step), whole, "{step}");
        assert_eq!(listed(Encoding::Json, js, step), whole, "{step}");
    }
}

#[test]
fn watches_read_the_same_however_they_are_cut() {
    let [.., pb, js] = &answers()[..] else { panic!() };
    for (encoding, raw, first) in
        [(Encoding::Protobuf, pb, "Put svc-0"), (Encoding::Json, js, "Gone svc-0")]
    {
        let whole = watched(encoding, raw, raw.len()).unwrap();
        assert!(whole.0[0].starts_with(first), "{whole:?}");
        assert_eq!(whole.0[1], r#"Bookmark { version: "78", initial_end: true }"#);
        for step in 1..200 {
            assert_eq!(watched(encoding, raw, step).unwrap(), whole, "{step}");
        }
    }
}

#[test]
fn an_answer_cut_anywhere_is_told_from_a_whole_one() {
    for (i, raw) in answers().iter().enumerate() {
        let encoding = BOTH[i % 2];
        // Behind a list's last item stand fields of the envelope that may be missing, and so may a last newline.
        let must_be_there = raw.len() - if i == 0 { 4 } else { usize::from(i == 3) };
        for cut in 0..must_be_there {
            let part = &raw[..cut];
            let whole = match i {
                0 | 1 => listed(encoding, part, 64).1.is_ok(),
                _ => watched(encoding, part, 64).is_ok_and(|(seen, well)| well && seen.len() == 2),
            };
            assert!(!whole, "answer {i} cut at {cut} of {} passes as whole", raw.len());
        }
    }
}

#[test]
fn an_object_cut_anywhere_is_malformed_or_smaller_but_never_panics() {
    for encoding in BOTH {
        let raw = encoded(encoding, &pod(3), &mut Plain);
        for cut in 0..raw.len() {
            let read = plan().read(encoding, &raw[..cut], &mut Draft::default());
            assert!(encoding == Encoding::Protobuf || read.is_err(), "JSON cut at {cut}");
        }
    }
}

#[test]
fn what_merely_looks_empty_is_no_list() {
    for raw in ["{}", r#"{"items":[]}"#, r#"{"kind":"Status","metadata":{}}"#, "", "null", "[]"] {
        assert!(listed(Encoding::Json, raw.as_bytes(), 64).1.is_err(), "{raw}");
    }
    for raw in [envelope("PodList", b""), envelope("Status", &pb_status(200, "", 0)), vec![]] {
        assert!(listed(Encoding::Protobuf, &raw, 64).1.is_err(), "{raw:?}");
    }
    let empty = br#"{"metadata":{"resourceVersion":"5"},"items":null}"#;
    assert!(listed(Encoding::Json, empty, 64).1.is_ok());
}

#[test]
fn a_length_that_lies_is_refused_before_anything_is_kept() {
    assert!(watched(Encoding::Protobuf, &[0xff, 0xff, 0xff, 0xff, 1], 5).is_err());
    let item =
        [b"k8s\0".to_vec(), key(2, 2), varint(u64::MAX), key(2, 2), varint(u64::MAX / 2)].concat();
    assert!(listed(Encoding::Protobuf, &item, 64).1.is_err());
    let longer_than_list =
        [b"k8s\0".to_vec(), key(2, 2), varint(4), key(2, 2), varint(90), vec![0; 90]].concat();
    assert!(listed(Encoding::Protobuf, &longer_than_list, 64).1.is_err());
    // An honest beginning of something large merely waits for the rest.
    let large = [(60u32 << 20).to_be_bytes().to_vec(), vec![0; 100]].concat();
    assert_eq!(watched(Encoding::Protobuf, &large, 10).unwrap(), (vec![], false));
}

#[test]
fn groups_and_endless_numbers_are_malformed() {
    for raw in [vec![0x0b], vec![0x0c], vec![0xff; 11], vec![0x00], vec![0x0a, 0x05, 1]] {
        assert!(plan().read(Encoding::Protobuf, &raw, &mut Draft::default()).is_err(), "{raw:?}");
    }
}

#[test]
fn a_hostile_order_of_fields_costs_no_more_memory_than_it_has_bytes() {
    let label = bytes(11, &[bytes(1, b"k"), bytes(2, b"v")].concat());
    let one = [label, bytes(1, b"name")].concat();
    let raw = bytes(1, &one.repeat(20_000));
    let (plan, mut draft) = (plan(), Draft::default());
    plan.read(Encoding::Protobuf, &raw, &mut draft).unwrap();
    let mut parcel = Parcel::new(Default::default(), 0, plan.spec);
    parcel.push(&draft, plan.spec);
    assert!(parcel.size() < 2 * raw.len(), "{} from {}", parcel.size(), raw.len());
}

#[test]
fn an_object_of_countless_parts_is_malformed() {
    let raw = bytes(2, &bytes(2, b"").repeat(FINDINGS_MAX + 1));
    let read = plan().read(Encoding::Protobuf, &raw, &mut Draft::default());
    assert_eq!(read, Err(Malformed("an object with too many parts")));
    let list = format!(r#"{{"spec":{{"containers":[{}{{}}]}}}}"#, "{},".repeat(FINDINGS_MAX));
    assert!(plan().read(Encoding::Json, list.as_bytes(), &mut Draft::default()).is_err());
}

#[test]
fn json_of_odd_types_is_taken_for_what_it_can_be() {
    let pod = json!({
        "kind": ["x"], "metadata": { "name": "a\u{0}b", "namespace": 7, "labels": { "a": null, "b": "2", "c": [1], "d": 4 },
            "creationTimestamp": "yesterday", "ownerReferences": null },
        "spec": { "containers": { "name": "not in a list", "resources": { "requests": { "cpu": 2, "memory": "1Gi" } } },
            "nodeName": null },
        "status": { "containerStatuses": [{ "restartCount": "3", "ready": "true" }, null, 7], "phase": "Running" },
    });
    let row = shown(Encoding::Json, pod.to_string().as_bytes()).unwrap().join("\n");
    assert!(row.contains("restarts Cell { value: Since(3,"), "{row}");
    assert!(row.contains("cpu_requests Cell { value: Milli(2000)"), "{row}");
    assert!(row.contains(r#"labels Cell { value: Text("a=,b=2")"#), "{row}");
}

/// Found by fuzzing: amounts and counts that no cluster could mean were added without care.
#[test]
fn absurd_amounts_are_held_at_what_a_row_can_hold() {
    let most = i64::MAX.to_string();
    let container = |name: &str| json!({"name": name, "resources": {"requests": {"cpu": most, "memory": most}}});
    let ran = |name: &str| json!({"name": name, "restartCount": i64::MAX});
    let pod = json!({
        "metadata": {"name": "a", "uid": "u"},
        "spec": {"initContainers": [container("i")], "containers": [container("a"), container("b")],
            "overhead": {"cpu": most, "memory": most}},
        "status": {"containerStatuses": [ran("a"), ran("b")], "phase": "Running"},
    });
    let row = shown(Encoding::Json, pod.to_string().as_bytes()).unwrap().join("\n");
    assert!(row.contains(&format!("memory_requests Cell {{ value: Bytes({})", i64::MAX)), "{row}");
}

#[test]
fn an_event_may_name_its_object_before_its_type() {
    let raw = format!(r#"{{"object":{},"type":"MODIFIED"}} "#, pod(1));
    assert!(watched(Encoding::Json, raw.as_bytes(), 17).unwrap().0[0].starts_with("Put svc-0"));
}

#[test]
fn errors_of_a_watch_are_read_in_both_encodings() {
    let pb = status(Encoding::Protobuf, &pb_status(429, "slow down", 7)).unwrap();
    assert_eq!((pb.code, &*pb.message), (429, "slow down"));
    assert_eq!(pb.details.unwrap().retry_after_seconds, 7);
    let js = status(Encoding::Json, json_status(410, "too old").to_string().as_bytes()).unwrap();
    assert_eq!((js.code, &*js.message), (410, "too old"));
}

/// Seeds of the fuzz targets: small answers of every sort. The first byte of lists and watches is the size of the
/// chunks they arrive in. `WRITE_CORPUS=1 cargo test --test decode corpus` writes them anew.
#[test]
fn the_fuzz_corpus_is_up_to_date() {
    let choices: Vec<u8> = (0..=255).collect();
    let odd = any_pod(&mut Dice(&choices));
    let two = [pod(0), odd];
    let raw = two.clone().map(|pod| encoded(Encoding::Protobuf, &pod, &mut Dice(&choices)));
    let events =
        ["ADDED", "MODIFIED", "DELETED"].map(|verb| pb_event(verb, "Pod", &raw[1])).concat();
    let ends = [
        pb_event("BOOKMARK", "Pod", &pb_bookmark("9", true)),
        pb_event("ERROR", "Status", &pb_status(410, "too old", 1)),
    ];
    let json = ["ADDED", "MODIFIED", "DELETED"].map(|verb| json_event(verb, &two[1])).concat();
    let json_ends = [
        json_event("BOOKMARK", &json_bookmark("9", true)),
        json_event("ERROR", &json_status(410, "too old")),
    ];
    let chunked = |raw: Vec<u8>| [vec![62], raw].concat();
    let seeds = [
        ("pb_object/ordinary", raw[0].clone()),
        ("pb_object/odd", raw[1].clone()),
        ("pb_list/two", chunked(pb_list(&raw, "77", "token", Some(9)))),
        ("pb_list/empty", chunked(pb_list(&[], "77", "", None))),
        ("pb_watch/events", chunked(events)),
        ("pb_watch/ends", chunked(ends.concat())),
        ("json_list/two", chunked(json_list(&two, "77", "token", Some(9)))),
        ("json_list/empty", chunked(json_list(&[], "77", "", None))),
        ("json_watch/events", chunked(json)),
        ("json_watch/ends", chunked(json_ends.concat())),
    ];
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, seed) in seeds {
        let path = corpus.join(name);
        if std::env::var_os("WRITE_CORPUS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &seed).unwrap();
        }
        assert!(
            std::fs::read(&path).is_ok_and(|there| there == seed),
            "{name} is not what the encoder writes"
        );
    }
}

/// A broken event must not swallow those after it: they would be missing for as long as the watch lasts.
#[test]
fn an_event_that_does_not_end_in_its_line_is_an_error_at_once() {
    use wheelhouse::app::cluster::decode::{Encoding, WatchReader};
    let good = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\\nb\"}}}\n";
    for broken in [
        "{\"type\":\"ADDED\",\"object\":[[{\n",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"x\n",
        "{\"type\":\"ADDED\",\n",
        "{\n",
    ] {
        let mut reader = WatchReader::new(Encoding::Json);
        reader.push(good.as_bytes());
        reader.push(broken.as_bytes());
        assert!(matches!(reader.next_event(), Ok(Some(_))), "{broken}");
        assert!(reader.next_event().is_err(), "{broken}");
    }
}
