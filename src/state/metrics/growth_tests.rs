//! Rates and quantiles, worked by hand.

use super::*;
use crate::state::metrics::{Parser, Want};

/// A scrape of one process with a counter and a histogram over bounds 1, 2, 4 and infinity.
fn scrape(started: f64, x: f64, buckets: [u32; 4]) -> Scrape {
    let mut text = format!("process_start_time_seconds {started}\nx{{v=\"a\"}} {x}\n");
    for (le, n) in ["1", "2", "4", "+Inf"].iter().zip(buckets) {
        text += &format!("h_bucket{{v=\"a\",le=\"{le}\"}} {n}\n");
    }
    text += &format!("h_sum{{v=\"a\"}} {}\nh_count{{v=\"a\"}} {}\n", buckets[3] * 2, buckets[3]);
    let mut parser = Parser::new(&[Want::by("x", &["v"]), Want::by("h", &["v"])]);
    parser.feed(text.as_bytes());
    parser.end()
}

fn histogram(counts: [f64; 4]) -> Histogram {
    let bounds = vec![1.0, 2.0, 4.0, f64::INFINITY];
    Histogram { bounds, counts: counts.to_vec(), sum: 0.0, count: counts[3] }
}

#[test]
fn rates_are_over_the_time_between_two_scrapes_of_one_process() {
    let (a, b) = (scrape(100.0, 10.0, [0; 4]), scrape(100.0, 40.0, [0; 4]));
    let grown = Span::new(&a, &b, 15.0).unwrap().total("x").unwrap();
    assert_eq!((grown.count, grown.rate()), (30.0, 2.0));
    assert_eq!(Span::new(&a, &b, 15.0).unwrap().total("y"), None, "absent is not zero");
    // A reset by DELETE /metrics: what is there now was counted since.
    assert_eq!(Span::new(&b, &a, 5.0).unwrap().total("x").unwrap().rate(), 2.0);
    let other = scrape(101.0, 50.0, [0; 4]);
    assert_eq!(Span::new(&a, &other, 15.0).err(), Some(Break::OtherProcess));
    assert_eq!(Span::new(&a, &b, 0.0).err(), Some(Break::NoTime));
    assert_eq!(Span::new(&Scrape::default(), &b, 1.0).err(), Some(Break::Unidentified));
}

#[test]
fn a_series_that_is_new_began_at_zero() {
    let mut parser = Parser::new(&[]);
    parser.feed(b"process_start_time_seconds 100\n");
    let (before, now) = (parser.end(), scrape(100.0, 8.0, [1, 2, 3, 40]));
    let span = Span::new(&before, &now, 4.0).unwrap();
    assert_eq!(span.total("x").unwrap().rate(), 2.0);
    assert_eq!(span.total("h").unwrap().count, 40.0);
}

#[test]
fn quantiles_worked_by_hand() {
    // Buckets 1, 2, 4, +Inf hold 10, 20, 10, 0 observations: cumulative 10, 30, 40, 40.
    let h = histogram([10.0, 30.0, 40.0, 40.0]);
    let cases = [
        // rank 20: 10 of 20 into (1, 2].
        (0.5, Quantile::At(1.5)),
        // rank 4: 4 of 10 into (0, 1].
        (0.1, Quantile::At(0.4)),
        // rank 10 is the first bucket's upper bound.
        (0.25, Quantile::At(1.0)),
        // rank 36: 6 of 10 into (2, 4].
        (0.9, Quantile::At(3.2)),
        (1.0, Quantile::At(4.0)),
    ];
    for (q, expected) in cases {
        let Some(Quantile::At(is)) = h.quantile(q) else { panic!("{q}") };
        let Quantile::At(expected) = expected else { panic!() };
        assert!((is - expected).abs() < 1e-9, "{q}: {is} {expected}");
    }
    // One in ten beyond the last finite bound: only that can be said.
    assert_eq!(histogram([0.0, 0.0, 90.0, 100.0]).quantile(0.99), Some(Quantile::AtLeast(4.0)));
    assert_eq!(histogram([0.0; 4]).quantile(0.5), None, "of nothing there is none");
    assert_eq!(Histogram::default().quantile(0.5), None);
    // 19 observations say nothing about one in a hundred, but have a middle.
    assert_eq!(histogram([19.0; 4]).quantile(0.99), Some(Quantile::Few(19)));
    assert_eq!(histogram([19.0; 4]).quantile(0.5), Some(Quantile::At(0.5)));
    // Counts that fall (a scrape is not atomic) are taken as not falling: cumulative 10, 10, 40, 40.
    let Some(Quantile::At(is)) = histogram([10.0, 9.0, 40.0, 40.0]).quantile(0.625) else {
        panic!()
    };
    assert!((is - 3.0).abs() < 1e-9);
}

#[test]
fn quantiles_are_of_what_was_observed_between_the_scrapes() {
    let (a, b) = (scrape(1.0, 0.0, [100, 100, 100, 100]), scrape(1.0, 0.0, [100, 120, 140, 140]));
    let grown = Span::new(&a, &b, 10.0).unwrap().total("h").unwrap();
    assert_eq!((grown.count, grown.mean()), (40.0, Some(2.0)));
    assert_eq!(grown.quantile(0.5), Some(Quantile::At(2.0)));
    let mut twice = grown.clone();
    twice.add(&grown);
    assert_eq!((twice.count, twice.quantile(0.5)), (80.0, Some(Quantile::At(2.0))));
}
