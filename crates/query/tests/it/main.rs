//! Tests of the crate's public face.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cloudtrail;
mod examples;
mod latest;
mod lucene_examples;
mod lucene_properties;
mod lucene_refusals;
mod memory;
mod outline;
mod properties;
mod refusals;
mod twins;
mod vision_one;

use std::sync::Arc;

use model::ocsf::Class;
use model::source::{MsgOrigin, Source, Sources};
use model::time::Timestamp;
use query::language::{Context, Parsed, QueryError};
use query::{lucene, taegis};

/// Sources that feed mail, one of which feeds files and findings too, and two that feed the web.
fn sources() -> Sources {
    let source = |id: &str, sensor_type: &str, prefix: &str, vendor: &str, classes: &[Class]| {
        Arc::new(Source {
            id: id.to_owned(),
            msg_class: id.replace("trend_micro", "trendmicro").replace('.', "_"),
            sensor_type: sensor_type.to_owned(),
            msg_origin: MsgOrigin {
                source: prefix.to_owned(),
                vendor: vendor.to_owned(),
                category: "email".to_owned(),
            },
            classes: classes.to_vec(),
        })
    };
    Sources::new([
        source(
            "trend_micro_cas.security_events",
            "Trend Micro CAS",
            "trendmicro_cas",
            "trendmicro",
            &[Class::EmailActivity, Class::FileHosting, Class::DataSecurityFinding],
        ),
        source(
            "mimecast.siem",
            "Mimecast",
            "mimecast",
            "mimecast",
            &[Class::EmailActivity, Class::HttpActivity],
        ),
        source("mimecast.ttp_url", "Mimecast", "mimecast", "mimecast", &[Class::HttpActivity]),
    ])
}

/// 2026-10-05T12:00:00Z.
fn now() -> Timestamp {
    Timestamp::parse("2026-10-05T12:00:00Z").unwrap()
}

/// Reads a query of the Taegis-style language.
fn parse(text: &str) -> Result<Parsed, QueryError> {
    taegis::parse(text, &Context { sources: &sources(), now: now() })
}

/// Reads a query of the Lucene-style language.
fn parse_lucene(text: &str) -> Result<Parsed, QueryError> {
    lucene::parse(text, &Context { sources: &sources(), now: now() })
}
