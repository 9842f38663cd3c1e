//! Integration tests of the crate: the client against servers that behave and servers that do not, the
//! mapping against samples and arbitrary data, transforms, and file formats.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod cas_actions;
mod cloudtrail;
mod faults;
mod formats;
mod golden;
mod memory_journal;
mod mimecast;
mod ocsf;
mod onboarding;
mod paging;
mod properties;
mod proxies;
mod secrets;
mod servers;
mod settings;
mod support;
mod tls;
#[cfg(feature = "transforms")]
mod transforms;
mod vision;
mod vision_actions;
mod vision_actions_doubt;
mod vision_actions_durable;
mod vision_actions_limits;
mod vision_actions_odd;
mod vision_actions_others;
mod vision_actions_outcomes;
mod vision_actions_words;
mod webhook;
mod webhook_auth;
mod webhook_documents;
mod webhook_doubt;
mod webhook_egress;
mod webhook_runs;
mod webhook_templates;
