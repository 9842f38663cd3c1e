//! Who may send as a stack: the single-use code of its link, then tokens that its client makes itself.
//!
//! Codes and tokens are looked up by their hash, so how long a comparison takes tells nothing about them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::ids::ConnectorId;
use model::secret::Secret;
use model::time::Timestamp;

use crate::columns::Columns;
use crate::database::{Connection, Transaction};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;
use crate::stack::{StackRow, read, rival, stack_of};
use crate::token::hash;

const CODE_PREFIX: &str = "enrol_";

/// What a client gives for its code.
#[derive(Debug, Clone)]
pub struct EnrolmentAsk {
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
    /// What the stack is called from now on.
    pub name: String,
}

/// What became of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolment {
    /// The token opens this stack now, or did already.
    Enrolled(StackRow),
    /// Nobody was ever given this code, or it was replaced by another.
    UnknownCode,
    /// The code died unused at this time.
    OldCode(StackRow, Timestamp),
    /// The code was exchanged for another token.
    UsedCode(StackRow),
    /// The link was made for another account.
    OtherAccount(StackRow),
    /// An enrolled stack has this account and region: the first one asked, the second one has it.
    Occupied(StackRow, StackRow),
    /// The stack was revoked.
    Revoked(StackRow),
    /// The stack has expired.
    Expired(StackRow),
}

/// A new enrolment code: 256 random bits.
pub(crate) fn fresh_code() -> Secret {
    let random: [u8; 32] = rand::random();
    Secret::new(format!("{CODE_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
}

impl Catalog {
    /// Exchanges a code for a token. A token that opens a stack already has been exchanged, whatever became of its
    /// code since. Other stacks of this account and region that never enrolled are revoked with it.
    ///
    /// # Errors
    /// The database fails; then nothing was written, or what was written is found by asking again.
    pub async fn enrol(&self, ask: &EnrolmentAsk, now: Timestamp) -> Result<Enrolment> {
        const ACTION: &str = "enrol a stack";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut found = find(&mut transaction, &ask.token).await?;
        let is_known = found.is_some();
        if !is_known {
            let row = sqlx::query("SELECT * FROM stacks WHERE code_hash = $1")
                .bind(hash(&ask.code))
                .fetch_optional(&mut *transaction)
                .await
                .while_doing(ACTION)?;
            found = row.as_ref().map(stack_of).transpose()?;
        }
        let Some(stack) = found else { return Ok(Enrolment::UnknownCode) };
        if stack.revoked_at.is_some() {
            return Ok(Enrolment::Revoked(stack));
        }
        if stack.expires_at.is_some_and(|end| end <= now) {
            return Ok(Enrolment::Expired(stack));
        }
        if is_known {
            return Ok(Enrolment::Enrolled(stack));
        }
        if stack.code_used_at.is_some() {
            return Ok(Enrolment::UsedCode(stack));
        }
        if let Some(end) = stack.code_expires_at.filter(|end| *end <= now) {
            return Ok(Enrolment::OldCode(stack, end));
        }
        if stack.account.as_ref().is_some_and(|account| *account != ask.account) {
            return Ok(Enrolment::OtherAccount(stack));
        }
        let (account, region) = (Some(ask.account.clone()), ask.region.clone());
        let becoming = StackRow { account, region, ..stack };
        if let Some(rival) = rival(&mut transaction, &becoming).await? {
            return Ok(Enrolment::Occupied(becoming, rival));
        }
        exchange(&mut transaction, &becoming, ask, now).await?;
        let stack = read(&mut transaction, becoming.id).await?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(Enrolment::Enrolled(stack))
    }

    /// Remembers why an enrolment was refused, for whoever looks at the stack.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn note_refusal(&self, id: ConnectorId, reason: &str) -> Result<()> {
        const ACTION: &str = "note a refused enrolment";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query("UPDATE stacks SET refusal = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(reason)
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// The stack that a token opens, revoked and expired ones included. The first use of a next token ends the
    /// one before it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stack_of_token(&self, token: &Secret) -> Result<Option<StackRow>> {
        const ACTION: &str = "look up a stack's token";
        let hash = hash(token);
        let row = sqlx::query("SELECT * FROM stacks WHERE token_hash = $1 OR next_hash = $1")
            .bind(&hash)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing(ACTION)?;
        let Some(row) = row else { return Ok(None) };
        if row.text_maybe("next_hash")?.as_ref() == Some(&hash) {
            let mut transaction = self.pools.begin(ACTION).await?;
            sqlx::query(
                "UPDATE stacks SET token_hash = next_hash, next_hash = NULL
                 WHERE id = $1 AND next_hash = $2",
            )
            .bind(row.text("id")?)
            .bind(&hash)
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
            transaction.commit().await.while_doing(ACTION)?;
        }
        stack_of(&row).map(Some)
    }

    /// Gives a stack its next token. The present one is valid until the next one is used.
    ///
    /// # Errors
    /// Another stack has this token, or the database fails; then nothing was written.
    pub async fn rotate_stack_token(&self, id: ConnectorId, next: &Secret) -> Result<()> {
        const ACTION: &str = "rotate a stack's token";
        let mut transaction = self.pools.begin(ACTION).await?;
        if find(&mut transaction, next).await?.is_some_and(|other| other.id != id) {
            return Err(CatalogError::conflict("stack", id, "cannot have a token that is taken"));
        }
        // Who asks with the token that it wants has it already.
        sqlx::query("UPDATE stacks SET next_hash = $2 WHERE id = $1 AND token_hash <> $2")
            .bind(id.to_string())
            .bind(hash(next))
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }
}

/// The stack that has this token, now or next.
async fn find(connection: &mut Connection, token: &Secret) -> Result<Option<StackRow>> {
    let row = sqlx::query("SELECT * FROM stacks WHERE token_hash = $1 OR next_hash = $1")
        .bind(hash(token))
        .fetch_optional(connection)
        .await
        .while_doing("look for a token")?;
    row.as_ref().map(stack_of).transpose()
}

async fn exchange(
    transaction: &mut Transaction,
    stack: &StackRow,
    ask: &EnrolmentAsk,
    now: Timestamp,
) -> Result<()> {
    const ACTION: &str = "enrol a stack";
    sqlx::query(
        "UPDATE stacks SET account_id = $2, region = $3, name = $4, token_hash = $5,
             next_hash = NULL, client_version = $6, template_version = $7,
             enrolled_at = COALESCE(enrolled_at, $8), code_used_at = $8, last_heartbeat_at = $8,
             is_paused = FALSE, refusal = NULL
         WHERE id = $1",
    )
    .bind(stack.id.to_string())
    .bind(&ask.account)
    .bind(&ask.region)
    .bind(&ask.name)
    .bind(hash(&ask.token))
    .bind(&ask.client_version)
    .bind(&ask.template_version)
    .bind(now.as_micros())
    .execute(&mut **transaction)
    .await
    .while_doing(ACTION)?;
    sqlx::query(
        "UPDATE stacks SET revoked_at = $5 WHERE tenant = $1 AND account_id = $2 AND region = $3
             AND id <> $4 AND enrolled_at IS NULL AND revoked_at IS NULL",
    )
    .bind(stack.tenant.as_str())
    .bind(&ask.account)
    .bind(&ask.region)
    .bind(stack.id.to_string())
    .bind(now.as_micros())
    .execute(&mut **transaction)
    .await
    .while_doing(ACTION)?;
    Ok(())
}
