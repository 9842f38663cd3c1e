//! moto as a process: S3, CloudFormation, Lambda and IAM on a local address.
//!
//! `cargo xtask test` installs it and says where; a run without it fails and says so.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connectors::onboarding::{AccessKeys, PublishSettings};
use model::secret::Secret;
use reqwest::{Method, StatusCode};

/// How long it may take to listen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server, stopped at the end.
pub(super) struct Moto {
    child: Child,
    /// Where it listens.
    pub(super) url: String,
    http: reqwest::Client,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Moto {
    /// Starts it.
    pub(super) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new(program())
            .args(["-H", "127.0.0.1", "-p", &free.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(free).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "moto does not listen: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, url: format!("http://{free}"), http: reqwest::Client::new() }
    }

    /// For publishing with keys of any name, which moto takes for those of an administrator.
    pub(super) fn settings(&self) -> PublishSettings {
        self.settings_of("AKIAEXAMPLE", "marker-secret")
    }

    /// For publishing with a pair of keys.
    pub(super) fn settings_of(&self, id: &str, secret: &str) -> PublishSettings {
        let keys =
            AccessKeys { id: Secret::new(id), secret: Secret::new(secret), session_token: None };
        PublishSettings { keys: Some(keys), endpoint_url: Some(self.url.clone()) }
    }

    /// Makes a bucket in a region.
    pub(super) async fn bucket(&self, name: &str, region: &str) {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        self.ask(Method::PUT, &format!("/{name}"), "s3", region, place).await;
    }

    /// Stores an object.
    pub(super) async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        self.ask(Method::PUT, &format!("/{bucket}/{key}"), "s3", "eu-west-1", body).await;
    }

    /// An object.
    pub(super) async fn object(&self, bucket: &str, key: &str) -> String {
        self.ask(Method::GET, &format!("/{bucket}/{key}"), "s3", "eu-west-1", "").await
    }

    /// Keeps what is written over.
    pub(super) async fn keep_versions(&self, bucket: &str) {
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.ask(Method::PUT, &format!("/{bucket}?versioning"), "s3", "eu-west-1", on).await;
    }

    /// How often something was written to a bucket that keeps versions.
    pub(super) async fn versions(&self, bucket: &str) -> usize {
        let path = format!("/{bucket}?versions");
        let listing = self.ask(Method::GET, &path, "s3", "eu-west-1", "").await;
        listing.matches("<Version>").count()
    }

    /// Asks one of the services that take forms, and answers in XML.
    pub(super) async fn form(&self, service: &str, fields: &[(&str, &str)]) -> String {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask(Method::POST, "/", service, "eu-west-1", form).await
    }

    /// Reads from a service that is asked by path, in JSON.
    pub(super) async fn read(&self, service: &str, path: &str) -> serde_json::Value {
        let answer = self.ask(Method::GET, path, service, "eu-west-1", "").await;
        serde_json::from_str(&answer).unwrap()
    }

    /// From now on keys are held to what they are allowed.
    pub(super) async fn enforce_rights(&self) {
        self.ask(Method::POST, "/moto-api/reset-auth", "s3", "eu-west-1", "0").await;
    }

    /// One request. The signature is not checked, but its scope says which service and region is meant.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        service: &str,
        region: &str,
        body: impl Into<reqwest::Body>,
    ) -> String {
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let kind = match path {
            "/" => "application/x-www-form-urlencoded",
            _ => "application/octet-stream",
        };
        let request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("Authorization", authorization)
            .header("Content-Type", kind)
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success() || status == StatusCode::NO_CONTENT, "{path}: {status} {text}");
        text
    }
}

/// What stands between two tags.
pub(super) fn between<'x>(xml: &'x str, tag: &str) -> &'x str {
    let (_, rest) = xml.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("{tag}: {xml}"));
    rest.split_once(&format!("</{tag}>")).unwrap().0
}

fn program() -> std::ffi::OsString {
    std::env::var_os("TARN_MOTO_SERVER").unwrap_or_else(|| {
        panic!("TARN_MOTO_SERVER is not set: run `cargo xtask test`, or `cargo xtask moto` and name its program")
    })
}
