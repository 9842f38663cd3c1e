//! The client as both its forms share it: who it is, its token, Tarn, and the way to the objects.
//!
//! The token is read once and then remembered. When Tarn does not know it, it is read once more, for another
//! invocation may have replaced it.

use std::sync::{Mutex, OnceLock, PoisonError};

use connectors::trail::Reader;
use model::secret::Secret;

use crate::deadline::Deadline;
use crate::enrolment::{Enrolment, TokenError};
use crate::refusal::Refusal;
use crate::rotation;
use crate::secret::{ManagedSecret, Vault};
use crate::service::{Home, Service};
use crate::settings::{Settings, SettingsError, TokenPlace};
use crate::token_file::TokenFile;

/// What everything else works with.
pub struct Client {
    /// Tarn.
    pub service: Service,
    /// The way to objects and queues.
    pub reader: Reader,
    /// What it was told.
    pub settings: Settings,
    vault: Box<dyn Vault>,
    token: Mutex<Option<Secret>>,
    /// One reads, the others go on with what it found.
    reading: tokio::sync::Mutex<()>,
    home: OnceLock<Home>,
}

/// Why a client cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It was told something else than it needs.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No HTTP client can be made.
    #[error("failed to make an HTTP client")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// Makes ready; asks nobody.
    ///
    /// # Errors
    /// The settings do not fit together.
    pub fn new(settings: Settings, aws: &aws_config::SdkConfig) -> Result<Self, StartError> {
        let vault: Box<dyn Vault> = match settings.token_place()? {
            TokenPlace::Secret(id) => {
                Box::new(ManagedSecret::new(aws_sdk_secretsmanager::Client::new(aws), id))
            }
            TokenPlace::File(path) => Box::new(TokenFile::new(path)),
        };
        let service = Service::new(&settings.service_url)?;
        Ok(Self {
            service,
            reader: Reader::new(),
            settings,
            vault,
            token: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            home: OnceLock::new(),
        })
    }

    /// Notes where it runs; once.
    pub fn at_home(&self, home: Home) {
        self.home.get_or_init(|| home);
    }

    /// Whether it is known where it runs.
    pub fn is_at_home(&self) -> bool {
        self.home.get().is_some()
    }

    /// Does something with the token, and once more when another one is kept by now.
    ///
    /// # Errors
    /// There is no token, or what was done failed.
    pub async fn with_token<T, F>(
        &self,
        deadline: Deadline,
        act: impl Fn(Secret) -> F,
    ) -> Result<T, TokenError>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let known = self.known();
        let token = match &known {
            Some(token) => token.clone(),
            None => self.read(None, deadline).await?,
        };
        let refusal = match act(token.clone()).await {
            Err(refusal @ Refusal::Unwanted(_)) => refusal,
            done => return Ok(done?),
        };
        if known.is_none() {
            return Err(refusal.into());
        }
        let again = self.read(Some(&token), deadline).await?;
        if again.expose() == token.expose() {
            return Err(refusal.into());
        }
        Ok(act(again).await?)
    }

    /// Replaces the token when it is old enough.
    ///
    /// # Errors
    /// It stays the one it was.
    pub async fn rotate(
        &self,
        rotate_after_seconds: u64,
        deadline: Deadline,
    ) -> Result<(), TokenError> {
        let vault = self.vault.as_ref();
        if rotation::rotate(vault, &self.service, rotate_after_seconds, deadline).await? {
            self.remember(None);
        }
        Ok(())
    }

    /// How many messages wait in the queues that it was told; `None` when it was told none or may not ask.
    pub async fn waiting(&self) -> Option<u64> {
        let mut all = None;
        for text in self.settings.queues() {
            let queue = self.reader.queue(text).await?;
            match queue.waiting().await {
                Ok(count) => *all.get_or_insert(0) += count,
                Err(error) => {
                    tracing::debug!(%error, "it is not known how much waits");
                    return None;
                }
            }
        }
        all
    }

    /// Reads the token where it is kept, unless another one than the `refused` is known by now.
    async fn read(
        &self,
        refused: Option<&Secret>,
        deadline: Deadline,
    ) -> Result<Secret, TokenError> {
        let _turn = self.reading.lock().await;
        let is_other = |known: &Secret| refused.is_none_or(|old| old.expose() != known.expose());
        if let Some(known) = self.known().filter(is_other) {
            return Ok(known);
        }
        let homeless = || TokenError::Homeless("nothing has told it yet".to_owned());
        let enrolment = Enrolment {
            code: self.settings.enrolment_code(),
            home: self.home.get().ok_or_else(homeless)?,
            template_version: &self.settings.template_version,
        };
        let token = enrolment.token(self.vault.as_ref(), &self.service, deadline).await?;
        self.remember(Some(token.clone()));
        Ok(token)
    }

    fn known(&self) -> Option<Secret> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, token: Option<Secret>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}
