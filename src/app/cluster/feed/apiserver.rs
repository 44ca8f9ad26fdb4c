//! The API server and etcd board's source: the session's scrapes, and etcd's own page where the command line names one.

use super::measured::{Fill, Look, Looking, Source};
use crate::app::cluster::scrape::{EVERY, Reading, scrape};
use crate::app::cluster::session::{Fault, etcd};
use crate::app::cluster::upstream::Upstream;
use crate::app::limits;
use crate::state::cell::bytes;
use crate::state::kinds::apiserver;
use crate::state::metrics::apiserver::limits::Limits;
use crate::state::metrics::apiserver::{Etcd, Facts, Measured, Section, board, names, seconds};
use crate::state::metrics::{History, Scrape, Span};
use crate::state::time::{Epoch, span};
use kube::Client;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Processes whose histories are kept.
const SERVERS: usize = 9;

/// The board at work.
#[derive(Default)]
pub(super) struct Board {
    seen: u64,
    limits: Option<Limits>,
    /// What there is to say of the operator's thresholds.
    said: Vec<String>,
    /// By the process they are of: what several servers say is never mixed.
    histories: HashMap<u64, History>,
    etcd: Option<(Client, String)>,
    etcd_before: Option<(Instant, Arc<Scrape>)>,
}

/// etcd's own metrics as far as they are to be had.
type Own = Result<(Arc<Scrape>, Option<(Arc<Scrape>, f64)>), String>;

impl Source for Board {
    fn look<'a>(&'a mut self, up: &'a Arc<Upstream>) -> Looking<'a> {
        Box::pin(async move {
            let reading = up.scrapes.next(&up.client, self.seen).await?;
            self.seen = reading.number;
            let own = self.own(up).await;
            let rows = self.rows(&reading, &own, (up.clock)());
            let unread = self.said.clone();
            let age = reading.age();
            Ok(Look { rows, unread, next: Instant::now() + EVERY.saturating_sub(age) })
        })
    }
}

impl Board {
    /// etcd's own page, if the command line names one.
    async fn own(&mut self, up: &Upstream) -> Own {
        let hidden =
            "not visible from here: --etcd-metrics URL, with --etcd-cert and --etcd-key, reads it";
        let args = up.etcd.get().filter(|args| args.etcd_metrics.is_some());
        let args = args.ok_or(hidden)?;
        let words = |fault: Fault| format!("not to be had: {fault}");
        if self.etcd.is_none() {
            self.etcd = Some(etcd(args).await.map_err(words)?);
        }
        let Some((client, path)) = &self.etcd else { return Err(hidden.into()) };
        let began = Instant::now();
        let taken = scrape(client, path, &names::etcd::wants()).await.map_err(words)?;
        let now = Arc::new(taken.scrape);
        let before = self.etcd_before.replace((began, now.clone()));
        let before = before.map(|(at, s)| (s, began.duration_since(at).as_secs_f64()));
        Ok((now, before))
    }

    fn rows(&mut self, reading: &Reading, own: &Own, clock: Epoch) -> Vec<Fill> {
        let limits = self.limits.get_or_insert_with(|| {
            let (limits, said) = limits::of_env();
            self.said = said;
            limits
        });
        let born = reading.now.born();
        // Until there are two scrapes of this process, what it counted since its start serves.
        let uptime = reading.now.started.zip(reading.date).map(|(start, date)| date as f64 - start);
        let since_start = || Span::since_start(&born, &reading.now, uptime?);
        let between = reading.span();
        let span = between.or_else(since_start);
        let own_born = own.as_ref().ok().map(|(now, _)| now.born());
        let etcd = own.as_ref().map_err(String::clone).map(|(now, before)| {
            let between = before.as_ref().and_then(|(b, s)| Span::new(b, now, *s).ok());
            let up = now.started.zip(reading.date).map(|(start, date)| date as f64 - start);
            let since = || Span::since_start(own_born.as_ref()?, now, up?);
            Etcd { now, span: between.or_else(since) }
        });
        let facts = Facts { now: &reading.now, span, etcd, limits };
        let mut rows = board(&facts);
        let overview = rows.iter().take_while(|row| row.section == Section::Overview).count();
        rows.insert(overview, told(reading, between.is_some(), uptime));
        let window = span.map_or(0.0, |span| span.seconds);
        self.fills(rows, reading, window, clock)
    }

    fn fills(
        &mut self,
        rows: Vec<Measured>,
        reading: &Reading,
        window: f64,
        at: Epoch,
    ) -> Vec<Fill> {
        let id = reading.now.started.map_or(0, f64::to_bits);
        if self.histories.len() >= SERVERS && !self.histories.contains_key(&id) {
            self.histories.clear();
        }
        let key = |row: &Measured| format!("{}/{}", row.section.word(), row.name);
        let keys: Vec<String> = rows.iter().map(key).collect();
        let history = self.histories.entry(id).or_default();
        let values = rows.iter().map(|row| row.rate.or(row.now).or(row.bytes));
        history.push(at, keys.iter().map(String::as_str).zip(values));
        let trends: Vec<_> = keys.iter().map(|key| history.heights(key)).collect();
        let rows = rows.into_iter().zip(trends).enumerate();
        rows.map(|(place, (row, trend))| -> Fill {
            Box::new(move |draft| apiserver::fill(draft, &row, place, (at, window), trend))
        })
        .collect()
    }
}

/// Which server answered, over what time the rates are, and what the scrape cost.
fn told(reading: &Reading, compared: bool, uptime: Option<f64>) -> Measured {
    let mut row = Measured::new(Section::Overview, apiserver::SCRAPE, "/metrics");
    let mut words = match uptime {
        Some(up) => format!("server up {}", span(up as i64)),
        None => "a server that does not say since when it runs".into(),
    };
    if reading.servers > 1 {
        words += &format!(", one of {} that answer here or were restarted", reading.servers);
    }
    words += match compared {
        true => "",
        false => ", figures since its start",
    };
    let cost = reading.now.cost;
    let took = seconds(reading.took.as_secs_f64());
    words += &format!(
        "; {} in {took}, {} of {} lines kept",
        bytes(cost.bytes as i64),
        cost.kept,
        cost.lines
    );
    if cost.malformed + cost.folded > 0 {
        words +=
            &format!("; {} lines unreadable, {} added up as (more)", cost.malformed, cost.folded);
    }
    row.bytes = Some(cost.bytes as f64);
    row.now = Some(reading.spent.0 as f64);
    row.why = words;
    row
}
