//! Names that hold in every class: the common columns of Taegis and of Interflow.

use super::Names;

pub(super) static NAMES: Names = Names {
    aliases: &[
        // Taegis.
        ("resource_id", &["uid"]),
        ("tenant_id", &["tenant_uid"]),
        ("sensor_event_id", &["metadata.uid"]),
        ("sensor_tenant", &["metadata.tenant_uid"]),
        ("sensor_id", &["metadata.product.uid"]),
        ("sensor_version", &["metadata.product.version"]),
        ("sensor_cpe", &[]),
        ("original_data", &["raw_data"]),
        ("event_time_usec", &["time"]),
        ("event_time_fidelity", &[]),
        ("ingest_time_usec", &["ingest_time"]),
        ("ingest.integration_id", &["connector_uid", "connector_name"]),
        ("host_id", &["device.uid"]),
        ("hostname", &["device.hostname", "device.name"]),
        ("username", &["actor.user.name", "actor.user.email_addr"]),
        ("user_name", &["actor.user.name", "actor.user.email_addr"]),
        ("source_username", &["actor.user.name", "actor.user.email_addr"]),
        // Interflow.
        ("tenantid", &["tenant_uid"]),
        ("timestamp", &["time"]),
        ("write_time", &["ingest_time"]),
        ("srcip_username", &["actor.user.name", "actor.user.email_addr"]),
    ],
    ip: &["device.ip"],
    domain: &["device.domain"],
    mail: &["actor.user.email_addr"],
    hash: &[],
    host: &["device.hostname", "device.name"],
    user: &["actor.user.name", "actor.user.email_addr", "actor.user.uid"],
};
