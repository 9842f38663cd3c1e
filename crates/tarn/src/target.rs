//! Where a command works: on a server, or on a data directory in this process.

use anyhow::Result;

use crate::config::Config;
use crate::remote::Remote;
use crate::wiring::{Local, Stay};

/// Who acts, in the audit log of a data directory.
pub(crate) const ACTOR: &str = "cli";

/// One of the two roads; both end in the same use cases.
pub(crate) enum Target {
    /// A data directory, opened here.
    Local(Local),
    /// A server, asked over HTTP.
    Remote(Remote),
}

impl Target {
    /// Opens what the flags say, to work on it.
    ///
    /// # Errors
    /// The data directory is in use, or cannot be opened.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        match Remote::from_config(config)? {
            Some(remote) => Ok(Self::Remote(remote)),
            None => Ok(Self::Local(Local::owner(config, Stay::Command).await?)),
        }
    }

    /// Opens what the flags say, to read the lake.
    ///
    /// # Errors
    /// There is no lake, or it cannot be opened.
    pub(crate) async fn open_to_read(config: &Config) -> Result<Self> {
        match Remote::from_config(config)? {
            Some(remote) => Ok(Self::Remote(remote)),
            None => Ok(Self::Local(Local::reader(config).await?)),
        }
    }

    /// Closes the data directory in good order.
    pub(crate) async fn close(self) {
        if let Self::Local(local) = self {
            local.close().await;
        }
    }
}
