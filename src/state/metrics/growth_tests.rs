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

/// Bounds, cumulative counts, a quantile, and what it is by hand.
type Case = (&'static [f64], &'static [f64], f64, Option<Quantile>);

const INF: f64 = f64::INFINITY;

#[test]
fn quantiles_at_the_edges_worked_by_hand() {
    use Quantile::{At, AtLeast, Few};
    let cases: &[Case] = &[
        // All in the first bucket: rank 15 of 30 is halfway from 0 to 0.1.
        (&[0.1, 1.0, INF], &[30.0, 30.0, 30.0], 0.5, Some(At(0.05))),
        // Empty buckets before the one that holds it: (1, 2] from its lower bound.
        (&[0.5, 1.0, 2.0, INF], &[0.0, 0.0, 40.0, 40.0], 0.25, Some(At(1.25))),
        // Empty buckets amidst: rank 20 is the end of (0, 1], not the begin of (4, 8].
        (&[1.0, 2.0, 4.0, 8.0, INF], &[20.0, 20.0, 20.0, 40.0, 40.0], 0.5, Some(At(1.0))),
        // Just beyond: rank 30 is halfway through the 20 of (4, 8].
        (&[1.0, 2.0, 4.0, 8.0, INF], &[20.0, 20.0, 20.0, 40.0, 40.0], 0.75, Some(At(6.0))),
        // The bucket without an end holds it, though most are below.
        (&[1.0, 2.0, INF], &[10.0, 90.0, 100.0], 0.95, Some(AtLeast(2.0))),
        // The last rank that is not in it.
        (&[1.0, 2.0, INF], &[10.0, 90.0, 100.0], 0.9, Some(At(2.0))),
        // Everything beyond the last bound.
        (&[1.0, 2.0, INF], &[0.0, 0.0, 50.0], 0.5, Some(AtLeast(2.0))),
        // A first bucket that ends below zero has no width from zero.
        (&[-1.0, 1.0, INF], &[30.0, 30.0, 30.0], 0.5, Some(At(-1.0))),
        // One bucket alone says nothing of size.
        (&[INF], &[30.0], 0.5, None),
        // The bucket that holds all is missing.
        (&[1.0, 2.0], &[10.0, 30.0], 0.5, None),
        // A count that is no number is as if it had not been told: (0, 2] holds 30.
        (&[1.0, 2.0, INF], &[f64::NAN, 30.0, 30.0], 0.5, Some(At(1.5))),
        (&[1.0, 2.0, INF], &[f64::NAN; 3], 0.5, None),
        // 20 are enough for a high quantile: rank 19.8 of 20 in (0, 1].
        (&[1.0, INF], &[20.0, 20.0], 0.99, Some(At(0.99))),
        (&[1.0, INF], &[19.0, 19.0], 0.99, Some(Few(19))),
        (&[1.0, INF], &[0.0, 1.0], 0.5, Some(AtLeast(1.0))),
    ];
    for (bounds, counts, q, expected) in cases {
        let h = Histogram {
            bounds: bounds.to_vec(),
            counts: counts.to_vec(),
            sum: 0.0,
            count: *counts.last().unwrap(),
        };
        match (h.quantile(*q), expected) {
            (Some(At(is)), Some(At(by_hand))) => {
                assert!((is - by_hand).abs() < 1e-12, "{bounds:?} {counts:?} {q}: {is} {by_hand}");
            }
            (is, by_hand) => assert_eq!(is, *by_hand, "{bounds:?} {counts:?} {q}"),
        }
    }
}

fn page(text: &str) -> Scrape {
    let mut parser = Parser::new(&[Want::by("x", &["v"]), Want::by("h", &["v"])]);
    parser.feed(format!("process_start_time_seconds 100\n{text}").as_bytes());
    parser.end()
}

#[test]
fn growth_at_the_edges_worked_by_hand() {
    // Before, now, and by how much it grew.
    let cases = [
        ("x{v=\"a\"} 10\n", "x{v=\"a\"} 10\n", Some(0.0)),
        // Reset: seven since. It was at more before, so some are lost, and none is invented.
        ("x{v=\"a\"} 10\n", "x{v=\"a\"} 7\n", Some(7.0)),
        // One series was reset, the other grew by 5.
        ("x{v=\"a\"} 10\nx{v=\"b\"} 1\n", "x{v=\"a\"} 2\nx{v=\"b\"} 6\n", Some(7.0)),
        // A series that is new began at zero, one that is gone counts nothing.
        ("x{v=\"a\"} 10\n", "x{v=\"a\"} 11\nx{v=\"b\"} 3\n", Some(4.0)),
        ("x{v=\"a\"} 10\nx{v=\"b\"} 3\n", "x{v=\"a\"} 11\n", Some(1.0)),
        // No number: not known, and not known is not zero.
        ("x{v=\"a\"} 10\n", "x{v=\"a\"} NaN\n", None),
        ("x{v=\"a\"} NaN\n", "x{v=\"a\"} 10\n", None),
        ("x{v=\"a\"} NaN\nx{v=\"b\"} 1\n", "x{v=\"a\"} NaN\nx{v=\"b\"} 4\n", Some(3.0)),
        ("x{v=\"a\"} +Inf\n", "x{v=\"a\"} +Inf\n", None),
        ("x{v=\"a\"} 10\n", "", None),
    ];
    for (before, now, expected) in cases {
        let (before_page, now_page) = (page(before), page(now));
        let span = Span::new(&before_page, &now_page, 10.0).unwrap();
        let grown = span.grown("x", &["v"]);
        let sum = grown.values().map(|g| g.count).reduce(|a, b| a + b);
        assert_eq!(sum, expected, "{before:?} {now:?}");
        let rate = grown.values().map(Growth::rate).reduce(|a, b| a + b);
        assert_eq!(rate.map(|r| (r * 1e9).round() / 1e9), expected.map(|n| n / 10.0));
    }
}

fn buckets(v: &str, of: &[(&str, u32)]) -> String {
    let line = |(le, n): &(&str, u32)| format!("h_bucket{{v=\"{v}\",le=\"{le}\"}} {n}\n");
    let all = of.last().map_or(0, |(_, n)| *n);
    let lines: String = of.iter().map(line).collect();
    format!("{lines}h_sum{{v=\"{v}\"}} {all}\nh_count{{v=\"{v}\"}} {all}\n")
}

#[test]
fn buckets_that_differ_are_added_by_their_bounds() {
    // As two builds would write them. 10 and 30 in (0, 1]; 10 of a in (1, 2]; 10 of b in (1, 4].
    let a = buckets("a", &[("1", 10), ("2", 20), ("+Inf", 20)]);
    let b = buckets("b", &[("1", 30), ("4", 40), ("+Inf", 40)]);
    for text in [format!("{a}{b}"), format!("{b}{a}")] {
        let (before, now) = (page(""), page(&text));
        let grown = Span::new(&before, &now, 1.0).unwrap().total("h").unwrap();
        let h = grown.observed.clone().unwrap();
        assert_eq!((h.bounds.as_slice(), h.count), (&[1.0, 2.0, 4.0, INF][..], 60.0));
        // By le: 1: 40, 2: 20 (b does not say), 4: 40 (a does not say), all: 60. A bucket that falls is taken as level, so
        // rank 30 is 3/4 of the way to 1, and rank 54 is somewhere above what both name.
        assert_eq!(h.counts, [40.0, 20.0, 40.0, 60.0]);
        assert_eq!(grown.quantile(0.5), Some(Quantile::At(0.75)));
        assert_eq!(grown.quantile(0.9), Some(Quantile::AtLeast(4.0)));
    }
    // A bound that came with a series of its own did not hold what was there before: of a, 20 more in (1, 2].
    let more = buckets("a", &[("1", 10), ("2", 40), ("+Inf", 40)]);
    let (before, now) = (page(&a), page(&format!("{more}{b}")));
    let grown = Span::new(&before, &now, 1.0).unwrap().grown("h", &["v"]);
    assert_eq!(grown[&vec!["a".to_owned()]].quantile(0.5), Some(Quantile::At(1.5)));
    let of_b = &grown[&vec!["b".to_owned()]];
    assert_eq!((of_b.count, of_b.quantile(0.5)), (40.0, Some(Quantile::At(20.0 / 30.0))));
}

#[test]
fn a_reset_histogram_counts_from_zero() {
    let before = page(&buckets("a", &[("1", 100), ("2", 200), ("+Inf", 200)]));
    let now = page(&buckets("a", &[("1", 0), ("2", 30), ("+Inf", 30)]));
    let grown = Span::new(&before, &now, 10.0).unwrap().total("h").unwrap();
    assert_eq!((grown.count, grown.rate(), grown.mean()), (30.0, 3.0, Some(1.0)));
    assert_eq!(grown.quantile(0.5), Some(Quantile::At(1.5)));
}

/// The oracle keeps every observation and sorts them. A histogram knows less: its quantile must lie in the bucket that
/// holds the observation of that rank, and be a bound where that is all it can know.
#[test]
fn quantiles_lie_in_the_bucket_of_the_observation_of_that_rank() {
    let bounds = [0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, INF];
    let mut state = 0x2026_1123_u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for round in 0..400_usize {
        let n = 20 + round * 3;
        // From a millisecond to beyond the last bound, thickest where the round says.
        let mut seen: Vec<f64> =
            (0..n).map(|_| 0.001 * 10_f64.powf(random() * (1.0 + (round % 5) as f64))).collect();
        let counts: Vec<f64> =
            bounds.iter().map(|b| seen.iter().filter(|s| *s <= b).count() as f64).collect();
        let h =
            Histogram { bounds: bounds.to_vec(), counts, sum: seen.iter().sum(), count: n as f64 };
        seen.sort_by(f64::total_cmp);
        for q in [0.01, 0.1, 0.5, 0.9, 0.99, 1.0] {
            let rank = (q * n as f64).ceil().max(1.0) as usize;
            let at = bounds.iter().position(|b| seen[rank - 1] <= *b).unwrap();
            match h.quantile(q).unwrap() {
                Quantile::At(is) => {
                    let lower = if at == 0 { 0.0 } else { bounds[at - 1] };
                    assert!(
                        (lower..=bounds[at]).contains(&is),
                        "{round} {q}: {is} {}",
                        seen[rank - 1]
                    );
                }
                Quantile::AtLeast(is) => assert_eq!((bounds[at], is), (INF, 10.0), "{round} {q}"),
                Quantile::Few(_) => panic!("{n} are not few"),
            }
        }
    }
}

/// A page of a counter by verb, code and resource: so many resources of each code, sorted as servers write them.
fn many(codes: &[(&str, usize)], more: &str) -> Scrape {
    let mut lines: Vec<String> = more.lines().map(|line| format!("{line}\n")).collect();
    for (code, n) in codes {
        let line = |i| format!("r{{code=\"{code}\",resource=\"thing{i:05}\",verb=\"GET\"}} 10\n");
        lines.extend((0..*n).map(line));
    }
    lines.sort();
    let mut parser = Parser::new(&[Want::by("r", &["verb", "group", "resource", "code"])]);
    parser.feed(format!("process_start_time_seconds 100\n{}", lines.concat()).as_bytes());
    parser.end()
}

#[test]
fn what_finds_no_series_of_its_own_keeps_its_code() {
    let page = many(&[("200", 5000), ("429", 300), ("503", 7)], "");
    assert!(page.cost.folded > 2000, "{:?}", page.cost);
    let by_code = page.grouped("r", &["code"]);
    let of = |code: &str| by_code[&vec![code.to_owned()]].clone();
    assert_eq!(of("200"), Value::Number(50_000.0));
    assert_eq!((of("429"), of("503")), (Value::Number(3000.0), Value::Number(70.0)));
    let folded = page.grouped("r", &["verb", "resource", "group", "code"]);
    let more = ["GET", "(more)", "(more)", "503"].map(str::to_owned).to_vec();
    assert_eq!(folded.get(&more), Some(&Value::Number(70.0)));
}

#[test]
fn a_series_that_loses_its_place_does_not_grow_by_all_it_ever_counted() {
    // A new series sorts before all others and pushes the last that had a place into the folded one. One counted 4 more.
    let before = many(&[("200", 4000)], "");
    let grows = "r{code=\"200\",resource=\"thing00007\",verb=\"GET\"} 4\n";
    let new = "r{code=\"200\",resource=\"a-new-one\",verb=\"GET\"} 3\n";
    let now = many(&[("200", 4000)], &format!("{grows}{new}"));
    let grown = Span::new(&before, &now, 10.0).unwrap().grown("r", &["resource"]);
    let of = |name: &str| grown.get(&vec![name.to_owned()]).map(|g| g.count);
    assert_eq!(
        (of("thing00007"), of("thing00008"), of("(more)")),
        (Some(4.0), Some(0.0), Some(3.0))
    );
    let sum: f64 = grown.values().map(|g| g.count).sum();
    assert_eq!(sum, 7.0);
    // The other way round, a series that gets a place did not begin at zero.
    let grown = Span::new(&now, &before, 10.0).unwrap().grown("r", &["resource"]);
    assert!(grown.values().all(|g| g.count <= 10.0), "one was reset, and nothing else grew");
    // Since the start of the process every series is its own.
    let born = now.born();
    let whole = Span::since_start(&born, &now, 10.0).unwrap().grown("r", &["resource"]);
    assert_eq!(whole[&vec!["thing00007".to_owned()]].count, 14.0);
}
