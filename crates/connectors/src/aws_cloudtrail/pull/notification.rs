//! What a message says about new objects, whichever way it came: S3 to the queue directly or through SNS, through
//! EventBridge, or from the trail's own SNS topic.
//!
//! The shape tells, not the settings, for SNS can leave its envelope out. Only the fields that are needed are
//! read, and nothing about versions: AWS adds fields freely. Keys are URL-encoded in S3's own shape only.

use serde::Deserialize;
use serde_json::Value;

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The key as S3 takes it.
    pub key: String,
    /// The tag of its content, where the message says it, without quotes.
    pub tag: Option<String>,
    /// The bucket's region, where the message says it.
    pub region: Option<String>,
}

impl std::fmt::Display for Object {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Why a message is not understood.
#[derive(Debug, thiserror::Error)]
pub enum Puzzle {
    /// It is no JSON.
    #[error("the message is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It has another shape.
    #[error("the message is in none of the four known shapes")]
    UnknownShape,
    /// The shape is known, and its middle is missing.
    #[error("the message names no bucket or no key")]
    Incomplete,
    /// The key has broken escapes.
    #[error("the key `{0}` is not encoded as S3 does")]
    Key(String),
}

/// How many envelopes may lie around a notification.
const ENVELOPES: usize = 3;

/// The objects that a message announces: none for S3's test message and for events of other kinds, such as
/// deletions.
///
/// # Errors
/// Says why the message is not understood.
pub(super) fn read(body: &str) -> Result<Vec<Object>, Puzzle> {
    let mut body: Value = serde_json::from_str(body).map_err(Puzzle::NotJson)?;
    for _ in 0..ENVELOPES {
        let Some(message) = inner(&body) else { break };
        body = serde_json::from_str(message).map_err(Puzzle::NotJson)?;
    }
    if !body.is_object() {
        return Err(Puzzle::UnknownShape);
    }
    if body["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    if let Value::Array(events) = &body["Records"] {
        return of_s3(events);
    }
    if body["s3Bucket"].is_string() {
        return of_trail(&body);
    }
    if body["source"] == "aws.s3" && body["detail"].is_object() {
        return of_event_bridge(&body);
    }
    Err(Puzzle::UnknownShape)
}

/// What an SNS envelope holds.
fn inner(body: &Value) -> Option<&str> {
    if body["Type"] != "Notification" && body["TopicArn"].is_null() {
        return None;
    }
    body["Message"].as_str()
}

fn of_s3(events: &[Value]) -> Result<Vec<Object>, Puzzle> {
    let mut objects = Vec::new();
    for event in events {
        let is_s3 = event["eventSource"].as_str().is_none_or(|source| source == "aws:s3");
        let name = event["eventName"].as_str().unwrap_or("ObjectCreated:Put");
        if !is_s3 || event["s3"].is_null() {
            return Err(Puzzle::UnknownShape);
        }
        if !name.trim_start_matches("s3:").starts_with("ObjectCreated") {
            continue;
        }
        let region = text(&event["awsRegion"]);
        let mut object = object(&event["s3"], region)?;
        object.key = decoded(&object.key)?;
        objects.push(object);
    }
    Ok(objects)
}

fn of_event_bridge(body: &Value) -> Result<Vec<Object>, Puzzle> {
    if body["detail-type"] != "Object Created" {
        return Ok(Vec::new());
    }
    Ok(vec![object(&body["detail"], text(&body["region"]))?])
}

/// CloudTrail's own message: one bucket, one key or several.
fn of_trail(body: &Value) -> Result<Vec<Object>, Puzzle> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Announced {
        s3_bucket: String,
        s3_object_key: Keys,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Keys {
        Many(Vec<String>),
        One(String),
    }
    let Ok(Announced { s3_bucket, s3_object_key }) = Announced::deserialize(body) else {
        return Err(Puzzle::Incomplete);
    };
    let keys = match s3_object_key {
        Keys::Many(keys) => keys,
        Keys::One(key) => vec![key],
    };
    if s3_bucket.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Puzzle::Incomplete);
    }
    let object = |key| Object { bucket: s3_bucket.clone(), key, tag: None, region: None };
    Ok(keys.into_iter().map(object).collect())
}

/// The bucket and the object as both S3's and EventBridge's shape name them; only the tag's spelling differs.
fn object(parts: &Value, region: Option<String>) -> Result<Object, Puzzle> {
    let bucket = text(&parts["bucket"]["name"]).ok_or(Puzzle::Incomplete)?;
    let key = text(&parts["object"]["key"]).ok_or(Puzzle::Incomplete)?;
    let tag = text(&parts["object"]["eTag"]).or_else(|| text(&parts["object"]["etag"]));
    let tag = tag.map(|tag| tag.trim_matches('"').to_owned());
    Ok(Object { bucket, key, tag, region })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Undoes the encoding of HTML forms: `+` is a space, `%2F` a slash.
fn decoded(key: &str) -> Result<String, Puzzle> {
    let wrong = || Puzzle::Key(key.to_owned());
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().ok_or_else(wrong)?, rest.next().ok_or_else(wrong)?];
                hex::decode(digits).map_err(|_| wrong())?[0]
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KEY: &str = "my logs/AWSLogs/111122223333/CloudTrail/a+b.json.gz";
    const ENCODED: &str = "my+logs/AWSLogs/111122223333/CloudTrail%2Fa%2Bb.json.gz";

    fn s3(key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.6", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "trail-bucket", "arn": "arn:aws:s3:::trail-bucket"},
                "object": {"key": key, "size": 1, "eTag": "abc", "sequencer": "00"}
            }
        }]})
    }

    fn sns(message: &Value) -> Value {
        json!({
            "Type": "Notification", "MessageId": "m",
            "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": message.to_string()
        })
    }

    fn one(body: &Value) -> Object {
        let mut objects = read(&body.to_string()).unwrap();
        assert_eq!(objects.len(), 1);
        objects.remove(0)
    }

    fn expected(tag: Option<&str>, region: Option<&str>) -> Object {
        Object {
            bucket: "trail-bucket".to_owned(),
            key: KEY.to_owned(),
            tag: tag.map(str::to_owned),
            region: region.map(str::to_owned),
        }
    }

    #[test]
    fn s3_encodes_its_keys_directly_and_through_sns() {
        let event = s3(ENCODED);
        assert_eq!(one(&event), expected(Some("abc"), Some("eu-west-1")));
        assert_eq!(one(&sns(&event)), expected(Some("abc"), Some("eu-west-1")));
        let mut multipart = event;
        multipart["Records"][0]["eventName"] = "ObjectCreated:CompleteMultipartUpload".into();
        assert_eq!(one(&multipart).key, KEY);
    }

    #[test]
    fn event_bridge_does_not_encode_and_spells_the_tag_its_own_way() {
        for spelling in ["etag", "eTag"] {
            let mut body = json!({
                "detail-type": "Object Created", "source": "aws.s3", "region": "us-east-2",
                "detail": {"bucket": {"name": "trail-bucket"}, "object": {"key": KEY}}
            });
            body["detail"]["object"][spelling] = "\"abc\"".into();
            assert_eq!(one(&body), expected(Some("abc"), Some("us-east-2")));
            assert_eq!(one(&sns(&body)), expected(Some("abc"), Some("us-east-2")));
        }
    }

    #[test]
    fn a_trails_own_message_may_name_several_keys() {
        let several = json!({"s3Bucket": "trail-bucket", "s3ObjectKey": [KEY, "AWSLogs/b"]});
        let objects = read(&sns(&several).to_string()).unwrap();
        assert_eq!(objects[0], expected(None, None));
        assert_eq!(objects[1].key, "AWSLogs/b");
        // Without an envelope: raw message delivery.
        assert_eq!(read(&several.to_string()).unwrap(), objects);
    }

    #[test]
    fn tests_deletions_and_other_events_announce_nothing() {
        let test = json!({
            "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-03-02T00:00:00.000Z",
            "Bucket": "trail-bucket"
        });
        let mut removed = s3(ENCODED);
        removed["Records"][0]["eventName"] = "ObjectRemoved:Delete".into();
        let deleted = json!({"detail-type": "Object Deleted", "source": "aws.s3", "detail": {}});
        for nothing in [test.clone(), sns(&test), removed, deleted] {
            assert_eq!(read(&nothing.to_string()).unwrap(), [], "{nothing}");
        }
    }

    #[test]
    fn what_is_not_understood_says_why() {
        let puzzles = [
            ("no json", "not JSON"),
            ("[]", "none of the four"),
            ("7", "none of the four"),
            ("{}", "none of the four"),
            (r#"{"Records":[{"kinesis":{}}]}"#, "none of the four"),
            (r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{}}}]}"#, "no key"),
            (r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"a%2"}}}]}"#, "encoded"),
            (r#"{"s3Bucket":"b"}"#, "no key"),
            (r#"{"Type":"Notification","Message":"hello"}"#, "not JSON"),
        ];
        for (body, why) in puzzles {
            let puzzle = read(body).unwrap_err().to_string();
            assert!(puzzle.contains(why), "{body}: {puzzle}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec![
            "Records",
            "s3",
            "bucket",
            "name",
            "object",
            "key",
            "detail",
            "source",
            "Message",
            "Type",
            "TopicArn",
            "s3Bucket",
            "s3ObjectKey",
            "detail-type",
            "eventName",
            "Event",
        ]);
        let texts = prop::sample::select(vec![
            "",
            "aws.s3",
            "aws:s3",
            "Notification",
            "ObjectCreated:Put",
            "%",
            "%zz",
            "{}",
            "b",
            "Object Created",
            "{\"Records\":[]}",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            texts.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| {
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                }),
            ]
        })
    }

    proptest! {
        /// Whatever comes, it is read or refused, and what is read can be asked for.
        #[test]
        fn any_message_is_read_or_refused(body in any_json()) {
            for object in read(&body.to_string()).unwrap_or_default() {
                prop_assert!(!object.bucket.is_empty() && !object.key.is_empty());
            }
        }

        #[test]
        fn any_text_is_read_or_refused(body: String) {
            drop(read(&body));
        }

        #[test]
        fn every_key_comes_back_as_it_was(key in "[a-zA-Z0-9 +%/=é語_.-]{1,60}") {
            let encode = |text: &str| -> String {
                text.bytes().map(|byte| match byte {
                    b' ' => "+".to_owned(),
                    byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                }).collect()
            };
            prop_assert_eq!(one(&s3(&encode(&key))).key, key);
        }
    }
}
