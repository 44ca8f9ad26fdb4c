//! Documents: the object that was meant, and the events about it.

mod encode;
mod upstream;

use encode::pod;
use serde_json::{Value, json};
use upstream::*;
use wheelhouse::app::cluster::fetch::{events_of, get_object};
use wheelhouse::app::cluster::session::{Fault, Permit};
use wheelhouse::state::kinds::{nodes, pods};
use wheelhouse::state::parcel::Key;
use wheelhouse::state::ui::document::Target;

const UID: &str = "00000003-0000-4000-8000-000000000003";

fn target(uid: &str) -> Target {
    Target {
        table: "pods",
        gvk: &pods::TABLE.kinds[0].gvk,
        namespace: "team-3".into(),
        name: "web".into(),
        key: Key::of(uid, "team-3", "web"),
        rv: 1,
    }
}

fn json_of(value: &Value) -> Reply {
    let body = value.to_string().into_bytes();
    Reply::Whole(200, vec![("content-type", "application/json".into())], body)
}

#[tokio::test(start_paused = true)]
async fn an_object_is_fetched_by_its_path_and_told_from_its_successor() {
    let rig = Rig::new(|_| json_of(&pod(3)));
    let object = get_object(&rig.up.client, &target(UID)).await.unwrap();
    assert_eq!(object, pod(3));
    let asked = &rig.asked()[0];
    assert_eq!(
        (asked.path.as_str(), &*asked.accept),
        ("/api/v1/namespaces/team-3/pods/web", "application/json")
    );
    assert_eq!(asked.permit, Some(Permit::Read));

    let other = get_object(&rig.up.client, &target("99999999-0000-4000-8000-000000000003")).await;
    let Err(Fault::NotFound { message }) = other else { panic!("{other:?}") };
    assert_eq!(message, "web was deleted; another object has its name now");
}

#[tokio::test(start_paused = true)]
async fn a_document_has_ten_seconds() {
    let rig = Rig::new(|_| Reply::Hang);
    let fault = get_object(&rig.up.client, &target(UID)).await.unwrap_err();
    assert!(matches!(fault, Fault::Timeout { .. }), "{fault}");
    assert_eq!(rig.now().as_secs(), 10);
}

fn event(uid: Option<&str>, message: &str) -> Value {
    json!({ "involvedObject": { "uid": uid }, "message": message })
}

#[tokio::test(start_paused = true)]
async fn events_of_an_earlier_object_of_that_name_are_left_out_and_odd_uids_are_not() {
    let events = [
        event(Some(UID), "mine"),
        event(Some("11111111-0000-4000-8000-000000000003"), "an earlier pod's"),
        event(
            Some("5d41402abc4b2a76b9719d911017c592"),
            "a static pod's, by the hash of its manifest",
        ),
        event(None, "nobody's"),
    ];
    let list = json!({ "items": events });
    let rig = Rig::new(move |_| json_of(&list));
    let got = events_of(&rig.up.client, &target(UID)).await.unwrap();
    let messages: Vec<_> = got.iter().map(|e| e["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["mine", "a static pod's, by the hash of its manifest", "nobody's"]);
    let asked = &rig.asked()[0];
    assert_eq!(asked.path, "/api/v1/namespaces/team-3/events");
    let fields = "involvedObject.kind%3DPod%2CinvolvedObject.name%3Dweb";
    assert_eq!(asked.param("fieldSelector"), Some(fields));

    let node = Target { gvk: &nodes::TABLE.kinds[0].gvk, namespace: String::new(), ..target(UID) };
    assert_eq!(
        events_of(&rig.up.client, &node).await.unwrap().len(),
        4,
        "a node's are never told apart by uid"
    );
    assert_eq!(rig.asked()[1].path, "/api/v1/events");
}
