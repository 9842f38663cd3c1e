//! Names of web events.

use super::Names;

pub(super) static NAMES: Names = Names {
    aliases: &[
        // Taegis.
        ("source_address", &["src_endpoint.ip"]),
        ("source_port", &["src_endpoint.port"]),
        ("source_mac", &["src_endpoint.mac"]),
        ("destination_address", &["dst_endpoint.ip"]),
        ("destination_port", &["dst_endpoint.port"]),
        ("destination_mac", &["dst_endpoint.mac"]),
        ("uri_host", &["http_request.url.hostname"]),
        ("uri_path", &["http_request.url.path"]),
        ("uri_scheme", &["http_request.url.scheme"]),
        ("uri_query", &["http_request.url.query_string"]),
        ("http_method", &["http_request.http_method"]),
        ("user_agent", &["http_request.user_agent"]),
        ("referrer", &["http_request.referrer"]),
        ("response_code", &["http_response.code"]),
        ("tx_byte_count", &["http_request.length"]),
        ("rx_byte_count", &["http_response.length"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip"]),
        ("srcport", &["src_endpoint.port"]),
        ("srcmac", &["src_endpoint.mac"]),
        ("dstip", &["dst_endpoint.ip"]),
        ("dstport", &["dst_endpoint.port"]),
        ("dstmac", &["dst_endpoint.mac"]),
        ("url", &["http_request.url.url_string"]),
    ],
    ip: &["src_endpoint.ip", "dst_endpoint.ip", "http_request.x_forwarded_for"],
    domain: &[
        "http_request.url.hostname",
        "http_request.url.domain",
        "src_endpoint.domain",
        "dst_endpoint.hostname",
        "dst_endpoint.domain",
    ],
    mail: &[],
    hash: &[],
    host: &[
        "src_endpoint.hostname",
        "src_endpoint.name",
        "dst_endpoint.hostname",
        "dst_endpoint.name",
    ],
    user: &[],
};
