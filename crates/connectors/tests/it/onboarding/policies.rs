//! Least privilege: no variant allows more than is written here, and nothing is named that has to be unique.

use std::collections::BTreeSet;

use connectors::onboarding::{Delivery, Placement, Variant};
use serde_json::{Value, json};

use super::{USUAL, parsed, resources, walk};

/// Every statement of every policy, with the place where it stands.
fn statements(template: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(&template["Resources"], "", &mut |path, value| {
        if let Value::Array(statements) = &value["Statement"] {
            found.extend(statements.iter().map(|statement| (path.to_owned(), statement.clone())));
        }
    });
    found
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

#[test]
fn no_statement_allows_everything_of_anything() {
    for variant in Variant::all() {
        let name = variant.name();
        for (place, statement) in statements(&parsed(variant)) {
            assert_eq!(statement["Effect"], "Allow", "{name}{place}");
            for action in texts(&statement["Action"]) {
                assert!(!action.contains('*') && action.contains(':'), "{name}{place}: {action}");
            }
            for hole in ["NotAction", "NotResource", "NotPrincipal"] {
                assert!(statement.get(hole).is_none(), "{name}{place}: {hole}");
            }
            for principal in texts(&statement["Principal"]) {
                assert!(!principal.contains('*'), "{name}{place}: {principal}");
            }
            for resource in texts(&statement["Resource"]) {
                // In a key's own policy "*" is how this key is written.
                let is_own_key = place == "/TrailKey/Properties/KeyPolicy" && resource == "*";
                // Below a bucket's folder, never beside it.
                let is_folder = resource.contains("AWSLogs/") && resource.matches('*').count() == 1;
                let is_exact = !resource.contains('*');
                assert!(is_own_key || is_folder || is_exact, "{name}{place}: {resource}");
            }
        }
    }
}

/// What the reader may, whatever the bucket.
#[test]
fn the_reader_may_this_and_nothing_else() {
    for variant in Variant::all() {
        let mut expected = BTreeSet::from([
            "s3:GetObject",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ]);
        match variant.delivery {
            Delivery::Client => expected.extend([
                "lambda:GetEventSourceMapping",
                "lambda:UpdateEventSourceMapping",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
            ]),
            Delivery::PullOnly => expected.extend(["s3:ListBucket", "sqs:ChangeMessageVisibility"]),
        }
        if variant.kms {
            expected.insert("kms:Decrypt");
        }
        let statements = statements(&parsed(variant)).into_iter();
        let is_readers = |place: &str| {
            place.starts_with("/ReaderRole/Properties/Policies")
                || place.starts_with("/PausePolicy")
        };
        let readers = statements.filter(|(place, _)| is_readers(place));
        let actions: Vec<_> = readers.flat_map(|(_, said)| texts(&said["Action"])).collect();
        let actions: BTreeSet<_> = actions.iter().map(String::as_str).collect();
        assert_eq!(actions, expected, "{}", variant.name());
        // Nothing comes from a policy that AWS may widen.
        for (_, role) in resources(&parsed(variant), "AWS::IAM::Role") {
            assert!(role.get("ManagedPolicyArns").is_none());
        }
    }
}

#[test]
fn the_function_switches_its_own_mapping_only() {
    let template = parsed(USUAL);
    let (_, policy) = resources(&template, "AWS::IAM::Policy")[0];
    let statement = &policy["PolicyDocument"]["Statement"][0];
    let resource = statement["Resource"]["Fn::Sub"].as_str().unwrap();
    assert!(resource.ends_with(":event-source-mapping:${Mapping}"), "{resource}");
    let own = json!({"ArnEquals": {"lambda:FunctionArn": {"Fn::GetAtt": ["Client", "Arn"]}}});
    assert_eq!(statement["Condition"], own);
}

#[test]
fn who_writes_to_queue_and_bucket_is_named_by_its_arn() {
    for variant in Variant::all() {
        for (place, statement) in statements(&parsed(variant)) {
            let Some(service) = statement["Principal"].get("Service") else { continue };
            if service == "lambda.amazonaws.com" {
                continue;
            }
            let condition = statement["Condition"].to_string();
            assert!(condition.contains("aws:SourceArn"), "{}{place}", variant.name());
        }
    }
}

#[test]
fn the_role_of_a_pull_opens_to_one_account_that_knows_the_word() {
    let template = parsed(Variant { delivery: Delivery::PullOnly, ..USUAL });
    let (_, role) = resources(&template, "AWS::IAM::Role")[0];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(
        trust,
        &json!([{
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${OperatorAccount}:root"}},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
        }])
    );
    for output in ["RoleArn", "ExternalId", "QueueUrl", "QueueArn", "TrailBucket"] {
        assert!(template["Outputs"][output]["Value"].is_object(), "{output}");
    }
}

#[test]
fn nothing_is_named_and_nothing_is_transformed() {
    // A name would be replaced instead of changed, ask for CAPABILITY_NAMED_IAM, or be there already.
    let names = [
        "BucketName",
        "FunctionName",
        "KeyId",
        "LogGroupName",
        "ManagedPolicyName",
        "Name",
        "QueueName",
        "RoleName",
        "TopicName",
        "TrailName",
    ];
    for variant in Variant::all() {
        let template = parsed(variant);
        assert!(template.get("Transform").is_none());
        for (name, resource) in template["Resources"].as_object().unwrap() {
            let properties = resource["Properties"].as_object().unwrap();
            let named = names.iter().find(|name| {
                // Others name the function that they belong to by a reference.
                properties.get(**name).is_some_and(|value| value.get("Ref").is_none())
            });
            assert_eq!(named, None, "{} {name}", variant.name());
        }
    }
}

#[test]
fn no_partition_or_host_of_one_is_written_out() {
    for variant in Variant::all() {
        walk(&parsed(variant)["Resources"], "", &mut |path, value| {
            let Some(text) = value.as_str() else { return };
            assert!(!text.starts_with("arn:aws"), "{path}: {text}");
            // Principals of services are the same in every partition.
            let is_principal = path.contains("/Principal");
            assert!(is_principal || !text.contains("amazonaws.com"), "{path}: {text}");
        });
    }
}

#[test]
fn an_organizations_trail_writes_for_its_members() {
    for variant in Variant::all() {
        let template = parsed(variant);
        let trails = resources(&template, "AWS::CloudTrail::Trail");
        let writes: Vec<_> = statements(&template)
            .into_iter()
            .filter(|(_, statement)| statement["Action"] == "s3:PutObject")
            .map(|(_, statement)| statement["Resource"]["Fn::Sub"].as_str().unwrap().to_owned())
            .collect();
        let account = "arn:${AWS::Partition}:s3:::${TrailBucket}/AWSLogs/${AWS::AccountId}/*";
        let members = "arn:${AWS::Partition}:s3:::${TrailBucket}/AWSLogs/${OrganizationId}/*";
        match variant.placement {
            Placement::ExistingBucket => assert!(trails.is_empty() && writes.is_empty()),
            Placement::NewBucket => {
                assert_eq!(trails[0].1.get("IsOrganizationTrail"), None);
                assert_eq!(writes, [account]);
            }
            Placement::Organization => {
                assert_eq!(trails[0].1["IsOrganizationTrail"], true);
                assert_eq!(writes, [account, members]);
            }
        }
    }
}
