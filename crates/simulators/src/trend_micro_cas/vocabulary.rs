//! The words that records are made of. Data, and nothing else.
//!
//! Everything is invented; domains end in `.example`, addresses are of the documentation ranges. The texts stand
//! between JSON quotes as they are, so quotes and backslashes are written escaped, and some other characters too.

/// Accounts of the protected tenant.
pub(super) const USERS: &[&str] = &[
    "haruka.mori@tarn.example",
    "s.okabe@tarn.example",
    "lena.fischer@tarn.example",
    "rafael.duarte@tarn.example",
    "keiri@tarn.example",
    "jinji@tarn.example",
    "p.novak@eu.tarn.example",
    "amara.diallo@eu.tarn.example",
    "yuto.kanda@jp.tarn.example",
    "emi.sakai@jp.tarn.example",
    "helpdesk@tarn.example",
    "o'neil@tarn.example",
];

/// Mail senders from outside.
pub(super) const SENDERS: &[&str] = &[
    "accounts@supplier-co.example",
    "noreply@parcel-track.example",
    "ceo.office@tarn-corp.example",
    "newsletter@events.example",
    "invoice@billing-desk.example",
    "\\u60c5\\u5831@mail.example",
    "no.reply+bounce=77@lists.example",
    "",
];

/// Mail subjects.
pub(super) const SUBJECTS: &[&str] = &[
    "Overdue invoice 4471",
    "請求書のご送付について",
    "【重要】パスワード再設定のお願い",
    "Re: Fwd: contract draft v3",
    "Your parcel is waiting",
    "\\u4f1a\\u8b70\\u306e\\u8cc7\\u6599",
    "\\\"Quarterly numbers\\\" - confidential",
    "Données clients (à vérifier)",
    "Meeting tomorrow? 📎",
    "",
];

/// Harmless and less harmless file names.
pub(super) const FILES: &[&str] = &[
    "budget_2026.xlsm",
    "見積書_最終版.docx",
    "顧客名簿(社外秘).csv",
    "setup_tool.scr",
    "holiday-photos.zip",
    "report.final.pdf",
    "macro test.docm",
    "résumé.pdf",
    "run\\u0020me.bat",
    "update.js",
];

/// Sites, drives and paths of file services.
pub(super) const PLACES: &[&str] = &[
    "https://tarn.sharepoint.example/sites/finance/Shared Documents/",
    "https://tarn.sharepoint.example/sites/開発/Shared Documents/General/",
    "https://tarn-my.sharepoint.example/personal/lena_fischer/Documents/",
    "/All Files/Projects/2026/",
    "/team/経理/",
    "My Drive/exports/",
    "https:\\/\\/tarn.sharepoint.example\\/sites\\/legal\\/",
    "",
];

/// Mail folders.
pub(super) const FOLDERS: &[&str] =
    &["Inbox", "Sent Items", "受信トレイ", "Archive\\\\2026", "Junk Email"];

/// Policies; those that only watch say so.
pub(super) const POLICIES: &[&str] = &[
    "Default ATP policy",
    "Finance strict",
    "情報漏えい対策 標準",
    "Pilot group (Monitor Only)",
    "Log only - contractors",
    "EU data protection",
];

/// Filters of the security risk scan.
pub(super) const RISK_FILTERS: &[&str] =
    &["Advanced Spam Protection", "File Blocking", "Malware Scanning", "Web Reputation"];

/// What was done; weighted by repetition.
pub(super) const ACTIONS: &[&str] =
    &["Quarantine", "Quarantine", "Quarantine", "Pass", "Pass", "Delete", "Block", "Tag subject"];

/// Names of spam categories and malware.
pub(super) const RISKS: &[&str] = &[
    "Phishing",
    "BEC",
    "Malware: TARN_TEST_WORM.B",
    "Malware: TARN_TEST_DROPPER.AA",
    "Graymail: marketing",
    "",
];

/// Addresses in documentation ranges, to build bad links.
pub(super) const ADDRESSES: &[&str] = &["192.0.2.", "198.51.100.", "203.0.113."];

/// Hosts of bad links.
pub(super) const BAD_HOSTS: &[&str] =
    &["login.bad-site.example", "cdn.files-drop.example", "xn--80ak6aa92e.example"];

/// Risk levels of web reputation and sandbox.
pub(super) const LEVELS: &[&str] =
    &["Dangerous", "Highly Suspicious", "Suspicious", "High", "Medium", "Low", ""];

/// What found it.
pub(super) const DETECTORS: &[&str] =
    &["Pattern-based scanning", "Predictive Machine Learning", "Writing style analysis", ""];

/// Sandbox verdicts.
pub(super) const VIRUSES: &[&str] = &["VAN_TARNTEST.UMXX", "VAN_TARNDOC.C", "VAN_TARNLINK.R", ""];

/// Ransomware names.
pub(super) const RANSOMS: &[&str] =
    &["Ransom.Win32.TARNLOCK.A", "Ransom.JS.TARNDROP.SM", "Ransom_TARNTEST.D"];

/// Data loss templates.
pub(super) const TEMPLATES: &[&str] = &[
    "All: Credit Card Number",
    "Japan: 個人番号 (My Number)",
    "EU: IBAN",
    "Source code",
    "Password list",
];

/// Hashes that are none.
pub(super) const BAD_HASHES: &[&str] = &[
    "",
    "N/A",
    "da39a3ee5e6b4b0d3255bfef95601890afd8070",
    "ABCDEF0123456789ABCDEF0123456789ABCDEF01",
    "zz00",
];
