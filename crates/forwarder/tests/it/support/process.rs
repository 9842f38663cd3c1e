//! A process of the binary, its output in a file, killed at the end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The process.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with nothing but these variables.
    pub(crate) fn start(log: &Path, variables: &[(&str, &str)]) -> Self {
        let output = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(binary())
            .env_clear()
            .envs(variables.iter().copied())
            // Nothing outside of this machine is asked, not even who this machine is.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log: log.to_owned() }
    }

    /// What it, and processes with the same log before it, wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // As `kill -9` does; it may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The binary as it is shipped, where somebody built that, else as cargo built it for this test.
fn binary() -> PathBuf {
    std::env::var_os("TARN_FORWARDER_BOOTSTRAP")
        .map_or_else(|| env!("CARGO_BIN_EXE_forwarder").into(), PathBuf::from)
}
