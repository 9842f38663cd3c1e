//! `tarn normalize` of every sample of an integration prints OCSF that validates.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "the tests find the schemas by themselves")]
#[path = "../../../connectors/tests/it/ocsf.rs"]
mod ocsf;

const SAMPLES: &str = "../connectors/src/trend_micro_cas/samples";

#[test]
fn every_sample_becomes_valid_ocsf_with_its_raw_bytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLES);
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".expected.json") {
            continue;
        }
        let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(["normalize", "--source", "trend_micro_cas.security_events"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{path:?}: {}", String::from_utf8_lossy(&ran.stderr));
        for line in String::from_utf8(ran.stdout).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert!(event["raw_data"].is_string(), "{path:?}");
            ocsf::assert_valid(&event);
            samples += 1;
        }
    }
    assert!(samples > 30, "only {samples} events");
}
