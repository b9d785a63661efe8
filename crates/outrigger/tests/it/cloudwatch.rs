//! What a server tells CloudWatch of itself on standard output, and that the alarms and graphs of
//! deploy/terraform look at that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use outrigger_testkit::{TempDir, eventually, wait_until};
use serde_json::{Map, Value, json};

use crate::metrics::{ask_for_everything, reference, run_a_task};
use crate::support::{Backend, HalfRequest, Server, ServerOptions};

const PATIENCE: Duration = Duration::from_secs(60);
/// Of Linux.
const O_NONBLOCK: i32 = 0o4000;
/// How many requests are under way at most.
const PLACES: u32 = 8;

fn options(backend: Backend) -> ServerOptions {
    ServerOptions::on(backend)
        .set("OUTRIGGER__METRICS__EMBEDDED_EVERY_S", "1")
        .set("OUTRIGGER__METRICS__DEPLOYMENT", "shop")
        .set("OUTRIGGER__HTTP__CONCURRENCY_MAX", &PLACES.to_string())
}

/// The lines of metrics that it has written.
fn lines(server: &Server) -> Vec<Value> {
    let log = server.process.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["_aws"].is_object()).collect()
}

/// Sets of dimensions, by metric.
type Written = BTreeMap<String, BTreeSet<Vec<String>>>;

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// What a line gives CloudWatch: each metric that it declares has a value, each dimension a word.
fn add(line: &Value, written: &mut Written) {
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], &line["deployment"]),
        (&json!("Outrigger"), &json!("shop"))
    );
    let sets: Vec<_> =
        directive["Dimensions"].as_array().expect("sets").iter().map(words).collect();
    assert!(sets.iter().flatten().all(|name| line[name].is_string()), "{line}");
    for metric in directive["Metrics"].as_array().expect("metrics") {
        let name = metric["Name"].as_str().expect("a name");
        assert!(line[name].is_number() || line[name]["Values"].is_array(), "{line}");
        written.entry(name.to_owned()).or_default().extend(sets.clone());
    }
}

/// Fills it until it refuses.
fn fill(server: &Server) {
    let held = || HalfRequest::begin(server.port, "POST", "/api/v1/auth/login", "{\"a\": 1}");
    let held: Vec<_> = (0..PLACES).map(|_| held()).collect();
    server.wait_until_in_flight(PLACES);
    let asked = || server.api().get("/api/v1/users/me").status;
    assert_eq!(asked(), 503);
    drop(held);
    wait_until("there is room again", PATIENCE, || asked() == 401).unwrap();
}

#[test]
fn alarms_and_graphs_look_at_what_a_server_writes() {
    let servers = [Backend::Sqlite, Backend::postgres_and_redis()];
    let servers = servers.map(|backend| Server::start(&options(backend)));
    for server in &servers {
        ask_for_everything(server);
        run_a_task(server);
        fill(server);
        let shed = || {
            lines(server).iter().any(|line| line["outrigger_http_requests_shed_total"].is_number())
        };
        wait_until("all of it is told of", PATIENCE, shed).unwrap();
    }
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/terraform/modules/aws/observability/cloudwatch.json"
    );
    let file = std::fs::read_to_string(file).expect("the alarms and graphs");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    assert_eq!(file["namespace"], "Outrigger");
    let alarms = file["alarms"].as_object().expect("alarms");
    assert!(alarms.len() > 10, "{alarms:?}");
    // Some levels are looked up now and then only.
    let are_told = || all_told(&alarms_of(alarms), &written_by(&servers));
    eventually("what alarms look at is told of", PATIENCE, are_told).unwrap();
    // What has not happened in these servers is not told of either.
    let texts = servers.each_ref().map(|server| server.internal().get("/metrics").text);
    servers.iter().for_each(wait_for_what_has_happened);
    let written = written_by(&servers);
    for graph in file["graphs"].as_array().expect("graphs") {
        let name = graph["name"].as_str().expect("a name");
        match written.get(name) {
            Some(sets) => assert!(sets.contains(&words(&graph["by"])), "{graph} of {sets:?}"),
            None => assert!(texts.iter().all(|text| !has_happened(text, name)), "{name}"),
        }
    }
    let rows = reference(&servers[0]);
    for (name, sets) in &written {
        assert_eq!(&rows[name].sets, sets, "{name}");
    }
}

fn written_by(servers: &[Server]) -> Written {
    let mut written = Written::new();
    servers.iter().flat_map(lines).for_each(|line| add(&line, &mut written));
    written
}

/// The metrics that alarms look at, each with the names of its dimensions.
fn alarms_of(alarms: &Map<String, Value>) -> Vec<(&str, Vec<String>)> {
    let metrics = alarms.values().map(|alarm| alarm["metrics"].as_object().expect("metrics"));
    let of = |metric: &Value| {
        let by = metric["by"].as_object().expect("dimensions").keys().cloned();
        std::iter::once("deployment".to_owned()).chain(by).collect()
    };
    let metrics = metrics.flat_map(Map::values);
    metrics.map(|metric| (metric["name"].as_str().expect("a name"), of(metric))).collect()
}

fn all_told(wanted: &[(&str, Vec<String>)], written: &Written) -> anyhow::Result<()> {
    for (name, by) in wanted {
        let sets = written.get(*name);
        anyhow::ensure!(sets.is_some_and(|sets| sets.contains(by)), "{name} by {by:?} of {sets:?}");
    }
    Ok(())
}

/// Waits until lines tell of all that has happened until now: those that are being written may be older, those
/// after them are not, and are complete when still others have begun.
fn wait_for_what_has_happened(server: &Server) {
    let times = || {
        let lines = lines(server);
        lines.iter().map(|line| line["_aws"]["Timestamp"].as_i64()).collect::<BTreeSet<_>>().len()
    };
    let enough = times() + 3;
    wait_until("it is told of", PATIENCE, || times() >= enough).unwrap();
}

/// Whether the metric has been counted.
fn has_happened(text: &str, name: &str) -> bool {
    let of = text.lines().filter(|line| line.starts_with(name));
    of.into_iter().any(|line| !line.ends_with(" 0"))
}

#[test]
fn a_line_has_what_happened_since_the_one_before() {
    let server = Server::start(&options(Backend::Sqlite));
    server.api().get("/api/v1/users/me").expect(401);
    let name = "outrigger_http_request_duration_seconds";
    let written = || {
        lines(&server).into_iter().find(|line| line["status"] == "4xx" && line[name].is_object())
    };
    wait_until("the request is told of", PATIENCE, || written().is_some()).unwrap();
    let line = written().unwrap();
    assert_eq!(line["deployment"], "shop");
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Outrigger");
    assert_eq!(directive["Dimensions"], json!([["deployment"], ["deployment", "status"]]));
    assert_eq!(directive["Metrics"][0], json!({"Name": name, "Unit": "Seconds"}));
    assert_eq!((&line[name]["Count"], &line[name]["Counts"]), (&json!(1.0), &json!([1.0])));
}

#[test]
fn what_happens_before_an_end_is_told_of_at_the_end() {
    let never = options(Backend::Sqlite).set("OUTRIGGER__METRICS__EMBEDDED_EVERY_S", "3600");
    let server = Server::start(&never);
    server.api().get("/api/v1/users/me").expect(401);
    assert!(lines(&server).is_empty());
    assert!(server.process.stop("TERM", PATIENCE).expect("it ends").success());
    let name = "outrigger_http_request_duration_seconds";
    let told = lines(&server).into_iter().find(|line| line["status"] == "4xx");
    assert_eq!(told.expect("the last lines")[name]["Count"], 1.0);
}

/// A pipe with a name, of which nobody reads until the test does.
struct Pipe(File);

impl Pipe {
    fn at(path: &Path) -> Self {
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
        let mut options = File::options();
        // It must not wait for the other end.
        let options = options.read(true).write(true).custom_flags(O_NONBLOCK);
        Self(options.open(path).expect("the pipe"))
    }

    fn fill(&mut self) {
        let piece = [b'\n'; 4_096];
        loop {
            match self.0.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// All that is in it.
    fn read(&mut self) -> String {
        let mut text = Vec::new();
        let ended = self.0.read_to_end(&mut text).expect_err("its other end is open");
        assert_eq!(ended.kind(), ErrorKind::WouldBlock);
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Whether the thread that writes metrics waits for somebody to read them.
fn is_blocked(server: &Server) -> bool {
    let threads = format!("/proc/{}/task", server.process.pid());
    let threads = std::fs::read_dir(threads).into_iter().flatten().flatten();
    threads.map(|thread| thread.path()).any(|thread| {
        let read = |name: &str| std::fs::read_to_string(thread.join(name)).unwrap_or_default();
        read("comm").trim() == "metrics" && read("wchan").contains("pipe_write")
    })
}

/// How many requests each server is asked.
const ASKED: usize = 101;

/// How long requests of each take, asked in turn: the half of them no longer than this.
fn medians(servers: [&Server; 2]) -> [Duration; 2] {
    let apis = servers.map(Server::api);
    let mut times = [vec![], vec![]];
    for _ in 0..ASKED {
        for (api, times) in apis.iter().zip(&mut times) {
            let began = Instant::now();
            api.get("/api/v1/users/me").expect(401);
            times.push(began.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[ASKED / 2]
    })
}

#[test]
fn who_does_not_read_standard_output_slows_no_request() {
    let folder = TempDir::new("pipe").unwrap();
    let path = folder.join("stdout");
    let mut pipe = Pipe::at(&path);
    let server = Server::start(&options(Backend::Sqlite).stdout(&path));
    let beside = Server::start(&options(Backend::Sqlite));
    pipe.fill();
    wait_until("nobody takes the lines", PATIENCE, || is_blocked(&server)).unwrap();
    let [took, usual] = medians([&server, &beside]);
    assert!(took < 10 * usual + Duration::from_millis(50), "{took:?} beside {usual:?}");
    assert!(server.internal().get("/metrics").expect(200).text.contains("process_open_fds"));
    assert!(is_blocked(&server));
    // What was not told while nobody read is told afterwards.
    let mut text = String::new();
    wait_until("requests are told of", PATIENCE, || {
        // What was read so far may end within a line.
        text += &pipe.read();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of = lines.filter(|line| line["status"] == "4xx");
        let counts =
            of.filter_map(|line| line["outrigger_http_request_duration_seconds"]["Count"].as_f64());
        counts.sum::<f64>() > 100.0
    })
    .unwrap();
    // Nor does it keep the process from ending.
    pipe.fill();
    wait_until("nobody takes the lines", PATIENCE, || is_blocked(&server)).unwrap();
    assert!(server.process.stop("TERM", PATIENCE).expect("it ends").success());
}
