//! The headers that prove who sends, made from the bytes that are sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::secret::{MASK, Secret};
use model::time::Timestamp;
use serde_json::json;
use sha2::Sha256;

use super::auth::{Auth, Encoding, SECRET, Signed, TOKEN};
use super::error::WebhookError;
use super::expression::scope;
use super::plan::Plan;

/// The headers of a request with this body at this time. `token` is what was fetched for it.
pub(crate) fn headers(
    auth: &Auth,
    plan: &Plan,
    body: &[u8],
    token: Option<&Secret>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, WebhookError> {
    let written = |name: &str, secret: &Secret| match &plan.auth_value {
        Some(template) => {
            template.text(&scope(json!({ name: secret.expose() })), |value, _| Ok(value.to_owned()))
        }
        None => Ok(format!("Bearer {}", secret.expose())),
    };
    Ok(match auth {
        Auth::None => Vec::new(),
        Auth::Basic { user, password } => {
            vec![("authorization".to_owned(), basic(user, password))]
        }
        Auth::Bearer { token } => {
            vec![("authorization".to_owned(), format!("Bearer {}", token.expose().trim()))]
        }
        Auth::Header { name, secret, .. } => vec![(name.to_lowercase(), written(SECRET, secret)?)],
        Auth::Oauth2ClientCredentials { header, .. } => match token {
            Some(token) => vec![(header.to_lowercase(), written(TOKEN, token)?)],
            None => Vec::new(),
        },
        Auth::Hmac { secret, header, prefix, signed, timestamp_header, encoding, .. } => {
            let time = (now.as_millis() / 1000).to_string();
            let digest = match signed {
                Signed::Body => hmac_sha256(secret, &[body]),
                Signed::TimestampBody => hmac_sha256(secret, &[time.as_bytes(), b".", body]),
            };
            let text = match encoding {
                Encoding::Hex => hex::encode(digest),
                Encoding::Base64 => STANDARD.encode(digest),
            };
            let signature = (header.to_lowercase(), format!("{prefix}{text}"));
            let stamp = timestamp_header.iter().map(|name| (name.to_lowercase(), time.clone()));
            stamp.chain([signature]).collect()
        }
    })
}

/// The same headers as they are shown.
pub(crate) fn shown(auth: &Auth) -> Vec<(String, String)> {
    let mask = MASK.to_owned();
    match auth {
        Auth::None => Vec::new(),
        Auth::Basic { .. } => vec![("authorization".to_owned(), format!("Basic {MASK}"))],
        Auth::Bearer { .. } => vec![("authorization".to_owned(), format!("Bearer {MASK}"))],
        Auth::Header { name, .. } => vec![(name.to_lowercase(), mask)],
        Auth::Oauth2ClientCredentials { header, .. } => vec![(header.to_lowercase(), mask)],
        Auth::Hmac { header, .. } => vec![(header.to_lowercase(), mask)],
    }
}

/// `Basic …` of a user and a password.
pub(crate) fn basic(user: &str, password: &Secret) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
}

fn hmac_sha256(secret: &Secret, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let digest = hmac_sha256(&Secret::new("Jefe"), &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex::encode(digest),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
