//! How a request proves who sends it. Whatever is secret here prints and serialises as a mask.

use std::collections::BTreeMap;

use model::secret::{MASK, Secret};
use serde::{Deserialize, Serialize, Serializer};

use super::document::ResponderDocument;
use super::error::WebhookError;

/// Where a secret stands in the template of a header.
pub(crate) const SECRET: &str = "secret";
/// Where a fetched token stands in the template of a header.
pub(crate) const TOKEN: &str = "token";

/// The ways to prove who sends a request.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing is proved.
    #[default]
    None,
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        #[serde(serialize_with = "masked")]
        password: Secret,
    },
    /// A header of its own.
    Header {
        /// Its name.
        name: String,
        /// Its value, with `{{ secret }}`; the secret alone when it is left out.
        #[serde(default = "the_secret")]
        value: String,
        /// The secret.
        #[serde(serialize_with = "masked")]
        secret: Secret,
    },
    /// `Authorization: Bearer …`.
    Bearer {
        /// The token.
        #[serde(serialize_with = "masked")]
        token: Secret,
    },
    /// A token that is fetched first, and again when it has run out.
    Oauth2ClientCredentials {
        /// Where it is fetched.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// The client's secret.
        #[serde(serialize_with = "masked")]
        client_secret: Secret,
        /// What it is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// Where id and secret stand in the question.
        #[serde(default)]
        send_as: SendAs,
        /// The header that carries the token.
        #[serde(default = "authorization")]
        header: String,
        /// The header's value, with `{{ token }}`.
        #[serde(default = "bearer_token")]
        value: String,
    },
    /// A signature of the body.
    Hmac {
        /// The shared secret.
        #[serde(serialize_with = "masked")]
        secret: Secret,
        /// The digest.
        #[serde(default)]
        algorithm: Algorithm,
        /// The header that carries the signature.
        header: String,
        /// What stands before it: `sha256=`.
        #[serde(default)]
        prefix: String,
        /// What is signed.
        #[serde(default)]
        signed: Signed,
        /// The header that carries the time, in seconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp_header: Option<String>,
        /// How the signature is written.
        #[serde(default)]
        encoding: Encoding,
    },
}

fn the_secret() -> String {
    "{{ secret }}".to_owned()
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn bearer_token() -> String {
    "Bearer {{ token }}".to_owned()
}

fn masked<S: Serializer>(_: &Secret, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(MASK)
}

/// Where a client's id and secret stand in the question for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SendAs {
    /// In the `Authorization` header.
    #[default]
    Basic,
    /// In the form that is sent.
    Body,
}

/// The digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// The bytes of the body.
    #[default]
    Body,
    /// The time, a dot, and the bytes of the body.
    TimestampBody,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, lower case.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Auth {
    /// The secret in it, and the name of its field.
    pub(crate) fn secret(&self) -> Option<(&'static str, &Secret)> {
        match self {
            Self::None => None,
            Self::Basic { password, .. } => Some(("auth.password", password)),
            Self::Header { secret, .. } | Self::Hmac { secret, .. } => {
                Some(("auth.secret", secret))
            }
            Self::Bearer { token } => Some(("auth.token", token)),
            Self::Oauth2ClientCredentials { client_secret, .. } => {
                Some(("auth.client_secret", client_secret))
            }
        }
    }

    fn secret_mut(&mut self) -> Option<&mut Secret> {
        match self {
            Self::None => None,
            Self::Basic { password, .. } => Some(password),
            Self::Header { secret, .. } | Self::Hmac { secret, .. } => Some(secret),
            Self::Bearer { token } => Some(token),
            Self::Oauth2ClientCredentials { client_secret, .. } => Some(client_secret),
        }
    }

    fn token_url(&self) -> Option<&str> {
        match self {
            Self::Oauth2ClientCredentials { token_url, .. } => Some(token_url),
            _ => None,
        }
    }
}

impl ResponderDocument {
    /// The document as it may be shown: secrets are masked.
    pub fn masked(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }

    /// The secrets by the names of their fields, for encryption at rest.
    pub fn secrets(&self) -> BTreeMap<String, Secret> {
        let secret = self.auth.secret();
        secret.into_iter().map(|(name, secret)| (name.to_owned(), secret.clone())).collect()
    }

    /// The document with these secrets where it has masks.
    #[must_use]
    pub fn with_secrets(mut self, secrets: &BTreeMap<String, Secret>) -> Self {
        let name = self.auth.secret().map(|(name, _)| name);
        if let Some(stored) = name.and_then(|name| secrets.get(name))
            && let Some(secret) = self.auth.secret_mut()
            && secret.is_mask()
        {
            *secret = stored.clone();
        }
        self
    }

    /// The document as somebody applied it again, with the stored secret where it says to keep it.
    ///
    /// # Errors
    /// There is nothing to keep, or the secret would go to another host than it was given for.
    pub fn keeping(self, stored: Option<&Self>) -> Result<Self, WebhookError> {
        let Some((name, secret)) = self.auth.secret() else { return Ok(self) };
        if !secret.is_mask() {
            return Ok(self);
        }
        let remedy = ("write the secret itself", "秘密の値そのものを書いてください");
        let Some(stored) = stored.filter(|old| old.secrets().contains_key(name)) else {
            let problem =
                ("is masked and nothing is stored for it", "は伏せ字で、保存された値がありません");
            return Err(WebhookError::at(name, problem, remedy));
        };
        let place = |document: &Self| {
            let request = &document.request;
            let token_url = document.auth.token_url().map(str::to_owned);
            (request.host.to_lowercase(), request.protocol, request.verify_tls, token_url)
        };
        if place(&self) != place(stored) {
            let problem = (
                "is masked while the place that it is sent to changes",
                "は伏せ字のまま、送り先が変わっています",
            );
            return Err(WebhookError::at(name, problem, remedy));
        }
        let secrets = stored.secrets();
        Ok(self.with_secrets(&secrets))
    }
}
