//! Responders: webhooks that people made, kept with their secrets sealed, shown, previewed and run like actions.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::StoredResponder;
use connectors::client::egress::EgressPolicy;
pub use connectors::webhook::Template;
use connectors::webhook::{self, Report, Responder, ResponderDocument, WebhookError};
use model::action::ActionSpec;
use model::action::journal::ShownRequest;
use model::action::spec::Effect;
use model::hint::Hint as _;
use model::ids::{ResponderId, TenantId};
use model::ocsf::Class;
use model::secret::Secret;
use model::time::Timestamp;
use query::fields::{Field, Reads};
use query::plan::{Filter, Predicate, Query, TimeRange, Value as Wanted};
use query::store::Statement;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_stream::StreamExt as _;

use super::RESPONDER;
use crate::app::App;
use crate::error::EngineError;

/// The tenant of a document whose responder every tenant may use.
const ALL_TENANTS: &str = "all";

/// What responders of this process may do.
#[derive(Debug, Clone, Default)]
pub struct ResponderSettings {
    /// Where they may send to beside the public network.
    pub egress: EgressPolicy,
    /// Templates of the operator's own, beside the built-in ones.
    pub templates: Vec<Template>,
}

/// What somebody changed about a responder's request before sending it; what is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditedRequest {
    /// The path, with expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The query, with expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Map<String, Value>>,
    /// The body, with expressions: JSON, or JSON as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl EditedRequest {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn apply(&self, document: &mut ResponderDocument) {
        let request = &mut document.request;
        if let Some(path) = &self.path {
            request.path.clone_from(path);
        }
        if let Some(query) = &self.query {
            request.query.clone_from(query);
        }
        if let Some(body) = &self.body {
            request.body = Some(body.clone());
        }
    }
}

/// A responder, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct ResponderView {
    /// What it is called.
    pub name: String,
    /// What its runs are called: `responder.NAME`.
    pub action: String,
    /// The tenant that may use it; `all` for every one.
    pub tenant: String,
    /// The template that it was made from.
    pub template: Option<String>,
    /// What it does to the world.
    pub effect: Effect,
    /// The responder that takes it back.
    pub reverse: Option<String>,
    /// The document, secrets masked.
    pub document: Value,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What applying a document does to one responder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponderChange {
    /// The responder's tenant, or `all`.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// `create`, `update` or `unchanged`.
    pub kind: &'static str,
}

impl App {
    /// The templates that responders can be made from: built in, and the operator's own.
    pub fn responder_templates(&self) -> Vec<Template> {
        let mut templates = webhook::templates();
        templates.extend(self.responder_settings.templates.iter().cloned());
        templates
    }

    /// Reads a file of responders, YAML or JSON: one document, or `responders:` with a list of them.
    ///
    /// # Errors
    /// The text cannot be read, or a document cannot be used: the error names the field.
    pub fn read_responders(&self, text: &str) -> Result<Vec<ResponderDocument>, EngineError> {
        // The parser's snippet is left out: the lines around the place may hold a secret.
        let options = serde_saphyr::options! { with_snippet: false };
        let file = serde_saphyr::from_str_with_options(text, options);
        let unreadable = |problem: String| EngineError::Invalid {
            problem: format!("the file of responders cannot be read: {problem}"),
            hint: "write `responders:` and a list and nothing beside it, or one document"
                .to_owned(),
        };
        let file: Value = file.map_err(|error| unreadable(error.to_string()))?;
        let documents = match file {
            Value::Object(mut members) if members.contains_key("responders") => {
                let listed = members.remove("responders").unwrap_or_default();
                if let Some(other) = members.keys().next() {
                    return Err(unreadable(format!("`{other}` stands beside the list")));
                }
                match listed {
                    Value::Array(documents) => documents,
                    _ => return Err(unreadable("`responders` is no list".to_owned())),
                }
            }
            document => vec![document],
        };
        let templates = self.responder_templates();
        let read = |document| ResponderDocument::from_value(document, &templates);
        documents.into_iter().map(read).collect::<Result<_, _>>().map_err(refused)
    }

    /// Runs the tests that stand in documents. Nothing is sent.
    pub fn test_responders(&self, documents: &[ResponderDocument]) -> Vec<(String, Report)> {
        let tested = |document: &ResponderDocument| {
            (document.name.to_string(), webhook::run_tests(document, &self.sources))
        };
        documents.iter().map(tested).collect()
    }

    /// Applies documents: all of them are checked before the first is written. A masked secret means: keep what
    /// is stored.
    ///
    /// # Errors
    /// Names the document and what cannot be used of it; then nothing was changed.
    pub async fn apply_responders(
        &self,
        documents: Vec<ResponderDocument>,
        dry_run: bool,
        actor: &str,
    ) -> Result<Vec<ResponderChange>, EngineError> {
        let mut planned: Vec<(ResponderChange, StoredResponder)> = Vec::new();
        for document in documents {
            let (change, stored) = self.planned(document).await?;
            let is_twice = |(known, _): &(ResponderChange, StoredResponder)| {
                (&known.tenant, &known.name) == (&change.tenant, &change.name)
            };
            if planned.iter().any(is_twice) {
                return Err(EngineError::Invalid {
                    problem: format!("the responder `{}` is there twice", change.name),
                    hint: "give each a name of its own".to_owned(),
                });
            }
            planned.push((change, stored));
        }
        for (change, stored) in planned.iter().filter(|_| !dry_run) {
            if change.kind == "unchanged" {
                continue;
            }
            self.services.catalog.put_responder(stored).await?;
            let detail = json!({ "tenant": change.tenant, "change": change.kind });
            self.audit(actor, "responder.apply", &change.name, &detail).await;
        }
        Ok(planned.into_iter().map(|(change, _)| change).collect())
    }

    async fn planned(
        &self,
        document: ResponderDocument,
    ) -> Result<(ResponderChange, StoredResponder), EngineError> {
        let tenant = match document.tenant.as_str() {
            ALL_TENANTS => None,
            name => Some(TenantId::new(name).map_err(|error| EngineError::Invalid {
                problem: format!("responder `{}`: {error}", document.name),
                hint: format!("name a tenant, or `{ALL_TENANTS}`"),
            })?),
        };
        let name = document.name.to_string();
        let refers = |secret: &Secret| {
            ["env:", "file:"].iter().any(|word| secret.expose().starts_with(word))
        };
        if let Some((field, _)) = document.secrets().iter().find(|(_, secret)| refers(secret)) {
            return Err(EngineError::Invalid {
                problem: format!("responder `{name}`: `{field}` only names a secret"),
                hint:
                    "write the secret itself: only `tarn responder apply` reads variables and files"
                        .to_owned(),
            });
        }
        let reachable = tenant.clone().unwrap_or_default();
        let known = self.services.catalog.responders(&reachable).await?;
        let before = known.into_iter().find(|known| known.tenant == tenant && known.name == name);
        let opened = before.as_ref().map(opened).transpose()?;
        let document = document.keeping(opened.as_ref()).map_err(refused)?;
        document.check(&self.sources).map_err(|errors| {
            let problems: Vec<_> = errors.iter().map(ToString::to_string).collect();
            EngineError::Invalid {
                problem: format!("responder `{name}`: {}", problems.join("; ")),
                hint: errors.first().and_then(|error| error.hint()).unwrap_or_default(),
            }
        })?;
        let now = self.services.clock.now();
        let secrets: BTreeMap<_, _> = document.secrets();
        let is_same = opened.is_some_and(|opened| {
            opened.masked() == document.masked() && sealed(&opened.secrets()) == sealed(&secrets)
        });
        let kind = match (&before, is_same) {
            (None, _) => "create",
            (Some(_), true) => "unchanged",
            (Some(_), false) => "update",
        };
        let stored = StoredResponder {
            id: before.as_ref().map_or_else(ResponderId::generate, |before| before.id),
            tenant,
            name: name.clone(),
            document: document.masked(),
            secrets: Secret::new(sealed(&secrets)),
            revision: 0,
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            updated_at: now,
        };
        Ok((ResponderChange { tenant: document.tenant, name, kind }, stored))
    }

    /// The responders that a tenant may use.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn responders(&self, tenant: &TenantId) -> Result<Vec<ResponderView>, EngineError> {
        let stored = self.services.catalog.responders(tenant).await?;
        stored.iter().map(view).collect()
    }

    /// A responder of a tenant by its name.
    ///
    /// # Errors
    /// There is none, or the catalog cannot be read.
    pub async fn responder(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<ResponderView, EngineError> {
        view(&self.stored_responder(tenant, name).await?)
    }

    /// Deletes a responder; its runs stay.
    ///
    /// # Errors
    /// There is none, it belongs to all tenants and `is_everywhere` does not hold, or the catalog cannot be written.
    pub async fn delete_responder(
        &self,
        tenant: &TenantId,
        name: &str,
        is_everywhere: bool,
        actor: &str,
    ) -> Result<(), EngineError> {
        let stored = self.stored_responder(tenant, name).await?;
        if stored.tenant.is_none() && !is_everywhere {
            return Err(EngineError::Conflict {
                problem: format!("the responder `{name}` belongs to all tenants"),
                hint: "delete it with a token that is not bound to one tenant".to_owned(),
            });
        }
        self.services.catalog.delete_responder(stored.id).await?;
        self.audit(actor, "responder.delete", name, &json!({ "tenant": stored.tenant })).await;
        Ok(())
    }

    /// What a responder would send for a record, secrets masked. Nothing is sent.
    ///
    /// # Errors
    /// There is no such responder or record, or a field that the request needs is empty in the record.
    pub async fn preview_responder(
        &self,
        tenant: &TenantId,
        name: &str,
        record: Option<&str>,
        parameters: &Map<String, Value>,
        edited: &EditedRequest,
    ) -> Result<ShownRequest, EngineError> {
        let stored = self.stored_responder(tenant, name).await?;
        let mut document = opened(&stored)?;
        edited.apply(&mut document);
        let context = match record {
            Some(uid) => self.record_context(tenant, uid, &document).await?,
            None => Value::Null,
        };
        webhook::render(&document, &context, parameters).map_err(refused)
    }

    async fn stored_responder(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<StoredResponder, EngineError> {
        self.runs.targets().responder(tenant, name).await
    }

    /// What a responder may read of a stored record.
    pub(super) async fn record_context(
        &self,
        tenant: &TenantId,
        uid: &str,
        document: &ResponderDocument,
    ) -> Result<Value, EngineError> {
        let row = self.record(tenant, uid).await?;
        let id = row["source"].as_str().unwrap_or_default();
        let works_here =
            document.sources.is_empty() || document.sources.iter().any(|own| own == id);
        let Some(source) = self.sources.get(id).filter(|_| works_here) else {
            return Err(EngineError::Invalid {
                problem: format!(
                    "the responder `{}` does not work on records of `{id}`",
                    document.name
                ),
                hint: format!("it works on records of {}", document.sources.join(", ")),
            });
        };
        let raw = row["raw_data"].as_str().unwrap_or_default().to_owned();
        Ok(webhook::context(source, raw.as_bytes(), &row))
    }

    /// A stored record by its uid.
    async fn record(&self, tenant: &TenantId, uid: &str) -> Result<Value, EngineError> {
        let column = |class: &Class| (*class, vec!["uid".to_owned()]);
        let field = Field {
            name: "uid".to_owned(),
            reads: Reads::Columns(Class::ALL.iter().map(column).collect()),
        };
        let query = Query {
            classes: Class::ALL.to_vec(),
            latest: false,
            filter: Filter::Test(field, Predicate::Equals(Wanted::Text(uid.to_owned()))),
            range: TimeRange::default(),
            stages: Vec::new(),
        };
        let mut rows = self.services.store.query(tenant, Statement::Query(query)).await?;
        while let Some(page) = rows.pages.next().await {
            if let Some(row) = page?.into_iter().next() {
                return Ok(Value::Object(row));
            }
        }
        Err(EngineError::NotFound {
            kind: "record",
            name: uid.to_owned(),
            tenant: tenant.to_string(),
        })
    }
}

/// The document of a stored responder, with its secrets.
pub(super) fn opened(stored: &StoredResponder) -> Result<ResponderDocument, EngineError> {
    let damaged = |what: &str| {
        EngineError::Catalog(catalog::CatalogError::Corrupt {
            what: format!("the {what} of the responder `{}` cannot be read", stored.name),
            source: None,
        })
    };
    // The parser's own words are not kept: they may quote a secret.
    let secrets: BTreeMap<String, Secret> =
        serde_json::from_str(stored.secrets.expose()).map_err(|_| damaged("secret"))?;
    let document: ResponderDocument =
        serde_json::from_value(stored.document.clone()).map_err(|_| damaged("document"))?;
    Ok(document.with_secrets(&secrets))
}

/// The declaration of a stored responder.
pub(super) fn declared(stored: &StoredResponder) -> Result<ActionSpec, EngineError> {
    let opened = opened(stored)?;
    let egress = EgressPolicy::default();
    let responder = Responder::open(opened, egress, None).map_err(refused)?;
    Ok(responder.spec().clone())
}

/// A responder that can run on a record.
pub(super) fn ready(
    stored: &StoredResponder,
    edited: &EditedRequest,
    settings: &ResponderSettings,
) -> Result<Arc<Responder>, EngineError> {
    let mut document = opened(stored)?;
    edited.apply(&mut document);
    let opened = Responder::open(document, settings.egress.clone(), None);
    opened.map(Arc::new).map_err(refused)
}

/// A document that cannot be used, in the engine's words.
pub(super) fn refused(error: WebhookError) -> EngineError {
    EngineError::Invalid { problem: error.to_string(), hint: error.hint().unwrap_or_default() }
}

fn sealed(secrets: &BTreeMap<String, Secret>) -> String {
    let plain: BTreeMap<_, _> =
        secrets.iter().map(|(name, secret)| (name, secret.expose())).collect();
    json!(plain).to_string()
}

fn view(stored: &StoredResponder) -> Result<ResponderView, EngineError> {
    let document = opened(stored)?;
    Ok(ResponderView {
        action: format!("{RESPONDER}.{}", stored.name),
        name: stored.name.clone(),
        tenant: document.tenant.clone(),
        template: document.template.clone(),
        effect: document.effect,
        reverse: document.reverse.clone(),
        document: document.masked(),
        revision: stored.revision,
        updated_at: stored.updated_at,
    })
}
