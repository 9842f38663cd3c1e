//! Who asks, in which tenant, and whether they may: checked for each route before its handler.
//!
//! A token is a bearer token (RFC 6750), or comes as `ApiKey`, as the clients of other products send it. The tenant comes
//! from `?tenant=` or the header `Tarn-Tenant`. Nothing about a request is looked at before its token.

use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::access::{Caller, Right};
use model::ids::TenantId;
use model::secret::Secret;
use serde::Deserialize;

use crate::problem::Problem;
use crate::server::Server;

/// The header that names the tenant.
pub const TENANT_HEADER: &str = "Tarn-Tenant";

/// How a token may be sent.
const SCHEMES: [&str; 2] = ["Bearer", "ApiKey"];

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, not even a token.
    Nothing,
    /// A right in the tenant of the request.
    InTenant(Right),
    /// A right, by a token that is not bound to one tenant: the answer is about all of them.
    InEveryTenant(Right),
    /// The token of a stack, which opens nothing else; the handler finds out whose it is.
    OfStack,
}

impl Needs {
    /// The right, where there is one.
    pub fn right(self) -> Option<Right> {
        match self {
            Self::Nothing | Self::OfStack => None,
            Self::InTenant(right) | Self::InEveryTenant(right) => Some(right),
        }
    }
}

/// Who asks and in which tenant; a handler that takes it runs only after both were checked.
#[derive(Clone)]
pub(crate) struct Access {
    /// The holder of the token.
    pub(crate) caller: Caller,
    /// The tenant of the request.
    pub(crate) tenant: TenantId,
}

impl Access {
    /// The name for the audit log.
    pub(crate) fn actor(&self) -> &str {
        &self.caller.name
    }

    /// Checks the right in a tenant that the body names.
    pub(crate) fn must(&self, right: Right, tenant: &TenantId) -> Result<(), Problem> {
        if self.caller.may(right, tenant) { Ok(()) } else { Err(refusal(right, tenant)) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Missing only where the table says that the route needs nothing.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorised)
    }
}

/// The check in front of one route.
#[derive(Clone)]
pub(crate) struct Gate {
    /// Where tokens are looked up.
    pub(crate) server: Server,
    /// What the route asks for.
    pub(crate) needs: Needs,
}

/// Lets a request through to its handler, or answers 401 or 403.
pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match access(&gate, request.headers(), request.uri()).await {
        Ok(Some(access)) => {
            request.extensions_mut().insert(access);
        }
        Ok(None) => {}
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

async fn access(gate: &Gate, headers: &HeaderMap, uri: &Uri) -> Result<Option<Access>, Problem> {
    let Some(right) = gate.needs.right() else { return Ok(None) };
    let token = token_of(headers).ok_or_else(Problem::unauthorised)?;
    let caller = gate.server.app.caller(&token).await?.ok_or_else(Problem::unauthorised)?;
    let tenant = tenant_of(headers, uri)?;
    let bound = matches!(gate.needs, Needs::InEveryTenant(_)) && caller.tenant.is_some();
    if bound {
        return Err(Problem::forbidden("this token reaches one tenant, the answer is about all"));
    }
    let access = Access { caller, tenant };
    access.must(right, &access.tenant)?;
    Ok(Some(access))
}

fn refusal(right: Right, tenant: &TenantId) -> Problem {
    let right = right.as_str();
    Problem::forbidden(format!("this token does not hold `{right}` in tenant `{tenant}`"))
}

/// The token of the only `Authorization` header.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let is_known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_known && !token.is_empty()).then(|| Secret::new(token))
}

#[derive(Deserialize)]
struct TenantParameter {
    tenant: Option<String>,
}

fn tenant_of(headers: &HeaderMap, uri: &Uri) -> Result<TenantId, Problem> {
    let Query(parameter) = Query::<TenantParameter>::try_from_uri(uri)?;
    let mut headers = headers.get_all(TENANT_HEADER).iter();
    let header = match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().map_err(|_| unreadable_header())?.to_owned()),
        (Some(_), Some(_)) => return Err(unreadable_header()),
    };
    let named = match (parameter.tenant, header) {
        (Some(parameter), Some(header)) if parameter != header => {
            return Err(Problem::unreadable(format!("`?tenant=` and `{TENANT_HEADER}` differ")));
        }
        (parameter, header) => parameter.or(header),
    };
    let Some(named) = named else { return Ok(TenantId::default()) };
    TenantId::new(named).map_err(|error| Problem::unreadable(error.to_string()))
}

fn unreadable_header() -> Problem {
    Problem::unreadable(format!("the header `{TENANT_HEADER}` must be given once, as plain text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        token_of(&headers).map(|token| token.expose().to_owned())
    }

    #[test]
    fn only_one_token_counts() {
        assert_eq!(token(&["bearer t1"]).as_deref(), Some("t1"));
        assert_eq!(token(&["ApiKey t1"]).as_deref(), Some("t1"));
        for bad in [&[][..], &["Basic t1"], &["Bearer "], &["t1"], &["Bearer t1", "ApiKey t2"]] {
            assert_eq!(token(bad), None, "{bad:?}");
        }
    }
}
