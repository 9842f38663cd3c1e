//! The universal webhook responder: one action at any host, written as a document with expressions.
//!
//! A [`ResponderDocument`] says what is sent; [`Responder::open`] makes it ready, [`Responder::preview`] shows
//! what would be sent for a record, and [`Responder::on`] is a run that keeps the journal's rules. Values of a
//! record are data wherever they stand: a body is a tree before any value is known (`body`), and paths,
//! queries and headers write each value in their own way (`request`). Where requests may go is
//! [`crate::client::egress`]'s matter.

mod answer;
mod auth;
mod body;
mod check;
mod context;
mod document;
mod error;
mod expression;
mod fields;
mod filters;
mod follow;
mod lookup;
mod masking;
mod plan;
mod prepare;
mod request;
mod responder;
mod run;
mod send;
mod sign;
mod success;
mod template;
mod testing;
mod token;
mod values;
mod wording;

pub use auth::{Algorithm, Auth, Encoding, SendAs, Signed};
pub use context::context;
pub use document::{
    Alias, Method, Poll, Protocol, RequestTemplate, ResponderDocument, Retries, Target,
};
pub use error::WebhookError;
pub use responder::{Responder, render};
pub use run::Run;
pub use success::{Items, Success};
pub use template::{Template, load, templates};
pub use testing::{Expected, Report, Test, Tested, run_tests};
