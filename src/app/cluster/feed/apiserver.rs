//! The API server and etcd board's source: the session's scrapes, and etcd's own page where the command line names one.

use super::measured::{Fill, Look, Looking, Source};
use crate::app::cluster::bases::{Bases, Before};
use crate::app::cluster::scrape::{EVERY, Reading, scrape};
use crate::app::cluster::session::{EtcdArgs, Fault, etcd};
use crate::app::cluster::upstream::Upstream;
use crate::app::limits;
use crate::state::cell::bytes;
use crate::state::kinds::apiserver;
use crate::state::metrics::apiserver::limits::Limits;
use crate::state::metrics::apiserver::{Etcd, Facts, Measured, Section, board, names, seconds};
use crate::state::metrics::{Histories, Scrape, Span};
use crate::state::time::{Epoch, span};
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// etcd is looked at over ten to fifteen minutes: its leader changes seldom, and some of its calls are few.
const OWN: Duration = Duration::from_secs(15 * 60);
/// Longest wait for etcd's page: a server that hangs must not hold up what the API server says.
const WAIT: Duration = Duration::from_secs(5);

/// The board at work.
#[derive(Default)]
pub(super) struct Board {
    seen: u64,
    limits: Option<Limits>,
    /// What there is to say of the operator's thresholds.
    said: Vec<String>,
    histories: Histories,
    etcd: Itself,
}

/// etcd's own page.
struct Itself {
    client: Option<(Client, String)>,
    bases: Bases,
}

impl Default for Itself {
    fn default() -> Itself {
        Itself { client: None, bases: Bases::new(OWN, 3) }
    }
}

/// etcd's own metrics as far as they are to be had; `None` if nobody said where they are.
type Own = Option<Result<Page, String>>;

struct Page {
    now: Arc<Scrape>,
    before: Option<Before>,
    date: Option<i64>,
}

impl Source for Board {
    fn look<'a>(&'a mut self, up: &'a Arc<Upstream>) -> Looking<'a> {
        Box::pin(async move {
            let (reading, own) =
                tokio::join!(up.scrapes.next(&up.client, self.seen), self.etcd.read(up));
            let reading = reading?;
            self.seen = reading.number;
            let rows = self.rows(&reading, &own, (up.clock)());
            let unread = self.said.clone();
            let age = reading.age();
            Ok(Look { rows, unread, next: Instant::now() + EVERY.saturating_sub(age) })
        })
    }
}

impl Itself {
    /// etcd's own page, if the command line names one.
    async fn read(&mut self, up: &Upstream) -> Own {
        let args = up.etcd.get().filter(|args| args.etcd_metrics.is_some())?;
        let asked = tokio::time::timeout(WAIT, self.ask(args)).await;
        let silent = || {
            format!(
                "etcd does not answer: nothing came from --etcd-metrics within {}",
                seconds(WAIT.as_secs_f64())
            )
        };
        Some(match asked {
            Err(_) => Err(silent()),
            Ok(page) => page.map_err(|fault| format!("not to be had: {fault}")),
        })
    }

    async fn ask(&mut self, args: &EtcdArgs) -> Result<Page, Fault> {
        let (client, path) = match self.client.take() {
            Some(open) => self.client.insert(open),
            None => self.client.insert(etcd(args).await?),
        };
        let began = Instant::now();
        let taken = scrape(client, path, &names::etcd::wants()).await?;
        let now = Arc::new(taken.scrape);
        let before = self.bases.compare(began, &now, 0);
        Ok(Page { now, before, date: taken.date })
    }
}

impl Board {
    fn rows(&mut self, reading: &Reading, own: &Own, clock: Epoch) -> Vec<Fill> {
        let limits = self.limits.get_or_insert_with(|| {
            let (limits, said) = limits::of_env();
            self.said = said;
            limits
        });
        let born = reading.now.born();
        let span = reading.span_or_since_start(&born);
        let page = |own: &Own| own.as_ref().and_then(|own| own.as_ref().ok()).map(|p| p.now.born());
        let own_born = page(own).unwrap_or_default();
        let etcd = own.as_ref().map(|own| {
            let page = own.as_ref().map_err(String::clone)?;
            let before = page.before.as_ref().map(|(before, seconds)| (&**before, *seconds));
            // Where it tells no time, the API server's clock serves.
            let span = Span::of(before, &own_born, &page.now, page.date.or(reading.date));
            Ok(Etcd { now: &page.now, span })
        });
        let facts = Facts { now: &reading.now, span, etcd, limits };
        let mut rows = board(&facts);
        let overview = rows.iter().take_while(|row| row.section == Section::Overview).count();
        rows.insert(overview, told(reading, span.as_ref()));
        self.fills(rows, reading, clock)
    }

    fn fills(&mut self, rows: Vec<Measured>, reading: &Reading, at: Epoch) -> Vec<Fill> {
        let key = |row: &Measured| format!("{}/{}", row.section.word(), row.name);
        let keys: Vec<String> = rows.iter().map(key).collect();
        let history = self.histories.of(reading.now.started);
        let values = rows.iter().map(|row| row.rate.or(row.now).or(row.bytes));
        history.push(at, keys.iter().map(String::as_str).zip(values));
        let trends: Vec<_> = keys.iter().map(|key| history.heights(key)).collect();
        let rows = rows.into_iter().zip(trends).enumerate();
        rows.map(|(place, (row, trend))| -> Fill {
            Box::new(move |draft| apiserver::fill(draft, &row, place, at, trend))
        })
        .collect()
    }
}

/// Which server answered, over what time the rates are, and what the scrape cost.
fn told(reading: &Reading, figures: Option<&Span<'_>>) -> Measured {
    let mut row = Measured::new(Section::Overview, apiserver::SCRAPE, "/metrics");
    let uptime = reading.now.started.zip(reading.date).map(|(start, date)| date as f64 - start);
    let mut words = match uptime {
        Some(up) => format!("server up {}", span(up as i64)),
        None => "a server that does not say since when it runs".into(),
    };
    if reading.servers > 1 {
        words += &format!(", one of {} that answer here or were restarted", reading.servers);
    }
    words += &match figures {
        None => ", nothing to compare with yet".into(),
        Some(figures) if figures.is_since_start() => {
            ", rates and quantiles since its start and not judged: --watch or a second look compares"
                .into()
        }
        Some(figures) if !figures.is_recent() => {
            let over = span(figures.seconds as i64);
            format!(", rates and quantiles over the last {over} and not judged")
        }
        // Nobody looked for a while.
        Some(figures) if figures.seconds >= 120.0 => {
            format!(", rates and quantiles over the last {}", span(figures.seconds as i64))
        }
        Some(_) => String::new(),
    };
    let cost = reading.now.cost;
    let took = seconds(reading.took.as_secs_f64());
    words += &format!(
        "; {} in {took}, {} of {} lines kept",
        bytes(cost.bytes as i64),
        cost.kept,
        cost.lines
    );
    for (n, what) in [
        (cost.malformed, "lines unreadable"),
        (cost.folded, "added up as (more)"),
        (cost.left, "buckets left out"),
    ] {
        if n > 0 {
            words += &format!("; {n} {what}");
        }
    }
    row.bytes = Some(cost.bytes as f64);
    row.now = Some(reading.spent.0 as f64);
    row.why = words;
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::upstream::system_clock;
    use crate::app::demo::DemoCluster;

    #[tokio::test(start_paused = true)]
    async fn an_etcd_that_hangs_is_said_not_to_answer_and_holds_up_nothing() {
        // It takes connections as a stopped process does, and says nothing.
        let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", hangs.local_addr().unwrap());
        let up = Upstream::new(DemoCluster::today().client(), system_clock());
        let args = EtcdArgs { etcd_metrics: Some(url), ..EtcdArgs::default() };
        assert!(up.etcd.set(args).is_ok());
        let mut board = Board::default();
        for look in 0..2 {
            let began = Instant::now();
            let Some(Err(why)) = board.etcd.read(&up).await else { panic!("it was named") };
            assert!(why.starts_with("etcd does not answer"), "{look}: {why}");
            assert_eq!(began.elapsed(), WAIT);
        }
        let began = Instant::now();
        let look = board.look(&up).await.unwrap();
        assert!(look.rows.len() > 20 && began.elapsed() <= WAIT, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_figures_are_over_is_said() {
        let up = Upstream::new(DemoCluster::today().client(), system_clock());
        let mut seen = 0;
        let mut words = vec![];
        for pause in [0, 15, 180, 7200] {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            let reading = up.scrapes.next(&up.client, seen).await.unwrap();
            seen = reading.number;
            let born = reading.now.born();
            words.push(told(&reading, reading.span_or_since_start(&born).as_ref()).why);
        }
        assert!(words[0].contains("since its start and not judged: --watch or"), "{words:?}");
        assert!(!words[1].contains("rates and quantiles"), "{words:?}");
        assert!(words[2].contains("rates and quantiles over the last 3m"), "{words:?}");
        assert!(
            words[3].contains("over the last 120m") && words[3].contains("not judged"),
            "{words:?}"
        );
    }
}
