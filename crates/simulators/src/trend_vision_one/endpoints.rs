//! The lists of endpoints, in their current and their older form, and the list of API keys.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::draw::{mix, push_uuid};
use crate::times::DAY_MS;

use super::VisionOne;
use super::access::claimed_end_ms;
use super::errors::Refused;
use super::filter::Filter;
use super::inventory::{Machine, machines};
use super::page::{TOKEN, offset, page_text};
use super::paging::{end, link, skip_token};
use super::parameters::{Parameters, seconds};
use super::requests::Moment;
use super::vocabulary as words;

const TOPS: [usize; 6] = [10, 50, 100, 200, 500, 1_000];
const OLD_TOPS: [usize; 3] = [50, 100, 200];
const FILTERS: [&str; 6] =
    ["endpointName", "agentGuid", "type", "osName", "osPlatform", "isolationStatus"];
const OLD_FILTERS: [&str; 6] =
    ["endpointName", "agentGuid", "loginAccount", "macAddress", "ip", "osName"];

impl VisionOne {
    /// A page of endpoints.
    pub(super) fn endpoint_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let top = Parameters::read(&moment.asked.query).top(&TOPS, 100).map_err(bad)?;
        let filter = moment.asked.filter.as_deref();
        let filter =
            filter.map(|text| Filter::parse(text, &FILTERS, 1_024)).transpose().map_err(bad)?;
        let mut items = self.endpoints(moment);
        items.retain(|item| {
            filter.as_ref().is_none_or(|filter| filter.accepts(&|f| plain(&item[f])))
        });
        listed(moment, items, top, true)
    }

    /// One endpoint, with its network interfaces.
    pub(super) fn endpoint_detail(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let is_meant = |item: &Value| {
            item["agentGuid"].as_str().is_some_and(|guid| guid.eq_ignore_ascii_case(id))
        };
        let found = self.endpoints(moment).into_iter().find(is_meant);
        let mut item = found.ok_or_else(|| {
            Refused::workbench(StatusCode::NOT_FOUND, "The endpoint does not exist", 0)
        })?;
        let digits = mix(&[id.len() as u64, self.seed]);
        let mac = format!("00:00:5e:00:53:{:02x}", digits & 0xff);
        item["interfaces"] = json!([{ "macAddress": mac, "ipAddresses": item["ipAddresses"] }]);
        Ok(Answer::json(StatusCode::OK, item.to_string()))
    }

    /// A page of the older list, whose header is required and whose values are wrapped.
    pub(super) fn endpoint_query(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let top = Parameters::read(&moment.asked.query).top(&OLD_TOPS, 50).map_err(bad)?;
        let text = moment.asked.search.as_deref();
        let text = text.ok_or_else(|| bad("TMV1-Query is required".to_owned()))?;
        let filter = Filter::parse(text, &OLD_FILTERS, 1_024).map_err(bad)?;
        let at = seconds(moment.now_ms - DAY_MS);
        let wrap = |value: Value| json!({ "value": value, "updatedDateTime": at });
        let mut items = self.endpoints(moment);
        items.retain(|item| {
            filter.accepts(&|field| match field {
                "ip" => plain(&item["ipAddresses"]),
                "loginAccount" => plain(&item["lastLoggedOnUser"]),
                other => plain(&item[other]),
            })
        });
        let items = items.into_iter().map(|item| {
            json!({
                "agentGuid": item["agentGuid"], "endpointName": wrap(item["endpointName"].clone()),
                "ip": wrap(item["ipAddresses"].clone()), "loginAccount": wrap(json!([item["lastLoggedOnUser"]])),
                "osName": item["osName"], "productCode": "",
            })
        });
        listed(moment, items.collect(), top, false)
    }

    /// A page of the company's API keys.
    pub(super) fn api_keys(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let top = Parameters::read(&moment.asked.query).top(&OLD_TOPS, 50).map_err(bad)?;
        let knobs = moment.knobs;
        let items = (1_u64..).zip(&knobs.keys).map(|(number, key)| {
            let told = knobs.expires.iter().find(|(name, _)| name == key).map(|(_, at_ms)| *at_ms);
            let end_ms = told.or_else(|| claimed_end_ms(key));
            let mut id = String::with_capacity(36);
            push_uuid(&mut id, mix(&[self.seed, number]), mix(&[number]));
            json!({
                "id": id, "name": format!("key {number}"), "role": "Senior Analyst",
                "status": if knobs.disabled.contains(key) { "disabled" } else { "enabled" },
                "expiredDateTime": end_ms.map(seconds), "lastUsedDateTime": seconds(moment.now_ms),
            })
        });
        listed(moment, items.collect(), top, true)
    }

    fn endpoints(&self, moment: &Moment<'_>) -> Vec<Value> {
        let books = self.books(moment.now_ms, &moment.knobs.response);
        let make = |machine: Machine| {
            let Machine { number, guid, name, address } = machine;
            let is_windows = name.contains("-PC-") || name.contains("-NB-");
            let is_isolated = books.endpoints.get(&guid).is_some_and(|fate| fate.is_isolated);
            json!({
                "endpointName": name, "agentGuid": guid,
                "type": if is_windows { "desktop" } else { "server" },
                "osName": if is_windows { "Windows 11" } else { "" },
                "osPlatform": if is_windows { "windows" } else { "linux" },
                "ipAddresses": [address], "lastUsedIp": address,
                "lastLoggedOnUser": words::ACCOUNTS[usize::try_from(number).unwrap_or(0) % words::ACCOUNTS.len()],
                "isolationStatus": if is_isolated { "on" } else { "off" },
                "eppAgent": { "status": "on", "version": "14.0.1", "policyName": "Default" },
                "edrSensor": { "connectivity": "connected", "status": "enabled", "version": "1.2.0" },
            })
        };
        machines(self.seed).into_iter().map(make).collect()
    }
}

/// The texts of a value.
fn plain(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A page of a list that does not change.
fn listed(
    moment: &Moment<'_>,
    items: Vec<Value>,
    top: usize,
    shows_totals: bool,
) -> Result<Answer, Refused> {
    let offset = offset(moment).map_err(|problem| Refused::parameter(&problem))?;
    let total = items.len();
    let page: Vec<String> =
        items.into_iter().skip(offset).take(top).map(|item| item.to_string()).collect();
    let mut members = Map::new();
    if shows_totals {
        members.insert("totalCount".to_owned(), Value::from(total));
        members.insert("count".to_owned(), Value::from(page.len()));
    }
    if offset + page.len() < total {
        let token = skip_token(offset + page.len(), None);
        let (host, path, query) = (&moment.asked.host, &moment.asked.path, &moment.asked.query);
        let url = link(moment.knobs, host, path, query, (TOKEN, &token));
        members.insert("nextLink".to_owned(), Value::from(url));
    } else {
        end(&mut members, moment.knobs.link_end, moment.ordinal);
    }
    Ok(Answer::json(StatusCode::OK, page_text(&members, &page, moment.knobs)))
}
