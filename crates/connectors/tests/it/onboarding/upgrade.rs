//! What an update from one version to the next changes, as CloudFormation would see it.

use std::collections::BTreeSet;

use connectors::onboarding::{Delivery, Variant, template};
use serde_json::{Value, json};

use super::{USUAL, walk};

/// The properties of which a change replaces the resource: `createOnlyProperties` and the conditional ones of each
/// type's schema in CloudFormation's registry, as seen on 2026-11-28.
const REPLACING: &[(&str, &[&str])] = &[
    ("AWS::CloudTrail::Trail", &["TrailName"]),
    ("AWS::Events::Rule", &["Name", "EventBusName"]),
    ("AWS::IAM::Policy", &[]),
    ("AWS::IAM::Role", &["Path", "RoleName"]),
    ("AWS::KMS::Key", &[]),
    (
        "AWS::Lambda::EventSourceMapping",
        &[
            "EventSourceArn",
            "StartingPosition",
            "StartingPositionTimestamp",
            "SelfManagedEventSource",
        ],
    ),
    ("AWS::Lambda::Function", &["FunctionName", "PackageType", "TenancyConfig", "DurableConfig"]),
    (
        "AWS::Lambda::Permission",
        &[
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "SourceAccount",
            "SourceArn",
            "Principal",
            "PrincipalOrgID",
            "Action",
            "EventSourceToken",
        ],
    ),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    ("AWS::S3::Bucket", &["BucketName", "BucketNamePrefix", "BucketNamespace"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SNS::Subscription", &["Endpoint", "Protocol", "TopicArn", "Region"]),
    ("AWS::SQS::Queue", &["FifoQueue", "QueueName"]),
    ("AWS::SQS::QueuePolicy", &[]),
    ("AWS::SecretsManager::Secret", &["Name"]),
];

/// Everything that an update would do to resources: `~` changes a place of one, `!` replaces, removes or adds one.
fn update(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (&old["Resources"], &new["Resources"]);
    let names = |all: &Value| all.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let mut found = Vec::new();
    for name in names(old).union(&names(new)) {
        let (Some(old), Some(new)) = (old.get(name), new.get(name)) else {
            found.push(format!("! {name}"));
            continue;
        };
        let kind = old["Type"].as_str().unwrap();
        let (_, replacing) = REPLACING.iter().find(|(known, _)| *known == kind).expect(kind);
        let is_other =
            |property: &&&str| old["Properties"].get(property) != new["Properties"].get(property);
        if new["Type"] != old["Type"] || replacing.iter().any(|property| is_other(&property)) {
            found.push(format!("! {name}"));
        }
        let (old, new) = (places(old), places(new));
        let changed: BTreeSet<_> =
            old.symmetric_difference(&new).map(|(path, _)| path.clone()).collect();
        found.extend(changed.into_iter().map(|path| format!("~ {name}{path}")));
    }
    found
}

/// Every leaf with its path.
fn places(value: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    walk(value, "", &mut |path, value| {
        if !value.is_object() && !value.is_array() {
            found.insert((path.to_owned(), value.to_string()));
        }
    });
    found
}

fn rendered(variant: Variant, version: &str) -> Value {
    serde_json::from_str(&template(variant, version)).unwrap()
}

#[test]
fn the_next_version_brings_its_code_and_replaces_nothing() {
    for variant in Variant::all() {
        let (old, new) = (rendered(variant, "1.4.2"), rendered(variant, "1.4.3"));
        let expected: &[&str] = match variant.delivery {
            Delivery::Client => &[
                "~ Client/Properties/Code/S3Key",
                "~ Client/Properties/Environment/Variables/TARN_TEMPLATE_VERSION",
            ],
            Delivery::PullOnly => &[],
        };
        assert_eq!(update(&old, &new), expected, "{}", variant.name());
        let output = |template: &Value| template["Outputs"]["TemplateVersion"]["Value"].clone();
        assert_eq!((output(&old), output(&new)), (json!("1.4.2"), json!("1.4.3")));
    }
}

#[test]
fn former_values_of_all_parameters_fit_and_none_holds_the_version() {
    for variant in Variant::all() {
        let (old, new) = (rendered(variant, "1.4.2"), rendered(variant, "1.4.3"));
        for (name, parameter) in new["Parameters"].as_object().unwrap() {
            // Whoever updates keeps every value: a version in a default would stay the old one.
            assert_eq!(parameter.get("Default"), old["Parameters"][name].get("Default"), "{name}");
            assert!(!parameter["Default"].to_string().contains("1.4.3"), "{name}");
            assert_eq!(parameter["AllowedPattern"], old["Parameters"][name]["AllowedPattern"]);
        }
        let names = |template: &Value| template["Parameters"].as_object().unwrap().len();
        assert_eq!(names(&old), names(&new));
    }
}

#[test]
fn the_code_of_a_version_lies_under_a_key_of_its_own() {
    let function = |version| rendered(USUAL, version)["Resources"]["Client"]["Properties"].clone();
    assert_eq!(
        function("1.4.3")["Code"],
        json!({
            "S3Bucket": {"Ref": "CodeBucket"},
            "S3Key": "tarn/forwarder/1.4.3/arm64/bootstrap.zip"
        })
    );
}

#[test]
fn changing_the_processor_stays_in_place_as_well() {
    let intel = Variant { architecture: connectors::onboarding::Architecture::X86_64, ..USUAL };
    let changed = update(&rendered(intel, "1.4.2"), &rendered(USUAL, "1.4.2"));
    let expected = ["~ Client/Properties/Architectures/0", "~ Client/Properties/Code/S3Key"];
    assert_eq!(changed, expected);
}

#[test]
fn another_kind_for_the_same_bucket_replaces_nothing_that_both_have() {
    for old in Variant::all() {
        for new in Variant::all().filter(|new| new.placement == old.placement) {
            let (before, after) = (rendered(old, "1.4.2"), rendered(new, "1.4.2"));
            let has = |all: &Value, name: &str| all["Resources"].get(name).is_some();
            for change in update(&before, &after) {
                let Some(name) = change.strip_prefix("! ") else { continue };
                let is_in_both = has(&before, name) && has(&after, name);
                assert!(!is_in_both, "{} to {}: {name}", old.name(), new.name());
            }
        }
    }
}

#[test]
fn what_would_be_replaced_is_seen() {
    let old = rendered(USUAL, "1.4.2");
    for (place, value, seen) in [
        ("/Client/Properties/FunctionName", json!("tarn"), "! Client"),
        ("/Mapping/Properties/EventSourceArn", json!("other"), "! Mapping"),
        ("/Queue/Type", json!("AWS::SNS::Topic"), "! Queue"),
        ("/Another", json!({"Type": "AWS::SQS::Queue"}), "! Another"),
    ] {
        let mut new = old.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        new["Resources"].pointer_mut(parent).unwrap()[name] = value;
        assert!(update(&old, &new).contains(&seen.to_owned()), "{place}");
    }
}
