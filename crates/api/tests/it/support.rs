//! One builder for every test: an app in memory, its router, and tokens with chosen rights.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use catalog::{Catalog, MasterKey};
use connectors::Registry;
use engine::access::Right;
use engine::app::{App, Parts};
use model::clock::{Clock, VirtualClock};
use model::ids::TenantId;
use model::secret::Secret;
use model::time::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::store::TestStore;

/// The secret in every document of these tests; no answer may hold it.
pub(crate) const SECRET: &str = "hunter2-and-more";
/// The only source of these tests.
pub(crate) const SOURCE: &str = "trend_micro_cas.security_events";

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<TestStore>,
    catalog: Catalog,
    router: Router,
    admin: String,
}

impl TestApp {
    /// An app at 2026-05-11T08:00:00Z that stands still.
    pub(crate) async fn new() -> Self {
        Self::with_clock(Arc::new(VirtualClock::starting_at(now()))).await
    }

    pub(crate) async fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let master = MasterKey::from_text(&Secret::new("ab".repeat(32))).unwrap();
        let catalog = Catalog::open("sqlite::memory:", &master).await.unwrap();
        let store = Arc::new(TestStore::default());
        let parts = Parts {
            catalog: catalog.clone(),
            store: store.clone(),
            clock,
            registry: Registry::new(),
            regions: Default::default(),
            responders: Default::default(),
        };
        let app = Arc::new(App::open(parts).await.unwrap());
        let admin = app.first_token().await.unwrap().unwrap().expose().to_owned();
        let router = api::router(app.clone(), api::Settings::default());
        Self { app, store, catalog, router, admin }
    }

    /// The same, where the server was told at which URL it is reached.
    pub(crate) fn reached_at(mut self, url: &str) -> Self {
        let public_url = Some(url.to_owned());
        self.router =
            api::router(self.app.clone(), api::Settings { public_url, ..Default::default() });
        self
    }

    /// A token with these rights, in one tenant or in all.
    pub(crate) async fn token(&self, tenant: Option<&str>, rights: &[Right]) -> String {
        let rights: Vec<String> = rights.iter().map(|right| right.as_str().to_owned()).collect();
        let tenant = tenant.map(|tenant| TenantId::new(tenant).unwrap());
        let now = self.app.clock().now();
        if let Some(tenant) = &tenant {
            self.catalog.ensure_tenant(tenant, now).await.unwrap();
        }
        let made = self.catalog.create_token("test", tenant.as_ref(), &rights, now, None).await;
        made.unwrap().expose().to_owned()
    }

    /// A request of the first token, which may do everything.
    pub(crate) fn request(&self, method: Method, path: &str) -> Call<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", self.admin))
            .body(Body::empty());
        Call { app: self, request: request.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }

    /// Applies a connector of this name in the tenant `default`.
    pub(crate) async fn with_connector(self, name: &str) -> Self {
        let answer =
            self.post("/api/v1/connectors", json!({ "connectors": [document(name)] })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self
    }

    /// Imports so many records, one of them broken when asked.
    pub(crate) async fn import(&self, tenant: &str, records: &str) -> Answer {
        let path = format!("/api/v1/events?source={SOURCE}&name=saved.json&tenant={tenant}");
        self.request(Method::POST, &path).body(records.to_owned()).send().await
    }
}

/// A request on its way.
pub(crate) struct Call<'a> {
    app: &'a TestApp,
    request: Request<Body>,
}

impl Call<'_> {
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header(CONTENT_TYPE.as_str(), "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn lines(self) -> Self {
        self.header(ACCEPT.as_str(), "application/x-ndjson")
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.request.headers_mut().remove(AUTHORIZATION);
        self
    }

    /// The answer before its body is read.
    pub(crate) async fn open(self) -> axum::response::Response {
        self.app.router.clone().oneshot(self.request).await.unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.open().await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        assert!(!answer.text().contains(SECRET), "{}", answer.text());
        answer
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.header("content-type"), "application/x-ndjson");
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The detail, after checking that this is a problem of this status.
    pub(crate) fn problem(&self, status: StatusCode) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status.as_u16());
        assert!(problem["type"].as_str().unwrap().starts_with("urn:tarn:problem:"), "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// When these tests play.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-05-11T08:00:00Z").unwrap()
}

/// A connector document without a tenant.
pub(crate) fn document(name: &str) -> Value {
    json!({
        "name": name,
        "integration": "trend_micro_cas",
        "credential": { "api_keys": [SECRET] },
        "parameters": { "base_url": "http://127.0.0.1:9", "services": ["sharepoint"], "events": ["dlp"] },
        "backfill": "72h",
    })
}

/// A name as it stands in a path.
pub(crate) fn encoded(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A record of mail, one second after the one of the number before.
pub(crate) fn record(number: u32) -> String {
    let time = Timestamp::parse("2026-05-11T02:00:00Z").unwrap();
    let time = time + std::time::Duration::from_secs(number.into());
    json!({
        "log_item_id": format!("id-{number}"),
        "service": "Exchange",
        "event": "security_risk_scan",
        "message": {
            "scan_type": "Real-time scan",
            "detection_time": time.to_rfc3339_millis(),
            "mail_message_id": format!("<{number}@supplier.example>"),
            "mail_message_sender": "orders@supplier.example",
            "mail_message_recipient": ["hana.sato@tarn.example"],
            "mail_message_subject": "件名",
            "triggered_security_filter": "Web Reputation",
            "action": "Pass",
            "action_result": "success",
            "risk_level": "Suspicious",
        },
    })
    .to_string()
}

/// So many records, one per line.
pub(crate) fn records(count: u32) -> String {
    (0..count).map(|number| record(number) + "\n").collect()
}
