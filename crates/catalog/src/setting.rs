//! Settings that have no table of their own: a name and a JSON value.

use serde_json::Value;

use crate::columns::Columns;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

impl Catalog {
    /// The value of a setting; `None` when it was never set.
    ///
    /// # Errors
    /// The database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<Value>> {
        let row = sqlx::query("SELECT value_json FROM settings WHERE name = $1")
            .bind(name)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a setting")?;
        row.map(|row| row.json("value_json")).transpose()
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn put_setting(&self, name: &str, value: &Value) -> Result<()> {
        const ACTION: &str = "store a setting";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO settings (name, value_json) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value_json = excluded.value_json",
        )
        .bind(name)
        .bind(value.to_string())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }
}
