//! Names of cloud audit and sign-in events, of calls of APIs and consoles, and of changes to managed things.

use super::Names;

pub(super) static NAMES: Names = Names {
    aliases: &[
        // Taegis.
        ("source_address", &["src_endpoint.ip"]),
        ("target_username", &["user.name"]),
        ("user_agent", &["http_request.user_agent"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip"]),
    ],
    ip: &["src_endpoint.ip"],
    domain: &["src_endpoint.domain"],
    mail: &[],
    hash: &[],
    host: &["src_endpoint.hostname", "src_endpoint.name"],
    user: &[],
};

pub(super) static API: Names = Names {
    aliases: &[
        // Taegis.
        ("event_name", &["api.operation"]),
        ("event_source", &["api.service.name"]),
        ("source_address", &["src_endpoint.ip"]),
        ("destination_address", &["dst_endpoint.ip"]),
        ("user_agent", &["http_request.user_agent"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip"]),
        ("dstip", &["dst_endpoint.ip"]),
        ("user.name", &["actor.user.name", "actor.user.email_addr"]),
    ],
    ip: &["src_endpoint.ip", "dst_endpoint.ip", "http_request.x_forwarded_for", "resources.ip"],
    domain: &["src_endpoint.domain", "dst_endpoint.domain", "http_request.url.hostname"],
    mail: &["resources.owner.email_addr"],
    hash: &[],
    host: &[
        "src_endpoint.hostname",
        "src_endpoint.name",
        "dst_endpoint.hostname",
        "resources.hostname",
    ],
    user: &["resources.owner.name", "resources.owner.email_addr"],
};

pub(super) static ENTITY: Names = Names {
    aliases: &[
        // Taegis.
        ("event_name", &["message"]),
        ("source_address", &["src_endpoint.ip"]),
        ("target_username", &["entity.user.name", "entity.name"]),
        ("user_agent", &["http_request.user_agent"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip"]),
        ("user.name", &["actor.user.name", "actor.user.email_addr"]),
    ],
    ip: &["src_endpoint.ip", "entity.device.ip"],
    domain: &["src_endpoint.domain"],
    mail: &["entity.user.email_addr"],
    hash: &[],
    host: &["src_endpoint.hostname", "src_endpoint.name", "entity.device.hostname"],
    user: &["entity.user.name", "entity.user.email_addr"],
};
