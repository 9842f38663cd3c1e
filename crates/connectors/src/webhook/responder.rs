//! A responder, ready to run: its document, read, with the client to its host.

use std::sync::Arc;

use model::action::journal::ShownRequest;
use model::action::spec::{ActionParameter, Effect};
use model::action::{ActionSpec, Input};
use model::connector::Proxy;
use model::secret::Secret;
use model::vendor::Key;
use serde_json::{Map, Value};

use super::document::ResponderDocument;
use super::error::WebhookError;
use super::masking::Masks;
use super::plan::{self, Plan};
use super::prepare::{Prepared, masks};
use super::request::Rendered;
use super::run::Run;
use super::sign;
use super::token::TokenCache;
use crate::client::egress::EgressPolicy;
use crate::client::webhook::{WebhookClient, WebhookOptions};

/// Largest body that is sent.
const BODY_CAP: usize = 8 * 1024 * 1024;

/// A responder that can run.
pub struct Responder {
    pub(crate) document: ResponderDocument,
    pub(crate) plan: Plan,
    pub(crate) client: WebhookClient,
    pub(crate) token: TokenCache,
    spec: ActionSpec,
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.document.fmt(out)
    }
}

impl Responder {
    /// Makes a responder ready; sends nothing. `egress` says where it may send to, `proxy` the way there.
    ///
    /// # Errors
    /// The document cannot be used, holds a masked secret, or the client cannot be set up.
    pub fn open(
        document: ResponderDocument,
        egress: EgressPolicy,
        proxy: Option<Proxy>,
    ) -> Result<Self, WebhookError> {
        super::check::shape(&document)?;
        if let Some((name, _)) = document.auth.secret().filter(|(_, secret)| secret.is_mask()) {
            return Err(WebhookError::at(
                name,
                ("is masked", "は伏せ字です"),
                ("write the secret itself", "秘密の値そのものを書いてください"),
            ));
        }
        let verify_tls = document.request.verify_tls;
        let options = WebhookOptions { verify_tls, egress, proxy, ..WebhookOptions::default() };
        let client = WebhookClient::new(options).map_err(|error| {
            WebhookError::new(
                (error.to_string(), "HTTP クライアントを準備できません".to_owned()),
                (
                    "check the proxy and the certificates of this machine",
                    "プロキシと証明書を確認してください",
                ),
            )
        })?;
        let plan = Plan::new(&document)?;
        let spec = spec(&document);
        Ok(Self { document, plan, client, token: TokenCache::default(), spec })
    }

    /// Its declaration, as every action has one.
    pub fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    /// Its document.
    pub fn document(&self) -> &ResponderDocument {
        &self.document
    }

    /// What its budget is counted by.
    pub fn key(&self) -> Key {
        let secret = self.document.auth.secret().map(|(_, secret)| secret.clone());
        Key {
            secret: secret.unwrap_or_else(|| Secret::new("")),
            label: self.document.name.to_string(),
            host: self.document.request.host.clone(),
        }
    }

    /// A run on a record: what [`super::context`] made of it, or null for none.
    pub fn on(self: &Arc<Self>, record: Value) -> Run {
        Run::new(self.clone(), record)
    }

    /// What would be sent for a record; secrets are masked and nothing is sent.
    ///
    /// # Errors
    /// A field that the request needs is empty in the record.
    pub fn preview(
        &self,
        record: &Value,
        parameters: &Map<String, Value>,
    ) -> Result<ShownRequest, WebhookError> {
        previewed(&self.document, &self.plan, record, parameters)
    }
}

/// What a responder would send for a record; secrets are masked and nothing is sent.
///
/// # Errors
/// The document cannot be used, or a field that it needs is empty in the record.
pub fn render(
    document: &ResponderDocument,
    record: &Value,
    parameters: &Map<String, Value>,
) -> Result<ShownRequest, WebhookError> {
    previewed(document, &Plan::new(document)?, record, parameters)
}

fn previewed(
    document: &ResponderDocument,
    plan: &Plan,
    record: &Value,
    parameters: &Map<String, Value>,
) -> Result<ShownRequest, WebhookError> {
    let input = Input { entities: Vec::new(), parameters: parameters.clone() };
    let input = checked(&input, &spec(document))?;
    let prepared = Prepared::new(plan, record, &input)?;
    let rendered = rendered(plan, &prepared.with_targets(&prepared.targets))?;
    Ok(shown(document, &rendered, &masks(document, &input.parameters)))
}

/// An input as a document declares it.
pub(crate) fn checked_input(
    document: &ResponderDocument,
    input: &Input,
) -> Result<Input, WebhookError> {
    checked(input, &spec(document))
}

/// The input with defaults and types as declared.
fn checked(input: &Input, spec: &ActionSpec) -> Result<Input, WebhookError> {
    input.checked(spec).map_err(|error| {
        let remedy = error.remedy.clone();
        WebhookError::new((error.to_string(), error.to_string()), (&remedy, &remedy))
    })
}

/// The request for these names.
pub(crate) fn rendered(
    plan: &Plan,
    names: &super::values::Scope,
) -> Result<Rendered, WebhookError> {
    let rendered = plan.request.rendered(names)?;
    if rendered.bytes().is_some_and(|bytes| bytes.len() > BODY_CAP) {
        return Err(WebhookError::at(
            "request.body",
            ("would be larger than 8 MiB", "が 8 MiB を超えます"),
            ("send less of the record", "送る値を減らしてください"),
        ));
    }
    Ok(rendered)
}

/// The request as the history shows it.
pub(crate) fn shown(
    document: &ResponderDocument,
    request: &Rendered,
    masks: &Masks,
) -> ShownRequest {
    let plain =
        request.headers.iter().map(|(name, value)| (name.clone(), masks.header(name, value)));
    ShownRequest {
        method: request.method.as_str().to_owned(),
        url: masks.text(request.url.as_str()),
        headers: plain.chain(sign::shown(&document.auth)).collect(),
        body: request.body.as_ref().map(|body| masks.value(body)).unwrap_or_default(),
    }
}

/// The declaration of a document.
fn spec(document: &ResponderDocument) -> ActionSpec {
    let parameters: Vec<ActionParameter> = document.parameters.clone();
    let day = std::time::Duration::from_secs(24 * 3600);
    ActionSpec {
        name: document.name.to_string(),
        version: 1,
        title: plan::title(document),
        help: document.help.clone(),
        effect: document.effect,
        // The record says what it works on.
        entities: Vec::new(),
        parameters,
        reverse: document.reverse.clone(),
        poll: document.poll.as_ref().map(|poll| poll.every),
        timeout: document.poll.as_ref().and_then(|poll| poll.timeout).unwrap_or(day),
        permissions: Vec::new(),
        enrichment: Vec::new(),
        result: Value::Null,
    }
}

/// Whether a responder may be sent again when nobody knows whether it arrived.
pub(crate) fn only_asks(document: &ResponderDocument) -> bool {
    document.effect == Effect::Reads
}
