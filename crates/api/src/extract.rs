//! What handlers take out of a request; whatever cannot be read becomes problem details.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::Uri;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use model::ids::ConnectorName;
use model::manifest::duration_text;
use model::ocsf::Class;
use model::time::Timestamp;
use serde::de::DeserializeOwned;

use crate::dto::retention::class;
use crate::problem::Problem;

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
