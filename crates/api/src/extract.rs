//! What handlers take out of a request; whatever cannot be read becomes problem details.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use engine::error::EngineError;
use engine::stacks::Refusal;
use engine::stacks::token::Sender;
use model::action::Locale;
use model::ids::{ConnectorId, ConnectorName, RunId};
use model::manifest::duration_text;
use model::ocsf::Class;
use model::time::Timestamp;
use serde::de::DeserializeOwned;

use crate::auth;
use crate::dto::retention::class;
use crate::problem::Problem;
use crate::server::Server;

/// Stands for every table in a path.
const ALL_TABLES: &str = "all";

/// The JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// A JSON body that may be left out. Its content type is not looked at: command-line clients name a form's where they
/// send nothing.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            Problem::new(rejection.status(), "the body cannot be read")
                .with_hint("/api/v1/openapi.json has the schema")
        })?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        Ok(Self(axum::Json::from_bytes(&bytes)?.0))
    }
}

/// `Api-Version`, as the clients of other products send it.
pub(crate) struct ApiVersion;

/// The only version.
const API_VERSION: &str = "v1";

impl<S: Send + Sync> FromRequestParts<S> for ApiVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.headers.get("Api-Version").map(|version| version.to_str()) {
            None => Ok(Self),
            Some(Ok(version)) if version.trim().eq_ignore_ascii_case(API_VERSION) => Ok(Self),
            Some(_) => {
                Err(Problem::unreadable("`Api-Version` names a version that is not spoken here")
                    .with_hint(format!("send `Api-Version: {API_VERSION}`, or leave it out")))
            }
        }
    }
}

/// Where others reach this server: what it was told, else the host of this request. What a proxy claims is not
/// believed, for anyone can claim it.
pub(crate) struct ServiceUrl(pub(crate) String);

impl FromRequestParts<Server> for ServiceUrl {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        if let Some(url) = &server.public_url {
            return Ok(Self(url.clone()));
        }
        let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = named.or_else(|| parts.uri.authority().map(Authority::as_str));
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        match host.filter(|host| !host.as_str().contains('@')) {
            Some(host) => Ok(Self(format!("http://{host}"))),
            None => Err(Problem::unreadable("nobody knows where this server is reached")
                .with_hint("set `public_url`, or send `Host`")),
        }
    }
}

/// The stack that the path names.
pub(crate) struct StackNamed(pub(crate) ConnectorId);

impl<S: Send + Sync> FromRequestParts<S> for StackNamed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        let unknown = |_| {
            Problem::new(StatusCode::NOT_FOUND, format!("no stack `{id}` in this tenant"))
                .with_hint("`tarn cloudtrail list` shows the stacks")
        };
        id.parse().map(Self).map_err(unknown)
    }
}

/// The name that the path ends with or has in its middle, as text.
pub(crate) struct NameInPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(name))
    }
}

/// The run that the path names.
pub(crate) struct RunNamed(pub(crate) RunId);

impl<S: Send + Sync> FromRequestParts<S> for RunNamed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        let unknown = |_| {
            Problem::new(StatusCode::NOT_FOUND, format!("no run `{id}` in this tenant"))
                .with_hint("`tarn action history` shows the runs")
        };
        id.parse().map(Self).map_err(unknown)
    }
}

/// By what the same wish is known when it comes again: `Idempotency-Key`.
pub(crate) struct Key(pub(crate) Option<String>);

/// The longest key.
const KEY_CAP: usize = 255;

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("Idempotency-Key") else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key) if !key.trim().is_empty() && key.len() <= KEY_CAP => {
                Ok(Self(Some(key.trim().to_owned())))
            }
            _ => Err(Problem::unreadable(format!(
                "`Idempotency-Key` must be plain text of 1 to {KEY_CAP} characters"
            ))),
        }
    }
}

/// The language that the caller wants to be spoken to in: `Accept-Language`, else English.
pub(crate) struct Language(pub(crate) Locale);

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let wish = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self(wish.map_or_else(Locale::default, Locale::of_header)))
    }
}

/// The stack whose token the request shows.
pub(crate) struct StackSender(pub(crate) Sender);

impl FromRequestParts<Server> for StackSender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let token =
            auth::token_of(&parts.headers).ok_or(EngineError::Stack(Refusal::UnknownToken))?;
        Ok(Self(server.app.sender(&token).await?))
    }
}

/// The query parameters of a route. `tenant` belongs to every route and is read by
/// [`crate::auth`], so it is left out here.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let own: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("tenant=")).collect();
        let uri: Uri = format!("/?{}", own.join("&"))
            .parse()
            .map_err(|_| Problem::unreadable("the query parameters cannot be read"))?;
        let Query(value) = Query::try_from_uri(&uri)?;
        Ok(Self(value))
    }
}

/// The connector that the path names.
pub(crate) struct Named(pub(crate) ConnectorName);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state).await?;
        let name =
            ConnectorName::new(name).map_err(|error| Problem::unreadable(error.to_string()))?;
        Ok(Self(name))
    }
}

/// The table that the path names; none when it says `all`.
pub(crate) struct Table(pub(crate) Option<Class>);

impl<S: Send + Sync> FromRequestParts<S> for Table {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, &()).await?;
        class(Some(name.as_str()).filter(|name| *name != ALL_TABLES)).map(Self)
    }
}

/// Whether the client asked for one JSON value per line.
pub(crate) struct Lines(pub(crate) bool);

impl<S: Send + Sync> FromRequestParts<S> for Lines {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let accepted = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let lines = accepted
            .flat_map(|value| value.split(','))
            .filter_map(|range| range.split(';').next())
            .any(|range| range.trim().eq_ignore_ascii_case(crate::ndjson::MEDIA_TYPE));
        Ok(Self(lines))
    }
}

/// A point in time: RFC 3339, or how long before now (`72h`).
pub(crate) fn point_in_time(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    if let Ok(time) = Timestamp::parse(text) {
        return Ok(time);
    }
    duration_text::parse(text).map(|span| now - span).map_err(|_| {
        Problem::invalid(format!("`{field}`: `{text}` is neither a time nor a duration"))
            .with_hint("write for instance 2026-03-02T08:00:00Z, or 72h for 72 hours ago")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_point_in_time_is_a_time_or_so_long_ago() {
        let now = Timestamp::from_millis(1_772_438_400_000);
        assert_eq!(point_in_time("since", "72h", now), Ok(now - Duration::from_secs(72 * 3600)));
        assert_eq!(point_in_time("since", "2026-03-02T08:00:00Z", now), Ok(now));
        assert!(point_in_time("since", "yesterday", now).is_err());
    }
}
