//! Objects as a trail writes them, and the messages that announce them.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::moto::{ACCOUNT, REGION};

/// The key of an object.
pub(crate) fn key(number: usize) -> String {
    let minute = number % 1_440;
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/02/{ACCOUNT}_CloudTrail_{REGION}_20261102T{:02}{:02}Z_{number:016}.json.gz",
        minute / 60,
        minute % 60
    )
}

/// The records of an object as text, each with an id of its own. Spelling and white space vary, for bytes are to stay.
pub(crate) fn records(object: usize, count: usize) -> Vec<String> {
    let record = |number: usize| {
        let id = format!("{object:08}-0000-4000-8000-{number:012}");
        match number % 3 {
            0 => {
                format!(r#"{{"eventVersion":"1.10","eventID":"{id}","n":1.50,"text":"caf\u00e9"}}"#)
            }
            1 => format!(r#"{{ "eventID" : "{id}", "requestParameters": null, "n": 1e2 }}"#),
            _ => format!(r#"{{"eventID":"{id}","text":"café","list":[1, 2]}}"#),
        }
    };
    (0..count).map(record).collect()
}

/// A log file.
pub(crate) fn log(records: &[String]) -> Vec<u8> {
    gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())
}

/// Packed bytes.
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// One of the four ways in which objects are announced, the last one with several at once.
pub(crate) fn message(way: usize, bucket: &str, keys: &[String]) -> String {
    let encoded = |key: &String| key.replace('/', "%2F").replace(' ', "+");
    let event = |key: &String| {
        json!({
            "eventVersion": "2.6", "eventSource": "aws:s3", "awsRegion": REGION,
            "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": bucket }, "object": { "key": encoded(key), "size": 7 } }
        })
    };
    let direct = json!({ "Records": keys.iter().map(event).collect::<Vec<_>>() });
    match way % 4 {
        0 => direct,
        1 => envelope(&direct),
        2 => json!({
            "detail-type": "Object Created", "source": "aws.s3", "region": REGION,
            "detail": { "bucket": { "name": bucket }, "object": { "key": keys[0], "etag": "e" } }
        }),
        _ => envelope(&json!({ "s3Bucket": bucket, "s3ObjectKey": keys })),
    }
    .to_string()
}

/// S3's first message.
pub(crate) fn test_message(bucket: &str) -> String {
    json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket }).to_string()
}

fn envelope(message: &Value) -> Value {
    json!({
        "Type": "Notification", "TopicArn": format!("arn:aws:sns:{REGION}:{ACCOUNT}:t"),
        "Message": message.to_string()
    })
}
