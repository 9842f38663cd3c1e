//! The criteria of an investigation, each checked once and then asked of every mail.

use std::net::IpAddr;

use super::errors::Refused;
use super::mails::Mail;
use super::parameters::{Parameters, invalid};

/// The parameters that are criteria.
pub(super) const NAMES: [&str; 12] = [
    "mailbox",
    "subject",
    "file_sha1",
    "file_sha256",
    "file_name",
    "file_extension",
    "url",
    "sender",
    "recipient",
    "message_id",
    "source_ip",
    "source_domain",
];

/// One criterion.
#[derive(Debug)]
enum Criterion {
    Mailbox(Pattern),
    Subject(Subject),
    Sha1(String),
    Sha256(String),
    FileName(Pattern),
    FileExtension(Pattern),
    Url(String),
    Sender(Pattern),
    Recipient(Pattern),
    MessageId(String),
    SourceIp(Network),
    SourceDomain(Pattern),
}

/// Criteria of which all must be met.
#[derive(Debug)]
pub(super) struct Criteria(Vec<Criterion>);

impl Criteria {
    /// Checks the criteria among the parameters.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Refused> {
        let given = NAMES.iter().filter_map(|name| Some((*name, parameters.get(name)?)));
        given
            .map(|(name, text)| Criterion::parse(name, text).ok_or_else(|| invalid(name)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a mail meets them all.
    pub(super) fn are_met_by(&self, mail: &Mail) -> bool {
        self.0.iter().all(|criterion| criterion.is_met_by(mail))
    }
}

impl Criterion {
    fn parse(name: &str, text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let pattern = || Pattern::parse(text);
        Some(match name {
            "mailbox" => Self::Mailbox(pattern()?),
            "subject" => Self::Subject(Subject::parse(text)?),
            "file_sha1" => Self::Sha1(hash(text, 40)?),
            "file_sha256" => Self::Sha256(hash(text, 64)?),
            "file_name" => Self::FileName(pattern()?),
            "file_extension" => Self::FileExtension(pattern().filter(|_| !text.contains('.'))?),
            "url" => Self::Url(text.to_owned()),
            "sender" => Self::Sender(pattern()?),
            "recipient" => Self::Recipient(pattern()?),
            "message_id" => Self::MessageId(text.to_owned()),
            "source_ip" => Self::SourceIp(Network::parse(text)?),
            "source_domain" => Self::SourceDomain(pattern()?),
            _ => return None,
        })
    }

    fn is_met_by(&self, mail: &Mail) -> bool {
        let message = &mail.message;
        let mut files = message.attachments.iter();
        match self {
            Self::Mailbox(pattern) => pattern.matches(&mail.mailbox),
            Self::Subject(subject) => subject.matches(&message.subject),
            Self::Sha1(sha1) => files.any(|file| file.sha1 == *sha1),
            Self::Sha256(sha256) => files.any(|file| file.sha256 == *sha256),
            Self::FileName(pattern) => files.any(|file| {
                let stem = file.name.rsplit_once('.').map_or("", |(stem, _)| stem);
                pattern.matches(&file.name) || pattern.matches(stem)
            }),
            Self::FileExtension(pattern) => files.any(|file| {
                file.name.rsplit_once('.').is_some_and(|(_, extension)| pattern.matches(extension))
            }),
            Self::Url(url) => message.urls.contains(url),
            Self::Sender(pattern) => pattern.matches(&message.sender),
            Self::Recipient(pattern) => message.recipients.iter().any(|to| pattern.matches(to)),
            Self::MessageId(id) => message.id == *id,
            Self::SourceIp(network) => network.contains(message.source_ip),
            Self::SourceDomain(pattern) => pattern.matches(&message.source_domain),
        }
    }
}

/// A text in which `*` stands for anything, but not at the beginning; letter case does not matter.
#[derive(Debug)]
struct Pattern(String);

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        (!text.starts_with('*')).then(|| Self(text.to_lowercase()))
    }

    fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else {
            return false;
        };
        let Some(end) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.ends_with(end)
    }
}

/// A text to find in subjects; letter case does not matter.
#[derive(Debug)]
struct Subject {
    phrase: String,
    /// The words of which one is enough; none when the phrase was quoted.
    terms: Vec<String>,
}

impl Subject {
    fn parse(text: &str) -> Option<Self> {
        let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let phrase = unquoted.unwrap_or(text).trim().to_lowercase();
        let terms = if unquoted.is_none() { terms(&phrase).collect() } else { Vec::new() };
        (!phrase.is_empty()).then_some(Self { phrase, terms })
    }

    fn matches(&self, subject: &str) -> bool {
        let subject = subject.to_lowercase();
        has_phrase(&subject, &self.phrase) || terms(&subject).any(|word| self.terms.contains(&word))
    }
}

/// The words of a text: what stands between separators, of which `_` is none.
fn terms(text: &str) -> impl Iterator<Item = String> {
    let is_separator = |c: char| !c.is_alphanumeric() && c != '_';
    text.split(is_separator).filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Whether a phrase stands in a text without cutting a word of Latin letters and digits.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(phrase).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        let cuts_start = is_word(before.chars().next_back()) && is_word(found.chars().next());
        let cuts_end = is_word(found.chars().next_back()) && is_word(after.chars().next());
        !cuts_start && !cuts_end
    })
}

/// An address, or a network with its mask as a length or, in IPv4, in dotted form.
#[derive(Debug)]
struct Network {
    address: IpAddr,
    /// How many leading bits count.
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, mask) = text.split_once('/').map_or((text, None), |(a, m)| (a, Some(m)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match mask {
            None => most,
            Some(mask) if mask.contains('.') && address.is_ipv4() => {
                let mask = u32::from(mask.parse::<std::net::Ipv4Addr>().ok()?);
                (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.leading_ones())?
            }
            Some(mask) => mask.parse().ok().filter(|bits| *bits <= most)?,
        };
        Some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (left, right, width) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(u32::from(own)), u128::from(u32::from(other)), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (u128::from(own), u128::from(other), 128),
            _ => return false,
        };
        (left ^ right).checked_shr(width - self.bits).unwrap_or(0) == 0
    }
}

/// A complete hash, lower case.
fn hash(text: &str, digits: usize) -> Option<String> {
    let is_hash = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(subject: &str, text: &str) -> bool {
        Subject::parse(subject).is_some_and(|subject| subject.matches(text))
    }

    #[test]
    fn plain_subjects_are_any_term_or_the_phrase_and_quoted_ones_the_phrase() {
        let text = "Quarterly-numbers.draft for board_meeting";
        for plain in
            ["quarterly", "NUMBERS", "nothing draft", "quarterly-numbers", "for board_meeting"]
        {
            assert!(found(plain, text), "{plain}");
        }
        for bad in
            ["quarter", "board", "meeting", "\"numbers for\"", "\"quarterly numbers\"", "\"raft\""]
        {
            assert!(!found(bad, text), "{bad}");
        }
        assert!(found("\"Draft for\"", text));
        assert!(found("\"パスワード\"", "【重要】パスワード再設定のお願い"));
        for empty in ["\"\"", " ", "\"  \""] {
            assert!(Subject::parse(empty).is_none(), "{empty}");
        }
    }

    #[test]
    fn masks_are_lengths_or_dotted() {
        let within = |network: &str, address: &str| {
            Network::parse(network)
                .is_some_and(|network| network.contains(address.parse().unwrap()))
        };
        for (network, address, expected) in [
            ("192.0.2.10", "192.0.2.10", true),
            ("192.0.2.10", "192.0.2.11", false),
            ("192.0.2.0/24", "192.0.2.200", true),
            ("192.0.2.0/255.255.255.0", "192.0.3.1", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("2001:db8::/32", "2001:db8::25", true),
            ("::/0", "192.0.2.1", false),
        ] {
            assert_eq!(within(network, address), expected, "{network} {address}");
        }
        for bad in ["", "192.0.2", "192.0.2.0/33", "192.0.2.0/255.0.255.0", "192.0.2.0/", "host"] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    /// The plainest matcher: tries every split.
    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| plainly(rest, &text[skip..])),
            Some((first, rest)) => text.first() == Some(first) && plainly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_the_plainest_matcher(pattern in "[ab][ab*]{0,5}", text in "[ab]{0,7}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = plainly(&chars(&pattern), &chars(&text));
            prop_assert_eq!(Pattern::parse(&pattern).unwrap().matches(&text), expected);
        }

        #[test]
        fn no_text_breaks_a_criterion(text in "\\PC{0,20}", subject in "\\PC{0,20}") {
            for name in NAMES {
                drop(Criterion::parse(name, &text));
            }
            found(&text, &subject);
        }
    }
}
