//! Processes of the binary on a temporary place, and what a witness outside can ask.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use engine::clock::SystemClock;
use model::clock::Clock as _;
use model::time::Timestamp;
use serde_json::Value;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process of the binary, its output in files, killed at the end.
pub(crate) struct Process {
    child: Child,
    errors: PathBuf,
}

impl Process {
    /// Starts the binary in a place; `failpoints` as [`model::failpoint`] describes, or empty.
    pub(crate) fn start(place: &Path, name: &str, arguments: &[&str], failpoints: &str) -> Self {
        let output = |kind: &str| {
            let path = place.join(format!("{name}.{kind}"));
            (File::options().create(true).append(true).open(&path).unwrap(), path)
        };
        let (errors, errors_path) = output("err");
        let child = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(arguments)
            .current_dir(place)
            .env("FAILPOINTS", failpoints)
            // Nothing outside of this machine is asked, not even who this machine is.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(output("out").0)
            .stderr(errors)
            .spawn()
            .unwrap();
        Self { child, errors: errors_path }
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What it, and processes of the same name before it, wrote to standard error.
    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A simulator, listening.
pub(crate) struct Vendor {
    _process: Process,
    /// Where it listens.
    pub(crate) address: String,
    /// It has no records that are newer.
    pub(crate) started: Timestamp,
}

impl Vendor {
    /// Starts the simulator of Cloud App Security in a place.
    pub(crate) fn start(place: &Path, arguments: &[&str]) -> Self {
        Self::of(place, "trend_micro_cas", arguments)
    }

    /// Starts the simulator of an integration in a place.
    pub(crate) fn of(place: &Path, integration: &str, arguments: &[&str]) -> Self {
        Self::at(&free_address(), place, integration, arguments)
    }

    /// The same where others know that it listens.
    pub(crate) fn at(address: &str, place: &Path, integration: &str, arguments: &[&str]) -> Self {
        let address = address.to_owned();
        let all = [&["simulate", integration, "--listen", &address], arguments].concat();
        let process = Process::start(place, integration, &all, "");
        wait_until("the simulator listens", || TcpStream::connect(&address).is_ok());
        Self { _process: process, address, started: SystemClock.now() }
    }

    /// Asks one of its `/_sim` routes.
    pub(crate) fn ask(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

/// A server on the data directory `data` of a place.
pub(crate) struct Server {
    process: Process,
    url: String,
    token: String,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(place: &Path, arguments: &[&str], failpoints: &str) -> Self {
        Self::start_at(&free_address(), place, arguments, failpoints)
    }

    /// The same where others know that it listens.
    pub(crate) fn start_at(
        address: &str,
        place: &Path,
        arguments: &[&str],
        failpoints: &str,
    ) -> Self {
        let all = [&["serve", "--data-dir", "data", "--listen", address], arguments].concat();
        let process = Process::start(place, "server", &all, failpoints);
        wait_until("the server listens", || TcpStream::connect(address).is_ok());
        // The first token was printed by the first server of this place.
        let token = || {
            let printed = process.errors();
            let mut words = printed.split_whitespace();
            words.find(|word| word.starts_with("tarn_")).map(str::to_owned)
        };
        wait_until("the first token is printed", || token().is_some());
        Self { url: format!("http://{address}"), token: token().unwrap(), process }
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first token of its data directory.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Runs a command against this server; answers its standard output.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(arguments)
            .args(["--server", &self.url, "--token", &self.token])
            .env("CAS_KEY", "sim-key")
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// What a command says, whether it succeeds or not, on both streams.
    pub(crate) fn try_ask(&self, arguments: &[&str]) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(arguments)
            .args(["--server", &self.url, "--token", &self.token])
            .output()
            .unwrap();
        String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap()
    }

    /// The answer of a command as JSON.
    pub(crate) fn ask_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[arguments, &["--format", "json"]].concat())).unwrap()
    }
}

/// Waits until something holds; gives up after [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        pause(Duration::from_millis(50));
    }
}

/// Lets other processes go on for a while.
#[expect(clippy::disallowed_methods, reason = "other processes run in real time")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
