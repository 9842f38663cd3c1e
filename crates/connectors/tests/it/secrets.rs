//! Everything that can print is printed, and the key is nowhere in it.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::servers::{Stub, response, simulator};
use crate::support::{Ledger, ask, cas, printed, settings};

const MARKER: &str = "mark3r-s3cr3t-0123456789";

/// Takes every log line of every crate, at every level.
#[derive(Clone, Default)]
pub(crate) struct Everything(pub(crate) Arc<Mutex<String>>);

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&self.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&self.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&self.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'s>(&'s Mutex<String>);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{field}={value:?} ").unwrap();
    }
}

/// Fetches and diagnoses, and prints all there is to print.
async fn everything_printed(url: &str) -> String {
    let settings = settings(url, &[MARKER]);
    let mut text = format!("{settings:?}");
    let connection = cas().open(&settings).unwrap();
    let key = &connection.keys()[0];
    write!(text, "{key:?}").unwrap();
    match connection.fetch(key, &ask(&*connection), &Ledger::default()).await {
        Ok(page) => write!(text, "{:?}", page.next).unwrap(),
        Err(error) => text.push_str(&printed(&error)),
    }
    text
}

#[tokio::test]
async fn the_key_is_in_no_error_no_debug_text_and_no_log_line() {
    let logged = Everything::default();
    let _guard = tracing::subscriber::set_default(logged.clone());
    // A vendor that repeats the key in its refusal, in JSON and in plain text.
    let json = Stub::fixed(401, &[], &format!(r#"{{"msg":"token {MARKER} not found"}}"#)).await;
    let plain = Stub::start(|_| response(503, &[], format!("no route for Bearer {MARKER}"))).await;
    let body = format!(r#"{{"security_events":[{{"a":"{MARKER}"}}]}}"#);
    let page = Stub::fixed(200, &[], &body).await;
    let (_, gone) = simulator(&[("outage", "on")]).await;
    for url in [
        &json.url,
        &plain.url,
        &page.url,
        &gone,
        "http://127.0.0.1:1",
        "https://no-such-host.invalid",
    ] {
        let text = everything_printed(url).await;
        assert!(!text.contains(MARKER), "{url}: {text}");
        assert!(text.contains("********"), "{url}: {text}");
    }
    let logged = logged.0.lock().unwrap();
    assert!(logged.contains("vendor answered"), "{logged}");
    assert!(!logged.contains(MARKER), "{logged}");
}
