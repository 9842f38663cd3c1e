//! Publishing to a stand-in for S3: what is there afterwards, and what is said when it cannot be.

use bytes::Bytes;
use connectors::onboarding::{
    Architecture, Code, Publication, PublishError, PublishSettings, Variant, publish, template,
};

use super::VERSION;
use super::moto::{Moto, between};

const BUCKET: &str = "published";
const REGION: &str = "eu-west-1";

fn codes() -> Vec<Code> {
    let code = |architecture: &Architecture| Code {
        architecture: *architecture,
        zip: Bytes::from(format!("the zip for {architecture}")),
    };
    Architecture::ALL.iter().map(code).collect()
}

async fn attempt(settings: &PublishSettings, bucket: &str) -> Result<Publication, PublishError> {
    publish(settings, bucket, REGION, VERSION, &codes()).await
}

#[tokio::test]
async fn everything_is_there_and_publishing_again_changes_nothing() {
    let moto = Moto::start();
    moto.bucket(BUCKET, REGION).await;
    moto.keep_versions(BUCKET).await;
    let publication = attempt(&moto.settings(), BUCKET).await.unwrap();
    for variant in Variant::all() {
        let key = publication.template_key(variant);
        assert_eq!(key, format!("tarn/cloudtrail/1.4.2/{}.json", variant.name()));
        assert_eq!(moto.object(BUCKET, &key).await, template(variant, VERSION));
    }
    for Code { architecture, zip } in codes() {
        let key = format!("tarn/forwarder/1.4.2/{architecture}/bootstrap.zip");
        assert_eq!(moto.object(BUCKET, &key).await.as_bytes(), zip);
    }
    assert_eq!(moto.versions(BUCKET).await, 20);
    assert_eq!(attempt(&moto.settings(), BUCKET).await.unwrap(), publication);
    assert_eq!(moto.versions(BUCKET).await, 20);
}

#[tokio::test]
async fn other_code_under_the_same_version_is_refused() {
    let moto = Moto::start();
    moto.bucket(BUCKET, REGION).await;
    attempt(&moto.settings(), BUCKET).await.unwrap();
    let other = [Code { architecture: Architecture::Arm64, zip: Bytes::from_static(b"other") }];
    let error = publish(&moto.settings(), BUCKET, REGION, VERSION, &other).await.unwrap_err();
    assert!(matches!(error, PublishError::Published { .. }), "{error}");
    assert!(error.remedy().contains("another version"), "{}", error.remedy());
    publish(&moto.settings(), BUCKET, REGION, "1.4.3", &other).await.unwrap();
}

#[tokio::test]
async fn a_bucket_that_is_missing_or_elsewhere_is_named() {
    let moto = Moto::start();
    let error = attempt(&moto.settings(), "nowhere").await.unwrap_err();
    assert!(matches!(&error, PublishError::NoBucket { bucket } if bucket == "nowhere"), "{error}");
    assert!(error.remedy().contains("aws s3 mb s3://nowhere"), "{}", error.remedy());

    moto.bucket("elsewhere", "ap-northeast-1").await;
    let error = attempt(&moto.settings(), "elsewhere").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bucket `elsewhere` lies in `ap-northeast-1`, not in `eu-west-1`"
    );
    assert!(error.remedy().contains("publish for `ap-northeast-1`"), "{}", error.remedy());
    assert_eq!(moto.versions("elsewhere").await, 0);
}

#[tokio::test]
async fn who_may_not_publish_hears_which_right_is_missing() {
    let moto = Moto::start();
    moto.bucket(BUCKET, REGION).await;
    moto.form("iam", &[("Action", "CreateUser"), ("UserName", "mina")]).await;
    let made = moto.form("iam", &[("Action", "CreateAccessKey"), ("UserName", "mina")]).await;
    let (id, secret) = (between(&made, "AccessKeyId"), between(&made, "SecretAccessKey"));
    moto.enforce_rights().await;
    let error = attempt(&moto.settings_of(id, secret), BUCKET).await.unwrap_err();
    let is_denied = matches!(&error, PublishError::Denied { action: "s3:PutObject", .. });
    assert!(is_denied, "{error:?}");
    assert!(error.remedy().contains("allow s3:PutObject"), "{}", error.remedy());
    assert!(!format!("{error:?}").contains(secret));

    let unknown = moto.settings_of("AKIAUNKNOWN", "marker-secret");
    let error = attempt(&unknown, BUCKET).await.unwrap_err();
    assert!(matches!(error, PublishError::Unknown { .. }), "{error:?}");
}
