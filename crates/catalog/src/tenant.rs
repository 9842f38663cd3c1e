//! Tenants: the owners that everything else belongs to.

use model::ids::TenantId;
use model::time::Timestamp;

use crate::columns::Columns;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

impl Catalog {
    /// Makes the tenant unless it is there.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ensure_tenant(&self, tenant: &TenantId, now: Timestamp) -> Result<()> {
        const ACTION: &str = "make a tenant";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO tenants (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// All tenants by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tenants(&self) -> Result<Vec<TenantId>> {
        let rows = sqlx::query("SELECT id FROM tenants ORDER BY id")
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list the tenants")?;
        rows.iter().map(|row| row.parsed("id")).collect()
    }
}
