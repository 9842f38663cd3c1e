//! CloudTrail's log files are imported, and found by AWS's own names of fields in all three languages. Which rows
//! are right is read off the raw records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A question in three languages, and whether a raw record is an answer.
struct Question {
    taegis: &'static str,
    lucene: &'static str,
    sql: &'static str,
    is_wanted: fn(&Value) -> bool,
}

const QUESTIONS: [Question; 11] = [
    Question {
        taegis: "WHERE eventName = 'AssumeRole'",
        lucene: "eventName:AssumeRole",
        sql: "SELECT uid FROM events WHERE eventName = 'AssumeRole'",
        is_wanted: |record| record["eventName"] == "AssumeRole",
    },
    Question {
        taegis: "FROM cloudaudit WHERE userIdentity.arn = 'arn:aws:iam::111122223333:root'",
        lucene: "userIdentity.arn:\"arn:aws:iam::111122223333:root\"",
        sql: "SELECT uid FROM events WHERE userIdentity.arn = 'arn:aws:iam::111122223333:root'",
        is_wanted: |record| record["userIdentity"]["arn"] == "arn:aws:iam::111122223333:root",
    },
    Question {
        taegis: "FROM apicall WHERE requestParameters.bucketName = 'corp-reports'",
        lucene: "requestParameters.bucketName:corp-reports",
        sql: "SELECT uid FROM api_activity WHERE requestParameters.bucketName = 'corp-reports'",
        is_wanted: |record| record["requestParameters"]["bucketName"] == "corp-reports",
    },
    Question {
        taegis: "WHERE sourceIPAddress = '198.051.100.07'",
        lucene: "sourceIPAddress:198.051.100.07",
        sql: "SELECT uid FROM events WHERE sourceIPAddress = '198.051.100.07'",
        is_wanted: |record| record["sourceIPAddress"] == "198.051.100.07",
    },
    Question {
        taegis: "WHERE errorCode = 'AccessDenied'",
        lucene: "errorCode:AccessDenied",
        sql: "SELECT uid FROM events WHERE errorCode = 'AccessDenied'",
        is_wanted: |record| record["errorCode"] == "AccessDenied",
    },
    Question {
        taegis: "WHERE awsRegion = 'us-east-1'",
        lucene: "awsRegion:us-east-1",
        sql: "SELECT uid FROM events WHERE awsRegion = 'us-east-1'",
        is_wanted: |record| record["awsRegion"] == "us-east-1",
    },
    Question {
        taegis: "WHERE userIdentity.type = 'AWSService' OR userIdentity.type = 'Unknown'",
        lucene: "userIdentity.type:(AWSService OR Unknown)",
        sql: "SELECT uid FROM events WHERE userIdentity.type IN ('AWSService', 'Unknown')",
        is_wanted: |record| {
            ["AWSService", "Unknown"].iter().any(|kind| record["userIdentity"]["type"] == *kind)
        },
    },
    Question {
        taegis: "FROM auth WHERE additionalEventData.MFAUsed IS NOT NULL",
        lucene: "_exists_:additionalEventData.MFAUsed",
        sql: "SELECT uid FROM authentication WHERE additionalEventData.MFAUsed IS NOT NULL",
        is_wanted: |record| record["additionalEventData"]["MFAUsed"].is_string(),
    },
    Question {
        taegis: "WHERE insightDetails.eventName = 'RunInstances'",
        lucene: "insightDetails.eventName:RunInstances",
        sql: "SELECT uid FROM events WHERE insightDetails.eventName = 'RunInstances'",
        is_wanted: |record| record["insightDetails"]["eventName"] == "RunInstances",
    },
    Question {
        taegis: "FROM auth WHERE api.operation = 'ConsoleLogin' AND status = 'Failure'",
        lucene: "class_uid:3002 AND api.operation:ConsoleLogin AND status:Failure",
        sql: "SELECT uid FROM authentication WHERE api.operation = 'ConsoleLogin' AND status = 'Failure'",
        is_wanted: |record| record["responseElements"]["ConsoleLogin"] == "Failure",
    },
    Question {
        taegis: "sensor_type = 'AWS CloudTrail' AND eventTime >= '2026-10-01T09:00:00Z'",
        lucene: "msg_class:aws_cloudtrail AND eventTime:>=2026-10-01T09:00:00Z",
        sql: "SELECT uid FROM events WHERE source = 'aws_cloudtrail.records' AND eventTime >= '2026-10-01T09:00:00Z'",
        is_wanted: |record| {
            record["eventTime"].as_str().is_some_and(|time| time.starts_with("2026-10-01T09"))
        },
    },
];

/// The samples of the integration as the files of a bucket: logs, one of them in pretty JSON, and a digest.
fn bucket(place: &Path) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../connectors/src/aws_cloudtrail/samples/records");
    let mut records: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json") && !name.ends_with(".expected.json") {
            records.push(std::fs::read_to_string(path).unwrap());
        }
    }
    std::fs::create_dir_all(place).unwrap();
    for (number, part) in records.chunks(20).enumerate() {
        let log = format!("{{\"Records\":[{}]}}", part.join(","));
        std::fs::write(place.join(format!("log-{number}.json")), log).unwrap();
    }
    let digest = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-10-01T08:00:00Z","digestEndTime":"2026-10-01T09:00:00Z","digestS3Bucket":"corp-trail","logFiles":[]}"#;
    std::fs::write(place.join("digest.json"), digest).unwrap();
    records.len()
}

fn tarn(place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarn"));
    command.args(arguments).args(["--data-dir", "data"]).current_dir(place).stdin(Stdio::null());
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    output
}

/// The rows that a query finds.
fn rows(place: &Path, lang: &str, text: &str) -> Vec<Value> {
    let output = tarn(place, &["query", "--lang", lang, "--format", "ndjson", text]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn uids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["uid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_are_found_by_their_own_field_names_in_all_three_languages() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let count = bucket(&place.join("bucket"));
    let ingest = ["ingest", "--source", "aws_cloudtrail.records", "bucket"];
    let output = tarn(place, &ingest);
    let ledger = format!("served={count} stored={count} duplicate=0 filtered=0 dead_lettered=0");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), ledger);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("1 document holds no records"), "{told}");

    let stored: BTreeMap<String, Value> = rows(place, "sql", "SELECT uid, raw_data FROM events")
        .into_iter()
        .map(|row| {
            let raw = row["raw_data"].as_str().unwrap();
            // One sample has a number that no reader but ours takes.
            let record = serde_json::from_str(raw).unwrap_or_default();
            (row["uid"].as_str().unwrap().to_owned(), record)
        })
        .collect();
    assert_eq!(stored.len(), count);
    for question in &QUESTIONS {
        let wanted = stored.iter().filter(|(_, record)| (question.is_wanted)(record));
        let wanted: BTreeSet<String> = wanted.map(|(uid, _)| uid.clone()).collect();
        assert!(!wanted.is_empty() && wanted.len() < count, "{}", question.sql);
        for (lang, text) in
            [("taegis", question.taegis), ("lucene", question.lucene), ("sql", question.sql)]
        {
            assert_eq!(uids(&rows(place, lang, text)), wanted, "{text}");
        }
    }
}

#[test]
fn sql_prints_a_vendors_own_names_as_they_were_written() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    bucket(&place.join("bucket"));
    tarn(place, &["ingest", "--source", "aws_cloudtrail.records", "bucket"]);
    let text = "SELECT eventName, requestParameters.key, count(*) AS calls FROM api_activity \
                WHERE userIdentity.type = 'AssumedRole' AND requestParameters.bucketName = 'corp-reports' \
                GROUP BY eventName, requestParameters.key ORDER BY eventName";
    let found = rows(place, "sql", text);
    let printed: Vec<String> = found.iter().map(Value::to_string).collect();
    assert_eq!(
        printed,
        [
            r#"{"eventName":"GetObject","requestParameters.key":"2026/q3.xlsx","calls":1}"#,
            r#"{"eventName":"ListObjects","calls":1}"#,
            r#"{"eventName":"PutObject","requestParameters.key":"2026/q4.xlsx","calls":1}"#,
        ]
    );
}
