//! User transforms: a VRL program between a mapping and the lake, which may edit an event or drop it.
//!
//! `.` is the OCSF event, `%raw` the record as parsed JSON (read-only), `abort` drops. A transform can
//! change neither time nor class nor whose record it is: these are set again after it. It sees no
//! clock, no network, no environment and no files, so that mapping stays a pure function.

mod functions;
mod mapping;

pub use mapping::{Preview, TransformedMapping, preview};

use std::fmt;
use std::sync::Arc;

use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::{ExternalEnv, RuntimeState};
use vrl::compiler::{CompileConfig, Program, TargetValue, TimeZone};
use vrl::diagnostic::{DiagnosticList, Formatter};
use vrl::path::OwnedTargetPath;
use vrl::value::{ObjectMap, Secrets, Value};

/// A checked program.
#[derive(Clone)]
pub struct Transform {
    program: Arc<Program>,
    source: Arc<str>,
}

/// A program that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("transform does not compile: {problems}")]
pub struct TransformError {
    /// What is wrong, and where.
    pub problems: Problems,
    /// The compiler's whole report with the lines of the program, for a terminal or a `<pre>`.
    pub report: String,
}

/// What is wrong with a program, first problem first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the program, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// What the compiler says.
    pub message: String,
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            let Problem { line, column, message } = problem;
            write!(out, "{separator}line {line}, column {column}: {message}")?;
        }
        Ok(())
    }
}

/// How a program ended on one event.
#[derive(Debug)]
enum Run {
    Edited(serde_json::Value),
    Dropped,
    Failed(String),
}

impl Transform {
    /// Compiles a program.
    ///
    /// # Errors
    /// Names every problem with its place, and carries the compiler's own report.
    pub fn compile(source: &str) -> Result<Self, TransformError> {
        let mut config = CompileConfig::default();
        config.set_read_only_path(OwnedTargetPath::metadata_root(), true);
        let compiled = vrl::compiler::compile_with_external(
            source,
            &functions::allowed(),
            &ExternalEnv::default(),
            config,
        );
        match compiled {
            Ok(result) => Ok(Self { program: Arc::new(result.program), source: Arc::from(source) }),
            Err(diagnostics) => Err(explain(source, diagnostics)),
        }
    }

    /// The program's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn run(&self, event: serde_json::Value, raw: &[u8]) -> Run {
        let raw = serde_json::from_slice(raw).unwrap_or(serde_json::Value::Null);
        let mut metadata = ObjectMap::new();
        metadata.insert("raw".into(), Value::from(raw));
        let mut target = TargetValue {
            value: Value::from(event),
            metadata: Value::Object(metadata),
            secrets: Secrets::new(),
        };
        let utc = TimeZone::parse("UTC").unwrap_or_default();
        let mut runtime = Runtime::new(RuntimeState::default());
        match runtime.resolve(&mut target, &self.program, &utc) {
            Ok(_) => match serde_json::to_value(&target.value) {
                Ok(value) => Run::Edited(value),
                Err(error) => Run::Failed(format!("event cannot be written as JSON: {error}")),
            },
            Err(Terminate::Abort(_)) => Run::Dropped,
            Err(error) => Run::Failed(error.to_string()),
        }
    }
}

impl fmt::Debug for Transform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Transform").field(&self.source).finish()
    }
}

fn explain(source: &str, diagnostics: DiagnosticList) -> TransformError {
    let problems = diagnostics.iter().filter(|found| found.is_problem()).map(|found| {
        let start = found.labels().first().map_or(0, |label| label.span.start());
        let (line, column) = place(source, start);
        let labels = found.labels().iter().map(|label| label.message.trim());
        let detail = labels.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        let message = if detail.is_empty() {
            found.message().to_owned()
        } else {
            format!("{} ({detail})", found.message())
        };
        Problem { line, column, message }
    });
    let problems = Problems(problems.collect());
    let report = Formatter::new(source, diagnostics).to_string().trim().to_owned();
    TransformError { problems, report }
}

/// Line and column of a byte in the text, from 1.
fn place(source: &str, byte: usize) -> (usize, usize) {
    let before = source.get(..byte.min(source.len())).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(source: &str) -> Run {
        let event = json!({"severity_id": 3, "message": "m", "unmapped": {"n": 1}});
        Transform::compile(source).unwrap().run(event, br#"{"message":{"action":"Pass"}}"#)
    }

    fn edited(source: &str) -> serde_json::Value {
        match run(source) {
            Run::Edited(value) => value,
            other => panic!("{source}: {other:?}"),
        }
    }

    #[test]
    fn the_event_is_edited_and_the_record_is_read() {
        let value = edited(".severity_id = 5\n.message = %raw.message.action\ndel(.unmapped)");
        assert_eq!(value, json!({"severity_id": 5, "message": "Pass"}));
        assert_eq!(edited("")["severity_id"], 3);
    }

    #[test]
    fn abort_drops_and_a_failing_call_is_told() {
        assert!(matches!(run("if .severity_id == 3 { abort }"), Run::Dropped));
        assert!(
            matches!(run(r#".x = to_int!("seven")"#), Run::Failed(reason) if reason.contains("to_int"))
        );
    }

    #[test]
    fn problems_name_line_and_column() {
        let error = Transform::compile(".a = 1\n.b = upcase(.c)\n.d = ").unwrap_err();
        assert!(error.to_string().starts_with("transform does not compile: line "), "{error}");
        let error = Transform::compile(".a = 1\n.b = nonsense(1)").unwrap_err();
        assert_eq!((error.problems.0[0].line, error.problems.0[0].column), (2, 6), "{error}");
        assert!(error.report.contains("nonsense"), "{}", error.report);
    }

    #[test]
    fn the_record_cannot_be_written() {
        let error = Transform::compile("%raw.message = 1").unwrap_err();
        assert!(error.to_string().contains("read-only"), "{error}");
        assert!(Transform::compile("del(%raw.message)").is_err());
    }

    #[test]
    fn nothing_outside_the_event_can_be_reached() {
        for source in [
            r#".a = get_env_var!("HOME")"#,
            ".a = get_hostname!()",
            r#".a = dns_lookup!("a.example")"#,
            r#".a = reverse_dns!("192.0.2.1")"#,
            r#".a = http_request!("http://a.example")"#,
            ".a = now()",
            ".a = uuid_v4()",
            ".a = random_int!(1, 2)",
            r#"log("x")"#,
        ] {
            assert!(Transform::compile(source).is_err(), "{source}");
        }
    }
}
