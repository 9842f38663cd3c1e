//! Settings that have no table of their own: a name and a JSON value.

use std::collections::BTreeMap;

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

    /// Every setting whose name begins so, by the rest of its name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settings(&self, prefix: &str) -> Result<BTreeMap<String, Value>> {
        let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT substr(name, $1 + 1) AS rest, value_json FROM settings
             WHERE substr(name, 1, $1) = $2",
        )
        .bind(length)
        .bind(prefix)
        .fetch_all(self.pools.reader())
        .await
        .while_doing("read settings")?;
        rows.iter().map(|row| Ok((row.text("rest")?, row.json("value_json")?))).collect()
    }

    /// Forgets a setting; answers whether it was set.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn remove_setting(&self, name: &str) -> Result<bool> {
        const ACTION: &str = "forget a setting";
        let mut transaction = self.pools.begin(ACTION).await?;
        let removed = sqlx::query("DELETE FROM settings WHERE name = $1")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(removed.rows_affected() > 0)
    }
}
