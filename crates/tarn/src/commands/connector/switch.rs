//! `tarn connector enable`, `disable` and `delete`.

use anyhow::Result;
use serde_json::json;

use super::Named;
use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, column};
use crate::target::{ACTOR, Target};

/// Turns a connector on or off.
///
/// # Errors
/// There is none of this name, or the catalog or server cannot be asked.
pub(super) async fn set(config: &Config, named: Named, enabled: bool) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let name = &named.name;
    let done = match &target {
        Target::Local(local) => {
            local.app.set_enabled(&config.tenant, name, enabled, ACTOR).await.map_err(Into::into)
        }
        Target::Remote(remote) => {
            let verb = if enabled { "enable" } else { "disable" };
            remote.post(&["connectors", name.as_str(), verb], &[], &json!({})).await.map(drop)
        }
    };
    target.close().await;
    done?;
    let columns = [column("NAME", "name"), column("ENABLED", "enabled")];
    output::object(named.format, &columns, &json!({ "name": name, "enabled": enabled }))?;
    Ok(Outcome::Done)
}

/// Deletes a connector.
///
/// # Errors
/// There is none of this name, or the catalog or server cannot be asked.
pub(super) async fn delete(config: &Config, named: Named) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let name = &named.name;
    let done = match &target {
        Target::Local(local) => {
            local.app.delete_connector(&config.tenant, name, ACTOR).await.map_err(Into::into)
        }
        Target::Remote(remote) => remote.delete(&["connectors", name.as_str()]).await,
    };
    target.close().await;
    done?;
    let columns = [column("NAME", "name"), column("DELETED", "deleted")];
    output::object(named.format, &columns, &json!({ "name": name, "deleted": true }))?;
    Ok(Outcome::Done)
}
