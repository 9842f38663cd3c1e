//! CloudTrail's own names of fields in both languages, with what each of them means.

use std::sync::Arc;

use model::ocsf::Class;
use model::source::{MsgOrigin, Source, Sources};
use model::time::Timestamp;
use query::taegis::{self, Context};
use query::{language::Parsed, lucene};

use crate::outline;

/// Taegis style, Lucene style.
const TWINS: &[(&str, &str)] = &[
    ("eventName = 'ConsoleLogin'", "eventName:ConsoleLogin"),
    (
        "FROM cloudaudit WHERE userIdentity.arn = 'arn:aws:iam::111122223333:user/mina'",
        "class_uid: IN [6003 3002 3001 3004] AND userIdentity.arn:\"arn:aws:iam::111122223333:user/mina\"",
    ),
    ("requestParameters.bucketName = 'corp-reports'", "requestParameters.bucketName:corp-reports"),
    (
        "aws_cloudtrail.requestParameters.bucketName = 'corp-reports'",
        "aws_cloudtrail.requestParameters.bucketName:corp-reports",
    ),
    ("requestParameters MATCHES '*reports*'", "requestParameters:*reports*"),
    ("sourceIPAddress = '203.0.113.24'", "sourceIPAddress:203.0.113.24"),
    (
        "errorCode = 'AccessDenied' AND awsRegion != 'eu-central-1'",
        "errorCode:AccessDenied AND -awsRegion:eu-central-1",
    ),
    (
        "errorCode IS NULL AND userIdentity.type = 'Root'",
        "-_exists_:errorCode AND userIdentity.type:Root",
    ),
    ("recipientAccountId = '111122223333'", "recipientAccountId:111122223333"),
    (
        "USERIDENTITY.sessionContext.sourceIdentity = 'mina'",
        "useridentity.sessionContext.sourceIdentity:mina",
    ),
    (
        "readOnly = 'true' AND tlsDetails.tlsVersion = 'TLSv1.2'",
        "readOnly:true AND tlsDetails.tlsVersion:TLSv1.2",
    ),
    ("insightDetails.eventName = 'RunInstances'", "insightDetails.eventName:RunInstances"),
    (
        "sensor_type = 'AWS CloudTrail' AND resources.ARN MATCHES '*corp*'",
        "sensor_type:\"AWS CloudTrail\" AND resources.ARN:*corp*",
    ),
];

/// What the names mean where another source is meant, or none of CloudTrail's classes.
const ELSEWHERE: &[&str] = &[
    "eventTime >= '2026-10-01T08:00:00Z'",
    "sourceIPAddress MATCHES '203.0.113.0/24'",
    "sensor_type = 'Other' AND eventType = 'delivery'",
    "FROM detection WHERE eventName = 'RunInstances' AND eventID = 'e-1'",
    "FROM apicall WHERE event_name = 'CreateUser' OR source_address = '203.0.113.24'",
];

fn source(id: &str, sensor_type: &str, origin: &str, classes: &[Class]) -> Arc<Source> {
    let msg_origin = MsgOrigin {
        source: origin.to_owned(),
        vendor: "vendor".to_owned(),
        category: "cloud".to_owned(),
    };
    Arc::new(Source {
        id: id.to_owned(),
        msg_class: origin.to_owned(),
        sensor_type: sensor_type.to_owned(),
        msg_origin,
        classes: classes.to_vec(),
    })
}

/// CloudTrail, and another source in some of its classes.
fn sources() -> Sources {
    let classes = [
        Class::ApiActivity,
        Class::Authentication,
        Class::AccountChange,
        Class::DetectionFinding,
        Class::BaseEvent,
    ];
    Sources::new([
        source("aws_cloudtrail.records", "AWS CloudTrail", "aws_cloudtrail", &classes),
        source("other.logs", "Other", "other", &[Class::ApiActivity, Class::DetectionFinding]),
    ])
}

fn outlined(text: &str, parsed: Result<Parsed, query::language::QueryError>) -> String {
    match parsed {
        Ok(parsed) => format!("{text}\n{}", outline::of(&parsed)),
        Err(error) => panic!("{}\nhint: {:?}", error.render(text), error.hint),
    }
}

#[test]
fn the_names_of_aws_mean_this() {
    let now = Timestamp::parse("2026-10-02T00:00:00Z").unwrap();
    let sources = sources();
    let context = Context { sources: &sources, now };
    let taegis = |text: &str| outlined(text, taegis::parse(text, &context));
    let twins = TWINS.iter().map(|(text, _)| taegis(text));
    let elsewhere = ELSEWHERE.iter().map(|text| taegis(text));
    insta::assert_snapshot!(twins.chain(elsewhere).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn both_languages_mean_the_same() {
    let now = Timestamp::parse("2026-10-02T00:00:00Z").unwrap();
    let sources = sources();
    let context = Context { sources: &sources, now };
    let plan = |text: &str, parsed| {
        let outlined = outlined(text, parsed);
        let (_, plan) = outlined.split_once('\n').unwrap();
        // The schema is a matter of Taegis alone, and so is the spelling of a name.
        plan.lines().skip(1).collect::<Vec<_>>().join("\n").to_lowercase()
    };
    for (in_taegis, in_lucene) in TWINS.iter().filter(|(text, _)| !text.starts_with("FROM")) {
        assert_eq!(
            plan(in_taegis, taegis::parse(in_taegis, &context)),
            plan(in_lucene, lucene::parse(in_lucene, &context)),
            "{in_taegis}"
        );
    }
}
