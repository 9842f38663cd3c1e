//! A request as far as it matters here, and the parameters of the SIEM routes.

use axum::extract::Request;
use axum::http::{Method, header, request::Parts};
use url::form_urlencoded;

use super::access::bearer;
use super::knobs::{Knobs, TypeParameter};
use super::streams::Stream;

/// The parts of a request that matter here.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) token: Option<String>,
    /// Whether there is an `Authorization` header of any kind.
    pub(super) is_authorized: bool,
    pub(super) body: String,
}

impl Asked {
    /// Takes a request apart and reads its body.
    pub(super) async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        // Requests are small; a body beyond the limit is no request of this API.
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header(header::AUTHORIZATION);
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            host: host(&parts),
            token: bearer(authorization).map(str::to_owned),
            is_authorized: authorization.is_some(),
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

fn host(parts: &Parts) -> String {
    let header = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = || parts.uri.authority().map(|authority| authority.as_str());
    header.or_else(authority).unwrap_or("localhost").to_owned()
}

/// The parameters of a SIEM request; unknown ones are ignored, as `@nextPage` is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SiemQuery {
    pub(super) streams: Vec<Stream>,
    pub(super) starts_at: Option<String>,
    pub(super) ends_at: Option<String>,
    pub(super) next_page: Option<String>,
    pub(super) page_size: usize,
}

impl SiemQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// Says which parameter cannot be used.
    pub(super) fn parse(query: &str, knobs: &Knobs) -> Result<Self, String> {
        let mut parsed = Self { page_size: 100, ..Self::default() };
        let is_type = |name: &str| match knobs.type_parameter {
            TypeParameter::Both => matches!(name, "type" | "types"),
            TypeParameter::Type => name == "type",
            TypeParameter::Types => name == "types",
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                name if is_type(name) => {
                    for word in value.split(',').map(str::trim) {
                        let stream = Stream::of_type(word);
                        parsed.streams.push(stream.ok_or(format!("Unknown type {word}"))?);
                    }
                }
                "dateRangeStartsAt" => parsed.starts_at = Some(value.into_owned()),
                "dateRangeEndsAt" => parsed.ends_at = Some(value.into_owned()),
                "nextPage" => parsed.next_page = Some(value.into_owned()),
                "pageSize" => {
                    let size = value.parse().ok().filter(|size| (1..=100).contains(size));
                    parsed.page_size = size.ok_or("pageSize must be between 1 and 100")?;
                }
                _ => {}
            }
        }
        if parsed.streams.is_empty() {
            parsed.streams = Stream::all().filter(|stream| stream.siem_type().is_some()).collect();
        }
        parsed.streams.sort_unstable();
        parsed.streams.dedup();
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(query: &str) -> Result<usize, String> {
        SiemQuery::parse(query, &Knobs::documented()).map(|parsed| parsed.streams.len())
    }

    #[test]
    fn types_are_one_or_a_list_with_spaces_in_either_writing() {
        assert_eq!(types("type=url+protect"), Ok(1));
        assert_eq!(types("types=url%20protect,av"), Ok(2));
        assert_eq!(types("type=av,av"), Ok(1));
        assert_eq!(types(""), Ok(10));
        for bad in ["type=ttp-url", "type=url_protect", "pageSize=101", "pageSize=0", "pageSize=x"]
        {
            assert!(types(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_name_of_the_answer_is_no_name_of_a_parameter() {
        let parsed = SiemQuery::parse("%40nextPage=a&@nextPage=b", &Knobs::documented());
        assert_eq!(parsed.map(|parsed| parsed.next_page), Ok(None));
    }

    #[test]
    fn the_ignored_name_of_the_types_means_all_types() {
        let mut knobs = Knobs::documented();
        knobs.set("type_parameter", "type").unwrap();
        let parsed = SiemQuery::parse("types=av", &knobs).unwrap();
        assert_eq!(parsed.streams.len(), 10);
    }
}
