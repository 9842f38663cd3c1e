//! Whether a text is a mail address.

/// Whether a text is one mail address and nothing else. Stricter than the vendor's own example client, which
/// searches for an address anywhere in the text and then sends the text.
pub(super) fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_local = (1..=64).contains(&local.len())
        && !local.contains(|c: char| {
            c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c)
        });
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric())
    };
    is_local && domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in
            ["a@b.example", "o'neil@tarn.example", "x.y+z_1@mail.b-c.example", "名@例え.example"]
        {
            assert!(is_mail_address(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b.",
            "a@.b",
            "a b@c.example",
            "a@b@c.example",
            "A <a@b.example>",
            "a@b.example,c@d.example",
            "CORP\\a",
            "a@-b.example",
            "a@b..example",
        ] {
            assert!(!is_mail_address(bad), "{bad}");
        }
    }
}
