//! What can be done at Cloud App Security: one file per action, declared in `actions.yaml`.
//!
//! Start at [`run`]. What several actions ask of the vendor has files of its own: [`paging`], [`sweep`],
//! [`mitigation`] with [`waiting`], and [`blocklist`] with [`blocklist_change`].

mod add_entities_to_blocklist;
mod blocklist;
mod blocklist_change;
mod enrich_entities;
mod entity_email_search;
mod entries;
mod list_blocklist;
mod mail_address;
mod messages;
mod mitigate_accounts;
mod mitigate_emails;
mod mitigation;
mod paging;
mod parts;
mod ping;
mod remove_entities_from_blocklist;
mod sweep;
mod waiting;

use model::action::journal::Journal;
use model::action::{ActionSpec, Call, Halt, Input, Outcome};
use model::secret::Secret;
use model::vendor::{Fault, FetchError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::{client::check_key, errors};
use crate::action::{Ask, Exchange, Insistence, Reply, Taken, Witness, reason};
use crate::client::{Answer, Method, VendorClient, host, redact};

/// The declarations.
pub(super) fn declared() -> Vec<ActionSpec> {
    serde_saphyr::from_str(include_str!("../actions.yaml"))
        .expect("the declarations are part of the build and a test reads them")
}

/// Runs an action.
///
/// # Errors
/// As [`model::action::Responds::act`]; a fatal reason is the whole message for the case wall.
pub(super) async fn run(
    client: &VendorClient,
    base: &Url,
    call: &Call<'_>,
) -> Result<Outcome, Halt> {
    // Its message has a form of its own.
    if call.action == entity_email_search::NAME {
        entity_email_search::check_days(call.input)?;
    }
    let exchange = Exchange::new(client, call.rights, call.journal, |answer, secret| {
        errors::refused(answer, secret, false)
    });
    let desk = Desk { exchange, base, call };
    desk.run().await.map_err(|halt| match halt {
        Halt::Fatal(reason) => Halt::Fatal(messages::fatal(call.action, &reason)),
        other => other,
    })
}

/// Where one run asks and changes.
struct Desk<'a> {
    exchange: Exchange<'a>,
    base: &'a Url,
    call: &'a Call<'a>,
}

impl<'a> Desk<'a> {
    async fn run(&self) -> Result<Outcome, Halt> {
        // A pool with one good key can act.
        let mut keys = self.call.rights.iter().map(|right| check_key(&right.key.secret));
        if let Some(Err(error)) = keys.next()
            && keys.all(|checked| checked.is_err())
        {
            return Err(Halt::Fatal(reason(&error)));
        }
        match self.call.action {
            ping::NAME => ping::run(self).await,
            add_entities_to_blocklist::NAME => add_entities_to_blocklist::run(self).await,
            remove_entities_from_blocklist::NAME => remove_entities_from_blocklist::run(self).await,
            list_blocklist::NAME => list_blocklist::run(self).await,
            enrich_entities::NAME => enrich_entities::run(self).await,
            entity_email_search::NAME => entity_email_search::run(self).await,
            mitigate_emails::NAME => mitigate_emails::run(self).await,
            mitigate_accounts::NAME => mitigate_accounts::run(self).await,
            unknown => Err(Halt::fatal(format!("`{unknown}` is no action of this integration"))),
        }
    }

    fn input(&self) -> &'a Input {
        self.call.input
    }

    fn journal(&self) -> &'a dyn Journal {
        self.call.journal
    }

    /// A URL of the vendor's. Everything is percent-encoded, a space too: ids and subjects hold `+`, `<` and `"`.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            let mut written = Serializer::new(String::new());
            written.extend_pairs(query);
            url.set_query(Some(&written.finish().replace('+', "%20")));
        }
        url
    }

    /// Asks for an object; no answer ends the run.
    async fn get(&self, step: &str, url: Url) -> Result<Map<String, Value>, Halt> {
        self.try_get(step, url, Manner::Ask).await?.map_err(|error| Halt::Fatal(reason(&error)))
    }

    /// Asks for an object; no answer is the caller's matter.
    async fn try_get(
        &self,
        step: &str,
        url: Url,
        manner: Manner,
    ) -> Result<Result<Map<String, Value>, FetchError>, Halt> {
        let ask = Ask::get(url);
        let reply = match manner {
            Manner::Ask => self.exchange.inquire(step, &ask).await?,
            Manner::Poll => self.exchange.poll(step, &ask).await?,
        };
        Ok(reply.and_then(|reply| self.object(&reply)))
    }

    fn post(&self, path: &str, body: Value) -> Ask {
        Ask::json(Method::Post, self.url(path, &[]), body)
    }

    /// The object that a success carries. A success may be a refusal in disguise, or a gateway's page.
    fn object(&self, reply: &Reply) -> Result<Map<String, Value>, FetchError> {
        match &reply.body {
            Value::Object(members) if is_ok(members) => Ok(members.clone()),
            body => {
                let answer = Answer {
                    status: reply.status,
                    body: body.to_string().into_bytes().into(),
                    vendor_time: None,
                    retry_after: None,
                    host: host(self.base),
                    headers: reply.headers.clone(),
                };
                let problem = "the answer is not the vendor's JSON";
                let mut error = errors::misread(&answer, &Secret::new(""), problem);
                for right in self.call.rights {
                    error.detail = redact(&error.detail, &right.key.secret);
                }
                Err(error)
            }
        }
    }

    /// What an earlier life of the run kept under this name.
    async fn recall<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, Halt> {
        let known = self.exchange.remembered(step).await?;
        let read =
            |value| serde_json::from_value(value).map_err(|error| Halt::Journal(error.into()));
        known.map(read).transpose()
    }

    /// Keeps what was worked out before a change.
    async fn keep<T: Serialize>(&self, step: &str, value: &T) -> Result<(), Halt> {
        let value = serde_json::to_value(value).map_err(|error| Halt::Journal(error.into()))?;
        self.exchange.remember(step, value).await
    }

    /// What became of a change whose answer cannot be read: it was accepted by somebody, and the witness says
    /// whether by the vendor. A vendor that knows nothing of it has not refused it: nobody can say.
    async fn confirm(&self, step: &str, witness: &dyn Witness) -> Result<Taken, Halt> {
        let name = format!("{step}/confirmed");
        let known = self.exchange.remembered(&name).await?;
        let found = match known {
            Some(known) => known,
            None => {
                let (since, insistence) = (self.journal().started_at(), Insistence::UntilAnswered);
                match self.exchange.look_until_settled(witness, since, insistence).await? {
                    Ok(found) => {
                        let known = json!({ "found": found });
                        self.exchange.remember(&name, known.clone()).await?;
                        known
                    }
                    Err(why) => {
                        let what = "sent, the answer could not be read, and not confirmed";
                        return Ok(Taken::Unknown(format!("{what}: {why}")));
                    }
                }
            }
        };
        if found["found"].is_null() {
            let detail =
                "the answer could not be read, and the vendor knows nothing of the request";
            return Ok(Taken::Unknown(detail.to_owned()));
        }
        Ok(Taken::Found(found["found"].clone()))
    }
}

/// How insistently something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A few times, where it fails for reasons that pass.
    Ask,
    /// Once: it is asked again anyway.
    Poll,
}

/// Whether an object says that all is well; the vendor leaves the code out where it serves lists.
fn is_ok(members: &Map<String, Value>) -> bool {
    match members.get("code") {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => matches!(text.trim(), "" | "0"),
        Some(code) => code.as_i64() == Some(0),
    }
}

fn failed(fault: Fault, detail: impl Into<String>) -> FetchError {
    FetchError { fault, detail: detail.into(), retry_after: None, source: None }
}
