//! moto as a process: S3, SQS, Secrets Manager and Lambda on a local address, asked by plain HTTP.
//!
//! `cargo xtask test` installs it and says where; a run without it fails and says so.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

use super::wait_until;

/// The account that moto plays.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The region of everything.
pub(crate) const REGION: &str = "eu-west-1";
/// The smallest zip: no files.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The server, stopped at the end.
pub(crate) struct Moto {
    child: Child,
    address: String,
    http: reqwest::Client,
}

/// A message as a queue hands it out.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) receipt: String,
    pub(crate) count: u64,
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
    pub(crate) async fn start(place: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let output = File::create(place.join("moto.log")).unwrap();
        let program = std::env::var_os("TARN_MOTO_SERVER").unwrap_or_else(|| {
            panic!("TARN_MOTO_SERVER is not set: run `cargo xtask test`, or `cargo xtask moto` and name its program")
        });
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let moto = Self { child, address: address.to_string(), http };
        wait_until("moto listens", async || TcpStream::connect(&moto.address).is_ok()).await;
        moto
    }

    /// For `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket.
    pub(crate) async fn bucket(&self, name: &str) {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        self.ask(reqwest::Method::PUT, &format!("/{name}"), "s3", &[], body.into()).await;
    }

    /// Stores an object.
    pub(crate) async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        self.ask(reqwest::Method::PUT, &format!("/{bucket}/{key}"), "s3", &[], body).await;
    }

    /// Makes a queue with attributes.
    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let ask = json!({ "QueueName": name, "Attributes": attributes });
        self.sqs("CreateQueue", &ask).await;
        format!("{}/{ACCOUNT}/{name}", self.url())
    }

    /// Sends messages, ten at a time.
    pub(crate) async fn send(&self, queue: &str, bodies: &[String]) {
        for bodies in bodies.chunks(10) {
            let entry =
                |(id, body): (usize, &String)| json!({ "Id": id.to_string(), "MessageBody": body });
            let entries: Vec<Value> = bodies.iter().enumerate().map(entry).collect();
            self.sqs("SendMessageBatch", &json!({ "QueueUrl": queue, "Entries": entries })).await;
        }
    }

    /// Takes up to ten messages.
    pub(crate) async fn receive(&self, queue: &str, visibility: u32) -> Vec<Received> {
        let ask = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": visibility,
            "AttributeNames": ["ApproximateReceiveCount"]
        });
        let answer = self.sqs("ReceiveMessage", &ask).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let message = |message: &Value| Received {
            id: text(&message["MessageId"]),
            body: text(&message["Body"]),
            receipt: text(&message["ReceiptHandle"]),
            count: text(&message["Attributes"]["ApproximateReceiveCount"]).parse().unwrap(),
        };
        messages.iter().map(message).collect()
    }

    /// Deletes messages, at most ten.
    pub(crate) async fn delete(&self, queue: &str, receipts: &[String]) {
        let entry = |(id, receipt): (usize, &String)| json!({ "Id": id.to_string(), "ReceiptHandle": receipt });
        let entries: Vec<Value> = receipts.iter().enumerate().map(entry).collect();
        if !entries.is_empty() {
            self.sqs("DeleteMessageBatch", &json!({ "QueueUrl": queue, "Entries": entries })).await;
        }
    }

    /// Messages that wait in a queue, and messages that somebody works on.
    pub(crate) async fn waiting(&self, queue: &str) -> (u64, u64) {
        let ask = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
        let answer = self.sqs("GetQueueAttributes", &ask).await;
        let count = |name: &str| answer["Attributes"][name].as_str().unwrap().parse().unwrap();
        (count("ApproximateNumberOfMessages"), count("ApproximateNumberOfMessagesNotVisible"))
    }

    /// Makes a secret as the template does; answers its ARN.
    pub(crate) async fn secret(&self, name: &str) -> String {
        let token = "11111111-2222-4333-8444-555555555555";
        let ask = json!({ "Name": name, "SecretString": "{}", "ClientRequestToken": token });
        let answer = self.json("secretsmanager", "secretsmanager.CreateSecret", &ask).await;
        answer["ARN"].as_str().unwrap().to_owned()
    }

    /// What a secret holds.
    pub(crate) async fn secret_value(&self, arn: &str) -> Value {
        let ask = json!({ "SecretId": arn });
        let answer = self.json("secretsmanager", "secretsmanager.GetSecretValue", &ask).await;
        serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
    }

    /// Makes a function and its event source mapping; answers the mapping's id. It hears of a queue of its own: moto
    /// would start a container for the function as soon as a message comes.
    pub(crate) async fn mapping(&self) -> String {
        self.queue("unused", json!({})).await;
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole"
        }]});
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("Action", "CreateRole"),
                ("RoleName", "client"),
                ("Version", "2010-05-08"),
            ])
            .append_pair("AssumeRolePolicyDocument", &trust.to_string())
            .finish();
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.ask(reqwest::Method::POST, "/", "iam", &kind, form.into()).await;
        let zip = base64::engine::general_purpose::STANDARD.encode(EMPTY_ZIP);
        let function = json!({
            "FunctionName": "client", "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/client"), "Code": { "ZipFile": zip }
        });
        self.lambda(reqwest::Method::POST, "functions", &function).await;
        let mapping = json!({
            "FunctionName": "client", "BatchSize": 10,
            "EventSourceArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:unused"),
            "FunctionResponseTypes": ["ReportBatchItemFailures"]
        });
        let made = self.lambda(reqwest::Method::POST, "event-source-mappings/", &mapping).await;
        made["UUID"].as_str().unwrap().to_owned()
    }

    /// Whether a mapping is switched on.
    pub(crate) async fn is_enabled(&self, mapping: &str) -> bool {
        let path = format!("event-source-mappings/{mapping}");
        let told = self.lambda(reqwest::Method::GET, &path, &Value::Null).await;
        told["State"] == "Enabled"
    }

    async fn lambda(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into() };
        let path = format!("/2015-03-31/{path}");
        let answer =
            self.ask(method, &path, "lambda", &[("Content-Type", "application/json")], body).await;
        serde_json::from_str(&answer).unwrap()
    }

    async fn sqs(&self, action: &str, body: &Value) -> Value {
        self.json("sqs", &format!("AmazonSQS.{action}"), body).await
    }

    async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target)];
        let answer =
            self.ask(reqwest::Method::POST, "/", service, &headers, body.to_string().into()).await;
        if answer.trim().is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }

    /// One request. The signature is not checked, but its scope says which service and region is meant.
    async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> String {
        let scope = format!("test/20260101/{REGION}/{service}/aws4_request");
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let mut request = self.http.request(method, format!("{}{path}", self.url())).body(body);
        request = request.header("Authorization", signature);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{service} {path}: {status}: {text}");
        text
    }
}
