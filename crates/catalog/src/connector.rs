//! Connectors as they were applied, their credentials sealed.
//!
//! Every change moves a counter, so that a running engine sees with one cheap question whether
//! anything changed.

use model::connector::Credential;
use model::ids::{ConnectorId, ConnectorName, TenantId};
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::credential;
use crate::database::{Connection, Row};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;
use crate::seal::Place;

const REVISIONS: &str = "connector_revisions";

/// A connector as it is stored. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct StoredConnector {
    /// Stays the same whatever else changes.
    pub id: ConnectorId,
    /// The owner.
    pub tenant: TenantId,
    /// The name, unique per tenant.
    pub name: ConnectorName,
    /// The integration that it is an instance of.
    pub integration: String,
    /// The applied document without the credential.
    pub document: Value,
    /// The secrets.
    pub credential: Credential,
    /// Whether it collects.
    pub enabled: bool,
    /// Grows by one with every change of this connector.
    pub revision: i64,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Catalog {
    /// Stores a connector, new or changed by its id, and answers its new revision. The given
    /// `revision` is not looked at; `created_at` of a known connector stays.
    ///
    /// # Errors
    /// The tenant does not exist, another connector of it has this name, or the database fails.
    pub async fn put_connector(&self, connector: &StoredConnector) -> Result<i64> {
        const ACTION: &str = "store a connector";
        let id = connector.id.to_string();
        let plain = credential::to_json(&connector.credential);
        let sealed = self.sealing.seal(place(&id), plain.expose().as_bytes());
        let mut transaction = self.pools.begin(ACTION).await?;
        require_tenant(&mut transaction, &connector.tenant).await?;
        require_free_name(&mut transaction, connector).await?;
        let row = sqlx::query(
            "INSERT INTO connectors (id, tenant, name, integration, document, credential, enabled,
                 revision, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)
             ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,
                 integration = excluded.integration, document = excluded.document,
                 credential = excluded.credential, enabled = excluded.enabled,
                 revision = connectors.revision + 1, updated_at = excluded.updated_at
             RETURNING revision",
        )
        .bind(&id)
        .bind(connector.tenant.as_str())
        .bind(connector.name.as_str())
        .bind(&connector.integration)
        .bind(connector.document.to_string())
        .bind(sealed)
        .bind(connector.enabled)
        .bind(connector.created_at.as_micros())
        .bind(connector.updated_at.as_micros())
        .fetch_one(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        let revision = row.number("revision")?;
        count_revision(&mut transaction).await?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(revision)
    }

    /// The connectors of a tenant, or of all, by tenant and name.
    ///
    /// # Errors
    /// The database fails, or a credential does not open.
    pub async fn connectors(&self, tenant: Option<&TenantId>) -> Result<Vec<StoredConnector>> {
        let rows = sqlx::query(
            "SELECT * FROM connectors WHERE ($1 IS NULL OR tenant = $1) ORDER BY tenant, name, id",
        )
        .bind(tenant.map(TenantId::as_str))
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list the connectors")?;
        rows.iter().map(|row| self.connector_of(row)).collect()
    }

    /// A connector by its id.
    ///
    /// # Errors
    /// The database fails, or the credential does not open.
    pub async fn connector(&self, id: ConnectorId) -> Result<Option<StoredConnector>> {
        let row = sqlx::query("SELECT * FROM connectors WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a connector")?;
        row.as_ref().map(|row| self.connector_of(row)).transpose()
    }

    /// A connector by its name.
    ///
    /// # Errors
    /// The database fails, or the credential does not open.
    pub async fn connector_by_name(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
    ) -> Result<Option<StoredConnector>> {
        let row = sqlx::query("SELECT * FROM connectors WHERE tenant = $1 AND name = $2")
            .bind(tenant.as_str())
            .bind(name.as_str())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a connector")?;
        row.as_ref().map(|row| self.connector_of(row)).transpose()
    }

    /// Switches a connector on or off; its cursors stay.
    ///
    /// # Errors
    /// There is no such connector, or the database fails.
    pub async fn set_enabled(&self, id: ConnectorId, enabled: bool, now: Timestamp) -> Result<()> {
        const ACTION: &str = "switch a connector";
        let mut transaction = self.pools.begin(ACTION).await?;
        require_connector(&mut transaction, id).await?;
        let switched = sqlx::query(
            "UPDATE connectors SET enabled = $2, revision = revision + 1, updated_at = $3
             WHERE id = $1 AND enabled <> $2",
        )
        .bind(id.to_string())
        .bind(enabled)
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        if switched.rows_affected() == 0 {
            return Ok(());
        }
        count_revision(&mut transaction).await?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// Removes a connector with its credential, cursors and stream status. Its ledger and dead
    /// letters stay, as its rows in the lake do.
    ///
    /// # Errors
    /// There is no such connector, or the database fails.
    pub async fn delete_connector(&self, id: ConnectorId) -> Result<()> {
        const ACTION: &str = "delete a connector";
        let mut transaction = self.pools.begin(ACTION).await?;
        let deleted = sqlx::query("DELETE FROM connectors WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        if deleted.rows_affected() == 0 {
            return Err(CatalogError::not_found("connector", id));
        }
        count_revision(&mut transaction).await?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// A number that grows with every change of any connector, its making and its end included.
    ///
    /// # Errors
    /// The database fails.
    pub async fn revision_counter(&self) -> Result<i64> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = $1")
            .bind(REVISIONS)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read the counter of connector changes")?;
        row.map_or(Ok(0), |row| row.number("value"))
    }

    fn connector_of(&self, row: &Row) -> Result<StoredConnector> {
        let id = row.text("id")?;
        let plain = self.sealing.open(place(&id), &row.text("credential")?)?;
        Ok(StoredConnector {
            id: row.parsed("id")?,
            tenant: row.parsed("tenant")?,
            name: row.parsed("name")?,
            integration: row.text("integration")?,
            document: row.json("document")?,
            credential: credential::from_json(&plain)?,
            enabled: row.flag("enabled")?,
            revision: row.number("revision")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
        })
    }
}

fn place(id: &str) -> Place<'_> {
    Place { table: "connectors", owner: id, field: "credential" }
}

/// Fails with a clear word when the tenant does not exist.
pub(crate) async fn require_tenant(connection: &mut Connection, tenant: &TenantId) -> Result<()> {
    let row = sqlx::query("SELECT id FROM tenants WHERE id = $1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await
        .while_doing("look for a tenant")?;
    row.map(drop).ok_or_else(|| CatalogError::not_found("tenant", tenant))
}

/// Whether the connector is still there.
pub(crate) async fn connector_exists(connection: &mut Connection, id: &str) -> Result<bool> {
    let row = sqlx::query("SELECT id FROM connectors WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
        .while_doing("look for a connector")?;
    Ok(row.is_some())
}

/// Fails with a clear word when the connector does not exist.
pub(crate) async fn require_connector(connection: &mut Connection, id: ConnectorId) -> Result<()> {
    match connector_exists(connection, &id.to_string()).await? {
        true => Ok(()),
        false => Err(CatalogError::not_found("connector", id)),
    }
}

async fn require_free_name(connection: &mut Connection, connector: &StoredConnector) -> Result<()> {
    let taken =
        sqlx::query("SELECT id FROM connectors WHERE tenant = $1 AND name = $2 AND id <> $3")
            .bind(connector.tenant.as_str())
            .bind(connector.name.as_str())
            .bind(connector.id.to_string())
            .fetch_optional(connection)
            .await
            .while_doing("look for a connector's name")?;
    if taken.is_none() {
        return Ok(());
    }
    let problem = format!("exists already in the tenant `{}`", connector.tenant);
    Err(CatalogError::conflict("connector", &connector.name, &problem))
}

async fn count_revision(connection: &mut Connection) -> Result<()> {
    sqlx::query(
        "INSERT INTO counters (name, value) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
    )
    .bind(REVISIONS)
    .execute(connection)
    .await
    .while_doing("count a change of connectors")?;
    Ok(())
}
