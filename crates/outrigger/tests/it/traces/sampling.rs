//! What is recorded: by chance, and by what trusted callers say.

use outrigger_testkit::{SpanSink, wait_until};

use super::{PATIENCE, spans, traced};
use crate::support::{Api, Backend, Server, ServerOptions};

/// Asks so often, each time as a new trace of a caller who says this, or of none.
fn ask(api: &Api, times: usize, flag: Option<&str>) {
    for number in 1..=times {
        let api = match flag {
            Some(flag) => {
                api.with("traceparent", &format!("00-{number:032x}-{number:016x}-{flag}"))
            }
            None => api.clone(),
        };
        api.get("/api/v1/collections").expect(401);
    }
}

/// How many of these requests were recorded, once the process has ended. It sends then what is left, but
/// for two seconds only, so those that will be there at the least are waited for before.
fn recorded(ratio: &str, follow: &str, least: usize, ask: impl Fn(&Api)) -> usize {
    let sink = SpanSink::start().unwrap();
    let options = traced(ServerOptions::on(Backend::Sqlite), &sink.url())
        .set("OUTRIGGER__TRACES__SAMPLE", ratio)
        .set("OUTRIGGER__TRACES__FOLLOW_CALLERS", follow);
    let server = Server::start(&options);
    ask(&server.api());
    let asked = || {
        let all = spans(&sink).unwrap();
        all.iter().filter(|span| span.name == "http.collections.list").count()
    };
    wait_until("they are sent", PATIENCE, || asked() >= least).unwrap();
    assert!(server.terminate().success());
    let all = spans(&sink).unwrap();
    assert!(all.iter().all(|span| !span.name.contains("health")), "probes are not recorded");
    asked()
}

#[test]
fn nothing_is_recorded_at_0_everything_at_1_and_a_part_in_between() {
    assert_eq!(recorded("0", "false", 0, |api| ask(api, 20, None)), 0);
    assert_eq!(recorded("1", "false", 20, |api| ask(api, 20, None)), 20);
    // 100 are expected; this is off by more than five standard deviations.
    let part = recorded("0.25", "false", 50, |api| ask(api, 400, None));
    assert!((50..=150).contains(&part), "{part} of 400");
}

#[test]
fn callers_are_believed_only_where_that_is_set() {
    let ask_both = |api: &Api| {
        ask(api, 10, Some("01"));
        ask(api, 5, Some("00"));
    };
    assert_eq!(recorded("0", "false", 0, ask_both), 0);
    assert_eq!(recorded("1", "false", 15, ask_both), 15);
    assert_eq!(recorded("0", "true", 10, ask_both), 10);
    assert_eq!(recorded("1", "true", 10, ask_both), 10);
}

#[test]
fn what_cannot_be_a_ratio_or_a_collector_is_refused_at_the_start_without_its_secrets() {
    for (name, value, words) in [
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "traces.sample must be between 0 and 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "some", "traces.sample"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://hunter2:4317", "traces.endpoint must begin with"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2", "traces.headers: expected"),
    ] {
        let options = traced(ServerOptions::on(Backend::Sqlite), "http://127.0.0.1:9");
        let options = match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => options.set("OUTRIGGER__TRACES__ENDPOINT", ""),
            _ => options,
        };
        let folder = outrigger_testkit::TempDir::new("traces").unwrap();
        let (succeeded, text) =
            crate::support::run(&options.set(name, value), folder.path(), &["serve"], "");
        assert!(!succeeded && text.contains(words) && !text.contains("hunter2"), "{text}");
    }
}
