//! What the parser keeps, leaves out and refuses.

use super::*;
use crate::state::metrics::scrape::{BUDGET, MORE, SERIES, Value};
use crate::state::metrics::{Scrape, Want};

const TEXT: &str = r#"# HELP requests_total Requests \\ by code.
# TYPE requests_total counter
requests_total{code="200",verb="GET"} 5
requests_total{code="200",verb="LIST"} 7 1700000000000
requests_total{verb="GET",code="500",} 1.5e1

# TYPE other_total counter
other_total{a="b"} 1
# TYPE wait_seconds histogram
wait_seconds_bucket{verb="GET",le="0.1"} 1
wait_seconds_bucket{verb="GET",le="1"} 3
wait_seconds_bucket{verb="GET",le="+Inf"} 4
wait_seconds_sum{verb="GET"} 2.5
wait_seconds_count{verb="GET"} 4
# TYPE odd gauge
odd{text="a\"b\\c\nd\x",empty=""} -Inf
nothing NaN
process_start_time_seconds 1.7e+09
"#;

fn scrape(text: &str, pieces: usize, wants: &[Want]) -> Scrape {
    let mut parser = Parser::new(wants);
    text.as_bytes().chunks(pieces).for_each(|piece| parser.feed(piece));
    parser.end()
}

#[test]
fn a_scrape_is_the_same_however_it_is_cut() {
    let wants = [
        Want::by("requests_total", &["code"]),
        Want::by("wait_seconds", &["verb"]),
        Want::all("odd"),
        Want::total("nothing"),
        Want::total("not_there"),
    ];
    for pieces in [1, 2, 3, 7, 64, 4096] {
        let s = scrape(TEXT, pieces, &wants);
        assert_eq!(s.number("requests_total", &[("code", "200")]), Some(12.0));
        assert_eq!(s.number("requests_total", &[("code", "500")]), Some(15.0));
        assert_eq!(s.number("requests_total", &[]), Some(27.0));
        assert_eq!(s.number("not_there", &[]), None, "absent is not zero");
        assert_eq!(s.started, Some(1.7e9));
        assert!(s.number("nothing", &[]).is_some_and(f64::is_nan));
        assert_eq!(s.number("other_total", &[]), None);
        let Some((labels, Value::Number(odd))) = s.each("odd").next() else { panic!() };
        assert_eq!(labels, [("empty", ""), ("text", "a\"b\\c\nd\\x")]);
        assert_eq!(odd, f64::NEG_INFINITY);
        let waits = s.grouped("wait_seconds", &["verb"]);
        let Some(Value::Histogram(h)) = waits.get(&vec!["GET".to_owned()]) else { panic!() };
        assert_eq!(h.bounds, [0.1, 1.0, f64::INFINITY]);
        assert_eq!((&h.counts[..], h.sum, h.count), (&[1.0, 3.0, 4.0][..], 2.5, 4.0));
        assert_eq!((s.cost.malformed, s.cost.bytes), (0, TEXT.len() as u64));
        assert_eq!(s.cost.kept, 3 + 5 + 1 + 1 + 1);
    }
}

#[test]
fn what_is_no_sample_is_counted_and_harms_nothing() {
    let cases = [
        "x",
        "x{",
        "x{a=\"b\"",
        "x{a=b} 1",
        "x{a=\"b\" c=\"d\"} 1",
        "x{a=\"b\\\"} 1",
        "x one",
        "x inf",
        "x infinity",
        "x 1 when",
        "{a=\"b\"} 1",
        "1x 1",
        "x_bucket{le=\"NaN\"} 1",
        "x_bucket 1",
        "\u{1b}[2J 1",
    ];
    for case in cases {
        let s = scrape(&format!("{case}\nx{{ok=\"1\"}} 2\n"), 5, &[Want::all("x")]);
        assert_eq!((s.cost.malformed, s.number("x", &[])), (1, Some(2.0)), "{case:?}");
    }
}

#[test]
fn a_last_line_without_an_end_may_be_cut_and_is_not_taken() {
    let s = scrape("x 1\nx 23", 4096, &[Want::total("x")]);
    assert_eq!((s.number("x", &[]), s.cost.malformed), (Some(1.0), 1));
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let mut parser = Parser::new(&[Want::total("x")]);
    for _ in 0..1000 {
        parser.feed(&[b'y'; 4096]);
        assert!(parser.partial.capacity() <= 2 * LINE);
    }
    parser.feed(b"\nx 4\n");
    assert_eq!(parser.end().number("x", &[]), Some(4.0));
}

#[test]
fn more_series_than_fit_are_added_up_in_one() {
    let mut text = String::new();
    for i in 0..SERIES + 50 {
        text += &format!("x{{name=\"n{i}\"}} 1\n");
    }
    let s = scrape(&text, 4096, &[Want::by("x", &["name"])]);
    assert_eq!(s.number("x", &[("name", MORE)]), Some(50.0));
    assert_eq!((s.number("x", &[]), s.cost.folded), (Some((SERIES + 50) as f64), 50));
}

#[test]
fn counts_beside_a_counter_are_another_family() {
    let text = "# TYPE x counter\nx 1\nx_count 5\n";
    assert_eq!(scrape(text, 99, &[Want::total("x")]).number("x", &[]), Some(1.0));
    let own = scrape(text, 99, &[Want::total("x"), Want::total("x_count")]);
    assert_eq!(own.number("x_count", &[]), Some(5.0));
}

#[test]
fn unwanted_label_values_are_left_out() {
    let text = "x{verb=\"WATCH\"} 9\nx{verb=\"GET\"} 1\n";
    let want = Want::total("x").without(&[("verb", "WATCH")]);
    assert_eq!(scrape(text, 99, std::slice::from_ref(&want)).number("x", &[]), Some(1.0));
    let both = want.joined(&Want::by("x", &["verb"]));
    assert_eq!(both, Want::by("x", &["verb"]));
}

#[test]
fn a_page_that_means_harm_costs_bounded_memory_and_says_what_was_left_out() {
    let mut parser = Parser::new(&[Want::by("h", &["v"]), Want::all("x"), Want::by("y", &["v"])]);
    for i in 0..300_000 {
        parser.feed(format!("h_bucket{{v=\"a\",le=\"{i}\"}} {i}\n").as_bytes());
    }
    parser.feed(b"h_bucket{v=\"a\",le=\"+Inf\"} 300000\nh_count{v=\"a\"} 300000\n");
    // Labels of every name, values of every length, histograms of every series.
    for i in 0..20_000 {
        let long = "l".repeat(i % 300);
        parser.feed(format!("x{{l{i}=\"{i}{long}\",code=\"{i}\"}} 1\n").as_bytes());
        for le in 0..3 {
            let line = format!("y_bucket{{v=\"{i}{long}\",le=\"{}\"}} 1\n", i * 3 + le);
            parser.feed(line.as_bytes());
        }
    }
    let scrape = parser.end();
    let limit = BUDGET + (256 << 10);
    assert!(scrape.size() < limit, "{} bytes", scrape.size());
    assert!(scrape.cost.left > 299_000 && scrape.cost.folded > 10_000, "{:?}", scrape.cost);
    assert_eq!(scrape.number("x", &[]), Some(20_000.0), "nothing is lost of a number");
    let Some(Value::Histogram(h)) = scrape.grouped("h", &[]).into_values().next() else { panic!() };
    assert_eq!((h.bounds.len(), h.bounds.last(), h.count), (128, Some(&f64::INFINITY), 300_000.0));
}
