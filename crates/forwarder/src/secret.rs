//! The client's token where it is kept: the one in use as `token`, and the one that is about to follow as `next`.
//!
//! Several invocations may work on it at once. Each writes over a version that it has read, and only the first such
//! writing counts. With Secrets Manager the `ClientRequestToken` decides: it is derived from the version that was
//! read, and the service takes one content for each (API reference of PutSecretValue, as of 2026-11).

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, SdkError};
use model::secret::Secret;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What is kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Content {
    /// The token in use.
    pub token: Option<Secret>,
    /// The token that the server was told or is about to be told.
    pub next: Option<Secret>,
    /// When the token in use became that, in seconds since 1970.
    pub since: u64,
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Which writing it is; empty before the first.
    pub version: String,
    /// The content.
    pub content: Content,
}

/// Why a secret cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what}: {detail}")]
pub struct VaultError {
    /// What was being done.
    pub what: &'static str,
    /// What came of it.
    pub detail: String,
}

/// Where a token is kept.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Reads it; what nobody wrote yet is empty.
    ///
    /// # Errors
    /// It cannot be read.
    async fn read(&self) -> Result<Kept, VaultError>;

    /// Writes over what was read. Answers whether it did: somebody else may have been first.
    ///
    /// # Errors
    /// It cannot be written, or nobody knows whether it was.
    async fn replace(&self, over: &Kept, content: &Content) -> Result<bool, VaultError>;
}

impl Content {
    /// Reads what is kept. A template's placeholder and anything else that holds no token is empty.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The text to keep.
    pub fn text(&self) -> String {
        let exposed = |secret: &Option<Secret>| secret.as_ref().map(|s| s.expose().to_owned());
        let (token, next) = (exposed(&self.token), exposed(&self.next));
        json!({ "token": token, "next": next, "since": self.since }).to_string()
    }

    /// The same with the next token in use.
    #[must_use]
    pub fn promoted(&self, now: u64) -> Self {
        Self { token: self.next.clone(), next: None, since: now }
    }

    /// The same with a new token of 32 random bytes about to follow.
    #[must_use]
    pub fn with_next(&self) -> Self {
        let random: [u8; 32] = rand::random();
        Self { next: Some(Secret::new(hex::encode(random))), ..self.clone() }
    }
}

/// A secret of Secrets Manager.
pub struct ManagedSecret {
    client: Client,
    id: String,
}

impl ManagedSecret {
    /// The secret with this ARN or name.
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }
}

#[async_trait]
impl Vault for ManagedSecret {
    async fn read(&self) -> Result<Kept, VaultError> {
        match self.client.get_secret_value().secret_id(&self.id).send().await {
            Ok(answer) => Ok(Kept {
                version: answer.version_id().unwrap_or_default().to_owned(),
                content: Content::read(answer.secret_string().unwrap_or_default()),
            }),
            // A secret without a version, and a secret that is none: the first writing tells them apart.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(Kept::default())
            }
            Err(error) => Err(failed("read the secret", error)),
        }
    }

    async fn replace(&self, over: &Kept, content: &Content) -> Result<bool, VaultError> {
        let ask = self.client.put_secret_value().secret_id(&self.id);
        let ask = ask.client_request_token(successor(&over.version));
        match ask.secret_string(content.text()).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_exists_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("write the secret", error)),
        }
    }
}

/// The version that follows one: the same for everybody who has read that one.
fn successor(version: &str) -> String {
    let hash = Sha256::digest(format!("tarn-forwarder:{version}"));
    hex::encode(hash)[..32].to_owned()
}

fn failed<E, R>(what: &'static str, error: SdkError<E, R>) -> VaultError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    VaultError { what, detail: DisplayErrorContext(error).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_token_is_empty_and_content_survives_its_text() {
        for text in ["", "{}", "changeme", "[]", r#"{"token":7}"#] {
            let content = Content::read(text);
            assert!(content.token.is_none() && content.next.is_none(), "{text}");
        }
        let content = Content::default().with_next().promoted(7).with_next();
        let again = Content::read(&content.text());
        assert_eq!(again.text(), content.text());
        assert_eq!((again.since, again.token.unwrap().expose().len()), (7, 64));
        assert_ne!(content.token.unwrap().expose(), content.next.as_ref().unwrap().expose());
    }

    #[test]
    fn versions_follow_each_other_as_the_service_takes_them() {
        assert_eq!(successor("a"), successor("a"));
        assert_ne!(successor("a"), successor(&successor("a")));
        // PutSecretValue: 32 to 64 characters.
        assert_eq!(successor("").len(), 32);
    }
}
