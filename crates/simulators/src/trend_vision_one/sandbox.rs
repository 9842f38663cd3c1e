//! The sandbox: files and URLs are handed in, analysed by the simulator's clock, and judged.
//!
//! The paths and members are those that pytmv1 knows.

use std::net::IpAddr;

use axum::http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::answer::Answer;
use crate::draw::{mix, push_uuid};

use super::VisionOne;
use super::digests::digests;
use super::errors::Refused;
use super::item::ItemRefused;
use super::multipart;
use super::paging::base;
use super::parameters::seconds;
use super::requests::Moment;
use super::response::{headers, items, whole_failure};
use super::response_knobs::ResponseKnobs;
use super::tasks::{Course, Phase};
use super::vocabulary as words;

/// What every scanner's test file holds.
const TEST_FILE: &[u8] = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE";
const SUBMISSION: u64 = 0x5a4d;

/// What was handed in.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    pub(super) id: String,
    /// The URL, or the file's name.
    pub(super) name: String,
    pub(super) is_file: bool,
    pub(super) digest: Value,
    /// As it was sent: base64.
    pub(super) arguments: Option<String>,
    pub(super) created_ms: i64,
    pub(super) course: Course,
    is_bad: bool,
    /// Whether a fault lets the analysis fail.
    is_doomed: bool,
}

impl VisionOne {
    /// Takes a file.
    pub(super) fn sandbox_file(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        whole_failure(moment)?;
        let content_type = moment.asked.content_type.as_deref().unwrap_or_default();
        let fields = multipart::parse(content_type, &moment.asked.body)
            .ok_or_else(|| Refused::parameter("The request body is not multipart/form-data"))?;
        let field = |name: &str| fields.iter().find(|field| field.name == name);
        let file = field("file").ok_or_else(|| {
            Refused::parameter("Invalid request - Required fields not found: file.")
        })?;
        let arguments =
            field("arguments").map(|field| String::from_utf8_lossy(&field.data).into_owned());
        let is_bad = file.data.windows(TEST_FILE.len()).any(|window| window == TEST_FILE);
        let name = file.file_name.clone().unwrap_or_else(|| "file".to_owned());
        let submission = self.hand_in(moment, (name, true), digests(&file.data), arguments, is_bad);
        let mut body = json!({ "id": submission.id, "digest": submission.digest });
        if let Some(arguments) = submission.arguments {
            body["arguments"] = Value::from(arguments);
        }
        let mut answer = Answer::json(StatusCode::ACCEPTED, body.to_string());
        answer.headers.push(("operation-location", place(moment, "tasks", &submission.id)));
        Ok(answer)
    }

    /// Takes URLs, and answers one by one.
    pub(super) fn sandbox_urls(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        whole_failure(moment)?;
        let results = items(moment)?.into_iter().map(|item| {
            let refuse = |why: ItemRefused| json!({ "status": why.parts().0, "body": why.body() });
            let Some(text) = item.get("url") else {
                return refuse(ItemRefused::Required("url".to_owned()));
            };
            let text = text.as_str().unwrap_or_default();
            let Some(url) = Url::parse(text).ok().filter(Url::has_host) else {
                let mut refused = refuse(ItemRefused::Format("url".to_owned()));
                refused["body"]["url"] = Value::from(text);
                return refused;
            };
            let digest = digests(text.as_bytes());
            let submission =
                self.hand_in(moment, (text.to_owned(), false), digest, None, is_bad(&url));
            json!({
                "status": 202, "headers": headers(moment, &place(moment, "tasks", &submission.id)),
                "body": { "url": text, "id": submission.id, "digest": submission.digest },
            })
        });
        let results: Vec<Value> = results.collect();
        Ok(Answer::json(StatusCode::MULTI_STATUS, Value::from(results).to_string()))
    }

    /// How far an analysis is.
    pub(super) fn sandbox_task(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let books = self.books(moment.now_ms, &moment.knobs.response);
        let found = books.submissions.iter().find(|submission| submission.id == id);
        let submission = found.ok_or_else(Refused::no_task)?;
        let location = place(moment, "analysisResults", id);
        let record = submission.record(moment.now_ms, &location);
        Ok(Answer::json(StatusCode::OK, record.to_string()))
    }

    /// What an analysis found, once it has succeeded.
    pub(super) fn sandbox_result(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let knobs = &moment.knobs.response;
        let books = self.books(moment.now_ms, knobs);
        let found = books.submissions.iter().find(|submission| submission.id == id);
        let result = found.and_then(|submission| submission.result(moment.now_ms, knobs));
        Ok(Answer::json(StatusCode::OK, result.ok_or_else(Refused::no_task)?.to_string()))
    }

    fn hand_in(
        &self,
        moment: &Moment<'_>,
        (name, is_file): (String, bool),
        digest: Value,
        arguments: Option<String>,
        is_bad: bool,
    ) -> Submission {
        let knobs = &moment.knobs.response;
        let mut books = self.books(moment.now_ms, knobs);
        let number = u64::try_from(books.submissions.len()).unwrap_or(0);
        let mut id = String::with_capacity(36);
        push_uuid(&mut id, mix(&[self.seed, number, SUBMISSION]), mix(&[number, SUBMISSION]));
        let is_doomed = knobs.fail_targets.contains(&name);
        let course = Course::begin_unasked(moment.now_ms, knobs);
        let created_ms = moment.now_ms;
        let submission = Submission {
            id,
            name,
            is_file,
            digest,
            arguments,
            created_ms,
            course,
            is_bad,
            is_doomed,
        };
        books.submissions.push(submission.clone());
        submission
    }
}

impl Submission {
    /// `running`, `succeeded` or `failed`: the sandbox knows no queue, and asks nobody.
    pub(super) fn status(&self, now_ms: i64) -> &'static str {
        match self.course.phase(now_ms).0 {
            Phase::Ended if self.is_doomed => "failed",
            Phase::Ended => "succeeded",
            _ => "running",
        }
    }

    fn record(&self, now_ms: i64, location: &str) -> Value {
        let status = self.status(now_ms);
        let mut record = json!({
            "id": self.id, "status": status,
            "action": if self.is_file { "analyzeFile" } else { "analyzeUrl" },
            "createdDateTime": seconds(self.created_ms),
            "lastActionDateTime": seconds(self.course.phase(now_ms).1),
            "isCached": false, "digest": self.digest,
        });
        match status {
            "succeeded" => record["resourceLocation"] = Value::from(location),
            "failed" => {
                record["error"] =
                    json!({ "code": "InternalServerError", "message": "Internal server error." });
            }
            _ => {}
        }
        record
    }

    fn result(&self, now_ms: i64, knobs: &ResponseKnobs) -> Option<Value> {
        if self.status(now_ms) != "succeeded" {
            return None;
        }
        let auto = if self.is_bad { "high" } else { "noRisk" };
        let risk = knobs.sandbox_risk.unwrap_or(auto);
        let is_found = risk != "noRisk";
        let mut result = json!({
            "id": self.id, "type": if self.is_file { "file" } else { "url" },
            "digest": self.digest, "arguments": self.arguments,
            "analysisCompletionDateTime": seconds(self.course.phase(now_ms).1),
            "riskLevel": risk,
            "detectionNames": if is_found { json!(["VAN_SIMULATED.UMXX"]) } else { json!([]) },
            "threatTypes": if is_found { json!(["Dropper"]) } else { json!([]) },
        });
        if self.is_file {
            result["trueFileType"] = Value::from("data");
        }
        Some(result)
    }
}

fn place(moment: &Moment<'_>, kind: &str, id: &str) -> String {
    format!("{}/v3.0/sandbox/{kind}/{id}", base(moment.knobs, &moment.asked.host))
}

/// Whether the host is one of those that the records call bad.
fn is_bad(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_under = |domain: &&'static str| {
        host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_known = |address: &&str| address.parse::<IpAddr>().ok() == host.parse().ok();
    words::DOMAINS.iter().any(is_under)
        || (host.parse::<IpAddr>().is_ok() && words::ADDRESSES.iter().any(is_known))
}
