//! Ping: whether the vendor can be reached and takes the key.

use model::action::{Halt, Outcome, Text};

use super::{Desk, sweep};

pub(super) const NAME: &str = "ping";

/// Asks for one mail, as the smallest question that needs a key.
pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    desk.get("ping", desk.url(sweep::PATH, &[("limit", "1")])).await?;
    let message = Text::new(
        "Successfully connected to the Trend Micro Cloud App Security instance with the provided connection \
         parameters!",
        "指定された接続パラメータで Trend Micro Cloud App Security に接続できました。",
    );
    Ok(Outcome::said(true, message))
}
