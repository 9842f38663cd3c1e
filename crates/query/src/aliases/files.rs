//! Names of events at file services.

use super::Names;

pub(super) static NAMES: Names = Names {
    aliases: &[
        // Taegis.
        ("file_name", &["file.name"]),
        ("file_path", &["file.path"]),
        ("file_size", &["file.size"]),
        ("file_hash", &["file.hashes.value"]),
        ("source_address", &["src_endpoint.ip"]),
        ("destination_address", &["dst_endpoint.ip"]),
        ("uri_host", &["http_request.url.hostname"]),
        ("uri_path", &["http_request.url.path"]),
        ("user_agent", &["http_request.user_agent"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip"]),
        ("dstip", &["dst_endpoint.ip"]),
        ("file.hash", &["file.hashes.value"]),
    ],
    ip: &["src_endpoint.ip", "dst_endpoint.ip", "http_request.x_forwarded_for"],
    domain: &[
        "file.url.hostname",
        "file.url.domain",
        "http_request.url.hostname",
        "http_request.url.domain",
        "src_endpoint.hostname",
        "src_endpoint.domain",
        "dst_endpoint.hostname",
        "dst_endpoint.domain",
    ],
    mail: &["file.owner.email_addr", "file.modifier.email_addr"],
    hash: &["file.hashes.value"],
    host: &[
        "src_endpoint.hostname",
        "src_endpoint.name",
        "dst_endpoint.hostname",
        "dst_endpoint.name",
    ],
    user: &[
        "file.owner.name",
        "file.owner.email_addr",
        "file.modifier.name",
        "file.modifier.email_addr",
    ],
};
