//! The steps by hand, in both languages, name what has to be typed and what has to be ticked.

use connectors::onboarding::{
    Locale, Publication, Task, TemplateSource, click_path, update_command,
};

use super::{USUAL, VERSION};

const URL: &str =
    "https://published.s3.eu-west-1.amazonaws.com/tarn/cloudtrail/1.4.2/new-bucket-arm64.json";

fn publication() -> Publication {
    Publication {
        bucket: "published".to_owned(),
        region: "eu-west-1".to_owned(),
        version: VERSION.to_owned(),
    }
}

#[test]
fn every_task_is_told_in_both_languages_with_the_same_facts() {
    let publication = publication();
    let (region, stack_name) = ("eu-west-1", "tarn-cloudtrail");
    let published = TemplateSource::Published(&publication, USUAL);
    let file = TemplateSource::File("new-bucket-arm64.json");
    let parameters = [("ServiceUrl", "https://tarn.example.org"), ("EnrolmentCode", "code-1")];
    let key = publication.code_key(USUAL.architecture);
    let tasks: [(Task<'_>, &[&str]); 5] = [
        (Task::LetBucketTell { bucket: "trail-bucket" }, &["trail-bucket", "EventBridge"]),
        (Task::PlaceCode { region, key: &key }, &[region, &key, "CodeBucket"]),
        (
            Task::Create { region, stack_name, template: file, parameters: &parameters },
            &[
                "new-bucket-arm64.json",
                stack_name,
                "ServiceUrl",
                "code-1",
                "IAM",
                "CREATE_COMPLETE",
            ],
        ),
        (
            Task::Update { region, stack_name, template: published },
            &[URL, stack_name, "IAM", "True"],
        ),
        (Task::Update { region, stack_name, template: file }, &["new-bucket-arm64.json", region]),
    ];
    for (task, facts) in tasks {
        let (english, japanese) =
            (click_path(Locale::English, &task), click_path(Locale::Japanese, &task));
        assert_eq!(english.len(), japanese.len());
        for fact in facts {
            for steps in [&english, &japanese] {
                assert!(steps.iter().any(|step| step.contains(fact)), "{fact}: {steps:?}");
            }
        }
        assert!(english.iter().all(|step| step.is_ascii() && step.ends_with('.')), "{english:?}");
        assert!(japanese.iter().all(|step| step.ends_with('。')), "{japanese:?}");
    }
}

#[test]
fn one_line_updates_a_stack_and_keeps_its_parameters() {
    let line = update_command("eu-west-1", "tarn", TemplateSource::File("t.json"));
    assert_eq!(
        line,
        "aws cloudformation deploy --region eu-west-1 --stack-name tarn --template-file t.json \
         --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset"
    );
    let publication = publication();
    let published = TemplateSource::Published(&publication, USUAL);
    let lines = update_command("eu-west-1", "tarn", published);
    let key = "tarn/cloudtrail/1.4.2/new-bucket-arm64.json";
    let fetch =
        format!("aws s3 cp --region eu-west-1 s3://published/{key} new-bucket-arm64.json\n");
    assert!(lines.starts_with(&fetch) && lines.contains("deploy"), "{lines}");
}
