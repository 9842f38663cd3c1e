//! What AWS's refusals mean, and what to do about them: the action that is missing, the region that is wrong.

use model::causes::chain;
use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use model::vendor::{Fault, FetchError};

/// The header in which S3 says where a bucket lies.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// A failed request in the engine's terms. `action` is its name in policies, `target` what it was about.
pub(super) fn of<E>(action: &str, target: &str, error: SdkError<E, HttpResponse>) -> FetchError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().map_or_else(|| chain(&error), str::to_owned);
    let fault = match &error {
        SdkError::TimeoutError(_) => Fault::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Fault::Timeout,
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => unsent(&message),
        SdkError::ResponseError(_) if code.is_empty() => Fault::Unreadable,
        _ => refused(&code, &message, status, bucket_region(&error)),
    };
    // Before anything is sent only the role can be refused.
    let is_unsent =
        matches!(error, SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_));
    let otherwise = if is_unsent { "sts:AssumeRole" } else { action };
    let denied = denied_action(&message).unwrap_or(otherwise);
    let on = if target.is_empty() { String::new() } else { format!(" on {target}") };
    let detail = match &fault {
        Fault::MissingScope => format!("{denied}{on} is not allowed: {message}"),
        _ if code.is_empty() => format!("{action}{on} failed: {message}"),
        _ => format!("{action}{on} failed with {code}: {message}"),
    };
    FetchError { fault, detail, retry_after: None, source: None }
}

/// Where a bucket lies that was asked in the wrong region.
pub(super) fn bucket_region<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response()?;
    let is_redirect = matches!(response.status().as_u16(), 301 | 307 | 400);
    let region = response.headers().get(BUCKET_REGION)?;
    is_redirect.then(|| region.to_owned())
}

/// What to do about a failure, where the general advice would name settings of other vendors.
pub(super) fn remedy(error: &FetchError) -> Option<String> {
    let detail = error.detail.as_str();
    let action = detail.split([' ', ':']).next().unwrap_or_default();
    let text = match &error.fault {
        Fault::MissingScope if detail.starts_with("sts:AssumeRole") => {
            "in the role's trust policy allow sts:AssumeRole to the identity that runs tarn, and check that \
             `credential.external_id` is the one that its condition sts:ExternalId asks for"
        }
        Fault::MissingScope if detail.starts_with("kms:Decrypt") => {
            "the objects are encrypted with a key of KMS: allow kms:Decrypt on that key to the role, in its \
             policy and in the key's"
        }
        Fault::MissingScope if detail.starts_with("s3:GetObject") => {
            "allow s3:GetObject on the bucket's AWSLogs/* to the role; without s3:ListBucket a deleted object \
             is refused in the same way"
        }
        Fault::MissingScope if detail.starts_with("sqs:") || detail.starts_with("s3:") => {
            let (_, name) = detail.split_once(':')?;
            let name = name.split(' ').next().unwrap_or_default();
            let service = &detail[..detail.find(':')?];
            return Some(format!("allow {service}:{name} to the role or the key's owner"));
        }
        Fault::UnknownKey => "check `credential.access_key_id`: AWS does not know this key",
        Fault::MalformedKey => {
            "check `credential.secret_access_key`: it does not belong to the key id"
        }
        Fault::ExpiredKey => "temporary keys run out: give a role (`credential.role_arn`) instead",
        Fault::WrongRegion(region) => {
            return Some(format!("the bucket lies in {region}: set `parameters.region` to it"));
        }
        Fault::WrongUrl if action == "sqs" => {
            "check the account, the name and above all the region in `parameters.queues`; copy the queue's ARN"
        }
        Fault::WrongUrl => "check the name in `parameters.buckets`",
        Fault::Dns | Fault::Unreachable => {
            "check the network, and `parameters.endpoint_url` where it is set"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn refused(code: &str, message: &str, status: Option<u16>, region: Option<String>) -> Fault {
    let code = code.rsplit('.').next().unwrap_or(code);
    match code {
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => {
            Fault::WrongRegion(region.unwrap_or_else(|| "another region".to_owned()))
        }
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            Fault::UnknownKey
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => Fault::MalformedKey,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Fault::ExpiredKey,
        // Under whatever status: the right to ask was there.
        "ReceiptHandleIsInvalid" => Fault::BadRequest,
        "NoSuchBucket" | "NonExistentQueue" | "QueueDoesNotExist" | "InvalidAddress" => {
            Fault::WrongUrl
        }
        "Throttling" | "ThrottlingException" | "SlowDown" | "RequestThrottled" | "OverLimit" => {
            Fault::Throttled
        }
        _ if is_denied(code, message) => Fault::MissingScope,
        _ => match status {
            Some(301 | 307) => Fault::WrongRegion(region.unwrap_or_default()),
            Some(401 | 403) => Fault::MissingScope,
            Some(429) => Fault::Throttled,
            Some(500..) => Fault::Outage,
            _ => Fault::BadRequest,
        },
    }
}

fn is_denied(code: &str, message: &str) -> bool {
    code.starts_with("AccessDenied")
        || code == "AccessDeniedException"
        || message.contains("not authorized")
}

/// A request that was never sent: nobody could say who asks, or there is no way to the host.
fn unsent(message: &str) -> Fault {
    let has = |text: &str| message.contains(text);
    if has("sts:AssumeRole") || has("AccessDenied") {
        Fault::MissingScope
    } else if has("InvalidClientTokenId") || has("credentials") {
        Fault::UnknownKey
    } else if has("dns") || has("lookup") {
        Fault::Dns
    } else if has("certificate") {
        Fault::Tls
    } else {
        Fault::Unreachable
    }
}

/// The action that AWS says is missing, which may be another one than was asked for: `kms:Decrypt`.
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    action.contains(':').then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fault: Fault, detail: &str) -> FetchError {
        FetchError { fault, detail: detail.to_owned(), retry_after: None, source: None }
    }

    #[test]
    fn a_refusal_names_the_action_that_is_missing() {
        let message = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on \
                       resource: arn:aws:kms:x";
        assert_eq!(denied_action(message), Some("kms:Decrypt"));
        assert_eq!(denied_action("Access Denied"), None);
        assert_eq!(refused("AccessDenied", "Access Denied", Some(403), None), Fault::MissingScope);
        assert_eq!(
            refused("AWS.SimpleQueueService.NonExistentQueue", "", Some(400), None),
            Fault::WrongUrl
        );
        assert_eq!(refused("InternalError", "", Some(500), None), Fault::Outage);
        let elsewhere = refused("PermanentRedirect", "", Some(301), Some("eu-west-1".to_owned()));
        assert_eq!(elsewhere, Fault::WrongRegion("eu-west-1".to_owned()));
    }

    #[test]
    fn every_refusal_has_a_remedy_that_names_what_to_change() {
        for (fault, detail, remedy_names) in [
            (Fault::MissingScope, "sts:AssumeRole on arn is not allowed: x", "sts:ExternalId"),
            (Fault::MissingScope, "kms:Decrypt on s3://b/k is not allowed: x", "kms:Decrypt"),
            (Fault::MissingScope, "s3:GetObject on s3://b/k is not allowed: x", "s3:GetObject"),
            (Fault::MissingScope, "s3:ListBucket on s3://b/ is not allowed: x", "s3:ListBucket"),
            (Fault::MissingScope, "sqs:DeleteMessage on u is not allowed: x", "sqs:DeleteMessage"),
            (Fault::WrongUrl, "sqs:GetQueueAttributes on u failed with X: y", "parameters.queues"),
            (Fault::WrongUrl, "s3:ListBucket on s3://b/ failed with X: y", "parameters.buckets"),
            (Fault::WrongRegion("eu-west-1".to_owned()), "x", "eu-west-1"),
        ] {
            let remedy = remedy(&error(fault, detail)).unwrap();
            assert!(remedy.contains(remedy_names), "{detail}: {remedy}");
            assert!(!remedy.contains("base_url"), "{remedy}");
        }
        assert_eq!(remedy(&error(Fault::Outage, "x")), None);
    }
}
