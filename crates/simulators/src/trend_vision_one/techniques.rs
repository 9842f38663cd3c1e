//! The list of observed attack techniques: newest first, with windows by detection, by ingestion, or by both.

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::times::{DAY_MS, HOUR_MS};

use super::VisionOne;
use super::errors::Refused;
use super::filter::Filter;
use super::lattice::INGESTION_MS;
use super::paging::{Batch, binding, end, link, token_parameter};
use super::parameters::Parameters;
use super::requests::Moment;
use super::streams::Stream;

const PATH: &str = "/v3.0/oat/detections";
/// The path as the vendor's links have been seen to name it.
const ODD_PATH: &str = "/v3.0/oat/detection";
const TOKEN: &str = "nextBatchToken";
const TOPS: [usize; 3] = [50, 100, 200];
const FILTERS: [&str; 10] = [
    "uuid",
    "riskLevel",
    "filterName",
    "filterMitreTacticId",
    "filterMitreTechniqueId",
    "endpointName",
    "agentGuid",
    "endpointIp",
    "productCode",
    "containerName",
];
/// How far back records are had.
const REACH_MS: i64 = 365 * DAY_MS;

/// A window: the start belongs to it, the end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start_ms: i64,
    end_ms: i64,
}

impl Window {
    fn has(self, at_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&at_ms)
    }
}

/// A checked request.
struct ListQuery {
    detected: Option<Window>,
    ingested: Option<Window>,
    filter: Option<Filter>,
    top: usize,
    batch: Batch,
}

impl VisionOne {
    /// A page of techniques.
    pub(super) fn technique_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let knobs = moment.knobs;
        if knobs.no_products {
            return Err(Refused::technique(1_010_420, "No products are connected"));
        }
        let binding = binding(self.seed, &moment.asked.query, TOKEN);
        let query = ListQuery::read(moment, binding)?;
        let numbers = self.technique_numbers(moment, &query);
        let total = numbers.len();
        let at = query.batch.position.min(total);
        let page: Vec<u64> = numbers.into_iter().skip(at).take(query.top).collect();
        let reached = at + page.len();
        let mislead = self.mislead(moment, query.batch.position > 0, reached < total);
        let page = if mislead.is_empty_page { Vec::new() } else { page };
        let shows = query.ingested.is_some();
        let items: Vec<String> =
            page.iter().map(|number| self.technique(*number, shows, knobs).to_string()).collect();
        let mut members = Map::new();
        members.insert("totalCount".to_owned(), Value::from(total));
        members.insert("count".to_owned(), Value::from(items.len()));
        if mislead.goes_on {
            let position = if mislead.is_same || mislead.is_empty_page { at } else { reached };
            let token = Batch { position, ..query.batch }.encode(knobs.token_life_ms, binding);
            let path = if knobs.odd_path { ODD_PATH } else { PATH };
            let url = link(knobs, &moment.asked.host, path, &moment.asked.query, (TOKEN, &token));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, knobs.link_end, moment.ordinal);
        }
        Ok(self.records_answer(moment, members, items, (Stream::Techniques, page)))
    }

    /// The records of the windows that had come in at the first page, newest first.
    fn technique_numbers(&self, moment: &Moment<'_>, query: &ListQuery) -> Vec<u64> {
        let knobs = moment.knobs;
        if !knobs.streams.contains(&Stream::Techniques) {
            return Vec::new();
        }
        let lattice = self.population.lattice(Stream::Techniques);
        let as_of_ms = query.batch.as_of_ms;
        let most_delay_ms =
            i64::try_from(INGESTION_MS).unwrap_or(0) + knobs.late.map_or(0, |late| late.most_ms);
        let whole = Window { start_ms: as_of_ms - REACH_MS, end_ms: as_of_ms + 1 };
        let mut span = query.detected.unwrap_or(whole);
        if let Some(ingested) = query.ingested {
            span.start_ms = span.start_ms.max(ingested.start_ms - most_delay_ms);
            span.end_ms = span.end_ms.min(ingested.end_ms);
        }
        let numbers = lattice.between(span.start_ms, span.end_ms.max(span.start_ms)).rev();
        let matching = numbers.filter(|number| {
            let ingested_ms = lattice.ingested_ms(*number, knobs.late);
            ingested_ms <= as_of_ms
                && query.ingested.is_none_or(|window| window.has(ingested_ms))
                && query.filter.as_ref().is_none_or(|filter| {
                    let record = self.technique(*number, false, knobs);
                    filter.accepts(&|field| values(&record, field))
                })
        });
        matching.collect()
    }
}

impl ListQuery {
    fn read(moment: &Moment<'_>, binding: u64) -> Result<Self, Refused> {
        let invalid = |problem: String| Refused::technique(1_010_400, &problem);
        let parameters = Parameters::read(&moment.asked.query);
        let mut detected =
            window(&parameters, "detectedStartDateTime", "detectedEndDateTime", moment)?;
        let ingested = window(&parameters, "ingestedStartDateTime", "ingestedEndDateTime", moment)?;
        if detected.is_none() && (ingested.is_none() || moment.knobs.detected_default_applies) {
            detected = Some(Window { start_ms: moment.now_ms - HOUR_MS, end_ms: moment.now_ms });
        }
        let widest_ms = moment.knobs.widest_ms;
        let width_ms = ingested.or(detected).map_or(0, |window| window.end_ms - window.start_ms);
        if widest_ms > 0 && width_ms > widest_ms {
            return Err(Refused::technique(1_000_520, "The data lake did not answer in time"));
        }
        let top = parameters.top(&TOPS, 50);
        let top = top.map_err(|problem| Refused::technique(1_010_999, &problem))?;
        let filter = moment.asked.filter.as_deref();
        let filter = filter.map(|text| Filter::parse(text, &FILTERS, 4_000)).transpose();
        let batch = match token_parameter(&moment.asked.query, TOKEN) {
            None => Batch { position: 0, as_of_ms: moment.now_ms },
            Some(token) => {
                let (batch, valid_until_ms) = Batch::decode(&token, binding)
                    .ok_or_else(|| Refused::technique(1_010_407, "Invalid nextBatchToken"))?;
                if moment.now_ms > valid_until_ms {
                    return Err(Refused::technique(1_010_550, "The page token is expired"));
                }
                batch
            }
        };
        Ok(Self { detected, ingested, filter: filter.map_err(invalid)?, top, batch })
    }
}

/// A pair of bounds; `None` when neither is given. A missing start is an hour before the end.
fn window(
    parameters: &Parameters,
    start: &str,
    end: &str,
    moment: &Moment<'_>,
) -> Result<Option<Window>, Refused> {
    let invalid = |problem: String| Refused::technique(1_010_400, &problem);
    let start_ms = parameters.instant(start).map_err(invalid)?;
    let end_ms = parameters.instant(end).map_err(invalid)?;
    if start_ms.is_none() && end_ms.is_none() {
        return Ok(None);
    }
    let end_ms = end_ms.unwrap_or(moment.now_ms);
    let start_ms = start_ms.unwrap_or(end_ms - HOUR_MS);
    if start_ms > end_ms {
        return Err(Refused::technique(1_010_406, "The start time is after the end time"));
    }
    if end_ms > moment.now_ms {
        return Err(invalid(format!("\"{end}\" lies in the future")));
    }
    if start_ms < moment.now_ms - REACH_MS {
        return Err(invalid(format!("\"{start}\" must be within 365 days")));
    }
    Ok(Some(Window { start_ms, end_ms }))
}

/// The values that a filter field has in a record.
fn values(record: &Value, field: &str) -> Vec<String> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let of_filters = |member: &str| {
        let filters = record["filters"].as_array().into_iter().flatten();
        filters.flat_map(|filter| texts(&filter[member])).collect()
    };
    match field {
        "riskLevel" => of_filters("riskLevel"),
        "filterName" => of_filters("name"),
        "filterMitreTacticId" => of_filters("mitreTacticIds"),
        "filterMitreTechniqueId" => of_filters("mitreTechniqueIds"),
        "endpointName" => texts(&record["endpoint"]["endpointName"]),
        "agentGuid" => texts(&record["endpoint"]["agentGuid"]),
        "endpointIp" => texts(&record["endpoint"]["ips"]),
        "productCode" => texts(&record["detail"]["productCode"]),
        _ => texts(&record[field]),
    }
}
