//! The client of our own HTTP API, for `--server`.
//!
//! It knows addresses, the token and how problems are worded; what is asked for stands beside each
//! command.

use std::pin::Pin;

use anyhow::{Context as _, Result};
use futures::{Stream, StreamExt as _};
use model::ids::TenantId;
use model::secret::Secret;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::config::Config;
use crate::error::Failure;

const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Items in a page of a list.
const PAGE: usize = 1_000;
/// Headers beside rows, each a list as JSON.
const COLUMNS: &str = "tarn-columns";
const WARNINGS: &str = "tarn-warnings";
const NDJSON: &str = "application/x-ndjson";

/// A server and the right to ask it.
pub(crate) struct Remote {
    client: reqwest::Client,
    base: Url,
    token: Secret,
    tenant: TenantId,
    language: &'static str,
}

/// A parameter of a request's address.
pub(crate) type Parameter<'a> = (&'a str, &'a str);

impl Remote {
    /// The server that the configuration names, if it names one.
    ///
    /// # Errors
    /// There is no token for it.
    pub(crate) fn from_config(config: &Config) -> Result<Option<Self>> {
        let Some(base) = config.server.clone() else { return Ok(None) };
        if !matches!(base.scheme(), "http" | "https") {
            return Err(Failure::usage(format!("`{}` is no http or https URL", base.scheme()))
                .hint("write `--server http://127.0.0.1:8717`")
                .into());
        }
        let token = config.token.clone().ok_or_else(|| {
            Failure::usage("the server asks for a token")
                .hint("set TARN_TOKEN, or give `--token`; the server printed it at its first start")
        })?;
        let tenant = config.tenant.clone();
        Ok(Some(Self { client: client()?, base, token, tenant, language: "en" }))
    }

    /// The same server, asked to speak a language.
    pub(crate) fn speaking(&self, language: &'static str) -> Self {
        Self {
            client: self.client.clone(),
            base: self.base.clone(),
            token: self.token.clone(),
            tenant: self.tenant.clone(),
            language,
        }
    }

    /// Asks for a list that is always whole.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn list_whole(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Value>> {
        let mut answer = self.get(path, parameters).await?;
        match answer["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(Failure::new("the server's answer is no list").into()),
        }
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses; the message is its own.
    pub(crate) async fn get(&self, path: &[&str], parameters: &[Parameter<'_>]) -> Result<Value> {
        self.json(self.request(Method::GET, path, parameters)?).await
    }

    /// Asks for a whole list, page by page.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn list(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Value>> {
        self.list_up_to(path, parameters, usize::MAX).await
    }

    /// Asks for the first items of a list, page by page.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn list_up_to(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
        most: usize,
    ) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = PAGE.min(most - items.len()).max(1).to_string();
            let mut asked = parameters.to_vec();
            asked.push(("limit", &page));
            asked.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut answer = self.get(path, &asked).await?;
            match answer["items"].take() {
                Value::Array(page) => items.extend(page),
                _ => return Err(Failure::new("the server's answer is no list").into()),
            }
            match answer["next"].as_str() {
                Some(next) if items.len() < most => cursor = Some(next.to_owned()),
                _ => return Ok(items),
            }
        }
    }

    /// Sends JSON for long work: `progress` gets what is told on the way, the answer is its result.
    ///
    /// # Errors
    /// As [`Remote::get`]; also when the work failed on its way.
    pub(crate) async fn follow(
        &self,
        path: &[&str],
        body: &Value,
        progress: impl FnMut(&Value),
    ) -> Result<Value> {
        end_of(self.post_for_lines(path, body).await?, progress).await
    }

    /// As [`Remote::follow`], for bytes that are sent.
    ///
    /// # Errors
    /// As [`Remote::follow`].
    pub(crate) async fn upload(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
        body: Body,
        progress: impl FnMut(&Value),
    ) -> Result<Value> {
        let request = self.request(Method::POST, path, parameters)?.body(body);
        end_of(self.lines(request).await?, progress).await
    }

    /// Sends JSON and gets JSON, null when the answer is empty.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn post(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
        body: &Value,
    ) -> Result<Value> {
        self.json(self.request(Method::POST, path, parameters)?.json(body)).await
    }

    /// As [`Remote::post`], with headers.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn post_with(
        &self,
        path: &[&str],
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value> {
        let mut request = self.request(Method::POST, path, &[])?;
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.json(request.json(body)).await
    }

    /// Deletes.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<()> {
        self.delete_with(path, &[]).await
    }

    /// Deletes what parameters name.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn delete_with(
        &self,
        path: &[&str],
        parameters: &[Parameter<'_>],
    ) -> Result<()> {
        self.json(self.request(Method::DELETE, path, parameters)?).await.map(drop)
    }

    /// Sends JSON and gets objects, one per line, as they come.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub(crate) async fn post_for_lines(&self, path: &[&str], body: &Value) -> Result<Lines> {
        self.lines(self.request(Method::POST, path, &[])?.json(body)).await
    }

    async fn lines(&self, request: RequestBuilder) -> Result<Lines> {
        let response = self.send(request.header(ACCEPT, NDJSON)).await?;
        let (columns, warnings) = (texts(&response, COLUMNS), texts(&response, WARNINGS));
        let chunks = response.bytes_stream();
        let chunks = chunks.map(|chunk| Ok(chunk.map_err(reqwest::Error::without_url)?.to_vec()));
        Ok(Lines { columns, warnings, chunks: Box::pin(chunks), buffer: Vec::new(), read: 0 })
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        parameters: &[Parameter<'_>],
    ) -> Result<RequestBuilder> {
        let mut url = self.base.clone();
        url.set_query(None);
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().extend(["api", "v1"]).extend(path);
            }
            Err(()) => return Err(Failure::usage("the server's URL has no path").into()),
        }
        url.query_pairs_mut().append_pair("tenant", self.tenant.as_str()).extend_pairs(parameters);
        let request = self.client.request(method, url).bearer_auth(self.token.expose());
        Ok(request.header(ACCEPT_LANGUAGE, self.language))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value> {
        let response = self.send(request).await?;
        let body = response.bytes().await.context("failed to read the server's answer")?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).context("failed to read the server's answer")
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| {
            Failure::new(format!("failed to ask the server at {}", shown(&self.base)))
                .hint("check that `tarn serve` runs there and that its address is right")
                .cause(error.without_url())
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(response).await.into())
    }
}

/// The result of long work, whose lines are progress, a problem or the result.
async fn end_of(mut lines: Lines, mut progress: impl FnMut(&Value)) -> Result<Value> {
    while let Some(mut line) = lines.next().await? {
        if !line["problem"].is_null() {
            return Err(problem(&line["problem"], "the server failed").into());
        }
        if !line["result"].is_null() {
            return Ok(line["result"].take());
        }
        progress(&line["progress"]);
    }
    Err(Failure::new("the server's answer broke off").into())
}

/// Objects that come one per line.
pub(crate) struct Lines {
    /// The output columns, where the answer has rows.
    pub(crate) columns: Vec<String>,
    /// Remarks on the query.
    pub(crate) warnings: Vec<String>,
    chunks: Pin<Box<dyn Stream<Item = Result<Vec<u8>>> + Send>>,
    buffer: Vec<u8>,
    read: usize,
}

impl Lines {
    /// The next object; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or a line is no JSON.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(end) = self.buffer[self.read..].iter().position(|byte| *byte == b'\n') {
                let line = &self.buffer[self.read..self.read + end];
                self.read += end + 1;
                if !line.trim_ascii().is_empty() {
                    return serde_json::from_slice(line).map(Some).context(UNREADABLE);
                }
                continue;
            }
            self.buffer.drain(..self.read);
            self.read = 0;
            match self.chunks.next().await {
                Some(chunk) => self.buffer.extend(chunk.context("the server's answer broke off")?),
                None if self.buffer.trim_ascii().is_empty() => return Ok(None),
                None => {
                    let line = std::mem::take(&mut self.buffer);
                    return serde_json::from_slice(&line).map(Some).context(UNREADABLE);
                }
            }
        }
    }
}

const UNREADABLE: &str = "failed to read a line of the server's answer";

#[expect(clippy::disallowed_methods, reason = "it asks our own server, not a vendor")]
fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tarn/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("failed to make an HTTP client")
}

/// The URL without a user name or password.
fn shown(base: &Url) -> String {
    base.origin().ascii_serialization()
}

/// What the server says about a request that it does not carry out (RFC 9457).
async fn refused(response: Response) -> Failure {
    let status = response.status();
    let told: Value = response.json().await.unwrap_or_default();
    let failure = problem(&told, &format!("the server answered {status}"));
    if status == StatusCode::UNAUTHORIZED {
        return failure.hint("set TARN_TOKEN, or give `--token`, with a token of this server");
    }
    failure
}

/// A problem as the server words it.
fn problem(told: &Value, otherwise: &str) -> Failure {
    let failure = Failure::new(told["detail"].as_str().unwrap_or(otherwise));
    match told["hint"].as_str() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The list of texts in a header, which holds JSON.
fn texts(response: &Response, header: &str) -> Vec<String> {
    let text = response.headers().get(header).and_then(|value| value.to_str().ok());
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn lines_are_put_together_from_chunks_of_any_size() -> Result<()> {
        let chunks: Vec<Result<Vec<u8>>> =
            vec![Ok(b"{\"a\":".to_vec()), Ok(b"1}\n\n{\"b\"".to_vec()), Ok(b":2}\n[3]".to_vec())];
        let mut lines = Lines {
            columns: Vec::new(),
            warnings: Vec::new(),
            chunks: Box::pin(stream::iter(chunks)),
            buffer: Vec::new(),
            read: 0,
        };
        let mut seen = Vec::new();
        while let Some(value) = lines.next().await? {
            seen.push(value.to_string());
        }
        assert_eq!(seen, ["{\"a\":1}", "{\"b\":2}", "[3]"]);
        Ok(())
    }
}
