//! Publishing: every variant's template and the client's code into a bucket that CloudFormation can read.
//!
//! What was published under a version stays: CloudFormation takes new code only under a new key, so other code under
//! the same one would reach new stacks and no old one. Publishing the same again changes nothing.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{Credentials, ResponseChecksumValidation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use model::secret::Secret;

use super::Publication;
use super::template::template;
use super::variant::{Architecture, Variant};

/// The header in which S3 says where a bucket lies.
const BUCKET_REGION: &str = "x-amz-bucket-region";
/// Attempts of one request inside the client.
const ATTEMPTS: u32 = 4;

/// Who publishes, and where. By default whoever this machine is, at AWS.
#[derive(Debug, Clone, Default)]
pub struct PublishSettings {
    /// A pair of keys.
    pub keys: Option<AccessKeys>,
    /// Another place than AWS.
    pub endpoint_url: Option<String>,
}

/// An access key of AWS.
#[derive(Debug, Clone)]
pub struct AccessKeys {
    /// Its id.
    pub id: Secret,
    /// Its secret.
    pub secret: Secret,
    /// The token of a temporary one.
    pub session_token: Option<Secret>,
}

/// The client's code for a processor: a zip with `bootstrap` in it.
#[derive(Debug, Clone)]
pub struct Code {
    /// The processor.
    pub architecture: Architecture,
    /// The zip.
    pub zip: Bytes,
}

/// Why something could not be published. [`PublishError::remedy`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no such bucket.
    #[error("there is no bucket `{bucket}`")]
    NoBucket {
        /// Its name.
        bucket: String,
    },
    /// The bucket lies elsewhere.
    #[error("the bucket `{bucket}` lies in `{actual}`, not in `{expected}`")]
    WrongRegion {
        /// Its name.
        bucket: String,
        /// Where it was looked for.
        expected: String,
        /// Where it is.
        actual: String,
    },
    /// Whoever publishes may not.
    #[error("`{action}` on `{target}` is not allowed: {message}")]
    Denied {
        /// The action that is missing.
        action: &'static str,
        /// On what.
        target: String,
        /// What AWS says.
        message: String,
    },
    /// Nobody knows who publishes.
    #[error("AWS does not know who asks: {message}")]
    Unknown {
        /// What AWS, or its client, says.
        message: String,
    },
    /// The version was published already, and differs.
    #[error("`{target}` was published already with other contents")]
    Published {
        /// The object.
        target: String,
    },
    /// Anything else.
    #[error("`{action}` on `{target}` failed: {message}")]
    Failed {
        /// What was asked.
        action: &'static str,
        /// Of what.
        target: String,
        /// What AWS, or its client, says.
        message: String,
    },
}

impl PublishError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoBucket { bucket } => format!(
                "create it (`aws s3 mb s3://{bucket} --region …`), or name one that is there"
            ),
            Self::WrongRegion { expected, actual, .. } => format!(
                "publish for `{actual}`, or name a bucket in `{expected}`: Lambda takes code from its own region only"
            ),
            Self::Denied { action, .. } => format!(
                "allow {action} on the bucket's tarn/* to whoever publishes, in its policy and in the bucket's; or \
                 save the template and upload it by hand"
            ),
            Self::Unknown { .. } => {
                "give this machine an identity (a role, a profile or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), \
                 and check that it has not run out"
                    .to_owned()
            }
            Self::Published { .. } => {
                "publish under another version: stacks see new code only under a new key".to_owned()
            }
            Self::Failed { .. } => "try again, and check the network to S3".to_owned(),
        }
    }
}

/// Puts the template of every variant and the given code into a bucket, under a version.
///
/// # Errors
/// Nothing, or only a part was published; [`PublishError::remedy`] says what to do, and publishing again goes on.
pub async fn publish(
    settings: &PublishSettings,
    bucket: &str,
    region: &str,
    version: &str,
    codes: &[Code],
) -> Result<Publication, PublishError> {
    let publication = Publication {
        bucket: bucket.to_owned(),
        region: region.to_owned(),
        version: version.to_owned(),
    };
    let target = Target { client: client(settings, region).await, publication: &publication };
    target.check_region().await?;
    for code in codes {
        let key = publication.code_key(code.architecture);
        target.put(&key, "application/zip", code.zip.clone()).await?;
    }
    // The templates last: what one names is there when it is.
    let templates: BTreeMap<_, _> = Variant::all()
        .map(|variant| (publication.template_key(variant), template(variant, version)))
        .collect();
    for (key, text) in templates {
        target.put(&key, "application/json", Bytes::from(text)).await?;
    }
    Ok(publication)
}

/// A bucket, and who asks it.
struct Target<'a> {
    client: Client,
    publication: &'a Publication,
}

impl Target<'_> {
    /// Tells a bucket that is missing or elsewhere from one that is here.
    async fn check_region(&self) -> Result<(), PublishError> {
        let answer = self.client.head_bucket().bucket(&self.publication.bucket).send().await;
        let actual = match answer {
            Ok(answer) => answer.bucket_region().map(str::to_owned),
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                match (status, bucket_region(&error)) {
                    (Some(404), _) => return Err(self.missing()),
                    // It says where it lies also to whom it says nothing else.
                    (Some(_), Some(region)) => Some(region),
                    // Who may not look at a bucket may still be allowed to write to it.
                    (Some(403), None) => None,
                    _ => return Err(self.failed("s3:ListBucket", "", &error)),
                }
            }
        };
        let expected = &self.publication.region;
        match actual.filter(|actual| actual != expected) {
            Some(actual) => Err(self.elsewhere(actual)),
            None => Ok(()),
        }
    }

    /// Writes an object unless it is there.
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), PublishError> {
        let bucket = &self.publication.bucket;
        let ask = self.client.put_object().bucket(bucket).key(key).content_type(content_type);
        let answer = ask.if_none_match("*").body(ByteStream::from(body.clone())).send().await;
        let Err(error) = answer else { return Ok(()) };
        if error.raw_response().is_none_or(|response| response.status().as_u16() != 412) {
            return Err(self.failed("s3:PutObject", key, &error));
        }
        let answer = self.client.get_object().bucket(bucket).key(key).send().await;
        let answer = answer.map_err(|error| self.failed("s3:GetObject", key, &error))?;
        let present = answer.body.collect().await.map_err(|error| PublishError::Failed {
            action: "s3:GetObject",
            target: self.name(key),
            message: error.to_string(),
        })?;
        if present.into_bytes() == body {
            return Ok(());
        }
        Err(PublishError::Published { target: self.name(key) })
    }

    fn failed<E>(
        &self,
        action: &'static str,
        key: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> PublishError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (target, status) =
            (self.name(key), error.raw_response().map(|raw| raw.status().as_u16()));
        let message =
            error.message().map_or_else(|| DisplayErrorContext(error).to_string(), str::to_owned);
        match error.code().unwrap_or_default() {
            "NoSuchBucket" => self.missing(),
            "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => {
                let actual = bucket_region(error).unwrap_or_else(|| "another region".to_owned());
                self.elsewhere(actual)
            }
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "InvalidClientTokenId" => PublishError::Unknown { message },
            "AccessDenied" | "AllAccessDisabled" => {
                PublishError::Denied { action, target, message }
            }
            _ if status == Some(403) => PublishError::Denied { action, target, message },
            _ if status.is_none() && message.contains("credentials") => {
                PublishError::Unknown { message }
            }
            _ => PublishError::Failed { action, target, message },
        }
    }

    fn missing(&self) -> PublishError {
        PublishError::NoBucket { bucket: self.publication.bucket.clone() }
    }

    fn elsewhere(&self, actual: String) -> PublishError {
        let Publication { bucket, region, .. } = self.publication;
        PublishError::WrongRegion { bucket: bucket.clone(), expected: region.clone(), actual }
    }

    fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.publication.bucket)
    }
}

fn bucket_region<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    Some(error.raw_response()?.headers().get(BUCKET_REGION)?.to_owned())
}

async fn client(settings: &PublishSettings, region: &str) -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(endpoint.as_str());
    }
    if let Some(AccessKeys { id, secret, session_token }) = &settings.keys {
        let token = session_token.as_ref().map(|token| token.expose().to_owned());
        let keys = Credentials::new(id.expose(), secret.expose(), token, None, "tarn");
        loader = loader.credentials_provider(keys);
    }
    let config = loader.load().await;
    let config = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(config.endpoint_url().is_some());
    Client::from_conf(config.build())
}
