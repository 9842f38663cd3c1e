//! Requests: where each value stands decides how it is written, so that none can leave its place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use url::Url;

use super::body::{self, Node};
use super::document::{Method, Poll, RequestTemplate};
use super::error::WebhookError;
use super::expression::{Expression, Template};
use super::values::{self, Scope};

/// Everything in a path segment or a query but what never needs to be escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What is said of a body when nothing else is.
const MEDIA_TYPE: &str = "application/json;charset=utf-8";

/// A request with expressions.
pub(crate) struct RequestPlan {
    method: Method,
    base: String,
    path: Template,
    query: Vec<(String, Node)>,
    headers: Vec<(String, Template)>,
    body: Option<Node>,
}

/// A request with the values of a record, before it is signed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rendered {
    /// The method.
    pub(crate) method: Method,
    /// The whole URL.
    pub(crate) url: Url,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Option<Value>,
}

impl Rendered {
    /// The bytes of the body.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.body.as_ref().map(|body| body.to_string().into_bytes())
    }
}

impl RequestPlan {
    /// Reads the request of a responder.
    pub(crate) fn new(request: &RequestTemplate) -> Result<Self, WebhookError> {
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| {
                let place = format!("request.headers.{name}");
                header_name(name, &place)?;
                Ok((name.to_ascii_lowercase(), Template::new(value, &place)?))
            })
            .collect::<Result<_, WebhookError>>()?;
        Ok(Self {
            method: request.method,
            base: base(request)?,
            path: path(&request.path, "request.path")?,
            query: query(&request.query, "request.query")?,
            headers,
            body: body(request.body.as_ref(), "request.body")?,
        })
    }

    /// Reads the question of a poll, which goes to the same host.
    pub(crate) fn of_poll(poll: &Poll, request: &RequestTemplate) -> Result<Self, WebhookError> {
        Ok(Self {
            method: poll.method,
            base: base(request)?,
            path: path(&poll.path, "poll.path")?,
            query: query(&poll.query, "poll.query")?,
            headers: Vec::new(),
            body: body(poll.body.as_ref(), "poll.body")?,
        })
    }

    /// The request with the values of a scope.
    pub(crate) fn rendered(&self, scope: &Scope) -> Result<Rendered, WebhookError> {
        let path = self
            .path
            .text(scope, |value, _| Ok(utf8_percent_encode(value, ESCAPED).to_string()))?;
        let climbs = |segment: &str| {
            let plain = percent_decode_str(segment).decode_utf8_lossy().into_owned();
            plain == "." || plain == ".."
        };
        if path.split('/').any(climbs) {
            return Err(WebhookError::at(
                "request.path",
                (
                    "would lead to another path: a segment of it is dots only",
                    "の区切りの 1 つがドットだけのため、別のパスになります",
                ),
                ("choose a record with another value", "別の値のレコードを選んでください"),
            ));
        }
        let mut address = format!("{}{path}", self.base);
        let pairs = self.pairs(scope)?;
        if !pairs.is_empty() {
            address.push('?');
            address.push_str(&pairs.join("&"));
        }
        let url = Url::parse(&address).map_err(|_| unusable_host(&self.base))?;
        let mut headers = Vec::new();
        for (name, template) in &self.headers {
            headers
                .push((name.clone(), template.text(scope, |value, _| header_value(name, value))?));
        }
        let body = match &self.body {
            Some(node) => node.rendered(scope)?,
            None => None,
        };
        if body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), MEDIA_TYPE.to_owned()));
        }
        Ok(Rendered { method: self.method, url, headers, body })
    }

    fn pairs(&self, scope: &Scope) -> Result<Vec<String>, WebhookError> {
        let mut pairs = Vec::new();
        for (name, node) in &self.query {
            let values = match node.rendered(scope)? {
                None => continue,
                Some(Value::Array(values)) => values,
                Some(value) => vec![value],
            };
            for value in values {
                let text = values::text(&value).ok_or_else(|| {
                    WebhookError::at(
                        &format!("request.query.{name}"),
                        ("is no text", "は文字列ではありません"),
                        (
                            "name one value or a list of values",
                            "値 1 つか値の一覧を指定してください",
                        ),
                    )
                })?;
                let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
                pairs.push(format!("{}={}", escape(name), escape(&text)));
            }
        }
        Ok(pairs)
    }

    /// Calls `visit` with every expression and the names that are bound around it.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Expression, &[&str])) {
        self.path.expressions().for_each(|found| visit(found, &[]));
        for (_, template) in &self.headers {
            template.expressions().for_each(|found| visit(found, &[]));
        }
        for node in self.query.iter().map(|(_, node)| node).chain(&self.body) {
            node.visit(&mut Vec::new(), visit);
        }
    }
}

/// Scheme and host; the host holds nothing else.
fn base(request: &RequestTemplate) -> Result<String, WebhookError> {
    let host = request.host.trim();
    let text = format!("{}://{host}", request.protocol.scheme());
    let has_more = host.is_empty() || host.contains(['/', '\\', '@', '?', '#', ' ', '{', '}']);
    match Url::parse(&text) {
        Ok(url) if !has_more && url.has_host() => Ok(text),
        _ => Err(unusable_host(host)),
    }
}

fn unusable_host(host: &str) -> WebhookError {
    WebhookError::at(
        "request.host",
        (&format!("is no host name: `{host}`"), &format!("はホスト名ではありません: `{host}`")),
        (
            "write the name alone, such as `api.xdr.trendmicro.com`; `protocol` and `path` have their own places",
            "`api.xdr.trendmicro.com` のように名前だけを書いてください。`protocol` と `path` は別の項目です",
        ),
    )
}

fn path(text: &str, place: &str) -> Result<Template, WebhookError> {
    let template = Template::new(text, place)?;
    let literal: String = template.literals().collect();
    let is_odd =
        |letter: char| matches!(letter, '?' | '#' | '\\') || letter.is_control() || letter == ' ';
    if !text.starts_with('/') || literal.contains(is_odd) {
        return Err(WebhookError::at(
            place,
            ("is no path", "はパスではありません"),
            (
                "begin it with `/` and write what follows `?` into `query`",
                "`/` で始め、`?` の後ろは `query` に書いてください",
            ),
        ));
    }
    Ok(template)
}

fn query(map: &Map<String, Value>, place: &str) -> Result<Vec<(String, Node)>, WebhookError> {
    map.iter()
        .map(|(name, value)| Ok((name.clone(), Node::new(value, &format!("{place}.{name}"))?)))
        .collect()
}

fn body(value: Option<&Value>, place: &str) -> Result<Option<Node>, WebhookError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    Node::new(&body::tree(value, place)?, place).map(Some)
}

/// Whether a text can be the name of a header that a responder may set.
pub(crate) fn header_name(name: &str, place: &str) -> Result<(), WebhookError> {
    let is_token =
        |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
    let framing = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "content-encoding",
        "te",
        "upgrade",
    ];
    if name.is_empty()
        || !name.bytes().all(is_token)
        || framing.contains(&&*name.to_ascii_lowercase())
    {
        return Err(WebhookError::at(
            place,
            ("is no header that can be set", "は設定できるヘッダーではありません"),
            ("use another name", "別の名前を使ってください"),
        ));
    }
    Ok(())
}

/// A value inside a header: one line of ASCII.
fn header_value(name: &str, value: &str) -> Result<String, WebhookError> {
    if value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(value.to_owned());
    }
    Err(WebhookError::at(
        &format!("request.headers.{name}"),
        (
            "would hold a line break or a letter that headers cannot hold",
            "に改行またはヘッダーで使えない文字が入ります",
        ),
        ("put the value into the body", "値は本文に入れてください"),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::document::Protocol;
    use super::super::expression::scope;
    use super::*;

    fn plan(path: &str) -> Result<RequestPlan, WebhookError> {
        RequestPlan::new(&RequestTemplate {
            host: "api.vendor.example:8443".to_owned(),
            protocol: Protocol::Https,
            verify_tls: true,
            method: Method::Post,
            path: path.to_owned(),
            query: json!({ "q": "{{ v }}", "all": "{{ l }}", "none": "{{ x | optional }}" })
                .as_object()
                .unwrap()
                .clone(),
            headers: Default::default(),
            body: Some(
                json!([{ "{{ v }}": ["<{{ v }}>", "{{ v }}", { "n": "{{ l }}" }], "fixed": true }]),
            ),
        })
    }

    /// What breaks templates, URLs, headers or JSON that are put together as text.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "\"",
                "'",
                "\\",
                "\\\"",
                "\n",
                "\r\n",
                "\0",
                "\u{1b}",
                "\u{7f}",
                "{{",
                "}}",
                "{{ secret }}",
                "{%",
                "{% include 'x' %}",
                "{#",
                "#}",
                "{{7*7}}",
                "${x}",
                "\",\"k\":\"v",
                "}]",
                "]}",
                "/*",
                "..",
                "/",
                "../",
                "%2e%2e",
                "%00",
                "?",
                "#",
                "&",
                "=",
                ";",
                "@",
                ":",
                "\u{202e}",
                "\u{2066}",
                "\u{2028}",
                "\u{2029}",
                "\u{feff}",
                "\u{fffd}",
                "\\ud800",
                "\u{d7ff}",
                "\u{e000}",
                "\u{10ffff}",
                "<script>",
                "&amp;",
                "\t",
                " ",
                "語",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
            any::<char>().prop_map(|letter| letter.to_string()),
        ];
        prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
    }

    fn arrives(value: &str) -> Result<(), TestCaseError> {
        let plan = plan("/v1/{{ v }}/end").unwrap();
        let names = scope(json!({ "v": value, "l": [value, "x"] }));
        let climbs = [".", ".."].contains(&value);
        let request = match plan.rendered(&names) {
            Ok(request) => request,
            Err(_) => {
                prop_assert!(climbs || value.trim().is_empty(), "{value:?} was refused");
                return Ok(());
            }
        };
        prop_assert!(!climbs);
        let sent: Value = serde_json::from_slice(&request.bytes().unwrap()).unwrap();
        let mut object = Map::new();
        object
            .insert(value.to_owned(), json!([format!("<{value}>"), value, { "n": [value, "x"] }]));
        object.insert("fixed".to_owned(), Value::Bool(true));
        prop_assert_eq!(&sent, &json!([object]));
        prop_assert_eq!(request.url.host_str(), Some("api.vendor.example"));
        prop_assert_eq!(request.url.port(), Some(8443));
        prop_assert!(request.url.fragment().is_none());
        let segments: Vec<_> = request.url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 3);
        let middle = percent_decode_str(segments[1]).decode_utf8().unwrap();
        prop_assert_eq!(middle, value);
        let pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        prop_assert_eq!(pairs, vec![pair("q", value), pair("all", value), pair("all", "x")]);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 200, ..ProptestConfig::default() })]

        #[test]
        fn a_hostile_value_arrives_as_it_is_and_nothing_else_does(value in hostile()) {
            arrives(&value)?;
        }

        #[test]
        fn a_header_never_breaks_its_line(value in hostile()) {
            let result = header_value("x-note", &value);
            prop_assert_eq!(result.is_ok(), value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }

    #[test]
    fn a_value_of_a_megabyte_arrives() {
        for piece in ["x", "\"", "{{", "語"] {
            arrives(&piece.repeat((1 << 20) / piece.len())).unwrap();
        }
    }

    #[test]
    fn paths_and_hosts_hold_nothing_else() {
        for path in ["v1", "/a?b=c", "/a#b", "/a b", "/a\\b", "/{{ v"] {
            assert!(plan(path).is_err(), "{path}");
        }
        let names = scope(json!({ "v": "x", "l": ["x"] }));
        for path in ["/../{{ v }}", "/a/%2e%2E/{{ v }}", "/./a"] {
            assert!(plan(path).unwrap().rendered(&names).is_err(), "{path}");
        }
        for host in [
            "https://api.x.example",
            "api.x.example/v1",
            "u:p@api.x.example",
            "",
            "a b",
            "{{ v }}",
            "x:99999",
        ] {
            let request = RequestTemplate {
                host: host.to_owned(),
                protocol: Protocol::Https,
                verify_tls: true,
                method: Method::Get,
                path: "/".to_owned(),
                query: Map::new(),
                headers: Default::default(),
                body: None,
            };
            assert!(RequestPlan::new(&request).is_err(), "{host}");
        }
    }
}
