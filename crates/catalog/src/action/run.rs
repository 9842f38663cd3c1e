//! Runs: one row each, from the moment that somebody asks for one.

use model::action::RunState;
use model::ids::{RunId, TenantId};
use model::secret::Secret;
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::connector::require_tenant;
use crate::database::{Connection, Row};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;
use crate::seal::Place;

/// A run that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The owner.
    pub tenant: TenantId,
    /// What runs: `trend_micro_cas.mitigate_accounts`.
    pub action: String,
    /// The version of the action.
    pub version: u32,
    /// The connector or responder that it runs with.
    pub connector: uuid::Uuid,
    /// Its name then.
    pub connector_name: String,
    /// What is asked, without secrets; the engine's own shape.
    pub document: Value,
    /// What is asked with its secrets, where it has any.
    pub secret_input: Option<Secret>,
    /// Whether changes are only shown.
    pub is_dry_run: bool,
    /// Who asks.
    pub actor: String,
    /// By what the same wish is known when it comes again.
    pub idempotency_key: Option<String>,
    /// What is compared when it comes again.
    pub digest: String,
    /// The run that it takes back.
    pub reverse_of: Option<RunId>,
    /// The run that it does again.
    pub retry_of: Option<RunId>,
    /// When.
    pub created_at: Timestamp,
    /// When it gives up.
    pub due_at: Timestamp,
}

/// A run as it is stored.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// What was asked.
    pub asked: NewRun,
    /// Where it stands.
    pub state: RunState,
    /// Whether somebody wants it stopped.
    pub is_cancelled: bool,
    /// How far it is; the engine's own shape.
    pub progress: Value,
    /// How it ended; the engine's own shape.
    pub outcome: Option<Value>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What became of a wish to run something.
#[derive(Debug, Clone)]
pub enum Begun {
    /// It was written down now.
    New,
    /// The same wish came before, and this is its run.
    Known(Box<StoredRun>),
    /// Another wish came under this key.
    OtherWish(RunId),
}

/// Which runs are looked for.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Those of this tenant.
    pub tenant: Option<TenantId>,
    /// Those of this action.
    pub action: Option<String>,
    /// Those of actions that begin like this: `responder.`.
    pub prefix: Option<String>,
    /// Those that stand here.
    pub state: Option<RunState>,
    /// Those that were to work on this value.
    pub target: Option<String>,
    /// Those older than this one.
    pub before: Option<RunId>,
    /// At most this many.
    pub limit: u32,
}

impl Catalog {
    /// Writes a run down, unless the same wish came before.
    ///
    /// # Errors
    /// The tenant does not exist, or the database fails; then nothing was written.
    pub async fn begin_run(&self, run: &NewRun) -> Result<Begun> {
        const ACTION: &str = "write a run down";
        let id = run.id.to_string();
        let sealed = run.secret_input.as_ref();
        let sealed = sealed.map(|input| self.sealing.seal(place(&id), input.expose().as_bytes()));
        let mut transaction = self.pools.begin(ACTION).await?;
        require_tenant(&mut transaction, &run.tenant).await?;
        if let Some(key) = &run.idempotency_key
            && let Some(row) = by_key(&mut transaction, &run.tenant, key).await?
        {
            let known = self.run_of(&row)?;
            if known.asked.digest != run.digest {
                return Ok(Begun::OtherWish(known.asked.id));
            }
            return Ok(Begun::Known(Box::new(known)));
        }
        sqlx::query(
            "INSERT INTO runs (id, tenant, action, version, connector_id, connector_name, document,
                 sealed_input, state, is_dry_run, is_cancelled, actor, idempotency_key, digest,
                 reverse_of, retry_of, progress, created_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19)",
        )
        .bind(&id)
        .bind(run.tenant.as_str())
        .bind(&run.action)
        .bind(i64::from(run.version))
        .bind(run.connector.to_string())
        .bind(&run.connector_name)
        .bind(run.document.to_string())
        .bind(sealed)
        .bind(RunState::Waiting.as_str())
        .bind(run.is_dry_run)
        .bind(false)
        .bind(&run.actor)
        .bind(&run.idempotency_key)
        .bind(&run.digest)
        .bind(run.reverse_of.map(|id| id.to_string()))
        .bind(run.retry_of.map(|id| id.to_string()))
        .bind("{}")
        .bind(run.created_at.as_micros())
        .bind(run.due_at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(Begun::New)
    }

    /// A run of a tenant.
    ///
    /// # Errors
    /// The database fails.
    pub async fn run(&self, tenant: &TenantId, id: RunId) -> Result<Option<StoredRun>> {
        let row = sqlx::query("SELECT * FROM runs WHERE id = $1 AND tenant = $2")
            .bind(id.to_string())
            .bind(tenant.as_str())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a run")?;
        row.as_ref().map(|row| self.run_of(row)).transpose()
    }

    /// The runs that a filter finds, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<StoredRun>> {
        let rows = sqlx::query(
            "SELECT * FROM runs
             WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR action = $2)
                 AND ($3 IS NULL OR substr(action, 1, length($3)) = $3)
                 AND ($4 IS NULL OR state = $4) AND ($5 IS NULL OR id < $5)
                 AND ($6 IS NULL OR EXISTS (SELECT 1 FROM run_targets
                     WHERE run_targets.run_id = runs.id AND run_targets.value IN ($6, $7)))
             ORDER BY id DESC LIMIT $8",
        )
        .bind(filter.tenant.as_ref().map(TenantId::as_str))
        .bind(&filter.action)
        .bind(&filter.prefix)
        .bind(filter.state.map(RunState::as_str))
        .bind(filter.before.map(|id| id.to_string()))
        .bind(&filter.target)
        .bind(filter.target.as_ref().map(|target| target.to_lowercase()))
        .bind(i64::from(filter.limit))
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list runs")?;
        rows.iter().map(|row| self.run_of(row)).collect()
    }

    /// The runs that have not ended, oldest first. One that cannot be read is told apart: the others go on.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_runs(&self) -> Result<Vec<Result<StoredRun>>> {
        let rows = sqlx::query("SELECT * FROM runs WHERE ended_at IS NULL ORDER BY id")
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list the runs under way")?;
        Ok(rows.iter().map(|row| self.run_of(row)).collect())
    }

    /// Writes down how far a run is; one that has ended stays as it is.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn run_progress(&self, id: RunId, state: RunState, progress: &Value) -> Result<()> {
        const ACTION: &str = "write down how far a run is";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query("UPDATE runs SET state = $2, progress = $3 WHERE id = $1 AND ended_at IS NULL")
            .bind(id.to_string())
            .bind(state.as_str())
            .bind(progress.to_string())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// Writes down how a run ended, with what it learned about entities; one that has ended stays as it is.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn end_run(
        &self,
        id: RunId,
        state: RunState,
        outcome: &Value,
        learned: &[super::EntityProperty],
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "write down how a run ended";
        let mut transaction = self.pools.begin(ACTION).await?;
        let ended = sqlx::query(
            "UPDATE runs SET state = $2, outcome = $3, ended_at = $4, sealed_input = NULL
             WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(outcome.to_string())
        .bind(at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        if ended.rows_affected() > 0 {
            for property in learned {
                super::property::put(&mut transaction, property).await?;
            }
        }
        transaction.commit().await.while_doing(ACTION)
    }

    /// Asks a run to stop; answers whether it was still under way.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn cancel_run(&self, tenant: &TenantId, id: RunId) -> Result<bool> {
        const ACTION: &str = "stop a run";
        let mut transaction = self.pools.begin(ACTION).await?;
        let asked = sqlx::query(
            "UPDATE runs SET is_cancelled = $3 WHERE id = $1 AND tenant = $2 AND ended_at IS NULL",
        )
        .bind(id.to_string())
        .bind(tenant.as_str())
        .bind(true)
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(asked.rows_affected() > 0)
    }

    /// The run that a wish under this key became.
    ///
    /// # Errors
    /// The database fails.
    pub async fn run_by_key(&self, tenant: &TenantId, key: &str) -> Result<Option<StoredRun>> {
        let row = sqlx::query("SELECT * FROM runs WHERE tenant = $1 AND idempotency_key = $2")
            .bind(tenant.as_str())
            .bind(key)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("look for a run by its key")?;
        row.as_ref().map(|row| self.run_of(row)).transpose()
    }

    /// Takes a vendor's name for work for a run; `false` when another run of the connector has it.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn claim_handle(
        &self,
        run: RunId,
        connector: uuid::Uuid,
        handle: &str,
    ) -> Result<bool> {
        const ACTION: &str = "take a vendor's name for a run's work";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO run_handles (connector_id, handle, run_id) VALUES ($1, $2, $3)
             ON CONFLICT (connector_id, handle) DO NOTHING",
        )
        .bind(connector.to_string())
        .bind(handle)
        .bind(run.to_string())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        let row =
            sqlx::query("SELECT run_id FROM run_handles WHERE connector_id = $1 AND handle = $2")
                .bind(connector.to_string())
                .bind(handle)
                .fetch_one(&mut *transaction)
                .await
                .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(row.text("run_id")? == run.to_string())
    }

    fn run_of(&self, row: &Row) -> Result<StoredRun> {
        let id = row.text("id")?;
        let secret_input = match row.text_maybe("sealed_input")? {
            None => None,
            Some(sealed) => {
                let plain = self.sealing.open(place(&id), &sealed)?;
                let text = String::from_utf8(plain).map_err(|source| {
                    CatalogError::corrupt("the input of a run is no text".to_owned(), source)
                })?;
                Some(Secret::new(text))
            }
        };
        let outcome = row.text_maybe("outcome")?.is_some();
        Ok(StoredRun {
            state: row.parsed("state")?,
            is_cancelled: row.flag("is_cancelled")?,
            progress: row.json("progress")?,
            outcome: if outcome { Some(row.json("outcome")?) } else { None },
            ended_at: row.time_maybe("ended_at")?,
            asked: NewRun {
                id: row.parsed("id")?,
                tenant: row.parsed("tenant")?,
                action: row.text("action")?,
                version: u32::try_from(row.number("version")?).unwrap_or(u32::MAX),
                connector: row.parsed("connector_id")?,
                connector_name: row.text("connector_name")?,
                document: row.json("document")?,
                secret_input,
                is_dry_run: row.flag("is_dry_run")?,
                actor: row.text("actor")?,
                idempotency_key: row.text_maybe("idempotency_key")?,
                digest: row.text("digest")?,
                reverse_of: row.parsed_maybe("reverse_of")?,
                retry_of: row.parsed_maybe("retry_of")?,
                created_at: row.time("created_at")?,
                due_at: row.time("due_at")?,
            },
        })
    }
}

fn place(id: &str) -> Place<'_> {
    Place { table: "runs", owner: id, field: "input" }
}

async fn by_key(connection: &mut Connection, tenant: &TenantId, key: &str) -> Result<Option<Row>> {
    sqlx::query("SELECT * FROM runs WHERE tenant = $1 AND idempotency_key = $2")
        .bind(tenant.as_str())
        .bind(key)
        .fetch_optional(connection)
        .await
        .while_doing("look for a run by its key")
}
