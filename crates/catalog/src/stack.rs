//! Stacks: the clients that people run in their own AWS accounts, and how they come and go.
//!
//! Who may send as a stack is decided in `enrolment`. Nothing here holds a code or a token: both are known
//! by their hash, so whoever reads the database can send nothing.

use model::ids::{ConnectorId, TenantId};
use model::secret::Secret;
use model::time::Timestamp;

use crate::columns::{Columns, stored_count};
use crate::connector::require_tenant;
use crate::database::{Connection, Row};
use crate::enrolment::fresh_code;
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;
use crate::token::hash;

/// A stack as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackRow {
    /// The stack, and the connector id of its records.
    pub id: ConnectorId,
    /// The owner.
    pub tenant: TenantId,
    /// What people call it; the connector name of its records.
    pub name: String,
    /// The AWS account, once it is known.
    pub account: Option<String>,
    /// The AWS region that it stands in.
    pub region: String,
    /// Which of the templates it is made of.
    pub variant: String,
    /// When its enrolment code dies; `None` when it has none.
    pub code_expires_at: Option<Timestamp>,
    /// When its code was exchanged.
    pub code_used_at: Option<Timestamp>,
    /// The version of its template, as its client says.
    pub template_version: Option<String>,
    /// The version of its client, as it says.
    pub client_version: Option<String>,
    /// Whether its client says that it does not forward now.
    pub is_paused: bool,
    /// Messages that wait in its queue, as its client says.
    pub queue_visible: Option<u64>,
    /// Why the last attempt to enrol was refused, until one succeeds.
    pub refusal: Option<String>,
    /// Days that it lives after each renewal; `None` for as long as nobody revokes it.
    pub lifetime_days: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its client exchanged the code.
    pub enrolled_at: Option<Timestamp>,
    /// When the first object of it was in the lake.
    pub first_object_at: Option<Timestamp>,
    /// When the last records of it were accounted for.
    pub last_record_at: Option<Timestamp>,
    /// When its client last gave a sign of life.
    pub last_heartbeat_at: Option<Timestamp>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When someone took it back.
    pub revoked_at: Option<Timestamp>,
}

/// A stack that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedStack {
    /// The owner.
    pub tenant: TenantId,
    /// What people shall call it.
    pub name: String,
    /// The AWS account, where it is known already.
    pub account: Option<String>,
    /// The AWS region.
    pub region: String,
    /// Which template.
    pub variant: String,
    /// When the enrolment code dies.
    pub code_expires_at: Timestamp,
    /// Days that it lives; `None` leaves what it has.
    pub lifetime_days: Option<u32>,
}

/// A stack that may be put up now.
#[derive(Debug)]
pub struct OfferedStack {
    /// The stack.
    pub stack: StackRow,
    /// Its enrolment code, shown here and never again; `None` when it got no new one.
    pub code: Option<Secret>,
    /// Whether it was made just now.
    pub is_new: bool,
}

/// What a client says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignOfLife {
    /// Its version.
    pub client_version: Option<String>,
    /// Its template's version.
    pub template_version: Option<String>,
    /// Messages that wait in its queue.
    pub queue_visible: Option<u64>,
    /// Whether it does not forward now.
    pub is_paused: bool,
}

impl Catalog {
    /// The stack of a tenant for an account and a region: the one that is there, unless it was revoked, else a
    /// new one. It gets a new code in the place of its old one; where it is enrolled, whoever exchanges that
    /// takes the place of its client.
    ///
    /// # Errors
    /// The tenant does not exist, or the database fails; then nothing was written.
    pub async fn offer_stack(&self, wanted: &WantedStack, now: Timestamp) -> Result<OfferedStack> {
        const ACTION: &str = "make a stack";
        let mut transaction = self.pools.begin(ACTION).await?;
        require_tenant(&mut transaction, &wanted.tenant).await?;
        let found = sqlx::query(
            "SELECT * FROM stacks WHERE tenant = $1 AND COALESCE(account_id, '') = $2
                 AND region = $3 AND revoked_at IS NULL
             ORDER BY enrolled_at IS NULL, id LIMIT 1",
        )
        .bind(wanted.tenant.as_str())
        .bind(wanted.account.as_deref().unwrap_or_default())
        .bind(&wanted.region)
        .fetch_optional(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        let is_new = found.is_none();
        let id = match &found {
            Some(row) => row.parsed("id")?,
            None => insert(&mut transaction, wanted, now).await?,
        };
        let end = wanted.code_expires_at;
        renew(&mut transaction, id, wanted.lifetime_days, now).await?;
        let code = Some(give_code(&mut transaction, id, end).await?);
        let stack = read(&mut transaction, id).await?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(OfferedStack { stack, code, is_new })
    }

    /// Gives a stack a new lease: its lifetime counts from now, a revocation is lifted, and one that never
    /// enrolled gets a new code.
    ///
    /// # Errors
    /// There is no such stack, another one has taken its place, or the database fails; then nothing was written.
    pub async fn renew_stack(
        &self,
        id: ConnectorId,
        lifetime_days: Option<u32>,
        code_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<OfferedStack> {
        const ACTION: &str = "renew a stack";
        let mut transaction = self.pools.begin(ACTION).await?;
        let stack = read(&mut transaction, id).await?;
        if let Some(other) = rival(&mut transaction, &stack).await? {
            let problem =
                format!("was followed by the stack `{}`: revoke that one first", other.id);
            return Err(CatalogError::conflict("stack", id, &problem));
        }
        renew(&mut transaction, id, lifetime_days, now).await?;
        let code = match stack.enrolled_at {
            None => Some(give_code(&mut transaction, id, code_expires_at).await?),
            Some(_) => None,
        };
        let stack = read(&mut transaction, id).await?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(OfferedStack { stack, code, is_new: false })
    }

    /// Takes a stack back. Revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such stack, or the database fails.
    pub async fn revoke_stack(&self, id: ConnectorId, now: Timestamp) -> Result<()> {
        const ACTION: &str = "revoke a stack";
        let mut transaction = self.pools.begin(ACTION).await?;
        let revoked =
            sqlx::query("UPDATE stacks SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(now.as_micros())
                .execute(&mut *transaction)
                .await
                .while_doing(ACTION)?;
        if revoked.rows_affected() == 0 {
            return Err(CatalogError::not_found("stack", id));
        }
        transaction.commit().await.while_doing(ACTION)
    }

    /// The stacks of a tenant, or of all, the oldest first, revoked ones included.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stacks(&self, tenant: Option<&TenantId>) -> Result<Vec<StackRow>> {
        let rows =
            sqlx::query("SELECT * FROM stacks WHERE ($1 IS NULL OR tenant = $1) ORDER BY id")
                .bind(tenant.map(TenantId::as_str))
                .fetch_all(self.pools.reader())
                .await
                .while_doing("list the stacks")?;
        rows.iter().map(stack_of).collect()
    }

    /// A stack by its id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stack(&self, id: ConnectorId) -> Result<Option<StackRow>> {
        let row = sqlx::query("SELECT * FROM stacks WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a stack")?;
        row.as_ref().map(stack_of).transpose()
    }

    /// Notes that a stack's client lives; `says` is what it said about itself, if it said anything.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn note_sign_of_life(
        &self,
        id: ConnectorId,
        says: Option<&SignOfLife>,
        now: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "note a heartbeat";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query("UPDATE stacks SET last_heartbeat_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(now.as_micros())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        if let Some(says) = says {
            sqlx::query(
                "UPDATE stacks SET client_version = COALESCE($2, client_version),
                     template_version = COALESCE($3, template_version), queue_visible = $4,
                     is_paused = $5 WHERE id = $1",
            )
            .bind(id.to_string())
            .bind(&says.client_version)
            .bind(&says.template_version)
            .bind(says.queue_visible.map(stored_count))
            .bind(says.is_paused)
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        }
        transaction.commit().await.while_doing(ACTION)
    }
}

async fn insert(
    connection: &mut Connection,
    wanted: &WantedStack,
    now: Timestamp,
) -> Result<ConnectorId> {
    let id = ConnectorId::generate();
    sqlx::query(
        "INSERT INTO stacks (id, tenant, name, account_id, region, variant, is_paused, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7)",
    )
    .bind(id.to_string())
    .bind(wanted.tenant.as_str())
    .bind(&wanted.name)
    .bind(&wanted.account)
    .bind(&wanted.region)
    .bind(&wanted.variant)
    .bind(now.as_micros())
    .execute(connection)
    .await
    .while_doing("enter a stack")?;
    Ok(id)
}

async fn renew(
    connection: &mut Connection,
    id: ConnectorId,
    lifetime_days: Option<u32>,
    now: Timestamp,
) -> Result<()> {
    const DAY_MICROS: i64 = 86_400_000_000;
    sqlx::query(
        "UPDATE stacks SET revoked_at = NULL, lifetime_days = COALESCE($2, lifetime_days),
             expires_at = CASE WHEN COALESCE($2, lifetime_days) IS NULL THEN NULL
                 ELSE $3 + COALESCE($2, lifetime_days) * $4 END
         WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(lifetime_days.map(i64::from))
    .bind(now.as_micros())
    .bind(DAY_MICROS)
    .execute(connection)
    .await
    .while_doing("renew a stack")?;
    Ok(())
}

async fn give_code(
    connection: &mut Connection,
    id: ConnectorId,
    expires_at: Timestamp,
) -> Result<Secret> {
    let code = fresh_code();
    sqlx::query(
        "UPDATE stacks SET code_hash = $2, code_expires_at = $3, code_used_at = NULL WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(hash(&code))
    .bind(expires_at.as_micros())
    .execute(connection)
    .await
    .while_doing("give a stack its code")?;
    Ok(code)
}

/// Another stack of the same tenant, account and region that is enrolled and was not revoked.
pub(crate) async fn rival(
    connection: &mut Connection,
    stack: &StackRow,
) -> Result<Option<StackRow>> {
    let row = sqlx::query(
        "SELECT * FROM stacks WHERE tenant = $1 AND account_id = $2 AND region = $3 AND id <> $4
             AND enrolled_at IS NOT NULL AND revoked_at IS NULL LIMIT 1",
    )
    .bind(stack.tenant.as_str())
    .bind(&stack.account)
    .bind(&stack.region)
    .bind(stack.id.to_string())
    .fetch_optional(connection)
    .await
    .while_doing("look for a stack of the same account")?;
    row.as_ref().map(stack_of).transpose()
}

/// A stack inside a transaction; one that does not exist is an error.
pub(crate) async fn read(connection: &mut Connection, id: ConnectorId) -> Result<StackRow> {
    let row = sqlx::query("SELECT * FROM stacks WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .while_doing("read a stack")?;
    stack_of(&row.ok_or_else(|| CatalogError::not_found("stack", id))?)
}

pub(crate) fn stack_of(row: &Row) -> Result<StackRow> {
    let queue_visible = row.number_maybe("queue_visible")?;
    let lifetime_days = row.number_maybe("lifetime_days")?;
    Ok(StackRow {
        id: row.parsed("id")?,
        tenant: row.parsed("tenant")?,
        name: row.text("name")?,
        account: row.text_maybe("account_id")?,
        region: row.text("region")?,
        variant: row.text("variant")?,
        code_expires_at: row.time_maybe("code_expires_at")?,
        code_used_at: row.time_maybe("code_used_at")?,
        template_version: row.text_maybe("template_version")?,
        client_version: row.text_maybe("client_version")?,
        is_paused: row.flag("is_paused")?,
        queue_visible: queue_visible.and_then(|count| u64::try_from(count).ok()),
        refusal: row.text_maybe("refusal")?,
        lifetime_days: lifetime_days.and_then(|days| u32::try_from(days).ok()),
        created_at: row.time("created_at")?,
        enrolled_at: row.time_maybe("enrolled_at")?,
        first_object_at: row.time_maybe("first_object_at")?,
        last_record_at: row.time_maybe("last_record_at")?,
        last_heartbeat_at: row.time_maybe("last_heartbeat_at")?,
        expires_at: row.time_maybe("expires_at")?,
        revoked_at: row.time_maybe("revoked_at")?,
    })
}
