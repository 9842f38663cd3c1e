//! Access tokens: 256 random bits, of which only a hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::ids::TenantId;
use model::secret::Secret;
use model::time::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::columns::Columns;
use crate::database::Row;
use crate::error::{CatalogError, Result, WhileDoing};
use crate::open::Catalog;

const PREFIX: &str = "tarn_";

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Names it where it is listed and revoked.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// The only tenant it may touch; `None` for all.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub rights: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is no longer valid.
    pub expires_at: Option<Timestamp>,
    /// When someone took it back.
    pub revoked_at: Option<Timestamp>,
}

impl TokenRow {
    /// Whether it opens anything at this time.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Catalog {
    /// Makes a token. The secret is shown here and never again.
    ///
    /// # Errors
    /// The tenant does not exist, or the database fails.
    pub async fn create_token(
        &self,
        name: &str,
        tenant: Option<&TenantId>,
        rights: &[String],
        now: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Secret> {
        const ACTION: &str = "make a token";
        let random: [u8; 32] = rand::random();
        let secret = Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
        let mut transaction = self.pools.begin(ACTION).await?;
        if let Some(tenant) = tenant {
            crate::connector::require_tenant(&mut transaction, tenant).await?;
        }
        sqlx::query(
            "INSERT INTO tokens (id, name, hash, tenant, rights, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(name)
        .bind(hash(&secret))
        .bind(tenant.map(TenantId::as_str))
        .bind(serde_json::Value::from(rights).to_string())
        .bind(now.as_micros())
        .bind(expires.map(Timestamp::as_micros))
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(secret)
    }

    /// The token of this secret, when it is usable now.
    ///
    /// # Errors
    /// The database fails.
    pub async fn token(&self, secret: &Secret, now: Timestamp) -> Result<Option<TokenRow>> {
        let row = sqlx::query("SELECT * FROM tokens WHERE hash = $1")
            .bind(hash(secret))
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("look up a token")?;
        let token = row.as_ref().map(token_of).transpose()?;
        Ok(token.filter(|token| token.is_usable(now)))
    }

    /// All tokens, the oldest first, revoked and expired ones included.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>> {
        let rows = sqlx::query("SELECT * FROM tokens ORDER BY id")
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list the tokens")?;
        rows.iter().map(token_of).collect()
    }

    /// Takes a token back for ever. Revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such token, or the database fails.
    pub async fn revoke_token(&self, id: Uuid, now: Timestamp) -> Result<()> {
        const ACTION: &str = "revoke a token";
        let mut transaction = self.pools.begin(ACTION).await?;
        let revoked =
            sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(now.as_micros())
                .execute(&mut *transaction)
                .await
                .while_doing(ACTION)?;
        if revoked.rows_affected() == 0 {
            return Err(CatalogError::not_found("token", id));
        }
        transaction.commit().await.while_doing(ACTION)
    }

    /// Whether any token was ever made. Revoked and expired ones count, so that revoking the last
    /// one does not open the door to everyone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn has_tokens(&self) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM tokens LIMIT 1")
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("look for tokens")?;
        Ok(row.is_some())
    }
}

/// What a random secret is known by; it needs no salt, for nobody can guess it.
pub(crate) fn hash(secret: &Secret) -> String {
    hex::encode(Sha256::digest(secret.expose()))
}

fn token_of(row: &Row) -> Result<TokenRow> {
    let rights = serde_json::from_value(row.json("rights")?)
        .map_err(|source| CatalogError::corrupt("the rights of a token cannot be read", source))?;
    Ok(TokenRow {
        id: row.parsed("id")?,
        name: row.text("name")?,
        tenant: row.parsed_maybe("tenant")?,
        rights,
        created_at: row.time("created_at")?,
        expires_at: row.time_maybe("expires_at")?,
        revoked_at: row.time_maybe("revoked_at")?,
    })
}
