//! Responders as they were applied, their secrets sealed.

use model::ids::{ResponderId, TenantId};
use model::secret::Secret;
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::connector::require_tenant;
use crate::database::Row;
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;
use crate::seal::Place;

/// A responder as it is stored. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct StoredResponder {
    /// Stays the same whatever else changes.
    pub id: ResponderId,
    /// The owner; `None` where all tenants may use it.
    pub tenant: Option<TenantId>,
    /// Its name, unique per owner.
    pub name: String,
    /// The applied document, secrets masked.
    pub document: Value,
    /// The secrets; the engine's own shape.
    pub secrets: Secret,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Catalog {
    /// Stores a responder, new or changed by its id.
    ///
    /// # Errors
    /// The tenant does not exist, another responder of the same owner has this name, or the database fails.
    pub async fn put_responder(&self, responder: &StoredResponder) -> Result<()> {
        const ACTION: &str = "store a responder";
        let id = responder.id.to_string();
        let sealed = self.sealing.seal(place(&id), responder.secrets.expose().as_bytes());
        let mut transaction = self.pools.begin(ACTION).await?;
        if let Some(tenant) = &responder.tenant {
            require_tenant(&mut transaction, tenant).await?;
        }
        sqlx::query(
            "INSERT INTO responders (id, tenant, name, document, secrets, revision, created_at,
                 updated_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
             ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,
                 document = excluded.document, secrets = excluded.secrets,
                 revision = responders.revision + 1, updated_at = excluded.updated_at",
        )
        .bind(&id)
        .bind(responder.tenant.as_ref().map(TenantId::as_str))
        .bind(&responder.name)
        .bind(responder.document.to_string())
        .bind(sealed)
        .bind(responder.created_at.as_micros())
        .bind(responder.updated_at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// The responders that a tenant may use: its own, and those of all tenants.
    ///
    /// # Errors
    /// The database fails, or the secrets do not open.
    pub async fn responders(&self, tenant: &TenantId) -> Result<Vec<StoredResponder>> {
        let rows = sqlx::query(
            "SELECT * FROM responders WHERE tenant = $1 OR tenant IS NULL
             ORDER BY name, tenant IS NULL, id",
        )
        .bind(tenant.as_str())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list the responders")?;
        rows.iter().map(|row| self.responder_of(row)).collect()
    }

    /// Removes a responder; its runs stay.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn delete_responder(&self, id: ResponderId) -> Result<()> {
        const ACTION: &str = "delete a responder";
        let mut transaction = self.pools.begin(ACTION).await?;
        let deleted = sqlx::query("DELETE FROM responders WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        if deleted.rows_affected() == 0 {
            return Err(CatalogError::not_found("responder", id));
        }
        transaction.commit().await.while_doing(ACTION)
    }

    fn responder_of(&self, row: &Row) -> Result<StoredResponder> {
        let id = row.text("id")?;
        let plain = self.sealing.open(place(&id), &row.text("secrets")?)?;
        let secrets = String::from_utf8(plain).map_err(|source| {
            CatalogError::corrupt("the secrets of a responder are no text".to_owned(), source)
        })?;
        Ok(StoredResponder {
            id: row.parsed("id")?,
            tenant: row.parsed_maybe("tenant")?,
            name: row.text("name")?,
            document: row.json("document")?,
            secrets: Secret::new(secrets),
            revision: row.number("revision")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
        })
    }
}

fn place(id: &str) -> Place<'_> {
    Place { table: "responders", owner: id, field: "secrets" }
}
