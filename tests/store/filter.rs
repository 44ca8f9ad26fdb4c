//! The filter: what each term keeps, and how a wrong one is explained.

use crate::world::{NOON, Pod, name, namespace, parcel, pod, world};
use proptest::prelude::*;
use wheelhouse::state::kinds::pods;
use wheelhouse::state::query::Query;
use wheelhouse::state::store::Store;

fn parse(text: &str) -> Query {
    Query::parse(text, &pods::TABLE).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn kept(store: &Store, query: &Query) -> Vec<String> {
    let mut query = query.bind(NOON);
    let passing = store.rows("pods").filter(|row| query.test(*row));
    passing.map(|row| row.name().into_owned()).collect()
}

/// web-0-3 in Ops on node-1, Running; cache-4 in default on no node, Pending; web-0-6 in shop on node-10, Failed.
fn three() -> Store {
    let (mut store, feed) = world();
    let pods = [
        Pod { id: 3, node: Some(1), phase: 2, restarts: 3, milli: 250, labels: 0b011 },
        Pod { id: 4, node: None, phase: 1, restarts: 0, milli: 0, labels: 0b101 },
        Pod { id: 6, node: Some(10), phase: 4, restarts: 12, milli: 1500, labels: 0 },
    ];
    store.apply(&parcel(feed, 0, &pods));
    store
}

#[test]
fn each_term_keeps_what_it_says() {
    let store = three();
    for (query, want) in [
        ("", "web-0-3 cache-4 web-0-6"),
        ("web", "web-0-3 web-0-6"),
        ("web !web-0-3", "web-0-6"),
        ("0-3", "web-0-3"),
        ("b-0-6", "web-0-6"),
        ("WEB", ""),
        ("ops", "web-0-3"),
        ("Ops", "web-0-3"),
        ("running", "web-0-3"),
        ("replicaset/web-0", "web-0-3 web-0-6"),
        ("node-1", "web-0-3 web-0-6"),
        ("node:node-1", "web-0-3 web-0-6"),
        ("node:=node-1", "web-0-3"),
        ("node:!=node-1", "cache-4 web-0-6"),
        ("node:=-", "cache-4"),
        ("!node:=-", "web-0-3 web-0-6"),
        ("stat:fail", "web-0-6"),
        ("cpu-requests:>200m", "web-0-3 web-0-6"),
        ("cpu:>=1.5", "web-0-6"),
        ("mem:<8Gi", "web-0-3"),
        ("restarts:>3", "web-0-6"),
        ("restarts:=3", "web-0-3"),
        ("restarts:<=3", "web-0-3 cache-4"),
        ("age:>2m", "cache-4 web-0-6"),
        ("age:=2m", "web-0-3"),
        ("label:app", "web-0-3 cache-4"),
        ("label:app=web", "web-0-3 cache-4"),
        ("label:app==web", "web-0-3 cache-4"),
        ("label:app!=web", "web-0-6"),
        ("label:app=we", ""),
        ("!label:app", "web-0-6"),
        ("label:tier=", "cache-4"),
        ("labels:name=shop", "web-0-3"),
        ("label:app.kubernetes.io/name=Shop", "web-0-3"),
        ("/^web-.-3$/", "web-0-3"),
        ("/^WEB/", ""),
        (r"status:/^(fail|pend)\S+$/", "cache-4 web-0-6"),
        ("pending | node:=node-1", "web-0-3 cache-4"),
        ("pending|failed", "cache-4 web-0-6"),
        ("web failed | cache-4 running", "web-0-6"),
        ("\"a b\"", ""),
        ("status:\"Running\"", "web-0-3"),
        ("!!web", "web-0-3 web-0-6"),
    ] {
        assert_eq!(kept(&store, &parse(query)).join(" "), want, "filter {query:?}");
    }
}

#[test]
fn a_wrong_filter_is_explained_where_it_is_wrong() {
    for (query, at, why) in [
        ("web nod:", "nod:", "`node:` needs a value right after it, such as text"),
        ("re:5", "re", "`re` may be ready, restarts, readiness_gates, restarted: write more of it"),
        ("stauts:x", "stauts", "no column `stauts` in pods; near it: status"),
        ("nodename:x", "nodename", "near it: node"),
        ("restarts:>", "restarts:>", "`restarts:>` needs a value right after it, such as 5"),
        ("web restarts:>many", "many", "`many` is no number, quantity (500m, 2Gi) or age"),
        ("!", "!", "`!` needs a term right after it"),
        ("web ! x", "!", "`!` needs a term right after it"),
        ("| web", "|", "`|` needs a term on either side"),
        ("web |", "", "`|` needs a term on either side"),
        ("web || x", "|", "`|` needs a term on either side"),
        ("/we(b/", "/we(b/", "the regex cannot be read: unclosed group"),
        ("/web", "/web", "the regex is not closed"),
        ("x \"web", "\"web", "the quote is not closed"),
        (r"/(a{1000}){1000}/", "/(a{1000}){1000}/", "the regex grows too large"),
        ("status:=/x/", "status:=/x/", "a regex goes without `=`: status:/.../"),
        ("label:", "label:", "`label:` needs a key"),
        ("label:=x", "label:=x", "`label:` needs a key"),
        ("label:/x/", "label:/x/", "labels are compared as they are"),
    ] {
        let explained = Query::parse(query, &pods::TABLE).expect_err(query);
        assert_eq!(&query[explained.at.clone()], at, "{query:?}: {}", explained.why);
        assert!(explained.why.contains(why), "{query:?}: {}", explained.why);
    }
}

#[test]
fn an_exact_scope_takes_the_text_as_it_is() {
    let store = three();
    let exact = |id: &str, text: &str| {
        let query = Query::exact(pods::TABLE.column(id).unwrap(), text);
        kept(&store, &query).join(" ")
    };
    assert_eq!(exact("node", "node-1"), "web-0-3");
    assert_eq!(exact("namespace", "Ops"), "web-0-3");
    assert_eq!(exact("namespace", "ops"), "");
    assert_eq!(exact("restarts", "3"), "web-0-3");
}

#[test]
fn a_longer_text_is_narrower() {
    let narrower = |new: &str, old: &str| parse(new).is_narrower_than(&parse(old));
    for (new, old) in [
        ("web", ""),
        ("webs", "web"),
        ("web running", "web"),
        ("Web", "we"),
        ("status:runn", "status:run"),
        ("label:app=web", "label:app"),
        ("!we", "!web"),
        ("web-1 | web-2", "web"),
        ("web", "web | x"),
    ] {
        assert!(narrower(new, old), "{new:?} is narrower than {old:?}");
        let back = new == old || narrower(old, new);
        assert!(!back, "{old:?} is wider than {new:?}");
    }
    for (new, old) in
        [("", "web"), ("web", "Web"), ("!web", "!we"), ("web | x", "web"), ("/a/", "a")]
    {
        assert!(!narrower(new, old), "{new:?} is not known to be narrower than {old:?}");
    }
}

/// Texts that have something to do with the pods, so that they find some and not all.
fn query() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        "[wW]?e?b?-?[0-2]?",
        "status:[rRfFpP][uaeUAE]?n?",
        "restarts:[<>]=?[0-3]",
        "label:(app|tier)(!?=(web)?)?",
        "node:=?node-[0-3]",
        "namespace:!?=?(shop|ops|Ops)",
    ];
    let terms = prop::collection::vec((any::<bool>(), term), 0..3);
    prop::collection::vec(terms, 1..3).prop_map(|any| {
        let word = |(not, term): &(bool, String)| match term.as_str() {
            "" => "e".to_owned(),
            term => format!("{}{term}", if *not { "!" } else { "" }),
        };
        let all = |all: &Vec<_>| all.iter().map(word).collect::<Vec<_>>().join(" ");
        any.iter().map(all).filter(|all| !all.is_empty()).collect::<Vec<_>>().join(" | ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_typed_parses_or_is_explained(
        text in r#"((status|node|re|label|x|restarts):?|[!|/"\\=<> ]|[<>!]=|[a-z0-9(é日.-]){0,12}"#,
    ) {
        match Query::parse(&text, &pods::TABLE) {
            Ok(query) => {
                prop_assert_eq!(query.source(), text.trim());
                let again = Query::parse(query.source(), &pods::TABLE);
                prop_assert!(again.is_ok_and(|again| query.is_empty() == again.is_empty()));
            }
            Err(explained) => {
                prop_assert!(text.get(explained.at.clone()).is_some(), "{:?} of {:?}", explained.at, text);
                prop_assert!(explained.why.len() > 10);
            }
        }
    }

    #[test]
    fn what_passes_a_narrower_query_passes_the_wider(
        new in query(),
        old in query(),
        pods in prop::collection::vec(pod(0..60), 1..30),
    ) {
        let (mut store, feed) = world();
        store.apply(&parcel(feed, 0, &pods));
        let (new, old) = (parse(&new), parse(&old));
        if new.is_narrower_than(&old) {
            let wider = kept(&store, &old);
            let narrower = kept(&store, &new);
            prop_assert!(narrower.iter().all(|name| wider.contains(name)), "{:?} {:?}", new, old);
        }
    }

    #[test]
    fn free_text_finds_what_the_whole_texts_hold(
        needle in "[a-zA-Z0-9/-]{1,6}",
        pods in prop::collection::vec(pod(0..60), 1..30),
    ) {
        let (mut store, feed) = world();
        store.apply(&parcel(feed, 0, &pods));
        let fold = |text: &str| match needle.chars().any(char::is_uppercase) {
            true => text.to_owned(),
            false => text.to_ascii_lowercase(),
        };
        let mut query = parse(&format!("\"{needle}\"")).bind(NOON);
        for row in store.rows("pods") {
            let texts = [
                row.namespace().to_owned(),
                row.name().into_owned(),
                row.text(pods::STATUS).to_owned(),
                row.text(pods::NODE).to_owned(),
                row.text(pods::OWNER).to_owned(),
            ];
            let want = texts.iter().any(|text| fold(text).contains(&needle));
            prop_assert_eq!(query.test(row), want, "{:?} in {:?}", needle, texts);
        }
    }

    #[test]
    fn names_keep_their_text(ids in prop::collection::btree_set(0..2000u16, 1..40)) {
        let (mut store, feed) = world();
        let pods: Vec<Pod> = ids
            .iter()
            .map(|&id| Pod { id, node: None, phase: 0, restarts: 0, milli: 0, labels: 0 })
            .collect();
        store.apply(&parcel(feed, 0, &pods));
        for (row, &id) in store.rows("pods").zip(&ids) {
            prop_assert_eq!(row.name(), name(id));
            prop_assert_eq!(row.namespace(), namespace(id));
        }
    }
}
