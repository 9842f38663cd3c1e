//! Who asks AWS, and the clients that ask: keys, a role in another account, or the machine's own identity.
//!
//! The only place where a client is made. A client belongs to one region; buckets answer from theirs only, so
//! what a wrong region says about the right one is remembered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, ResponseChecksumValidation, SharedCredentialsProvider};
use model::secret::Secret;
use model::vendor::FetchError;
use tokio::sync::OnceCell;

use super::failure;

/// The name of our sessions in the other account's own trail.
const SESSION_NAME: &str = "tarn";
/// Attempts of one request inside the client.
const ATTEMPTS: u32 = 4;
/// How long an answer may take to begin, a long poll included.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// What is known of who asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    /// Access key id and secret, and the token of a temporary pair.
    pub(super) keys: Option<(Secret, Secret, Option<Secret>)>,
    /// The role to assume, and the external id that its owner asked for.
    pub(super) role: Option<(String, Option<Secret>)>,
    /// The region where nothing says another.
    pub(super) region: Option<String>,
    /// Another place than AWS.
    pub(super) endpoint: Option<String>,
}

/// The region when neither the settings nor the machine say one.
pub(super) const REGION: &str = "us-east-1";

/// The clients.
pub(super) struct Session {
    access: Access,
    configs: OnceCell<Configs>,
    s3: Mutex<HashMap<String, aws_sdk_s3::Client>>,
    sqs: Mutex<HashMap<String, aws_sdk_sqs::Client>>,
    bucket_regions: Mutex<HashMap<String, String>>,
}

struct Configs {
    /// As the machine or the keys say.
    own: SdkConfig,
    /// As the role, where there is one.
    assumed: SdkConfig,
}

impl Session {
    /// Makes ready; asks nobody.
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            configs: OnceCell::new(),
            s3: Mutex::default(),
            sqs: Mutex::default(),
            bucket_regions: Mutex::default(),
        }
    }

    async fn configs(&self) -> &Configs {
        self.configs.get_or_init(|| load(&self.access)).await
    }

    /// The region where nothing says another.
    pub(super) async fn region(&self) -> String {
        let region = self.configs().await.own.region();
        region.map_or_else(|| REGION.to_owned(), |region| region.as_ref().to_owned())
    }

    /// Another place than AWS, where one is set.
    pub(super) async fn endpoint(&self) -> Option<String> {
        self.configs().await.own.endpoint_url().map(str::to_owned)
    }

    /// A client for a region's buckets.
    pub(super) async fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let config = &self.configs().await.assumed;
        let mut clients = lock(&self.s3);
        let client = clients.entry(region.to_owned()).or_insert_with(|| {
            let config = aws_sdk_s3::config::Builder::from(config)
                .region(Region::new(region.to_owned()))
                .force_path_style(config.endpoint_url().is_some());
            aws_sdk_s3::Client::from_conf(config.build())
        });
        client.clone()
    }

    /// A client for a region's queues.
    pub(super) async fn sqs(&self, region: &str) -> aws_sdk_sqs::Client {
        let config = &self.configs().await.assumed;
        let mut clients = lock(&self.sqs);
        let client = clients.entry(region.to_owned()).or_insert_with(|| {
            let config = aws_sdk_sqs::config::Builder::from(config);
            aws_sdk_sqs::Client::from_conf(config.region(Region::new(region.to_owned())).build())
        });
        client.clone()
    }

    /// The region that a bucket is asked in.
    pub(super) fn bucket_region(&self, bucket: &str) -> Option<String> {
        lock(&self.bucket_regions).get(bucket).cloned()
    }

    /// Remembers where a bucket lies. Answers whether that is news.
    pub(super) fn learn_region(&self, bucket: &str, region: &str) -> bool {
        let known = lock(&self.bucket_regions).insert(bucket.to_owned(), region.to_owned());
        known.as_deref() != Some(region)
    }

    /// Who the account on the other side takes us for: the ARN of the role's session, or of the key's owner.
    ///
    /// # Errors
    /// The role cannot be assumed, or the key is not known.
    pub(super) async fn identify(&self) -> Result<String, FetchError> {
        let configs = self.configs().await;
        let sts = aws_sdk_sts::Client::new(&configs.own);
        let Some((role, external_id)) = &self.access.role else {
            let answer = sts.get_caller_identity().send().await;
            let answer = answer.map_err(|error| failure::of("sts:GetCallerIdentity", "", error))?;
            return Ok(answer.arn().unwrap_or_default().to_owned());
        };
        let ask = sts.assume_role().role_arn(role).role_session_name(SESSION_NAME);
        let ask = ask.set_external_id(external_id.as_ref().map(|id| id.expose().to_owned()));
        let answer = ask.send().await;
        let answer = answer.map_err(|error| failure::of("sts:AssumeRole", role, error))?;
        let user = answer.assumed_role_user().map(|user| user.arn().to_owned());
        Ok(user.unwrap_or_else(|| role.clone()))
    }
}

async fn load(access: &Access) -> Configs {
    let timeouts = TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(region) = &access.region {
        loader = loader.region(Region::new(region.clone()));
    } else if access.keys.is_some() {
        // Who needs keys is no machine of AWS: nothing is to be learned from its metadata service.
        let told = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::from_static(REGION));
        loader = loader.region(told);
    }
    if let Some(endpoint) = &access.endpoint {
        loader = loader.endpoint_url(endpoint.as_str());
    }
    if let Some((id, secret, token)) = &access.keys {
        let token = token.as_ref().map(|token| token.expose().to_owned());
        loader = loader.credentials_provider(Credentials::new(
            id.expose(),
            secret.expose(),
            token,
            None,
            SESSION_NAME,
        ));
    }
    let mut own = loader.load().await;
    if own.region().is_none() {
        own = own.into_builder().region(Region::from_static(REGION)).build();
    }
    let Some((role, external_id)) = &access.role else {
        return Configs { assumed: own.clone(), own };
    };
    let mut provider =
        AssumeRoleProvider::builder(role.as_str()).configure(&own).session_name(SESSION_NAME);
    if let Some(id) = external_id {
        provider = provider.external_id(id.expose());
    }
    let provider = match own.credentials_provider() {
        Some(credentials) => provider.build_from_provider(credentials).await,
        None => provider.build().await,
    };
    let builder = own.clone().into_builder();
    let assumed = builder.credentials_provider(SharedCredentialsProvider::new(provider)).build();
    Configs { own, assumed }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
