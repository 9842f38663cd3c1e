//! Names of mail events.

use super::Names;

// The mailbox columns come last: they hold what is no address in OCSF's narrow sense.
const FROM: &[&str] = &["email.from", "email.from_list", "from", "email.from_mailbox"];
const TO: &[&str] = &["email.to", "to", "email.to_mailboxes"];

pub(super) static NAMES: Names = Names {
    aliases: &[
        // Taegis.
        ("from_email_address", FROM),
        ("to_email_address", TO),
        ("cc_email_address", &["email.cc", "email.cc_mailboxes"]),
        ("bcc_email_address", &[]),
        ("reply_to_email_address", &["email.reply_to_list", "email.reply_to_mailboxes"]),
        ("subject", &["email.subject"]),
        ("message_size", &["email.size"]),
        ("message_id", &["email.message_uid"]),
        ("file_name", &["email.files.name"]),
        ("file_hash", &["email.files.hashes.value"]),
        // What became of the mail: delivered, held, rejected, blocked … OCSF's own status says
        // whether the activity succeeded, which nobody hunts for.
        ("status", &["status_detail"]),
        ("source_address", &["src_endpoint.ip", "email.x_originating_ip"]),
        ("destination_address", &["dst_endpoint.ip"]),
        // Interflow.
        ("srcip", &["src_endpoint.ip", "email.x_originating_ip"]),
        ("dstip", &["dst_endpoint.ip"]),
        ("email.sender.address", FROM),
        ("email.recipient.addresses", TO),
        ("email.message_id", &["email.message_uid"]),
        ("file.name", &["email.files.name"]),
        ("file.hash", &["email.files.hashes.value"]),
        ("url", &["email.urls.url_string"]),
    ],
    ip: &["src_endpoint.ip", "dst_endpoint.ip", "email.x_originating_ip"],
    domain: &[
        "email.urls.hostname",
        "email.urls.domain",
        "src_endpoint.hostname",
        "src_endpoint.domain",
        "dst_endpoint.hostname",
        "dst_endpoint.domain",
    ],
    mail: &[
        "email.from",
        "email.from_list",
        "email.sender",
        "email.return_path",
        "from",
        "email.to",
        "email.cc",
        "email.delivered_to_list",
        "to",
    ],
    hash: &["email.files.hashes.value"],
    host: &[
        "src_endpoint.hostname",
        "src_endpoint.name",
        "dst_endpoint.hostname",
        "dst_endpoint.name",
    ],
    user: &[
        "email.from",
        "email.from_list",
        "email.from_mailbox",
        "email.sender",
        "email.return_path",
        "from",
        "email.to",
        "email.to_mailboxes",
        "email.cc",
        "email.cc_mailboxes",
        "email.delivered_to_list",
        "to",
    ],
};
