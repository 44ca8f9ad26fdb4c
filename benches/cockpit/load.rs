//! What the API server had to do, by its own count.

use super::controlplane::ControlPlane;
use super::figures::Figures;
use std::collections::BTreeMap;

/// The server's counters at one moment.
pub struct Load {
    /// Requests answered, by verb and resource. Watches are counted when they end.
    answered: BTreeMap<(String, String), f64>,
    /// Bytes answered to lists.
    listed: f64,
    /// Watches open now.
    watches: f64,
}

impl Load {
    /// Reads `/metrics`; the reading itself is left out.
    pub fn of(lab: &ControlPlane) -> Load {
        let reply = lab.request("GET", "/metrics", "", b"").expect("the server counts");
        let text = String::from_utf8_lossy(&reply.body);
        let mut load = Load { answered: BTreeMap::new(), listed: 0.0, watches: 0.0 };
        for line in text.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let label = |name: &str| {
                let from = series.split_once(&format!("{name}=\""))?.1;
                Some(from.split_once('"')?.0.to_owned())
            };
            let name = series.split('{').next().unwrap_or_default();
            match name {
                "apiserver_request_total" => {
                    let resource = label("resource").unwrap_or_default();
                    let at = (label("verb").unwrap_or_default(), resource);
                    *load.answered.entry(at).or_default() += value;
                }
                "apiserver_response_sizes_sum" if label("verb").as_deref() == Some("LIST") => {
                    load.listed += value;
                }
                "apiserver_longrunning_requests" => load.watches += value,
                _ => {}
            }
        }
        load
    }

    /// What was answered since, without the server's own upkeep and the reading of the counters.
    fn since(&self, before: &Load) -> BTreeMap<(String, String), f64> {
        let own = ["leases", "flowschemas", "prioritylevelconfigurations", "endpointslices"];
        let mut more = BTreeMap::new();
        for (at, now) in &self.answered {
            let n = now - before.answered.get(at).copied().unwrap_or(0.0);
            if n > 0.0 && !at.1.is_empty() && !own.contains(&at.1.as_str()) {
                more.insert(at.clone(), n);
            }
        }
        more
    }

    /// The cost of a start.
    pub fn start(&self, before: &Load, figures: &mut Figures) {
        let more = self.since(before);
        eprintln!("start: {more:?}, {} watches more", self.watches - before.watches);
        let lists: f64 = more.iter().filter(|((verb, _), _)| verb == "LIST").map(|(_, n)| n).sum();
        // One page of one object, to say of how many rows the list will be.
        figures.note("start: lists the server counted", "lists", Some(1.0), lists);
        let megabytes = (self.listed - before.listed) / 1e6;
        figures.note("start: bytes of lists the server counted", "MB", None, megabytes);
        let watches = self.watches - before.watches;
        figures.note("start: watches opened, the lists in front of them", "watches", None, watches);
    }

    /// The cost of a minute without events.
    pub fn idle(&self, before: &Load, figures: &mut Figures) {
        let more = self.since(before);
        eprintln!("idle minute: {more:?}");
        let all: f64 = more.values().sum();
        // A watch ends and is opened again within 200 s; a probe goes out after 10 s of silence.
        let allowed = self.watches + 6.0;
        figures.note("idle minute: requests the server counted", "requests", Some(allowed), all);
    }
}
