//! Name resolution by the machine, with an error type of its own so that it can be told from others.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A host name that does not resolve.
#[derive(Debug, thiserror::Error)]
#[error("failed to resolve the host name")]
pub(super) struct ResolveError(#[source] pub(super) io::Error);

/// Asks the machine's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(ResolveError)?;
            // The iterator of the standard library borrows nothing but is not nameable here.
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}
