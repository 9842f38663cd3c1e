//! Words for people in every language of the console.

use serde::{Deserialize, Serialize};

/// A language that people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Locale {
    /// The language that a tag such as `ja`, `ja-JP` or `ja_JP.UTF-8` names; `None` for one that nobody
    /// speaks here.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_', '.', ';']).next().unwrap_or_default();
        [("en", Self::En), ("ja", Self::Ja)]
            .into_iter()
            .find(|(name, _)| primary.eq_ignore_ascii_case(name))
            .map(|(_, locale)| locale)
    }

    /// The first language of an `Accept-Language` header that is spoken here, in the order of the caller's
    /// wish; English when none is.
    pub fn of_header(header: &str) -> Self {
        let mut wishes: Vec<(f32, Self)> = header
            .split(',')
            .filter_map(|wish| {
                let (tag, parameters) = wish.split_once(';').unwrap_or((wish, ""));
                let quality = parameters.trim().strip_prefix("q=");
                let quality = quality.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0));
                Some((quality, Self::of_tag(tag)?)).filter(|(quality, _)| *quality > 0.0)
            })
            .collect();
        wishes.sort_by(|left, right| right.0.total_cmp(&left.0));
        wishes.first().map_or(Self::En, |(_, locale)| *locale)
    }
}

/// One text in every language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

impl Text {
    /// The text in both languages.
    pub fn new(en: impl Into<String>, ja: impl Into<String>) -> Self {
        Self { en: en.into(), ja: ja.into() }
    }

    /// What is the same in every language: a name, a vendor's own words.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en: text.clone(), ja: text }
    }

    /// The text in one language.
    pub fn of(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }

    /// Adds another text behind this one, in each language.
    pub fn push(&mut self, other: &Self) {
        self.en.push_str(&other.en);
        self.ja.push_str(&other.ja);
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty() && self.ja.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_callers_best_wish_that_is_spoken_here() {
        let table = [
            ("", Locale::En),
            ("ja", Locale::Ja),
            ("ja-JP,en;q=0.5", Locale::Ja),
            ("en;q=0.5, ja;q=0.9", Locale::Ja),
            ("fr, ja;q=0.1", Locale::Ja),
            ("ja;q=0, en", Locale::En),
            ("fr, de", Locale::En),
        ];
        for (header, locale) in table {
            assert_eq!(Locale::of_header(header), locale, "{header}");
        }
        assert_eq!(Locale::of_tag("ja_JP.UTF-8"), Some(Locale::Ja));
        assert_eq!(Locale::of_tag("C"), None);
    }
}
