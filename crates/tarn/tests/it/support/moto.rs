//! moto as a process: S3, SQS, SNS, EventBridge and STS on a local address, asked by plain HTTP.
//!
//! `cargo xtask test` installs it and says where; a run without it fails and says so.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::process::{free_address, wait_until};

/// The account that moto plays.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The server, stopped at the end.
pub(crate) struct Moto {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Moto {
    /// Starts it in a place.
    pub(crate) fn start(place: &Path) -> Self {
        let address = free_address();
        let (host, port) = address.split_once(':').unwrap();
        let output = File::create(place.join("moto.log")).unwrap();
        let child = Command::new(program())
            .args(["-H", host, "-p", port])
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let moto = Self { child, address };
        wait_until("moto listens", || TcpStream::connect(&moto.address).is_ok());
        moto
    }

    /// For `endpoint_url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket in a region.
    pub(crate) fn bucket(&self, name: &str, region: &str) {
        let place = match region {
            "us-east-1" => String::new(),
            _ => format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>\
                 </CreateBucketConfiguration>"
            ),
        };
        self.s3("PUT", &format!("/{name}"), region, place.as_bytes());
    }

    /// Stores an object.
    pub(crate) fn put(&self, bucket: &str, key: &str, body: &[u8]) {
        self.s3("PUT", &format!("/{bucket}/{key}"), "us-east-1", body);
    }

    /// Says whom a bucket tells of new objects: `QueueConfiguration` with `Queue`, `TopicConfiguration` with
    /// `Topic`, or `EventBridgeConfiguration` with nothing.
    pub(crate) fn notify(
        &self,
        bucket: &str,
        region: &str,
        kind: &str,
        target: Option<(&str, &str)>,
    ) {
        let target = target.map_or_else(String::new, |(element, arn)| {
            format!("<{element}>{arn}</{element}><Event>s3:ObjectCreated:*</Event>")
        });
        let body = format!(
            "<NotificationConfiguration><{kind}>{target}</{kind}></NotificationConfiguration>"
        );
        self.s3("PUT", &format!("/{bucket}?notification"), region, body.as_bytes());
    }

    /// Makes a queue in a region; answers its ARN.
    pub(crate) fn queue(&self, name: &str, region: &str) -> String {
        self.json("sqs", region, "AmazonSQS.CreateQueue", &json!({ "QueueName": name }));
        format!("arn:aws:sqs:{region}:{ACCOUNT}:{name}")
    }

    /// Messages that wait in a queue, and messages that somebody works on.
    pub(crate) fn waiting(&self, name: &str, region: &str) -> (u64, u64) {
        let url = format!("{}/{ACCOUNT}/{name}", self.url());
        let ask = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        let answer = self.json("sqs", region, "AmazonSQS.GetQueueAttributes", &ask);
        let count =
            |attribute: &str| answer["Attributes"][attribute].as_str().unwrap().parse().unwrap();
        (count("ApproximateNumberOfMessages"), count("ApproximateNumberOfMessagesNotVisible"))
    }

    /// Makes a topic whose messages go to a queue; answers its ARN.
    pub(crate) fn topic(&self, name: &str, region: &str, queue: &str) -> String {
        self.form("sns", region, &[("Action", "CreateTopic"), ("Name", name)]);
        let arn = format!("arn:aws:sns:{region}:{ACCOUNT}:{name}");
        let subscribe =
            [("Action", "Subscribe"), ("TopicArn", &arn), ("Protocol", "sqs"), ("Endpoint", queue)];
        self.form("sns", region, &subscribe);
        arn
    }

    /// Publishes to a topic.
    pub(crate) fn publish(&self, topic: &str, region: &str, message: &str) {
        self.form(
            "sns",
            region,
            &[("Action", "Publish"), ("TopicArn", topic), ("Message", message)],
        );
    }

    /// Sends everything that S3 tells EventBridge to a queue.
    pub(crate) fn rule(&self, region: &str, queue: &str) {
        let pattern = json!({ "source": ["aws.s3"] }).to_string();
        let rule = json!({ "Name": "objects", "EventPattern": pattern, "State": "ENABLED" });
        self.json("events", region, "AWSEvents.PutRule", &rule);
        let targets = json!({ "Rule": "objects", "Targets": [{ "Id": "queue", "Arn": queue }] });
        self.json("events", region, "AWSEvents.PutTargets", &targets);
    }

    fn s3(&self, method: &str, path: &str, region: &str, body: &[u8]) -> String {
        self.ask(method, path, "s3", region, &[], body)
    }

    fn json(&self, service: &str, region: &str, target: &str, body: &Value) -> Value {
        let headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target)];
        let answer = self.ask("POST", "/", service, region, &headers, body.to_string().as_bytes());
        if answer.trim().is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }

    fn form(&self, service: &str, region: &str, fields: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let body = body.extend_pairs(fields).append_pair("Version", "2010-03-31").finish();
        self.ask("POST", "/", service, region, &headers, body.as_bytes())
    }

    /// One request. The signature is not checked, but its scope says which service and region is meant.
    fn ask(
        &self,
        method: &str,
        path: &str,
        service: &str,
        region: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n",
            self.address,
            body.len()
        )
        .unwrap();
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n").unwrap();
        }
        stream.write_all(b"\r\n").unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{method} {path} {service}: {answer}");
        body.to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "where the tests' own tool lies")]
fn program() -> std::ffi::OsString {
    std::env::var_os("TARN_MOTO_SERVER").unwrap_or_else(|| {
        panic!("TARN_MOTO_SERVER is not set: run `cargo xtask test`, or `cargo xtask moto` and name its program")
    })
}
