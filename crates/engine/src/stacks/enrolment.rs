//! The exchange of a link's code for a token that the client made.

use catalog::{Enrolment, EnrolmentAsk, StackRow};
use model::secret::Secret;
use serde_json::json;

use super::refusal::Refusal;
use super::stack::{check_account, check_region, name_of};
use super::standing::Standing;
use super::token;
use crate::app::App;
use crate::error::EngineError;

/// What a client gives for its code.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The code of its link.
    pub code: Secret,
    /// The token that it made and keeps.
    pub token: Secret,
    /// The AWS account that it runs in.
    pub account: String,
    /// The region that it runs in.
    pub region: String,
    /// Its version.
    pub client_version: Option<String>,
    /// Its template's version.
    pub template_version: Option<String>,
}

impl App {
    /// Exchanges a code for a token. Why it is refused is noted at the stack, where people look.
    ///
    /// # Errors
    /// The code or the token is refused, or the catalog cannot be written.
    pub async fn enrol(&self, exchange: Exchange) -> Result<Standing, EngineError> {
        token::check(&exchange.token)?;
        check_account(&exchange.account)?;
        check_region(&exchange.region)?;
        let Exchange { code, token, account, region, client_version, template_version } = exchange;
        let name = name_of(Some(&account), &region);
        let ask =
            EnrolmentAsk { code, token, account, region, client_version, template_version, name };
        let now = self.services.clock.now();
        let enrolment = self.services.catalog.enrol(&ask, now).await?;
        let (row, reason) = match enrolment {
            Enrolment::Enrolled(row) => {
                let detail = json!({ "account": row.account, "region": row.region });
                self.audit("stack", "stacks.enrol", &row.id.to_string(), &detail).await;
                return Ok(Standing::of(&row));
            }
            Enrolment::Revoked(row) => {
                return Err(Refusal::Revoked(row.revoked_at.unwrap_or(now)).into());
            }
            Enrolment::Expired(row) => {
                return Err(Refusal::Expired(row.expires_at.unwrap_or(now)).into());
            }
            Enrolment::UnknownCode => {
                let reason = "nobody knows this code: another link has replaced it, or it was cut";
                return Err(Refusal::Enrolment(reason.to_owned()).into());
            }
            Enrolment::OldCode(row, end) => (row, format!("the code ran out at {end}")),
            Enrolment::UsedCode(row) => (row, "the code was used by another client".to_owned()),
            Enrolment::OtherAccount(row) => {
                let reason = other_account(&row, &ask.account);
                (row, reason)
            }
            Enrolment::Occupied(row, rival) => {
                let reason = occupied(&rival);
                (row, reason)
            }
        };
        self.services.catalog.note_refusal(row.id, &reason).await?;
        Err(Refusal::Enrolment(reason).into())
    }
}

fn other_account(row: &StackRow, account: &str) -> String {
    let wanted = row.account.as_deref().unwrap_or_default();
    format!("the link was made for the account {wanted}, not for {account}")
}

fn occupied(rival: &StackRow) -> String {
    let account = rival.account.as_deref().unwrap_or_default();
    format!(
        "the account {account} has the stack `{}` in {} already: make a link for that account to replace its \
         client, or revoke it",
        rival.id, rival.region
    )
}
