//! The block list: objects put on it and taken off again.

use std::net::IpAddr;

use model::action::{Entity, EntityKind, Halt, Text};
use serde_json::{Map, Value};
use url::Url;

use super::orders::{Intake, member, within};
use super::response::Verb;
use super::run::Run;
use super::words::Words;

/// The actions of this file.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "add_to_block_list",
        path: "response/suspiciousObjects",
        tasks: &["block"],
        intake,
        tells: &[],
        words: Words {
            verb: "add",
            past: "added",
            nouns: "entities",
            place: " to the block list in Trend Vision One",
            none: "No entities were added to the block list in Trend Vision One.",
            ja_nouns: "エンティティ",
            ja_stem: "をブロックリストに追加",
            ja_none: "Trend Vision One でブロックリストに追加したエンティティはありません。",
        },
    },
    Verb {
        name: "remove_from_block_list",
        path: "response/suspiciousObjects/delete",
        tasks: &["restoreBlock"],
        intake,
        tells: &[],
        words: Words {
            verb: "remove",
            past: "removed",
            nouns: "entities",
            place: " from the block list in Trend Vision One",
            none: "No entities were removed from the block list in Trend Vision One.",
            ja_nouns: "エンティティ",
            ja_stem: "をブロックリストから削除",
            ja_none: "Trend Vision One でブロックリストから削除したエンティティはありません。",
        },
    },
];

const KINDS: [EntityKind; 5] = [
    EntityKind::Url,
    EntityKind::Domain,
    EntityKind::Ip,
    EntityKind::EmailAddress,
    EntityKind::Hash,
];

fn intake(run: &Run<'_>) -> Result<Intake, Halt> {
    Ok(Intake::of(&run.input.entities, &KINDS, object))
}

/// The one key of an object, by what the entity is.
fn object(entity: &Entity) -> Result<Map<String, Value>, Text> {
    let value = &*entity.value;
    let is_plain = !value.contains(char::is_whitespace);
    let (name, problem) = match entity.kind {
        EntityKind::Url if is_url(value) => ("url", None),
        EntityKind::Domain
            if is_plain && value.contains('.') && !value.contains(['/', ':', '@']) =>
        {
            ("domain", None)
        }
        EntityKind::Ip if value.parse::<IpAddr>().is_ok() => ("ip", None),
        EntityKind::EmailAddress if is_plain && is_mail_address(value) => {
            ("senderMailAddress", None)
        }
        EntityKind::Hash => match hexadecimal(value) {
            Some(name) => (name, None),
            None => (
                "",
                Some(Text::new(
                    "is no SHA-1 or SHA-256 digest",
                    "SHA-1 または SHA-256 ではありません",
                )),
            ),
        },
        EntityKind::Url => ("", Some(not_a_url())),
        EntityKind::Domain => {
            ("", Some(Text::new("is no domain name", "ドメイン名ではありません")))
        }
        EntityKind::Ip => ("", Some(Text::new("is no IP address", "IP アドレスではありません"))),
        _ => ("", Some(Text::new("is no mail address", "メールアドレスではありません"))),
    };
    if let Some(problem) = problem {
        return Err(problem);
    }
    within(value, 255)?;
    Ok(member(name, value))
}

/// Whether a text is an absolute URL with a host.
pub(super) fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host())
}

/// What an entity says that is no URL.
pub(super) fn not_a_url() -> Text {
    Text::new("is no absolute URL", "絶対 URL ではありません")
}

/// The vendor's key for a digest; `None` for what is none.
pub(super) fn hexadecimal(text: &str) -> Option<&'static str> {
    let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        40 if is_hexadecimal => Some("fileSha1"),
        64 if is_hexadecimal => Some("fileSha256"),
        _ => None,
    }
}

fn is_mail_address(text: &str) -> bool {
    matches!(text.split('@').collect::<Vec<_>>()[..], [local, domain] if !local.is_empty() && domain.contains('.'))
}
