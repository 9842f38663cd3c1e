//! A security event as the vendor serves it, read in one pass with borrowed texts.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use sonic_rs::LazyValue;

/// A record.
#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) log_item_id: Text<'a>,
    #[serde(borrow)]
    pub(super) service: Text<'a>,
    #[serde(borrow)]
    pub(super) event: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Message<'a>,
}

/// Its `message`.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) scan_type: Text<'a>,
    #[serde(borrow)]
    pub(super) affected_user: Text<'a>,
    /// Its JSON text: for mail it is only kept.
    #[serde(borrow)]
    pub(super) location: LazyValue<'a>,
    #[serde(borrow)]
    pub(super) detection_time: Text<'a>,
    #[serde(borrow, default)]
    pub(super) triggered_policy_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) triggered_security_filter: Text<'a>,
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    #[serde(borrow)]
    pub(super) action_result: Text<'a>,
    #[serde(borrow, default)]
    pub(super) mail_message_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mail_message_sender: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mail_message_recipient: Texts<'a>,
    #[serde(borrow, default)]
    pub(super) mail_message_submit_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mail_message_delivery_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mail_message_subject: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mail_message_file_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) file_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) file_upload_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) file_sha1: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) file_sha256: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) security_risk_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) detected_by: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) risk_level: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) virus_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) detection_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) va_report_link: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) ransomware_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) triggered_dlp_template: Templates<'a>,
}

/// A text that borrows from the record where it holds no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text, or a list of texts.
#[derive(Default)]
pub(super) struct Texts<'a>(pub(super) Vec<Text<'a>>);

/// A text, or a list of objects with a name and a count.
#[derive(Default)]
pub(super) struct Templates<'a>(pub(super) Vec<Template<'a>>);

/// A template that matched.
#[derive(Deserialize)]
pub(super) struct Template<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) count: Option<i32>,
}

struct AsText;
struct AsTexts;
struct AsTemplates;

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_str(AsText)
    }
}

impl<'de> Visitor<'de> for AsText {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(AsTexts)
    }
}

impl<'de> Visitor<'de> for AsTexts {
    type Value = Texts<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a list of texts")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Borrowed(text))]))
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Owned(text.to_owned()))]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts<'de>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Templates<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(AsTemplates)
    }
}

impl<'de> Visitor<'de> for AsTemplates {
    type Value = Templates<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a list of objects")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Templates<'de>, E> {
        Ok(Templates(vec![Template { name: Text(Cow::Borrowed(text)), count: None }]))
    }

    fn visit_str<E>(self, text: &str) -> Result<Templates<'de>, E> {
        Ok(Templates(vec![Template { name: Text(Cow::Owned(text.to_owned())), count: None }]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Templates<'de>, A::Error> {
        let mut templates = Vec::new();
        while let Some(template) = items.next_element()? {
            templates.push(template);
        }
        Ok(Templates(templates))
    }
}
