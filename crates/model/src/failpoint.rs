//! Places where a test can make a step fail, or hold a process so that it can be killed there.
//!
//! Only test builds carry them (the feature `fail/failpoints`, which the tests of the workspace turn
//! on); elsewhere [`hit`] is nothing. A test arms one with [`fail::cfg`], a process that is watched
//! from outside with the variable `FAILPOINTS`, for instance
//! `FAILPOINTS='lake.before_commit=1*return(hold:/tmp/here)'`. What the argument may say:
//!
//! - nothing: every pass fails;
//! - `hold:PATH`: the passing thread creates the file PATH, waits until somebody removes it, and goes on;
//! - any other text: passes fail at places that contain the text.

use std::path::Path;
use std::time::Duration;

/// Whether a step has to fail: a test has armed the failpoint of this name for this place.
pub fn hit(name: &str, place: &str) -> bool {
    let stops = |argument: Option<String>| match argument.as_deref() {
        None => true,
        Some(argument) => match argument.strip_prefix("hold:") {
            Some(mark) => {
                hold(Path::new(mark));
                false
            }
            None => place.contains(argument),
        },
    };
    fail::fail_point!(name, stops);
    // In builds without failpoints the line above is empty.
    let _ = (name, stops);
    false
}

/// Arms what the variable `FAILPOINTS` says for as long as the answer lives. Answers `None` in builds
/// without failpoints.
pub fn arm_from_environment() -> Option<fail::FailScenario<'static>> {
    fail::has_failpoints().then(fail::FailScenario::setup)
}

#[expect(clippy::disallowed_methods, reason = "whoever removes the mark is another process")]
fn hold(mark: &Path) {
    // A mark that cannot be written holds nobody: the test that waits for it says so.
    if std::fs::write(mark, b"").is_err() {
        return;
    }
    while mark.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
