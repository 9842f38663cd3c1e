//! The command line as its users meet it: the real binary, its outputs, its exit codes.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use simulators::{Options, Volume};
use tempfile::TempDir;

const SOURCE: &str = "trend_micro_cas.security_events";
/// A vendor key that must never be seen anywhere.
const MARKER: &str = "marker-9f1c-secret-key";
const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["ingest"],
    &["normalize"],
    &["query"],
    &["connector"],
    &["connector", "types"],
    &["connector", "list"],
    &["connector", "show"],
    &["connector", "create"],
    &["connector", "apply"],
    &["connector", "test"],
    &["connector", "run"],
    &["connector", "status"],
    &["connector", "backfill"],
    &["connector", "preview"],
    &["connector", "enable"],
    &["connector", "disable"],
    &["connector", "delete"],
    &["lake"],
    &["lake", "stats"],
    &["lake", "verify"],
    &["lake", "compact"],
    &["lake", "vacuum"],
    &["lake", "retention"],
    &["lake", "retention", "set"],
    &["lake", "retention", "list"],
    &["lake", "retention", "remove"],
    &["lake", "hold"],
    &["lake", "hold", "set"],
    &["lake", "hold", "list"],
    &["lake", "hold", "remove"],
    &["dead-letters"],
    &["dead-letters", "list"],
    &["dead-letters", "replay"],
    &["dead-letters", "discard"],
    &["cloudtrail"],
    &["cloudtrail", "link"],
    &["cloudtrail", "list"],
    &["cloudtrail", "show"],
    &["cloudtrail", "renew"],
    &["cloudtrail", "revoke"],
    &["cloudtrail", "template"],
    &["cloudtrail", "publish"],
    &["simulate"],
];

/// An empty place to run the binary in.
struct Place(TempDir);

/// What a command printed and how it ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// The binary with nothing of ours in its environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarn"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for name in [
            "SERVER",
            "TOKEN",
            "TENANT",
            "CONFIG",
            "LISTEN",
            "DATA_DIR",
            "LAKE",
            "LOG",
            "LOG_FORMAT",
            "REGIONS",
            "MASTER_KEY",
        ] {
            command.env_remove(format!("TARN_{name}"));
        }
        command.env_remove("COLUMNS");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The output of a command that ended with this code.
    #[track_caller]
    fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// A process that is stopped when the test is over.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Lines of stderr until one with these words: what came before, and the rest of that line.
    fn until_noted(&mut self, words: &str) -> (String, String) {
        let stderr = self.0.stderr.as_mut().unwrap();
        until(BufReader::with_capacity(1, stderr), words)
    }

    /// The same for stdout.
    fn until_printed(&mut self, words: &str) -> (String, String) {
        let stdout = self.0.stdout.as_mut().unwrap();
        until(BufReader::with_capacity(1, stdout), words)
    }

    /// As Ctrl-C does.
    fn interrupt(&mut self) -> i32 {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.0.wait().unwrap().code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Reads up to a line with these words: everything before that line, and its rest.
fn until(reader: impl BufRead, words: &str) -> (String, String) {
    let mut before = String::new();
    for line in reader.lines() {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once(words) {
            return (before, rest.trim().to_owned());
        }
        before.push_str(&line);
        before.push('\n');
    }
    panic!("`{words}` never came; before the end:\n{before}");
}

/// The samples of the integration as files.
fn samples() -> Vec<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/src/trend_micro_cas/samples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_input = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    };
    let mut inputs: Vec<PathBuf> = files.filter(is_input).collect();
    inputs.sort();
    inputs
}

/// A directory with some samples.
fn some_samples(place: &Place, count: usize) -> String {
    let directory = place.path("records");
    std::fs::create_dir(&directory).unwrap();
    for sample in samples().iter().take(count) {
        std::fs::copy(sample, directory.join(sample.file_name().unwrap())).unwrap();
    }
    directory.display().to_string()
}

/// A fake vendor in this process; answers its URL.
fn vendor(events: u64) -> String {
    let faults = [("keys", MARKER), ("requests", "1000")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let options = Options { volume: Volume::Events(events), faults, ..Options::default() };
    let simulator = simulators::simulator("trend_micro_cas", options).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            simulator.serve(listener, std::future::pending()).await.unwrap();
        });
    });
    told.recv().unwrap()
}

fn document(vendor: &str) -> String {
    format!(
        "connectors:
  - name: 経理 CAS
    integration: trend_micro_cas
    credential: {{ api_keys: [\"env:CAS_KEY\"] }}
    parameters: {{ base_url: \"{vendor}\", services: [sharepoint], events: [dlp, ransomware] }}
    interval: 5m
    backfill: 12h
    quota: {{ requests: 900, per: 60s }}
    transform: |
      .comment = \"seen\"
"
    )
}

#[test]
fn the_help_of_every_command_is_as_written_down() {
    let place = Place::new();
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let help = place.run(&arguments).with_code(0);
        assert_eq!(help.stderr, "");
        let name = if command.is_empty() { "tarn".to_owned() } else { command.join("_") };
        insta::assert_snapshot!(format!("help_{name}"), help.stdout);
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_would_be_right() {
    let place = Place::new();
    let cases: &[(&[&str], &str)] = &[
        (&["nonsense"], "unrecognized subcommand"),
        (&["ingest", "--source", SOURCE], "<PATH>"),
        (&["ingest", "--source", SOURCE, "gs://bucket/key"], "cannot be read yet"),
        (&["query", "--lang", "klingon", "x"], "taegis, lucene or sql"),
        (&["query", "--format", "parquet", "x"], "later version"),
        (&["query", "--since", "yesterday", "x"], "24h or 7d"),
        (
            &["lake", "stats", "--server", "http://127.0.0.1:1", "--data-dir", "x"],
            "cannot be used with",
        ),
        (&["lake", "stats", "--server", "http://127.0.0.1:1"], "TARN_TOKEN"),
        (&["serve", "--server", "http://127.0.0.1:1"], "leave `--server` out"),
        (&["simulate", "acme"], "known are trend_micro_cas"),
        (&["simulate", "trend_micro_cas", "--fault", "sice=3"], "unknown fault `sice`"),
        (&["connector", "list", "--tenant", "A/B"], "tenant"),
    ];
    for (arguments, wanted) in cases {
        let refused = place.run(arguments).with_code(2);
        assert!(refused.stderr.contains(wanted), "{arguments:?}:\n{}", refused.stderr);
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn an_unknown_source_is_named_with_the_known_ones() {
    let place = Place::new();
    let refused = place.run(&["normalize", "--source", "acme.logs"]).with_code(1);
    assert!(
        refused.stderr.contains("error: the source `acme.logs` is unknown"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains(&format!("hint: write one of: {SOURCE}")),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_data_directory_in_use_names_the_server_that_uses_it() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    let mut lock = File::create(place.path("data/lock")).unwrap();
    lock.lock().unwrap();
    writeln!(lock, "4711\nhttp://127.0.0.1:8717").unwrap();
    let refused = place.run(&["connector", "list", "--data-dir", "data"]).with_code(1);
    let wanted = "error: the data directory `data` is in use by the server at http://127.0.0.1:8717 \
                  (process 4711)\nhint: use `--server http://127.0.0.1:8717 --token TOKEN`, or stop \
                  that server\n";
    assert_eq!(refused.stderr, wanted);
}

#[test]
fn what_is_there_already_is_not_stored_again() {
    let place = Place::new();
    let records = some_samples(&place, 8);
    let ingest = ["ingest", "--source", SOURCE, "--data-dir", "data", records.as_str()];
    let first = place.run(&ingest).with_code(0);
    assert_eq!(first.last_line(), "served=8 stored=8 duplicate=0 filtered=0 dead_lettered=0");
    let second = place.run(&ingest).with_code(0);
    assert_eq!(second.last_line(), "served=8 stored=0 duplicate=8 filtered=0 dead_lettered=0");
    let mut json = ingest.to_vec();
    json.extend(["--format", "json"]);
    assert_eq!(place.run(&json).with_code(0).json()["duplicate"], 8);

    let stats =
        place.run(&["lake", "stats", "--data-dir", "data", "--format", "json"]).with_code(0);
    let rows: u64 =
        stats.json().as_array().unwrap().iter().map(|table| table["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 8);
    let proof = place.run(&["lake", "verify", "--data-dir", "data"]).with_code(0);
    assert_eq!(proof.last_line(), "nothing is missing, nothing is stored twice");
}

/// What the commands that look after the lake do and print, wherever they work.
fn look_after(run: &dyn Fn(&[&str]) -> Ran) {
    let table = |ran: &Ran, key: &str| ran.json()[0][key].clone();
    let merged = run(&["lake", "compact", "--format", "json"]).with_code(0);
    assert_eq!((table(&merged, "merged"), table(&merged, "merged_into")), (2.into(), 1.into()));
    let again = run(&["lake", "compact"]).with_code(0);
    assert_eq!(again.stdout, "there was nothing to do\n");
    let dry = run(&["lake", "vacuum", "--dry-run"]).with_code(0);
    assert_eq!(dry.stdout, "there was nothing to do\n", "nothing is an hour old");
    let noted = run(&["lake", "vacuum", "--format", "json"]).with_code(0);
    assert_eq!((table(&noted, "snapshot"), table(&noted, "log_entries")), (3.into(), 0.into()));

    run(&["lake", "retention", "set", "--days", "400"]).with_code(0);
    run(&["lake", "retention", "set", "--days", "30", "--class", "email_activity"]).with_code(0);
    let rules = run(&["lake", "retention", "list"]).with_code(0);
    assert_eq!(lines(&rules), ["TABLE DAYS", "all 400", "email_activity 30"]);
    run(&["lake", "retention", "remove"]).with_code(0);
    run(&["lake", "retention", "remove"]).with_code(1);
    run(&["lake", "retention", "set", "--days", "0"]).with_code(1);
    run(&["lake", "retention", "set", "--days", "3", "--class", "email"]).with_code(2);
    let rules = run(&["lake", "retention", "list", "--format", "ndjson"]).with_code(0);
    assert_eq!(rules.stdout, "{\"class\":\"email_activity\",\"days\":30}\n");

    run(&["lake", "hold", "set", "--reason", "case 7"]).with_code(0);
    let holds = run(&["lake", "hold", "list", "--format", "json"]).with_code(0);
    assert_eq!((table(&holds, "class"), table(&holds, "reason")), (Value::Null, "case 7".into()));
    run(&["lake", "hold", "remove"]).with_code(0);
    assert_eq!(
        run(&["lake", "hold", "list", "--format", "json"]).with_code(0).json(),
        Value::Array(vec![])
    );
    run(&["lake", "verify"]).with_code(0);
}

/// The words of each printed line.
fn lines(ran: &Ran) -> Vec<String> {
    ran.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Two imports of records of one day: two small files in one table.
fn import_two_files(place: &Place, run: &dyn Fn(&[&str]) -> Ran) {
    for number in 0..2 {
        let record = format!(
            r#"{{"log_item_id":"id-{number}","service":"Exchange","event":"ransomware","message":{{"detection_time":"2026-03-09T08:00:00.000Z","mail_message_sender":"a@b.example"}}}}"#
        );
        let file = place.write("one.ndjson", record);
        run(&["ingest", "--source", SOURCE, &file]).with_code(0);
    }
}

#[test]
fn the_lake_is_looked_after_in_a_data_directory() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        Ran::from(command.args(["--data-dir", "data"]).output().unwrap())
    };
    import_two_files(&place, &run);
    look_after(&run);
}

#[test]
fn the_lake_is_looked_after_on_a_server() {
    let place = Place::new();
    let mut server =
        Running::start(place.command(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"]));
    let (_, token) = server.until_noted("admin token:");
    let (_, url) = server.until_noted("listening on");
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.args(["--server", &url]).env("TARN_TOKEN", &token);
        Ran::from(command.output().unwrap())
    };
    import_two_files(&place, &run);
    look_after(&run);
}

#[test]
fn what_is_no_record_is_a_dead_letter_and_the_exit_code_says_so() {
    let place = Place::new();
    let broken = place.write("broken.ndjson", "{\"log_item_id\": \n");
    let data = ["--data-dir", "data"];
    let partly = place.run(&["ingest", "--source", SOURCE, data[0], data[1], &broken]).with_code(3);
    assert!(partly.last_line().ends_with("dead_lettered=1"), "{}", partly.stdout);
    let list = ["dead-letters", "list", "--format", "json", data[0], data[1]];
    let letters = place.run(&list).with_code(0).json();
    let id = letters[0]["id"].as_str().unwrap().to_owned();
    place.run(&["dead-letters", "replay", &id, data[0], data[1]]).with_code(3);
    let discarded =
        place.run(&["dead-letters", "discard", "--all", data[0], data[1], "--format", "json"]);
    assert_eq!(discarded.with_code(0).json()["discarded"], 1);
    assert_eq!(place.run(&list).with_code(0).json(), serde_json::json!([]));
}

#[test]
fn normalize_prints_one_event_per_record_and_makes_nothing() {
    let place = Place::new();
    let sample = samples()[0].display().to_string();
    let events = place.run(&["normalize", "--source", SOURCE, &sample]).with_code(0);
    let event = events.json();
    assert!(event["class_uid"].is_number(), "{event}");
    assert!(event.get("tenant_uid").is_none(), "our own columns are none of OCSF's");
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "nothing was made");

    let mut command = place.command(&["normalize", "--source", SOURCE]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("{}\nno record\n", one_line(&samples()[0]));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let partly = Ran::from(child.wait_with_output().unwrap()).with_code(3);
    assert_eq!(partly.stdout.lines().count(), 1);
    assert!(partly.stderr.contains("stdin: record 2: "), "{}", partly.stderr);
}

fn one_line(sample: &Path) -> String {
    let value: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    value.to_string()
}

#[test]
fn a_wrong_key_of_the_configuration_is_named() {
    let place = Place::new();
    let file = place.write("tarn.yaml", "listen: 127.0.0.1:0\ndata_dirr: data\n");
    let refused = place.run(&["serve", "--config", &file]).with_code(1);
    assert!(refused.stderr.contains("data_dirr"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: the keys are listen"), "{}", refused.stderr);
}

#[test]
fn the_environment_counts_more_than_the_file_and_a_flag_more_than_both() {
    let place = Place::new();
    let file = place.write("tarn.yaml", "data_dir: from-file\n");
    let missing = |command: &mut Command| Ran::from(command.output().unwrap()).with_code(1).stderr;
    let stats = ["lake", "stats", "--config", &file];
    assert!(missing(&mut place.command(&stats)).contains("from-file"));
    let mut command = place.command(&stats);
    assert!(missing(command.env("TARN_DATA_DIR", "from-environment")).contains("from-environment"));
    let mut command = place.command(&[&stats[..], &["--data-dir", "from-flag"]].concat());
    assert!(missing(command.env("TARN_DATA_DIR", "from-environment")).contains("from-flag"));
}

#[test]
fn a_connector_is_applied_shown_masked_and_applied_unchanged() {
    let place = Place::new();
    let data = ["--data-dir", "data"];
    let file = place.write("cas.yaml", document("http://127.0.0.1:9"));
    let apply = |file: &str, more: &[&str]| {
        let mut command = place.command(&["connector", "apply", "-f", file, "--format", "json"]);
        command.args(data).args(more).env("CAS_KEY", MARKER);
        Ran::from(command.output().unwrap()).with_code(0).json()[0]["kind"].clone()
    };
    assert_eq!(apply(&file, &["--dry-run"]), "create");
    assert_eq!(apply(&file, &[]), "create");
    assert_eq!(apply(&file, &[]), "unchanged");
    let shown = place.run(&["connector", "show", "経理 CAS", data[0], data[1]]).with_code(0).stdout;
    assert!(shown.contains("********") && !shown.contains(MARKER), "{shown}");
    assert_eq!(apply(&place.write("shown.yaml", &shown), &[]), "unchanged");

    let unset = place.run(&["connector", "apply", "-f", &file, data[0], data[1]]).with_code(1);
    assert!(unset.stderr.contains("`CAS_KEY`"), "{}", unset.stderr);
    let again = ["connector", "create", "経理 CAS", "--integration", "trend_micro_cas"];
    let rest = ["--credential", "api_keys=x", "--parameter", "base_url=http://127.0.0.1:9"];
    let refused = place.run(&[&again[..], &rest, &data].concat()).with_code(1);
    assert!(refused.stderr.contains("already"), "{}", refused.stderr);
}

#[test]
fn a_connector_runs_to_its_end_and_the_ledger_proves_it() {
    let place = Place::new();
    let data = ["--data-dir", "data"];
    let file = place.write("cas.yaml", document(&vendor(480)));
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.args(data).env("CAS_KEY", MARKER);
        Ran::from(command.output().unwrap())
    };
    run(&["connector", "apply", "-f", &file]).with_code(0);
    let tested = run(&["connector", "test", "経理 CAS"]).with_code(0);
    assert!(tested.stdout.contains("ok"), "{}", tested.stdout);
    let ran = run(&["connector", "run", "経理 CAS"]).with_code(0);
    assert!(ran.last_line().starts_with("served="), "{}", ran.stdout);
    let status = run(&["connector", "status", "経理 CAS", "--format", "json"]).with_code(0).json();
    assert_eq!(status["streams"].as_array().unwrap().len(), 2);
    let found = run(&["query", "--format", "ndjson", "FROM file"]);
    let found = found.with_code(0).stdout.lines().count() as u64;
    assert!(found <= status["counts"]["stored"].as_u64().unwrap());
    run(&["lake", "verify"]).with_code(0);
    run(&["connector", "delete", "経理 CAS"]).with_code(0);
    let gone = run(&["connector", "status", "経理 CAS"]).with_code(1);
    assert!(gone.stderr.contains("hint: `tarn connector list` shows the names"), "{}", gone.stderr);
}

#[test]
fn a_refused_key_fails_the_test_with_a_remedy() {
    let place = Place::new();
    let file = place.write("cas.yaml", document(&vendor(48)));
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        Ran::from(
            command.args(["--data-dir", "data"]).env("CAS_KEY", "wrong-key").output().unwrap(),
        )
    };
    run(&["connector", "apply", "-f", &file]).with_code(0);
    let tested = run(&["connector", "test", "経理 CAS"]).with_code(1);
    assert!(tested.stdout.contains("remedy: "), "{}", tested.stdout);
    let ran = run(&["connector", "run", "経理 CAS"]).with_code(3);
    assert!(ran.stderr.contains("is not read to its end"), "{}", ran.stderr);
}

#[test]
fn secrets_are_in_no_output_and_in_no_log() {
    let place = Place::new();
    let file = place.write("cas.yaml", document(&vendor(96)));
    let broken = place.write(
        "broken.yaml",
        format!(
            "connectors:\n  - name: x\n    intergration: y\n    credential: {{ k: {MARKER} }}\n"
        ),
    );
    let misplaced = place.write(
        "misplaced.yaml",
        format!(
            "connectors:\n  - name: x\n    integration: trend_micro_cas\n    credential: {MARKER}\n"
        ),
    );
    let name = "経理 CAS";
    let commands: &[&[&str]] = &[
        &["connector", "apply", "-f", &broken],
        &["connector", "apply", "-f", &misplaced],
        &["connector", "apply", "-f", &file],
        &["connector", "show", name],
        &["connector", "list", "--format", "json"],
        &["connector", "test", name],
        &["connector", "run", name],
        &["connector", "status", name],
        &["connector", "backfill", name, "--since", "2h"],
        &["connector", "disable", name],
        &["connector", "enable", name],
        &["lake", "stats"],
        &["lake", "verify"],
        &["lake", "compact"],
        &["lake", "vacuum"],
        &["lake", "retention", "list"],
        &["lake", "hold", "list"],
        &["query", "--format", "ndjson", "FROM email | head 3"],
        &["dead-letters", "list"],
        &["connector", "delete", name],
    ];
    for arguments in commands {
        let mut command = place.command(arguments);
        command.args(["--data-dir", "data"]);
        command.env("CAS_KEY", MARKER).env("TARN_LOG", "trace").env("TARN_TOKEN", MARKER);
        let ran = Ran::from(command.output().unwrap());
        assert!(ran.code.is_some_and(|code| code < 4), "{arguments:?}:\n{}", ran.stderr);
        for text in [&ran.stdout, &ran.stderr] {
            let line = text.lines().find(|line| line.contains(MARKER));
            assert_eq!(line, None, "{arguments:?} prints a secret");
        }
    }
}

#[test]
fn a_server_answers_the_same_commands() {
    let place = Place::new();
    let mut server =
        Running::start(place.command(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"]));
    let (_, token) = server.until_noted("admin token:");
    let (_, url) = server.until_noted("listening on");
    let records = some_samples(&place, 8);
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.args(["--server", &url]).env("TARN_TOKEN", &token).env("CAS_KEY", MARKER);
        Ran::from(command.output().unwrap())
    };
    let ingested = run(&["ingest", "--source", SOURCE, &records]).with_code(0);
    assert_eq!(ingested.last_line(), "served=8 stored=8 duplicate=0 filtered=0 dead_lettered=0");
    let file = place.write("cas.yaml", document(&vendor(96)));
    let plan = run(&["connector", "apply", "-f", &file, "--format", "json"]).with_code(0).json();
    assert_eq!(plan[0]["kind"], "create");
    run(&["connector", "run", "経理 CAS"]).with_code(0);
    run(&["connector", "status", "経理 CAS"]).with_code(0);
    let shown = run(&["connector", "show", "経理 CAS"]).with_code(0).stdout;
    let shown = place.write("shown.yaml", shown);
    let plan = run(&["connector", "apply", "-f", &shown, "--format", "json"]).with_code(0).json();
    assert_eq!(plan[0]["kind"], "unchanged");
    run(&["lake", "verify"]).with_code(0);
    let types = run(&["connector", "types", "--format", "json"]).with_code(0).json();
    assert_eq!(types[0]["name"], "trend_micro_cas");

    // The lake can be read beside the server; its catalog cannot.
    let beside = place.run(&["query", "--format", "ndjson", "--data-dir", "data", "FROM email"]);
    let asked = run(&["query", "--format", "ndjson", "FROM email"]).with_code(0);
    assert_eq!(beside.with_code(0).stdout.lines().count(), asked.stdout.lines().count());
    let refused = place.run(&["connector", "list", "--data-dir", "data"]).with_code(1);
    assert!(refused.stderr.contains(&url), "{}", refused.stderr);

    let wrong = Ran::from(
        place.command(&["lake", "stats", "--server", &url, "--token", "tarn_x"]).output().unwrap(),
    );
    assert!(wrong.with_code(1).stderr.contains("hint: set TARN_TOKEN"));
    assert_eq!(server.interrupt(), 0);
}

#[test]
fn the_demo_shows_records_soon_and_leaves_nothing_behind() {
    let place = Place::new();
    let temporary = place.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = place.command(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", &temporary);
    let started = std::time::Instant::now();
    let mut demo = Running::start(command);
    let (before, url) = demo.until_printed("listening on");
    assert_eq!(before, "");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    demo.until_printed("Try:");
    let (pasted, _) = demo.until_printed("Ctrl-C");
    demo.until_noted("records are searchable");
    assert!(started.elapsed().as_secs() < 60, "the first records took {:?}", started.elapsed());
    let lines: Vec<&str> = pasted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 9, "{pasted}");
    for line in lines {
        let ran = Ran::from(Command::new("sh").args(["-c", line]).output().unwrap()).with_code(0);
        assert_ne!(ran.stdout, "", "{line}");
    }
    assert_eq!(demo.interrupt(), 0);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "the data is removed");
}
