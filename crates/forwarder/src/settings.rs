//! What an operator or a template tells the client: environment variables, and flags of the same meaning for the
//! daemon.
//!
//! The template of a stack sets exactly these variables; the table stands in the crate's own documentation.

use std::path::PathBuf;

use clap::Parser;
use model::secret::Secret;
use url::Url;

/// Shortest and longest time that SQS hides a message; the shortest leaves room to hide it again.
const VISIBILITY_SECONDS: std::ops::RangeInclusive<i64> = 3..=43_200;

/// Sends an AWS account's CloudTrail records to Tarn: as a Lambda function where AWS runs it, else as a daemon that
/// reads queues.
#[derive(Debug, Clone, Parser)]
#[command(name = "forwarder", version)]
pub struct Settings {
    /// Where Tarn is reached: `https://tarn.example.org`
    #[arg(long, env = "TARN_SERVICE_URL", value_name = "URL")]
    pub service_url: Url,

    /// The code from the stack's link; needed until it was exchanged for a token. Better given as a variable, for
    /// other users see flags.
    #[arg(long, env = "TARN_ENROLMENT_CODE", value_name = "CODE", hide_env_values = true)]
    #[arg(value_parser = secret)]
    pub enrolment_code: Option<Secret>,

    /// The secret of Secrets Manager that holds the token, by ARN or name.
    #[arg(long, env = "TARN_SECRET_ARN", value_name = "ARN")]
    pub secret_arn: Option<String>,

    /// The file that holds the token where there is no such secret; only its owner can read it.
    #[arg(long, env = "TARN_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<String>,

    /// Queues that hear of new objects, by URL or ARN, with commas between them. A Lambda function needs them only to
    /// tell how much waits.
    #[arg(long = "queue", env = "TARN_QUEUE_URL", value_name = "QUEUE", value_delimiter = ',')]
    pub queues: Vec<String>,

    /// The version of the template that the stack was made from.
    #[arg(long, env = "TARN_TEMPLATE_VERSION", value_name = "VERSION", default_value = "none")]
    pub template_version: String,

    /// How long the daemon hides a message at a time while it works on it.
    #[arg(long, env = "TARN_VISIBILITY_SECONDS", value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(i32).range(VISIBILITY_SECONDS))]
    pub visibility_seconds: i32,

    /// What is logged: error, warn, info, debug, or a filter of the crate tracing-subscriber.
    #[arg(long, env = "TARN_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Where the token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// In Secrets Manager, under this ARN or name.
    Secret(String),
    /// In a file.
    File(PathBuf),
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The service's URL is none of a web server.
    #[error("TARN_SERVICE_URL is no http or https URL")]
    ServiceUrl,
    /// Nothing or too much says where the token is kept.
    #[error("exactly one of TARN_SECRET_ARN and TARN_TOKEN_FILE is to be set")]
    TokenPlace,
    /// A function's files do not outlive it.
    #[error("a Lambda function keeps its token in Secrets Manager: set TARN_SECRET_ARN")]
    FileInLambda,
    /// A daemon without a queue has nothing to do.
    #[error("TARN_QUEUE_URL names no queue")]
    NoQueue,
}

impl Settings {
    /// The code, unless a template left it empty.
    pub fn enrolment_code(&self) -> Option<&Secret> {
        self.enrolment_code.as_ref().filter(|code| !code.expose().trim().is_empty())
    }

    /// The queues, without the empty text that a template may set.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(|queue| queue.trim()).filter(|queue| !queue.is_empty())
    }

    /// Where the token is kept.
    ///
    /// # Errors
    /// Not exactly one place is named.
    pub fn token_place(&self) -> Result<TokenPlace, SettingsError> {
        let secret = self.secret_arn.as_deref().map(str::trim).filter(|arn| !arn.is_empty());
        let file = self.token_file.as_deref().filter(|path| !path.is_empty());
        match (secret, file) {
            (Some(secret), None) => Ok(TokenPlace::Secret(secret.to_owned())),
            (None, Some(file)) => Ok(TokenPlace::File(file.into())),
            _ => Err(SettingsError::TokenPlace),
        }
    }

    /// Checks what no single setting shows.
    ///
    /// # Errors
    /// Names the variable that cannot be used.
    pub fn check(&self, is_lambda: bool) -> Result<(), SettingsError> {
        if !matches!(self.service_url.scheme(), "https" | "http") || !self.service_url.has_host() {
            return Err(SettingsError::ServiceUrl);
        }
        let place = self.token_place()?;
        match (is_lambda, place) {
            (true, TokenPlace::File(_)) => Err(SettingsError::FileInLambda),
            (false, _) if self.queues().next().is_none() => Err(SettingsError::NoQueue),
            _ => Ok(()),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of clap's parsers")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Settings {
        let base = ["forwarder", "--service-url", "https://tarn.example.org"];
        Settings::try_parse_from([&base, arguments].concat()).unwrap()
    }

    #[test]
    fn the_place_of_the_token_is_named_exactly_once() {
        let secret = read(&["--secret-arn", "arn:s", "--token-file", ""]);
        assert_eq!(secret.token_place().unwrap(), TokenPlace::Secret("arn:s".to_owned()));
        assert!(secret.check(true).is_ok());
        assert!(matches!(secret.check(false), Err(SettingsError::NoQueue)));
        let file = read(&["--token-file", "/t", "--queue", "a, b,"]);
        assert!(file.check(false).is_ok());
        assert_eq!(file.queues().collect::<Vec<_>>(), ["a", "b"]);
        assert!(matches!(file.check(true), Err(SettingsError::FileInLambda)));
        for neither in [&[][..], &["--secret-arn", "a", "--token-file", "b"]] {
            assert!(matches!(read(neither).check(true), Err(SettingsError::TokenPlace)));
        }
    }

    #[test]
    fn the_code_does_not_print_and_an_empty_one_is_none() {
        let settings = read(&["--enrolment-code", "marker-code"]);
        assert_eq!(settings.enrolment_code().unwrap().expose(), "marker-code");
        assert!(!format!("{settings:?}").contains("marker-code"));
        assert!(read(&["--enrolment-code", " "]).enrolment_code().is_none());
    }

    #[test]
    fn a_service_without_a_host_is_refused() {
        let settings = ["forwarder", "--service-url", "mailto:tarn", "--secret-arn", "a"];
        let settings = Settings::try_parse_from(settings).unwrap();
        assert!(matches!(settings.check(true), Err(SettingsError::ServiceUrl)));
    }
}
