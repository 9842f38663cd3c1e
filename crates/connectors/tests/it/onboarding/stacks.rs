//! A stack is made and updated on a stand-in for AWS: the function stays, its code and its settings change.
//!
//! moto takes secrets, trails and the policies of queues and buckets for made without making them, so nothing is said
//! of these here.

use std::io::Write as _;

use connectors::onboarding::{Publication, Variant, template};
use flate2::Crc;
use serde_json::Value;

use super::USUAL;
use super::moto::{Moto, between};

const BUCKET: &str = "published";

#[tokio::test]
async fn an_update_changes_code_and_settings_in_place() {
    let moto = Moto::start();
    moto.bucket(BUCKET, "eu-west-1").await;
    for version in ["1.4.2", "1.4.3"] {
        let publication = Publication {
            bucket: BUCKET.to_owned(),
            region: "eu-west-1".to_owned(),
            version: version.to_owned(),
        };
        let key = publication.code_key(USUAL.architecture);
        moto.put(BUCKET, &key, zip(version.as_bytes())).await;
    }
    let first = [
        ("ServiceUrl", Some("https://tarn.example.org")),
        ("EnrolmentCode", Some("code-1")),
        ("CodeBucket", Some(BUCKET)),
        // As the console does it, which sends defaults as well; moto keeps what was sent and nothing else.
        ("LogRetentionDays", Some("30")),
        ("DataEvents", Some("none")),
    ];
    stack(&moto, "CreateStack", "1.4.2", &first).await;
    let before = function(&moto).await;
    assert_eq!(before["Environment"]["Variables"]["TARN_TEMPLATE_VERSION"], "1.4.2");
    assert_eq!(before["Environment"]["Variables"]["TARN_SERVICE_URL"], "https://tarn.example.org");

    // Every parameter keeps its value, but for the one that somebody changes.
    let second = [
        ("ServiceUrl", Some("https://lake.example.org")),
        ("EnrolmentCode", None),
        ("CodeBucket", None),
        ("LogRetentionDays", None),
        ("DataEvents", None),
    ];
    stack(&moto, "UpdateStack", "1.4.3", &second).await;
    let after = function(&moto).await;
    assert_eq!(after["FunctionName"], before["FunctionName"]);
    assert_eq!(after["Role"], before["Role"]);
    assert_eq!(after["Environment"]["Variables"]["TARN_TEMPLATE_VERSION"], "1.4.3");
    assert_eq!(after["Environment"]["Variables"]["TARN_SERVICE_URL"], "https://lake.example.org");
    assert_eq!(after["Environment"]["Variables"]["TARN_ENROLMENT_CODE"], "code-1");
    assert_ne!(after["CodeSha256"], before["CodeSha256"]);
    let described =
        moto.form("cloudformation", &[("Action", "DescribeStacks"), ("StackName", "tarn")]).await;
    assert_eq!(between(&described, "StackStatus"), "UPDATE_COMPLETE");
    assert!(described.contains("https://lake.example.org"), "{described}");
}

/// Makes or updates the stack; a parameter without a value keeps the one it has.
async fn stack(moto: &Moto, action: &str, version: &str, parameters: &[(&str, Option<&str>)]) {
    let variant: Variant = USUAL;
    let mut fields = vec![
        ("Action".to_owned(), action.to_owned()),
        ("StackName".to_owned(), "tarn".to_owned()),
        ("TemplateBody".to_owned(), template(variant, version)),
        ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
    ];
    for (place, (name, value)) in parameters.iter().enumerate() {
        let member = |field: &str| format!("Parameters.member.{}.{field}", place + 1);
        fields.push((member("ParameterKey"), (*name).to_owned()));
        fields.push(match value {
            Some(value) => (member("ParameterValue"), (*value).to_owned()),
            None => (member("UsePreviousValue"), "true".to_owned()),
        });
    }
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    moto.form("cloudformation", &fields).await;
}

/// The only function.
async fn function(moto: &Moto) -> Value {
    let mut functions = moto.read("lambda", "/2015-03-31/functions").await;
    let functions = functions["Functions"].as_array_mut().unwrap();
    assert_eq!(functions.len(), 1, "{functions:?}");
    functions.remove(0)
}

/// A zip with one stored file.
fn zip(content: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"bootstrap";
    let mut crc = Crc::new();
    crc.update(content);
    let size = u32::try_from(content.len()).unwrap();
    let facts = [crc.sum().to_le_bytes(), size.to_le_bytes(), size.to_le_bytes()].concat();
    let mut file = Vec::new();
    file.write_all(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0").unwrap();
    file.write_all(&facts).unwrap();
    file.write_all(&[NAME.len() as u8, 0, 0, 0]).unwrap();
    file.extend([NAME, content].concat());
    let directory = u32::try_from(file.len()).unwrap();
    file.write_all(b"PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\0\0").unwrap();
    file.write_all(&facts).unwrap();
    file.write_all(&[NAME.len() as u8, 0]).unwrap();
    file.extend([0; 16]);
    file.extend(NAME);
    let length = u32::try_from(file.len()).unwrap() - directory;
    file.write_all(b"PK\x05\x06\0\0\0\0\x01\0\x01\0").unwrap();
    file.extend([length.to_le_bytes(), directory.to_le_bytes()].concat());
    file.extend([0; 2]);
    file
}
