//! What a stack must be so that no record is lost, no record makes another, and the audit log outlives the stack.

use connectors::onboarding::{Delivery, Placement, Variant, template};
use serde_json::{Value, json};

use super::{USUAL, VERSION, parsed, resources};

/// The largest text that the API of CloudFormation takes.
const LARGEST_BYTES: usize = 51_200;

#[test]
fn every_variant_can_be_given_as_text() {
    for variant in Variant::all() {
        let text = template(variant, VERSION);
        assert!(text.len() < LARGEST_BYTES, "{}: {} bytes", variant.name(), text.len());
        for open in ["@VERSION@", "@VARIANT@", "@ARCHITECTURE@", "@PREFIX@"] {
            assert!(!text.contains(open), "{}: {open} is left open", variant.name());
        }
    }
}

#[test]
fn a_message_outlasts_the_function_and_a_failed_one_is_kept() {
    for variant in Variant::all() {
        let template = parsed(variant);
        let queue = &template["Resources"]["Queue"]["Properties"];
        let letters = &template["Resources"]["DeadLetterQueue"]["Properties"];
        let redrive = &queue["RedrivePolicy"];
        assert!(redrive["maxReceiveCount"].as_u64() >= Some(5));
        assert_eq!(
            redrive["deadLetterTargetArn"],
            json!({"Fn::GetAtt": ["DeadLetterQueue", "Arn"]})
        );
        let fortnight = 14 * 24 * 3600;
        for kept in [queue, letters] {
            assert_eq!(kept["MessageRetentionPeriod"], fortnight, "{}", variant.name());
        }
        for (_, function) in resources(&template, "AWS::Lambda::Function") {
            let timeout = function["Timeout"].as_u64().unwrap();
            assert!(queue["VisibilityTimeout"].as_u64() >= Some(6 * timeout));
            assert_eq!(function["Runtime"], "provided.al2023");
            assert_eq!(function["Architectures"], json!([variant.architecture]));
        }
        for (_, mapping) in resources(&template, "AWS::Lambda::EventSourceMapping") {
            assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        }
    }
}

#[test]
fn the_function_is_told_what_the_client_reads() {
    let template = parsed(USUAL);
    let (_, function) = resources(&template, "AWS::Lambda::Function")[0];
    assert_eq!(
        function["Environment"]["Variables"],
        json!({
            "TARN_SERVICE_URL": {"Ref": "ServiceUrl"},
            "TARN_ENROLMENT_CODE": {"Ref": "EnrolmentCode"},
            "TARN_SECRET_ARN": {"Ref": "Token"},
            "TARN_QUEUE_URL": {"Ref": "Queue"},
            "TARN_TEMPLATE_VERSION": VERSION
        })
    );
    let (_, secret) = resources(&template, "AWS::SecretsManager::Secret")[0];
    assert_eq!(secret["SecretString"], "{}");
}

#[test]
fn every_minute_the_client_is_told_the_mapping_that_it_may_switch() {
    let template = parsed(USUAL);
    let beat = &template["Resources"]["Heartbeat"]["Properties"];
    assert_eq!(beat["ScheduleExpression"], "rate(1 minute)");
    let input = beat["Targets"][0]["Input"]["Fn::Sub"].as_str().unwrap();
    let input: Value = serde_json::from_str(&input.replace("${Mapping}", "an-id")).unwrap();
    assert_eq!(input, json!({"tarn": "heartbeat", "mapping": "an-id"}));
    let (_, permission) = resources(&template, "AWS::Lambda::Permission")[0];
    assert_eq!(permission["Principal"], "events.amazonaws.com");
    assert_eq!(permission["SourceArn"], json!({"Fn::GetAtt": ["Heartbeat", "Arn"]}));
}

#[test]
fn the_trail_never_logs_its_own_bucket() {
    let template = parsed(USUAL);
    let (_, trail) = resources(&template, "AWS::CloudTrail::Trail")[0];
    let selectors = trail["AdvancedEventSelectors"].as_array().unwrap();
    let management = json!([{"Field": "eventCategory", "Equals": ["Management"]}]);
    assert_eq!(selectors[0]["FieldSelectors"], management);
    assert_eq!(selectors.len(), 2);
    let choice = selectors[1]["Fn::If"].as_array().unwrap();
    assert_eq!(choice[0], "LogsDataEvents");
    let own = json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::${TrailBucket}/"});
    let fields = choice[1]["FieldSelectors"].as_array().unwrap();
    assert!(fields.contains(&json!({"Field": "resources.ARN", "NotStartsWith": [own]})));
    assert_eq!(template["Parameters"]["DataEvents"]["Default"], "none");
}

#[test]
fn bucket_and_key_outlive_the_stack_and_the_trail_waits_for_them() {
    for variant in Variant::all().filter(|variant| variant.placement != Placement::ExistingBucket) {
        let template = parsed(variant);
        let all = &template["Resources"];
        let mut kept = vec!["TrailBucket", "TrailBucketPolicy"];
        if variant.kms {
            kept.push("TrailKey");
            let key = json!({"Fn::GetAtt": ["TrailKey", "Arn"]});
            assert_eq!(all["Trail"]["Properties"]["KMSKeyId"], key);
            let encryption = &all["TrailBucket"]["Properties"]["BucketEncryption"];
            assert!(encryption.to_string().contains(&key.to_string()));
        }
        for name in kept {
            assert_eq!(all[name]["DeletionPolicy"], "Retain", "{name}");
            assert_eq!(all[name]["UpdateReplacePolicy"], "Retain", "{name}");
        }
        assert_eq!(all["Trail"]["DependsOn"], "TrailBucketPolicy");
    }
}

#[test]
fn an_existing_bucket_is_left_as_it_is() {
    for variant in Variant::all().filter(|variant| variant.placement == Placement::ExistingBucket) {
        let template = parsed(variant);
        for kind in ["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::CloudTrail::Trail"] {
            assert!(resources(&template, kind).is_empty(), "{kind}");
        }
        // It is heard of by a rule, or by the trail's topic.
        assert_eq!(template["Resources"]["ObjectCreatedRule"]["Condition"], "HearsByEventBridge");
        assert_eq!(template["Resources"]["TopicSubscription"]["Condition"], "HearsByTopic");
        assert_eq!(resources(&template, "AWS::SQS::QueuePolicy").len(), 1);
    }
}

#[test]
fn a_rule_tells_of_one_bucket_and_of_log_files() {
    for variant in Variant::all() {
        let template = parsed(variant);
        let pattern = &template["Resources"]["ObjectCreatedRule"]["Properties"]["EventPattern"];
        assert_eq!(pattern["detail"]["bucket"]["name"], json!([{"Ref": "TrailBucket"}]));
        let prefix = &pattern["detail"]["object"]["key"][0]["prefix"];
        match variant.placement {
            Placement::ExistingBucket => {
                assert_eq!(prefix, &json!({"Fn::Sub": "${TrailPrefix}AWSLogs/"}));
            }
            _ => assert_eq!(prefix, "AWSLogs/"),
        }
    }
}

#[test]
fn no_parameter_is_hidden_for_a_link_could_not_fill_it() {
    for variant in Variant::all() {
        for (name, parameter) in parsed(variant)["Parameters"].as_object().unwrap() {
            assert!(parameter.get("NoEcho").is_none(), "{name}");
            assert!(parameter["Description"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
}

#[test]
fn without_a_client_there_is_no_code_and_no_token() {
    for variant in Variant::all().filter(|variant| variant.delivery == Delivery::PullOnly) {
        let text = template(variant, VERSION);
        for word in ["AWS::Lambda", "SecretsManager", "CodeBucket", "EnrolmentCode"] {
            assert!(!text.contains(word), "{}: {word}", variant.name());
        }
    }
}

#[test]
fn names_of_variants_are_words_that_are_read_back() {
    let names: Vec<_> = Variant::all().map(Variant::name).collect();
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    assert!(names.contains(&"organization-kms-arm64".to_owned()), "{names:?}");
    for placement in Placement::ALL {
        assert_eq!(placement.to_string().parse(), Ok(*placement));
        assert_eq!(json!(placement), json!(placement.to_string()));
    }
    let unknown = "new".parse::<Placement>().unwrap_err();
    assert_eq!(unknown.to_string(), "`new` is none of new-bucket, existing-bucket, organization");
}
