//! Serves a router until it is told to stop.

use std::future::Future;

use axum::Router;
use tokio::net::TcpListener;

/// Answers requests on `listener` until `stopping` ends; requests under way are answered first.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stopping: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stopping).await
}
