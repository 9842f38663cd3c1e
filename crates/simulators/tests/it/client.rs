//! A small client over a router in process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::DateTime;
use serde_json::Value;
use serde_json::value::RawValue;
use simulators::{Options, SimClock, Simulator, Volume, simulator};
use tower::ServiceExt;

/// The time at which the simulators of these tests start.
pub(crate) const START: &str = "2026-03-02T08:00:00Z";

/// An answer in full.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["code"].as_i64().unwrap()
    }

    /// The records of a page with their exact bytes.
    pub(crate) fn records(&self) -> Vec<(String, String)> {
        #[derive(serde::Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            security_events: Vec<&'a RawValue>,
        }
        let page: Page<'_> = serde_json::from_slice(&self.body).unwrap();
        let id = |text: &str| {
            serde_json::from_str::<Value>(text).unwrap()["log_item_id"].as_str().unwrap().to_owned()
        };
        page.security_events
            .iter()
            .map(|record| (id(record.get()), record.get().to_owned()))
            .collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.records().into_iter().map(|(id, _)| id).collect()
    }

    /// The next link, if it is one.
    pub(crate) fn next_link(&self) -> Option<String> {
        let link = self.json()["next_link"].as_str()?.to_owned();
        (!link.is_empty() && link != "null").then_some(link)
    }
}

/// Epoch milliseconds of an RFC 3339 text.
pub(crate) fn ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// A request path for `sharepoint/dlp` between two times.
pub(crate) fn window(start: &str, end: &str, limit: usize) -> String {
    format!(
        "/v1/siem/security_events?service=sharepoint&event=dlp&start={start}&end={end}&limit={limit}"
    )
}

/// A simulator that stands at [`START`], with a quota that no test runs into unless it sets one.
pub(crate) fn sim(volume: Volume, faults: &[(&str, &str)]) -> Simulator {
    let mut all = vec![("requests".to_owned(), "1000000".to_owned())];
    all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let clock = SimClock::manual(ms(START));
    simulator("trend_micro_cas", Options { seed: 11, volume, faults: all, clock }).unwrap()
}

/// Sends one request; a full URL loses its scheme and host.
pub(crate) async fn send(
    router: &Router,
    method: &str,
    target: &str,
    key: Option<&str>,
    body: &str,
) -> Reply {
    let path = match target.find("/v1/") {
        Some(start) => &target[start..],
        None => target,
    };
    let mut request =
        Request::builder().method(method).uri(path).header("host", "cas.example:9001");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    Reply { status: parts.status, headers: parts.headers, body }
}

/// A GET with the default key.
pub(crate) async fn get(simulator: &Simulator, target: &str) -> Reply {
    send(&simulator.router(), "GET", target, Some("sim-key"), "").await
}

/// A POST to a control route.
pub(crate) async fn post(simulator: &Simulator, target: &str, body: &str) -> Reply {
    send(&simulator.router(), "POST", target, None, body).await
}

/// Pages through a window; gives up after `most` pages.
pub(crate) async fn page_through(simulator: &Simulator, target: &str, most: usize) -> Vec<Reply> {
    let mut pages = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(link) = target.take().filter(|_| pages.len() < most) {
        let page = get(simulator, &link).await;
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
        target = page.next_link();
        pages.push(page);
    }
    assert!(target.is_none(), "more than {most} pages");
    pages
}

/// The ids of all pages in order.
pub(crate) fn ids(pages: &[Reply]) -> Vec<String> {
    pages.iter().flat_map(Reply::ids).collect()
}

/// The held ids of `sharepoint/dlp`.
pub(crate) fn held(simulator: &Simulator) -> Vec<String> {
    simulator.held().into_iter().find(|stream| stream.stream == "sharepoint/dlp").unwrap().ids
}
