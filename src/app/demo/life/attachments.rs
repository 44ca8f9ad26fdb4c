//! Volume attachments: a volume is attached to the node of the pod that uses it, and detached some time after the pod
//! went (kubernetes `pkg/controller/volume/attachdetach`). A drain that waits for it can be seen waiting.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::super::World;
use super::super::object::{self, born, items, text};
use super::super::registry::{ATTACHMENTS, PODS, VOLUME_CLAIMS};
use super::super::rng::hash;

/// One step: what is used is attached, and one attachment that is not used any more is detached.
pub fn sync(world: &mut World, now: Timestamp) {
    let wanted = wanted(world);
    for (name, (volume, node)) in &wanted {
        if world.store.get(&ATTACHMENTS, "", name).is_none() {
            let mut attachment = json!({
                "metadata": {"name": name, "finalizers": ["external-attacher/disk-demo-example"]},
                "spec": {"attacher": "disk.demo.example", "nodeName": node,
                    "source": {"persistentVolumeName": volume}},
                "status": {"attached": true},
            });
            born(&ATTACHMENTS, &mut attachment, &mut world.rng, "kube-controller-manager", now);
            world.store.put(&ATTACHMENTS, attachment);
        }
    }
    let attached = world.store.table(&ATTACHMENTS).values();
    let unused = attached.map(|a| object::name(a)).find(|name| !wanted.contains_key(*name));
    if let Some(name) = unused.map(str::to_owned) {
        world.store.remove(&ATTACHMENTS, "", &name);
    }
}

/// Attachment names with their volume and node.
fn wanted(world: &World) -> BTreeMap<String, (String, String)> {
    let pods = world.store.table(&PODS).values();
    let bound = pods.filter(|p| {
        p["spec"]["nodeName"].is_string()
            && !matches!(text(&p["status"]["phase"]), "Succeeded" | "Failed")
    });
    bound
        .flat_map(|pod| items(&pod["spec"]["volumes"]).iter().map(move |v| (pod, v)))
        .filter_map(|(pod, volume)| {
            let claim = volume["persistentVolumeClaim"]["claimName"].as_str()?;
            let claim = world.store.get(&VOLUME_CLAIMS, object::namespace(pod), claim)?;
            let volume = claim["spec"]["volumeName"].as_str()?;
            let node = text(&pod["spec"]["nodeName"]);
            let name = format!("csi-{:016x}", hash(&format!("{volume}/{node}")));
            Some((name, (volume.to_owned(), node.to_owned())))
        })
        .collect()
}
