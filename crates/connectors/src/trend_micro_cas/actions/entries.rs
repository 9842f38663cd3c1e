//! Entities as entries of the block list: which list they belong to, and when two of them are the same.

use model::action::{Entity, EntityKind, Text};
use serde::{Deserialize, Serialize};
use url::Url;

use super::mail_address::is_mail_address;

/// One of the block lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum List {
    Senders,
    Urls,
    Sha1,
    Sha256,
}

impl List {
    pub(super) const ALL: [Self; 4] = [Self::Senders, Self::Urls, Self::Sha1, Self::Sha256];

    /// Its name at the vendor.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Senders => "senders",
            Self::Urls => "urls",
            Self::Sha1 => "filehashes",
            Self::Sha256 => "file256hashes",
        }
    }

    /// The form in which two entries of this list are the same. The vendor rewrites URLs: it drops the scheme,
    /// and sometimes adds or drops a lone slash.
    pub(super) fn form(self, value: &str) -> String {
        let value = value.trim();
        if self == Self::Urls { bare_url(value) } else { value.to_lowercase() }
    }
}

/// What is sent for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) list: List,
    pub(super) value: String,
}

/// What an entity is to the block list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Entry(Entry),
    /// It is not what its kind says, in words.
    Invalid(Text),
    /// The block list has no such things.
    Unsupported,
}

/// Reads an entity. A user counts when its value is a mail address.
pub(super) fn read(entity: &Entity) -> Reading {
    let value = entity.value.trim();
    let entry = |list| Reading::Entry(Entry { list, value: value.to_owned() });
    match entity.kind {
        EntityKind::Url if is_absolute_url(value) => entry(List::Urls),
        EntityKind::Url => invalid("no absolute URL", "絶対 URL ではありません"),
        EntityKind::Hash => match hash_list(value) {
            Some(list) => entry(list),
            None => {
                invalid("neither a SHA-1 nor a SHA-256 digest", "SHA-1 でも SHA-256 でもありません")
            }
        },
        EntityKind::EmailAddress | EntityKind::User if is_mail_address(value) => {
            entry(List::Senders)
        }
        EntityKind::EmailAddress => invalid("no mail address", "メールアドレスではありません"),
        _ => Reading::Unsupported,
    }
}

/// The list of a digest, by its length.
pub(super) fn hash_list(value: &str) -> Option<List> {
    if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match value.len() {
        40 => Some(List::Sha1),
        64 => Some(List::Sha256),
        _ => None,
    }
}

/// Whether a text is a URL with a scheme and a host.
pub(super) fn is_absolute_url(value: &str) -> bool {
    value.contains("://") && Url::parse(value).is_ok_and(|url| url.has_host())
}

/// The host of a URL, whether or not it has a scheme.
pub(super) fn host_of(value: &str) -> Option<String> {
    parsed(value.trim())?.host_str().map(str::to_lowercase)
}

/// A URL without its scheme, a lone slash and a fragment, its host in lower case.
fn bare_url(value: &str) -> String {
    let Some(url) = parsed(value) else { return value.to_lowercase() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = if url.path() == "/" { "" } else { url.path() };
    format!("{}{port}{path}{query}", url.host_str().unwrap_or_default().to_lowercase())
}

fn parsed(value: &str) -> Option<Url> {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match value.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => Url::parse(value).ok(),
        _ => Url::parse(&format!("http://{value}")).ok(),
    }
    .filter(Url::has_host)
}

fn invalid(en: &str, ja: &str) -> Reading {
    Reading::Invalid(Text::new(en, ja))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_the_same_whatever_the_vendor_makes_of_them() {
        for (given, stored) in [
            ("https://Test.Example.com", "test.example.com"),
            ("https://test.example.com/", "test.example.com/"),
            ("http://A.example/Path/?Q=1", "a.example/Path/?Q=1"),
            ("https://a.example:8443/", "a.example:8443"),
            ("https://例え.example/", "xn--r8jz45g.example"),
        ] {
            assert_eq!(List::Urls.form(given), List::Urls.form(stored), "{given}");
        }
        assert_ne!(List::Urls.form("http://a.example/b"), List::Urls.form("a.example/B"));
        assert_ne!(List::Urls.form("http://a.example/b"), List::Urls.form("a.example"));
        assert_eq!(host_of("pay.BAD.example/login").as_deref(), Some("pay.bad.example"));
    }

    #[test]
    fn entities_are_read_by_kind_and_value() {
        let list = |kind, value: &str| match read(&Entity::new(kind, value)) {
            Reading::Entry(entry) => Ok(entry.list),
            other => Err(other == Reading::Unsupported),
        };
        let (sha1, sha256) = ("a".repeat(40), "B".repeat(64));
        for (kind, value, expected) in [
            (EntityKind::Url, "http://a.example/b", Ok(List::Urls)),
            (EntityKind::Url, "a.example/b", Err(false)),
            (EntityKind::Url, "http://", Err(false)),
            (EntityKind::Hash, &sha1, Ok(List::Sha1)),
            (EntityKind::Hash, &sha256, Ok(List::Sha256)),
            (EntityKind::Hash, "d41d8cd98f00b204e9800998ecf8427e", Err(false)),
            (EntityKind::Hash, &"g".repeat(40), Err(false)),
            (EntityKind::EmailAddress, "a@b.example", Ok(List::Senders)),
            (EntityKind::EmailAddress, "nobody", Err(false)),
            (EntityKind::User, "a@b.example", Ok(List::Senders)),
            (EntityKind::User, "CORP\\a", Err(true)),
            (EntityKind::Host, "pc-1", Err(true)),
        ] {
            assert_eq!(list(kind, value), expected, "{kind} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading(text in "\\PC{0,60}") {
            for list in List::ALL {
                let form = list.form(&text);
                prop_assert_eq!(list.form(&form).to_lowercase(), form.to_lowercase());
            }
            drop(read(&Entity::new(EntityKind::Url, text)));
        }
    }
}
