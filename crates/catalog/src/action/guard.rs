//! What guards entities from actions: protected ones, and caps for the hour. Each verdict is kept, so that a
//! run that goes on after a crash goes by the same.

use std::time::Duration;

use model::action::journal::Verdict;
use model::action::{Entity, EntityKind};
use model::ids::{RunId, TenantId};
use model::time::Timestamp;

use crate::columns::Columns;
use crate::database::{Connection, Row};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;

/// The span of a cap.
const HOUR: Duration = Duration::from_secs(3600);

/// Something that no action may take away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedEntity {
    /// Whose.
    pub tenant: TenantId,
    /// Its kind.
    pub kind: EntityKind,
    /// Its value in lower case; `*` stands for any characters.
    pub pattern: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// How many things an action may take away in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// Whose.
    pub tenant: TenantId,
    /// The action: `trend_vision_one.isolate_endpoint`.
    pub action: String,
    /// How many.
    pub per_hour: u32,
    /// Who said so.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A run's question about its targets.
#[derive(Debug, Clone)]
pub struct PermitAsk<'a> {
    /// The run.
    pub run: RunId,
    /// Its owner.
    pub tenant: &'a TenantId,
    /// Its action.
    pub action: &'a str,
    /// Each target, with a verdict where one stands already.
    pub targets: Vec<(&'a Entity, Option<Verdict>)>,
    /// The cap, and the verdict on what is over it.
    pub cap: Option<(u32, Verdict)>,
    /// Whether permitted targets count against the cap.
    pub is_counted: bool,
    /// Whether these are only other names of targets: they are remembered apart, and nothing is sent for them.
    pub are_aliases: bool,
    /// When.
    pub at: Timestamp,
}

impl PermitAsk<'_> {
    /// The kind under which a target is remembered.
    fn kind_of(&self, target: &Entity) -> String {
        let prefix = if self.are_aliases { "alias " } else { "" };
        format!("{prefix}{}", target.kind)
    }
}

impl Catalog {
    /// Decides about targets, or answers what was decided about them for this run before.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn permit(&self, ask: &PermitAsk<'_>) -> Result<Vec<Verdict>> {
        const ACTION: &str = "decide about an action's targets";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut verdicts = Vec::with_capacity(ask.targets.len());
        for (target, ready) in &ask.targets {
            if let Some(before) = verdict_before(&mut transaction, ask, target).await? {
                verdicts.push(before);
                continue;
            }
            let verdict = match (ready, &ask.cap) {
                (Some(ready), _) => ready.clone(),
                (None, Some((per_hour, over)))
                    if counted(&mut transaction, ask).await? >= u64::from(*per_hour) =>
                {
                    over.clone()
                }
                (None, _) => Verdict::Permitted,
            };
            put_verdict(&mut transaction, ask, target, &verdict).await?;
            verdicts.push(verdict);
        }
        transaction.commit().await.while_doing(ACTION)?;
        Ok(verdicts)
    }

    /// Those targets that a run was permitted to change.
    ///
    /// # Errors
    /// The database fails.
    pub async fn permitted(&self, run: RunId) -> Result<Vec<Entity>> {
        let rows = sqlx::query(
            "SELECT kind, value FROM run_targets WHERE run_id = $1 AND is_permitted = $2",
        )
        .bind(run.to_string())
        .bind(true)
        .fetch_all(self.pools.reader())
        .await
        .while_doing("read an action's targets")?;
        rows.iter().map(|row| Ok(Entity::new(row.parsed("kind")?, row.text("value")?))).collect()
    }

    /// The protected entities of a tenant.
    ///
    /// # Errors
    /// The database fails.
    pub async fn protected(&self, tenant: &TenantId) -> Result<Vec<ProtectedEntity>> {
        let rows = sqlx::query(
            "SELECT * FROM protected_entities WHERE tenant = $1 ORDER BY kind, pattern",
        )
        .bind(tenant.as_str())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list protected entities")?;
        rows.iter().map(protected_of).collect()
    }

    /// Protects an entity.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn protect(&self, entity: &ProtectedEntity) -> Result<()> {
        const ACTION: &str = "protect an entity";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO protected_entities (tenant, kind, pattern, reason, actor, at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant, kind, pattern) DO UPDATE SET reason = excluded.reason,
                 actor = excluded.actor, at = excluded.at",
        )
        .bind(entity.tenant.as_str())
        .bind(entity.kind.as_str())
        .bind(entity.pattern.to_lowercase())
        .bind(&entity.reason)
        .bind(&entity.actor)
        .bind(entity.at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// Ends the protection of an entity; answers whether there was one.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn unprotect(&self, tenant: &TenantId, entity: &Entity) -> Result<bool> {
        const ACTION: &str = "end the protection of an entity";
        let mut transaction = self.pools.begin(ACTION).await?;
        let ended = sqlx::query(
            "DELETE FROM protected_entities WHERE tenant = $1 AND kind = $2 AND pattern = $3",
        )
        .bind(tenant.as_str())
        .bind(entity.kind.as_str())
        .bind(entity.value.to_lowercase())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(ended.rows_affected() > 0)
    }

    /// The caps of a tenant.
    ///
    /// # Errors
    /// The database fails.
    pub async fn caps(&self, tenant: &TenantId) -> Result<Vec<Cap>> {
        let rows = sqlx::query("SELECT * FROM action_caps WHERE tenant = $1 ORDER BY action")
            .bind(tenant.as_str())
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list caps")?;
        rows.iter()
            .map(|row| {
                Ok(Cap {
                    tenant: row.parsed("tenant")?,
                    action: row.text("action")?,
                    per_hour: u32::try_from(row.number("per_hour")?).unwrap_or(u32::MAX),
                    actor: row.text("actor")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }

    /// Sets a cap.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn set_cap(&self, cap: &Cap) -> Result<()> {
        const ACTION: &str = "set a cap";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO action_caps (tenant, action, per_hour, actor, at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, action) DO UPDATE SET per_hour = excluded.per_hour,
                 actor = excluded.actor, at = excluded.at",
        )
        .bind(cap.tenant.as_str())
        .bind(&cap.action)
        .bind(i64::from(cap.per_hour))
        .bind(&cap.actor)
        .bind(cap.at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// Lifts a cap; answers whether there was one.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn lift_cap(&self, tenant: &TenantId, action: &str) -> Result<bool> {
        const ACTION: &str = "lift a cap";
        let mut transaction = self.pools.begin(ACTION).await?;
        let lifted = sqlx::query("DELETE FROM action_caps WHERE tenant = $1 AND action = $2")
            .bind(tenant.as_str())
            .bind(action)
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(lifted.rows_affected() > 0)
    }
}

async fn verdict_before(
    connection: &mut Connection,
    ask: &PermitAsk<'_>,
    target: &Entity,
) -> Result<Option<Verdict>> {
    let row = sqlx::query(
        "SELECT verdict FROM run_targets WHERE run_id = $1 AND kind = $2 AND value = $3",
    )
    .bind(ask.run.to_string())
    .bind(ask.kind_of(target))
    .bind(target.compared())
    .fetch_optional(connection)
    .await
    .while_doing("read an action's targets")?;
    let Some(row) = row else { return Ok(None) };
    let verdict = serde_json::from_value(row.json("verdict")?);
    verdict.map(Some).map_err(|source| {
        CatalogError::corrupt("a verdict about a target cannot be read".to_owned(), source)
    })
}

async fn counted(connection: &mut Connection, ask: &PermitAsk<'_>) -> Result<u64> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS counted FROM run_targets
         WHERE tenant = $1 AND action = $2 AND at > $3 AND is_permitted = $4 AND is_counted = $4",
    )
    .bind(ask.tenant.as_str())
    .bind(ask.action)
    .bind((ask.at - HOUR).as_micros())
    .bind(true)
    .fetch_one(connection)
    .await
    .while_doing("count an action's targets")?;
    row.count("counted")
}

async fn put_verdict(
    connection: &mut Connection,
    ask: &PermitAsk<'_>,
    target: &Entity,
    verdict: &Verdict,
) -> Result<()> {
    let text = serde_json::to_string(verdict).expect("a verdict is always JSON");
    sqlx::query(
        "INSERT INTO run_targets (run_id, kind, value, tenant, action, is_permitted, is_counted,
             verdict, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(ask.run.to_string())
    .bind(ask.kind_of(target))
    .bind(target.compared())
    .bind(ask.tenant.as_str())
    .bind(ask.action)
    .bind(*verdict == Verdict::Permitted && !ask.are_aliases)
    .bind(ask.is_counted && !ask.are_aliases)
    .bind(text)
    .bind(ask.at.as_micros())
    .execute(connection)
    .await
    .while_doing("write down a verdict about a target")?;
    Ok(())
}

fn protected_of(row: &Row) -> Result<ProtectedEntity> {
    Ok(ProtectedEntity {
        tenant: row.parsed("tenant")?,
        kind: row.parsed("kind")?,
        pattern: row.text("pattern")?,
        reason: row.text("reason")?,
        actor: row.text("actor")?,
        at: row.time("at")?,
    })
}
