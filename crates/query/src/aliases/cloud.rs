//! Names of cloud audit and sign-in events.

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
