//! The company's accounts, on the directories that hold them.

/// A directory in the cloud: the only one that can sign a person out everywhere.
pub(super) const CLOUD: &str = "AAD";
/// A directory on the premises.
pub(super) const PREMISES: &str = "OPAD";

/// Accounts with their directories; the second one lives in both.
pub(super) const ACCOUNTS: &[(&str, &[&str])] = &[
    ("haruka.mori@tarn.example", &[CLOUD]),
    ("lena.fischer@tarn.example", &[CLOUD, PREMISES]),
    ("rafael.duarte@tarn.example", &[CLOUD]),
    ("tarn\\h.mori", &[PREMISES]),
    ("tarn\\s.okabe", &[PREMISES]),
    ("tarn\\l.fischer", &[PREMISES]),
    ("tarn\\svc-backup", &[PREMISES]),
    ("TARN\\administrator", &[PREMISES]),
    ("tarn\\r.duarte", &[PREMISES]),
];

/// The account of a name, whose case does not matter.
pub(super) fn find(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    ACCOUNTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
}
