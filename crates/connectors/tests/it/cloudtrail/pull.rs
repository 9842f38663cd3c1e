//! The connection against a stand-in that plays one queue and one object: what it asks and in which order, what it
//! says of refusals, and that a message stays hidden until its records are stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::connector::{Credential, OneOrMany, Settings, SettingsError};
use model::secret::Secret;
use model::time::Interval;
use model::vendor::{Ask, Connection, Fault, FetchError, Page, Stream};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::{RECORDS, integration};
use crate::support::{Ledger, time};

const KEY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02/a.json.gz";
const ROLE: &str = "arn:aws:iam::111122223333:role/tarn";

/// A stand-in for AWS.
#[derive(Clone)]
struct Aws {
    url: String,
    /// Operations with their bodies, in order.
    seen: Arc<Mutex<Vec<(String, String)>>>,
    state: Arc<Mutex<State>>,
}

struct State {
    message: Option<String>,
    object: Option<Vec<u8>>,
    /// The operation that is refused, and what the refusal says.
    denied: Option<(&'static str, &'static str)>,
}

impl Aws {
    /// One message that announces one object.
    async fn start(object: &[u8], denied: Option<(&'static str, &'static str)>) -> Self {
        let message = json!({"Records": [{
            "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "trail-bucket"}, "object": {"key": KEY, "eTag": "t"}}
        }]});
        let state =
            State { message: Some(message.to_string()), object: Some(object.to_vec()), denied };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let aws = Self { url, seen: Arc::default(), state: Arc::new(Mutex::new(state)) };
        let answering = aws.clone();
        let answer = move |request: Request| {
            let aws = answering.clone();
            async move { aws.answer(request).await }
        };
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        aws
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        let target = head.headers.get("x-amz-target").map(|target| target.to_str().unwrap());
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let operation = match (target, form.get("Action")) {
            (Some(target), _) => target.rsplit('.').next().unwrap().to_owned(),
            (None, Some(action)) => action.to_string(),
            (None, None) if head.uri.path().ends_with(".gz") => "GetObject".to_owned(),
            (None, None) => "ListObjectsV2".to_owned(),
        };
        // A long poll is as long as was asked for.
        let asked: Value = serde_json::from_str(&body).unwrap_or_default();
        let wait = Duration::from_secs(asked["WaitTimeSeconds"].as_u64().unwrap_or(0));
        self.seen.lock().unwrap().push((operation.clone(), body));
        let is_json = target.is_some();
        let denied = self.state.lock().unwrap().denied;
        if let Some((_, message)) = denied.filter(|(denied, _)| *denied == operation) {
            return refusal(is_json, "AccessDenied", message);
        }
        if operation == "ReceiveMessage" && self.state.lock().unwrap().message.is_none() {
            tokio::time::sleep(wait).await;
        }
        self.granted(&operation)
    }

    fn granted(&self, operation: &str) -> Response<Body> {
        let mut state = self.state.lock().unwrap();
        let message = |body: String| json!({"MessageId": "m", "ReceiptHandle": "r1", "Body": body});
        match operation {
            "AssumeRole" => xml(&format!(
                "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/t</Arn>\
                 <AssumedRoleId>A:t</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIA</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>{}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
                "2099-01-01T00:00:00Z"
            )),
            "GetQueueAttributes" => {
                ok(&json!({"Attributes": {"ApproximateNumberOfMessages": "1"}}))
            }
            "ReceiveMessage" => match state.message.take() {
                Some(body) => ok(&json!({ "Messages": [message(body)] })),
                None => ok(&json!({})),
            },
            "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
                ok(&json!({"Successful": [{"Id": "0"}], "Failed": []}))
            }
            "DeleteMessage" | "ChangeMessageVisibility" => {
                refusal(true, "ReceiptHandleIsInvalid", "the receipt is none")
            }
            "GetObject" => match &state.object {
                Some(object) => Response::builder()
                    .header("ETag", "\"t\"")
                    .body(Body::from(object.clone()))
                    .unwrap(),
                None => refusal_with(StatusCode::NOT_FOUND, false, "NoSuchKey", "no such key"),
            },
            _ => xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
        }
    }

    fn count(&self, operation: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|(seen, _)| seen == operation).count()
    }

    fn connection(&self) -> Arc<dyn Connection> {
        let parameters = json!({
            "queues": ["arn:aws:sqs:eu-west-1:111122223333:trail"], "endpoint_url": self.url,
            "visibility_timeout": "3s"
        });
        open(parameters, &[("role_arn", ROLE), ("external_id", "shared-word")]).unwrap()
    }
}

fn ok(body: &Value) -> Response<Body> {
    let json = "application/x-amz-json-1.0";
    Response::builder().header("Content-Type", json).body(Body::from(body.to_string())).unwrap()
}

fn xml(body: &str) -> Response<Body> {
    Response::builder()
        .header("Content-Type", "text/xml")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn refusal(is_json: bool, code: &str, message: &str) -> Response<Body> {
    refusal_with(StatusCode::FORBIDDEN, is_json, code, message)
}

fn refusal_with(status: StatusCode, is_json: bool, code: &str, message: &str) -> Response<Body> {
    let body = if is_json {
        json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}).to_string()
    } else {
        format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
    };
    // The security token service wraps its errors.
    let body = match code {
        "AccessDenied" if message.contains("AssumeRole") => {
            format!("<ErrorResponse>{body}</ErrorResponse>")
        }
        _ => body,
    };
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

fn open(
    parameters: Value,
    credential: &[(&str, &str)],
) -> Result<Arc<dyn Connection>, SettingsError> {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    let keys = [("access_key_id", "AKIAEXAMPLE"), ("secret_access_key", "marker-secret")];
    let fields = keys
        .iter()
        .chain(credential)
        .map(|(name, secret)| ((*name).to_owned(), OneOrMany::One(Secret::new(*secret))));
    let settings = Settings {
        credential: Credential(fields.collect()),
        parameters: parameters.into_iter().collect::<Map<_, _>>(),
        content_types: vec![RECORDS.to_owned()],
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    };
    integration().open(&settings)
}

fn ask(stream: &Stream) -> Ask {
    let interval =
        Interval { start: time("2026-03-02T00:00:00Z"), end: time("2026-03-02T06:00:00Z") };
    Ask { stream: stream.clone(), interval, next: None, page_size: None }
}

async fn fetch(connection: &Arc<dyn Connection>) -> Result<Page, FetchError> {
    let ask = ask(&connection.streams()[0]);
    connection.fetch(&connection.keys()[0], &ask, &Ledger::default()).await
}

async fn probe(connection: &Arc<dyn Connection>) -> Result<String, FetchError> {
    let ask = ask(&connection.streams()[0]);
    connection.probe(&connection.keys()[0], &ask, &Ledger::default()).await
}

fn log(records: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(format!("{{\"Records\":[{records}]}}").as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_message_is_hidden_while_its_records_are_being_stored_and_deleted_afterwards() {
    let aws = Aws::start(&log(r#"{"eventID":"a"},{"eventID":"b"}"#), None).await;
    let connection = aws.connection();
    let page = fetch(&connection).await.unwrap();
    assert_eq!(page.records.len(), 2);
    assert_eq!(page.records[0].raw(), &Bytes::from_static(br#"{"eventID":"a"}"#));
    // The lake takes longer than the message is hidden at once.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let extended = aws.seen.lock().unwrap().iter().any(|(operation, body)| {
        operation == "ChangeMessageVisibilityBatch"
            && body.contains("\"r1\"")
            && body.contains("\"VisibilityTimeout\":3")
    });
    assert!(extended, "{:#?}", aws.seen.lock().unwrap());
    assert_eq!(aws.count("DeleteMessageBatch"), 0, "deleted before its records were stored");
    // Not acknowledged: the same records come again.
    assert_eq!(fetch(&connection).await.unwrap().records, page.records);
    connection.acknowledge(&connection.streams()[0]).await;
    assert_eq!(aws.count("DeleteMessageBatch"), 1);
    let next = fetch(&connection).await.unwrap();
    assert!(next.records.is_empty() && next.is_caught_up);
    assert_eq!(aws.count("GetObject"), 1);
}

#[tokio::test]
async fn the_role_is_assumed_with_the_external_id() {
    let aws = Aws::start(&log(""), None).await;
    let connection = aws.connection();
    assert!(fetch(&connection).await.unwrap().records.is_empty());
    let seen = aws.seen.lock().unwrap();
    let (_, asked) = seen.iter().find(|(operation, _)| operation == "AssumeRole").unwrap();
    assert!(asked.contains("ExternalId=shared-word") && asked.contains("role%2Ftarn"), "{asked}");
}

#[tokio::test]
async fn somebody_who_wants_to_stop_does_not_wait_for_a_long_poll() {
    let aws = Aws::start(&log(""), None).await;
    let connection = aws.connection();
    for is_caught_up in [false, true] {
        assert_eq!(fetch(&connection).await.unwrap().is_caught_up, is_caught_up);
        connection.acknowledge(&connection.streams()[0]).await;
    }
    // From here on the queue is waited on for twenty seconds at a time.
    connection.interrupt();
    let answered = tokio::time::timeout(Duration::from_secs(2), fetch(&connection)).await;
    let page = answered.unwrap().unwrap();
    assert!(page.records.is_empty() && !page.is_caught_up && page.next.is_none());
}

#[tokio::test]
async fn an_object_that_is_gone_is_no_failure() {
    let aws = Aws::start(&log(""), None).await;
    aws.state.lock().unwrap().object = None;
    let connection = aws.connection();
    assert!(fetch(&connection).await.unwrap().records.is_empty());
    connection.acknowledge(&connection.streams()[0]).await;
    assert_eq!(aws.count("DeleteMessageBatch"), 1);
}

#[tokio::test]
async fn a_broken_object_is_a_dead_letter_beside_the_records_before_the_break() {
    let whole = log(&vec![r#"{"eventID":"a","x":"0123456789"}"#; 200].join(","));
    for object in [&whole[..whole.len() - 9], b"plain text, no log file"] {
        let aws = Aws::start(object, None).await;
        let connection = aws.connection();
        let page = fetch(&connection).await.unwrap();
        assert_eq!(page.unusable.len(), 1);
        assert_eq!(page.unusable[0].raw, object, "the bytes wait for a replay");
        assert!(page.unusable[0].reason.starts_with(&format!("s3://trail-bucket/{KEY}: ")));
        connection.acknowledge(&connection.streams()[0]).await;
        assert_eq!(aws.count("DeleteMessageBatch"), 1);
    }
}

#[tokio::test]
async fn a_message_that_nobody_understands_is_a_dead_letter() {
    let aws = Aws::start(&log(""), None).await;
    aws.state.lock().unwrap().message = Some("hello".to_owned());
    let page = fetch(&aws.connection()).await.unwrap();
    assert_eq!(page.unusable[0].raw, "hello");
    assert!(page.unusable[0].reason.contains("not JSON"), "{}", page.unusable[0].reason);
}

#[tokio::test]
async fn a_test_names_the_action_that_is_missing_and_consumes_nothing() {
    let kms = "User: x is not authorized to perform: kms:Decrypt on resource: k";
    let sts = "User: x is not authorized to perform: sts:AssumeRole on resource: r";
    for (operation, message, action) in [
        ("AssumeRole", sts, "sts:AssumeRole"),
        ("GetQueueAttributes", "Access Denied", "sqs:GetQueueAttributes"),
        ("ReceiveMessage", "Access Denied", "sqs:ReceiveMessage"),
        ("DeleteMessage", "Access Denied", "sqs:DeleteMessage"),
        ("ChangeMessageVisibility", "Access Denied", "sqs:ChangeMessageVisibility"),
        ("GetObject", "Access Denied", "s3:GetObject"),
        ("GetObject", kms, "kms:Decrypt"),
    ] {
        let aws = Aws::start(&log(""), Some((operation, message))).await;
        let connection = aws.connection();
        let error = probe(&connection).await.unwrap_err();
        assert_eq!(error.fault, Fault::MissingScope, "{operation}: {error}");
        assert!(error.detail.starts_with(action), "{operation}: {error}");
        let remedy = connection.remedy(&error).unwrap();
        assert!(remedy.contains(action) || remedy.contains("sts:ExternalId"), "{remedy}");
        assert_eq!(aws.count("DeleteMessageBatch"), 0);
    }
    let aws = Aws::start(&log(""), None).await;
    let found = probe(&aws.connection()).await.unwrap();
    assert!(found.contains("about 1 messages wait") && found.contains("can be read"), "{found}");
    let seen = aws.seen.lock().unwrap();
    let (_, receive) = seen.iter().find(|(operation, _)| operation == "ReceiveMessage").unwrap();
    assert!(receive.contains("\"VisibilityTimeout\":0"), "{receive}");
}

#[tokio::test]
async fn a_denied_object_is_told_and_its_message_is_left_to_come_again() {
    let aws = Aws::start(&log(""), Some(("GetObject", "Access Denied"))).await;
    let connection = aws.connection();
    let error = fetch(&connection).await.unwrap_err();
    assert_eq!(error.fault, Fault::MissingScope);
    assert!(error.detail.starts_with("s3:GetObject"), "{error}");
    connection.acknowledge(&connection.streams()[0]).await;
    assert_eq!(aws.count("DeleteMessageBatch"), 0);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:trail";
    for (parameters, credential, setting) in [
        (json!({}), vec![], "parameters.queues"),
        (json!({ "queues": ["trail"] }), vec![], "parameters.queues"),
        (json!({ "queues": [queue, queue] }), vec![], "parameters.queues"),
        (json!({ "buckets": ["https://b"] }), vec![], "parameters.buckets"),
        (json!({ "queues": [queue], "look_back": "long" }), vec![], "parameters.look_back"),
        (
            json!({ "queues": [queue], "visibility_timeout": "1s" }),
            vec![],
            "parameters.visibility_timeout",
        ),
        (json!({ "queues": [queue] }), vec![("external_id", "x")], "credential.role_arn"),
        (json!({ "queues": [queue] }), vec![("role_arn", "tarn")], "credential.role_arn"),
    ] {
        let error = open(parameters, &credential).err().unwrap();
        assert_eq!(error.setting, setting, "{error}");
    }
    let both = json!({ "queues": [queue], "buckets": ["s3://trail-bucket/p/"] });
    let connection = open(both, &[]).unwrap();
    let streams: Vec<_> = connection.streams().iter().map(|stream| stream.id.to_string()).collect();
    assert_eq!(streams, ["queue/eu-west-1/111122223333/trail", "bucket/trail-bucket/p"]);
    assert!(!format!("{:?}", connection.keys()).contains("marker-secret"));
}
