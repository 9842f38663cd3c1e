//! Pipelines: the bulk way to attack techniques, as packages of two minutes each with field names of their own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::draw::{mix, push_uuid};
use crate::times::{DAY_MS, HOUR_MS};

use super::VisionOne;
use super::alerts::{check_match, etag};
use super::errors::Refused;
use super::lattice::INGESTION_MS;
use super::page::page_text;
use super::paging::{binding, end, link, token_parameter};
use super::parameters::{Parameters, seconds};
use super::requests::Moment;
use super::streams::Stream;

const RISKS: [&str; 5] = ["info", "low", "medium", "high", "critical"];
const TOPS: [usize; 4] = [50, 100, 200, 500];
const PACKAGE_MS: i64 = 120_000;
/// A pipeline that nobody asks for so long is deleted.
const IDLE_MS: i64 = 30 * DAY_MS;
/// Packages are kept, and made for the time before the registration, for so long.
const KEPT_MS: i64 = 7 * DAY_MS;
/// The end of a request lies at least so far back.
const BEHIND_MS: i64 = 30_000;
const TOKEN: &str = "pageToken";

/// The registered pipelines.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    registered: Mutex<Vec<Pipeline>>,
}

#[derive(Debug, Clone)]
struct Pipeline {
    id: String,
    risks: Vec<String>,
    has_detail: bool,
    description: Option<String>,
    registered_ms: i64,
    asked_ms: i64,
    edits: usize,
}

impl Pipeline {
    fn record(&self) -> Value {
        let mut record = json!({
            "riskLevels": self.risks, "hasDetail": self.has_detail,
            "registeredDateTime": seconds(self.registered_ms),
        });
        if let Some(description) = &self.description {
            record["description"] = Value::from(description.as_str());
        }
        record
    }

    fn etag(&self, moment: &Moment<'_>) -> String {
        etag(
            moment.knobs,
            mix(&[self.registered_ms.cast_unsigned()]),
            self.registered_ms,
            self.edits,
        )
    }
}

impl Pipelines {
    fn all(&self) -> MutexGuard<'_, Vec<Pipeline>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VisionOne {
    /// Registers a pipeline; there is one for each set of risk levels.
    pub(super) fn pipeline_add(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let body: Value = serde_json::from_slice(&moment.asked.body).unwrap_or_default();
        let risks = risks(&body)?;
        let has_detail =
            body["hasDetail"].as_bool().ok_or_else(|| bad("\"hasDetail\" is missing"))?;
        let mut all = self.pipelines.all();
        all.retain(|pipeline| moment.now_ms - pipeline.asked_ms < IDLE_MS);
        if all.iter().any(|pipeline| pipeline.risks == risks && pipeline.has_detail == has_detail) {
            let status = StatusCode::BAD_REQUEST;
            return Err(Refused::pipeline(status, "NotSupported", "Already registered"));
        }
        let mut id = String::with_capacity(36);
        let count = u64::try_from(all.len()).unwrap_or(0);
        push_uuid(&mut id, mix(&[self.seed, count, moment.ordinal]), mix(&[moment.ordinal]));
        let place = format!("http://{}/v3.0/oat/dataPipelines/{id}", moment.asked.host);
        all.push(Pipeline {
            id,
            risks,
            has_detail,
            description: body["description"].as_str().map(str::to_owned),
            registered_ms: moment.now_ms,
            asked_ms: moment.now_ms,
            edits: 0,
        });
        let mut answer = Answer::json(StatusCode::CREATED, "");
        answer.headers.push(("location", place));
        Ok(answer)
    }

    /// All pipelines.
    pub(super) fn pipeline_list(&self) -> Answer {
        let items: Vec<Value> = self
            .pipelines
            .all()
            .iter()
            .map(|pipeline| {
                let mut record = pipeline.record();
                record["id"] = Value::from(pipeline.id.as_str());
                record
            })
            .collect();
        let body = json!({ "items": items, "count": items.len() });
        Answer::json(StatusCode::OK, body.to_string())
    }

    /// One pipeline, without its id but with an ETag.
    pub(super) fn pipeline_detail(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let pipeline = self.pipeline(moment, id)?;
        let mut answer = Answer::json(StatusCode::OK, pipeline.record().to_string());
        answer.headers.push(("etag", pipeline.etag(moment)));
        Ok(answer)
    }

    /// Changes a pipeline.
    pub(super) fn pipeline_edit(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        check_match(moment.asked, &self.pipeline(moment, id)?.etag(moment))?;
        let body: Value = serde_json::from_slice(&moment.asked.body).unwrap_or_default();
        let risks = body.get("riskLevels").map(|_| risks(&body)).transpose()?;
        let mut all = self.pipelines.all();
        let pipeline = all.iter_mut().find(|known| known.id == id).ok_or_else(missing)?;
        pipeline.risks = risks.unwrap_or_else(|| pipeline.risks.clone());
        pipeline.has_detail = body["hasDetail"].as_bool().unwrap_or(pipeline.has_detail);
        if let Some(description) = body["description"].as_str() {
            pipeline.description = Some(description.to_owned());
        }
        pipeline.edits += 1;
        Ok(Answer::json(StatusCode::NO_CONTENT, ""))
    }

    /// Deletes pipelines: an answer for each.
    pub(super) fn pipelines_delete(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let items: Vec<Value> = serde_json::from_slice(&moment.asked.body)
            .map_err(|_| bad("The request body is not a list"))?;
        let mut all = self.pipelines.all();
        let outcomes: Vec<Value> = items
            .iter()
            .map(|item| {
                let count = all.len();
                all.retain(|pipeline| Some(pipeline.id.as_str()) != item["id"].as_str());
                if all.len() < count {
                    json!({ "status": 204 })
                } else {
                    json!({ "status": 500, "body": { "code": "InternalServerError", "message": "Unable to delete" } })
                }
            })
            .collect();
        Ok(Answer::json(StatusCode::MULTI_STATUS, Value::from(outcomes).to_string()))
    }

    /// A page of a pipeline's packages, oldest first.
    pub(super) fn packages(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        self.pipeline(moment, id)?;
        let parameters = Parameters::read(&moment.asked.query);
        let invalid = |problem: String| bad(&problem);
        let end_ms = parameters.instant("endDateTime").map_err(invalid)?;
        let start_ms = parameters.instant("startDateTime").map_err(invalid)?;
        let end_ms = end_ms.unwrap_or(moment.now_ms - BEHIND_MS);
        let start_ms = start_ms.unwrap_or(end_ms - HOUR_MS / 4);
        let top = parameters.top(&TOPS, 500).map_err(invalid)?;
        if end_ms > moment.now_ms - BEHIND_MS {
            return Err(bad("\"endDateTime\" must lie 30 seconds back"));
        }
        if start_ms > end_ms || end_ms - start_ms > HOUR_MS || start_ms < moment.now_ms - KEPT_MS {
            return Err(bad("The window must be at most an hour, within seven days"));
        }
        let binding = binding(self.seed, &moment.asked.query, TOKEN);
        let first = match token_parameter(&moment.asked.query, TOKEN) {
            None => 0,
            Some(token) => page_place(&token, binding).ok_or_else(|| bad("Invalid pageToken"))?,
        };
        // A package is made when its two minutes are over.
        let made = |bucket: i64| (bucket + 1) * PACKAGE_MS;
        let buckets: Vec<i64> = (start_ms.div_euclid(PACKAGE_MS) - 1
            ..=end_ms.div_euclid(PACKAGE_MS))
            .filter(|bucket| (start_ms..=end_ms).contains(&made(*bucket)))
            .collect();
        let page: Vec<i64> = buckets.iter().copied().skip(first).take(top).collect();
        let items: Vec<String> = page
            .iter()
            .map(|bucket| {
                json!({ "id": package_id(*bucket), "createdDateTime": seconds(made(*bucket)) })
                    .to_string()
            })
            .collect();
        let mut members = Map::new();
        members.insert("totalCount".to_owned(), Value::from(buckets.len()));
        members.insert("count".to_owned(), Value::from(items.len()));
        members.insert("requestedDateTime".to_owned(), Value::from(seconds(moment.now_ms)));
        if let Some(latest) = buckets.last() {
            let latest = seconds(made(*latest));
            members.insert("latestPackageCreatedDateTime".to_owned(), Value::from(latest));
        }
        if first + page.len() < buckets.len() {
            let token = page_token(first + page.len(), binding);
            // The vendor's links have been seen to name this path.
            let path = format!("/v3/xdr/oat/dataPipeline/{id}/packages");
            let path = if moment.knobs.odd_path { path } else { moment.asked.path.clone() };
            let query = &moment.asked.query;
            let url = link(moment.knobs, &moment.asked.host, &path, query, (TOKEN, &token));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, moment.knobs.link_end, moment.ordinal);
        }
        Ok(Answer::json(StatusCode::OK, page_text(&members, &items, moment.knobs)))
    }

    /// A package: records one to a line, always compressed.
    pub(super) fn package(
        &self,
        moment: &Moment<'_>,
        id: &str,
        package: &str,
    ) -> Result<Answer, Refused> {
        let pipeline = self.pipeline(moment, id)?;
        let bucket = package_bucket(package).ok_or_else(missing)?;
        let (start_ms, end_ms) = (bucket * PACKAGE_MS, (bucket + 1) * PACKAGE_MS);
        let knobs = moment.knobs;
        let lattice = self.population.lattice(Stream::Techniques);
        let delay_ms =
            i64::try_from(INGESTION_MS).unwrap_or(0) + knobs.late.map_or(0, |late| late.most_ms);
        let mut lines = String::new();
        for number in lattice.between(start_ms - delay_ms, end_ms) {
            if !(start_ms..end_ms).contains(&lattice.ingested_ms(number, knobs.late)) {
                continue;
            }
            let record = packaged(&self.technique(number, true, knobs), pipeline.has_detail);
            let level = |risk: &String| {
                let filters = record["filters"].as_array().into_iter().flatten();
                filters.into_iter().any(|filter| filter["level"].as_str() == Some(risk))
            };
            if pipeline.risks.iter().any(level) {
                lines.push_str(&format!("{record}\n"));
            }
        }
        if lines.is_empty() {
            let status = StatusCode::BAD_REQUEST;
            return Err(Refused::pipeline(status, "TaskError", "The package has no content"));
        }
        let mut answer = Answer::json(StatusCode::OK, lines);
        answer.content_type = "text/plain; charset=utf-8";
        answer.compressed = true;
        Ok(answer)
    }

    fn pipeline(&self, moment: &Moment<'_>, id: &str) -> Result<Pipeline, Refused> {
        let mut all = self.pipelines.all();
        all.retain(|pipeline| moment.now_ms - pipeline.asked_ms < IDLE_MS);
        let found = all.iter_mut().find(|pipeline| pipeline.id == id).ok_or_else(missing)?;
        found.asked_ms = moment.now_ms;
        Ok(found.clone())
    }
}

/// The record as packages name its fields.
fn packaged(record: &Value, has_detail: bool) -> Value {
    let filters: Vec<Value> = record["filters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| {
            json!({
                "uniqueId": filter["id"], "name": filter["name"], "level": filter["riskLevel"],
                "tactics": filter["mitreTacticIds"], "techniques": filter["mitreTechniqueIds"],
            })
        })
        .collect();
    let mut packaged = json!({
        "uuid": record["uuid"], "detectionTime": record["detectedDateTime"],
        "ingestedTime": record["ingestedDateTime"], "eventSourceType": record["source"],
        "entityType": record["entityType"], "entityName": record["entityName"], "filters": filters,
    });
    if let Some(endpoint) = record.get("endpoint") {
        packaged["endpoint"] = json!({ "name": endpoint["endpointName"], "guid": endpoint["agentGuid"], "ips": endpoint["ips"] });
    }
    if has_detail {
        packaged["detail"] = record["detail"].clone();
    }
    packaged
}

fn risks(body: &Value) -> Result<Vec<String>, Refused> {
    let items = body["riskLevels"].as_array().filter(|items| !items.is_empty());
    let words = items.map(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let mut found: Vec<String> = words
        .flatten()
        .filter(|words| words.iter().all(|word| RISKS.contains(word)))
        .ok_or_else(|| bad("\"riskLevels\" is invalid"))?
        .into_iter()
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn package_id(bucket: i64) -> String {
    // Written with the characters of a path only; the vendor's page tokens are the ones with others.
    format!("pkg-{bucket:x}")
}

fn package_bucket(id: &str) -> Option<i64> {
    i64::from_str_radix(id.strip_prefix("pkg-")?, 16).ok()
}

/// A page token of packages, which holds `+`, `/` or `=` as it comes.
fn page_token(place: usize, binding: u64) -> String {
    let mut bytes = vec![0xfb, 0xef, 0xff];
    bytes.extend(
        format!("{place}#{:x}", mix(&[binding, u64::try_from(place).unwrap_or(0)])).bytes(),
    );
    STANDARD.encode(bytes)
}

fn page_place(token: &str, binding: u64) -> Option<usize> {
    let bytes = STANDARD.decode(token).ok()?;
    let text = std::str::from_utf8(bytes.get(3..)?).ok()?;
    let place: usize = text.split_once('#')?.0.parse().ok()?;
    (page_token(place, binding) == token).then_some(place)
}

fn bad(problem: &str) -> Refused {
    Refused::pipeline(StatusCode::BAD_REQUEST, "BadRequest", problem)
}

fn missing() -> Refused {
    Refused::pipeline(StatusCode::NOT_FOUND, "NotFound", "The pipeline does not exist")
}
