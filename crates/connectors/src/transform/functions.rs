//! The functions that a transform may call: VRL's own library without everything that reaches out of
//! the event or answers differently each time.

use vrl::compiler::Function;

/// Functions that read the environment, the machine, the network or files, write logs, or depend on
/// the moment. Some are not even built in; the list does not rely on that.
const WITHHELD: &[&str] = &[
    "decrypt_ip",
    "dns_lookup",
    "encode_proto",
    "encrypt_ip",
    "get_env_var",
    "get_hostname",
    "get_timezone_name",
    "http_request",
    "log",
    "now",
    "parse_groks",
    "parse_proto",
    "random_bool",
    "random_bytes",
    "random_float",
    "random_int",
    "reverse_dns",
    "uuid_v4",
    "uuid_v7",
    "validate_json_schema",
];

/// Every function but those withheld.
pub(super) fn allowed() -> Vec<Box<dyn Function>> {
    let mut functions = vrl::stdlib::all();
    functions.retain(|function| !WITHHELD.contains(&function.identifier()));
    functions
}
