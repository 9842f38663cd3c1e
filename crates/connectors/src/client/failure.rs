//! What went wrong on the wire, in the port's terms: DNS, TLS, refused, timeout, cut, too large.
//!
//! Errors are told apart by their types along the chain of causes, never by their texts.

use std::error::Error;
use std::io;

use model::vendor::{Fault, FetchError};

use super::decompression::DecodeError;
use super::resolver::ResolveError;

/// The fault of a request that got no answer.
pub(super) fn sending(host: &str, error: reqwest::Error) -> FetchError {
    let fault = connection_fault(&error);
    let detail = match fault {
        Fault::Dns => format!("failed to resolve the name of {host}"),
        Fault::Tls => format!("failed to agree on TLS with {host}"),
        Fault::Timeout => format!("{host} did not answer in time"),
        Fault::Unreadable => format!("connection to {host} broke before the answer"),
        _ => format!("failed to connect to {host}"),
    };
    failed(fault, detail, error.without_url())
}

/// The fault of an answer whose body stopped coming.
pub(super) fn reading(host: &str, error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        let detail = format!("{host} did not finish its answer in time");
        return failed(Fault::Timeout, detail, error.without_url());
    }
    failed(Fault::Unreadable, format!("answer of {host} was cut off"), error.without_url())
}

/// The fault of a body that cannot be decoded.
pub(super) fn decoding(host: &str, error: DecodeError) -> FetchError {
    let fault = match error {
        DecodeError::TooLarge(_) => Fault::TooLarge,
        DecodeError::Unasked(_) | DecodeError::Broken(_) => Fault::Unreadable,
    };
    failed(fault, format!("failed to decode the answer of {host}"), error)
}

/// What a status means where the vendor gives no better word. Success has no fault.
pub fn status_fault(status: u16) -> Option<Fault> {
    let fault = match status {
        200..300 => return None,
        // A redirect is not followed with a key in hand, so the URL must be mended.
        300..400 | 404 | 405 | 410 | 421 => Fault::WrongUrl,
        401 => Fault::UnknownKey,
        // Not the vendor: the proxy on the way wants a login.
        407 => Fault::Unreachable,
        403 => Fault::MissingScope,
        408 | 504 => Fault::Timeout,
        413 => Fault::TooLarge,
        429 => Fault::Throttled,
        400..500 => Fault::BadRequest,
        500..600 => Fault::Outage,
        _ => Fault::Unreadable,
    };
    Some(fault)
}

fn failed(fault: Fault, detail: String, source: impl Error + Send + Sync + 'static) -> FetchError {
    FetchError { fault, detail, retry_after: None, source: Some(Box::new(source)) }
}

/// Only a connection that never stood has a fault that says that nothing was sent: the same causes, later, may
/// have cut off the answer to a request that was taken.
fn connection_fault(error: &reqwest::Error) -> Fault {
    let mut faults = Vec::new();
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        faults.extend(cause_fault(current));
        cause = current.source();
    }
    let is_late = error.is_timeout() || faults.contains(&Fault::Timeout);
    match (error.is_connect(), faults.into_iter().next()) {
        (true, Some(fault)) => fault,
        _ if is_late => Fault::Timeout,
        (true, None) => Fault::Unreachable,
        (false, _) => Fault::Unreadable,
    }
}

fn cause_fault(cause: &(dyn Error + 'static)) -> Option<Fault> {
    if cause.is::<ResolveError>() {
        return Some(Fault::Dns);
    }
    if cause.is::<rustls::Error>() {
        return Some(Fault::Tls);
    }
    let failure = cause.downcast_ref::<io::Error>()?;
    // An I/O error hides the error that it wraps from the chain.
    if let Some(inner) = failure.get_ref()
        && let Some(fault) = cause_fault(inner)
    {
        return Some(fault);
    }
    match failure.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Some(Fault::Unreachable),
        io::ErrorKind::TimedOut => Some(Fault::Timeout),
        // The peer hung up in the middle of the handshake.
        io::ErrorKind::UnexpectedEof => Some(Fault::Tls),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_faults() {
        let table = [
            (302, Fault::WrongUrl),
            (400, Fault::BadRequest),
            (401, Fault::UnknownKey),
            (403, Fault::MissingScope),
            (404, Fault::WrongUrl),
            (407, Fault::Unreachable),
            (408, Fault::Timeout),
            (413, Fault::TooLarge),
            (418, Fault::BadRequest),
            (429, Fault::Throttled),
            (500, Fault::Outage),
            (503, Fault::Outage),
            (504, Fault::Timeout),
            (101, Fault::Unreadable),
        ];
        for (status, fault) in table {
            assert_eq!(status_fault(status), Some(fault), "{status}");
        }
        assert_eq!(status_fault(201), None);
    }
}
