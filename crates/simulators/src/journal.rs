//! What was asked and what was answered, as outside proof of loss, repeats and quota.
//!
//! Served records are kept as bare numbers per stream, which the vendor turns into ids when somebody asks:
//! millions of them must cost next to nothing.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Why a request was answered with 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The key had used up its quota.
    Quota,
    /// The fault `throttle_every` asked for it.
    Injected,
}

/// One request to the vendor's own routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestEntry {
    /// When it arrived, RFC 3339 by the simulator's clock.
    pub at: String,
    /// The credential as it was sent.
    pub credential: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// The body of a request that changes something, when it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
    /// The status of the answer.
    pub status: u16,
    /// Why a 429 was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Refusal>,
    /// Whether a fault, not the request, decided the answer.
    pub injected: bool,
    /// Records in the answer, when it was complete.
    pub records: usize,
}

/// A stream's name (`service/event`) and record ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamIds {
    /// The stream, such as `sharepoint/dlp`.
    pub stream: String,
    /// The ids; for served records in the order of serving, repeats repeated.
    pub ids: Vec<String>,
}

/// A record that a perfect collector has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRecord {
    /// The vendor's id.
    pub id: String,
    /// SHA-256 of the record's bytes as they stand in an answer, lower-case hexadecimal.
    pub sha256: String,
}

#[derive(Debug, Default)]
struct Pages {
    first_request_ms: Option<i64>,
    requests: Vec<RequestEntry>,
    served: Vec<Vec<u64>>,
}

/// The journal of one simulator.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pages: Mutex<Pages>,
}

impl Journal {
    /// Writes down a request and, for a complete answer, the records it carried (stream number, record numbers).
    pub(crate) fn write(&self, at_ms: i64, entry: RequestEntry, served: Option<(usize, &[u64])>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.first_request_ms.get_or_insert(at_ms);
        pages.requests.push(entry);
        if let Some((stream, numbers)) = served {
            if pages.served.len() <= stream {
                pages.served.resize(stream + 1, Vec::new());
            }
            pages.served[stream].extend_from_slice(numbers);
        }
    }

    /// Notes records of further streams that the last answer carried.
    pub(crate) fn also_served(&self, stream: usize, numbers: &[u64]) {
        if numbers.is_empty() {
            return;
        }
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.served.len() <= stream {
            pages.served.resize(stream + 1, Vec::new());
        }
        pages.served[stream].extend_from_slice(numbers);
    }

    /// When the first request arrived, epoch milliseconds.
    pub(crate) fn first_request_ms(&self) -> Option<i64> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).first_request_ms
    }

    /// All requests so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<RequestEntry> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// The numbers of the records served of a stream, in order, repeats repeated.
    pub(crate) fn served(&self, stream: usize) -> Vec<u64> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.served.get(stream).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(status: u16) -> RequestEntry {
        RequestEntry {
            at: String::new(),
            credential: Some("sim-key".to_owned()),
            method: "GET".to_owned(),
            path: "/v1/x".to_owned(),
            query: String::new(),
            body: None,
            status,
            reason: (status == 429).then_some(Refusal::Quota),
            injected: false,
            records: 0,
        }
    }

    #[test]
    fn repeats_are_repeated_and_the_first_request_stays_first() {
        let journal = Journal::default();
        journal.write(5, entry(200), Some((2, &[7, 8])));
        journal.write(9, entry(200), Some((2, &[8])));
        journal.also_served(3, &[1]);
        assert_eq!((journal.served(2), journal.served(3)), (vec![7, 8, 8], vec![1]));
        assert!(journal.served(40).is_empty());
        assert_eq!(journal.first_request_ms(), Some(5));
    }

    #[test]
    fn the_reason_is_printed_only_for_refusals() -> Result<(), serde_json::Error> {
        assert!(!serde_json::to_string(&entry(200))?.contains("reason"));
        assert!(serde_json::to_string(&entry(429))?.contains(r#""reason":"quota""#));
        Ok(())
    }
}
