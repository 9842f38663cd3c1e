//! The words that the corpus is made of. Data, and nothing else.
//!
//! Everything is invented; domains end in `.example`. The texts stand between JSON quotes as they are.

pub(super) const FIRST_NAMES: &[&str] = &[
    "akari", "ben", "carla", "daichi", "elif", "farid", "greta", "haruka", "ines", "jonas",
    "kenji", "lena", "mateo", "nadia", "olu", "petra", "quentin", "rin", "samir", "tomoko", "ulla",
    "viktor", "wen", "xenia", "yuto", "zoe", "amara", "bruno", "chidi", "dana", "emi", "fabio",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "abe", "bauer", "costa", "diallo", "endo", "fischer", "gupta", "haddad", "ito", "jensen",
    "kanda", "lopez", "mori", "novak", "okabe", "pereira", "quist", "rossi", "sakai", "tanaka",
    "ueda", "vogel", "weber", "xu", "yamada", "zeller", "anand", "brandt", "castro", "dupont",
    "eriksen", "fujii",
];

/// Divisions of the protected company, as domains.
pub(super) const DIVISIONS: &[&str] =
    &["tarn.example", "eu.tarn.example", "jp.tarn.example", "us.tarn.example", "lab.tarn.example"];

/// Mail boxes of companies that write in bulk.
pub(super) const BULK_BOXES: &[&str] = &[
    "noreply", "invoice", "billing", "news", "support", "info", "orders", "hr", "alerts",
    "shipping",
];

/// Two halves of a company's name.
pub(super) const BRANDS: &[&str] = &[
    "north", "blue", "alpine", "river", "delta", "orbit", "cedar", "stone", "harbor", "lumen",
    "vector", "maple", "summit", "coral", "ember", "falcon", "granite", "horizon", "indigo",
    "juniper", "keystone", "lotus",
];
pub(super) const TRADES: &[&str] = &[
    "supply", "parcel", "bank", "cloud", "media", "travel", "print", "legal", "foods", "energy",
    "health", "steel", "design", "motors", "paper", "tools", "soft", "trade", "labs", "post",
];

/// Subjects; `#` becomes a number, `@` a name.
pub(super) const SUBJECTS: &[&str] = &[
    "Invoice # is overdue",
    "Re: order #",
    "Your parcel # is waiting",
    "Fwd: contract draft v#",
    "請求書 No.# のご送付について",
    "【重要】パスワード再設定のお願い (#)",
    "会議の資料 @ さん",
    "Minutes of the meeting with @",
    "Payment advice #",
    "\\\"Quarterly numbers\\\" - confidential #",
    "Données clients, dossier # (à vérifier)",
    "Ticket #: access for @",
    "Your subscription ends in # days",
    "Weekly digest",
    "Out of office: @",
    "Shared with you: plan_#.xlsx",
    "Lunch? 📎",
    "RE: RE: RE: offer #",
    "Kündigung Vertrag #",
    "Action required: verify your account #",
];

pub(super) const FILE_STEMS: &[&str] = &[
    "budget",
    "offer",
    "見積書",
    "contract",
    "minutes",
    "顧客名簿",
    "holiday-photos",
    "report.final",
    "scan",
    "invoice",
    "résumé",
    "setup_tool",
    "plan",
    "export",
    "backup",
    "議事録",
];
pub(super) const FILE_ENDINGS: &[&str] =
    &["pdf", "docx", "xlsx", "zip", "xlsm", "docm", "pptx", "js", "exe", "csv", "html", "iso"];

/// Sites and drives; `#` becomes a number.
pub(super) const PLACES: &[&str] = &[
    "https://tarn.sharepoint.example/sites/team-#/Shared Documents/",
    "https://tarn.sharepoint.example/sites/開発-#/Shared Documents/General/",
    "https://tarn-my.sharepoint.example/personal/user_#/Documents/",
    "/All Files/Projects/#/",
    "/team/経理/#/",
    "My Drive/exports/#/",
];

pub(super) const MAIL_FOLDERS: &[&str] =
    &["Inbox", "Junk Email", "Sent Items", "受信トレイ", "Archive"];

pub(super) const POLICIES: &[&str] = &[
    "Default ATP policy",
    "Finance strict",
    "All users - mail",
    "情報漏えい対策 標準",
    "Executives",
    "EU data protection",
    "Pilot group (Monitor Only)",
    "Contractors - log only",
    "Sites and drives",
    "Source code",
    "Legal hold",
    "Factory floor",
];

pub(super) const RISK_FILTERS: &[(u64, &str)] = &[
    (45, "Advanced Spam Protection"),
    (25, "Web Reputation"),
    (15, "Malware Scanning"),
    (15, "File Blocking"),
];

pub(super) const ACTIONS: &[(u64, &str)] =
    &[(50, "Quarantine"), (25, "Pass"), (10, "Delete"), (10, "Tag subject"), (5, "Block")];

pub(super) const SPAM_KINDS: &[&str] =
    &["Phishing", "Spam", "Graymail: marketing", "BEC", "Graymail: social network", "Scam"];

/// Families of malware; a letter follows.
pub(super) const MALWARE: &[&str] = &[
    "TROJ_TARNLOAD",
    "HTML_TARNPHISH",
    "W2KM_TARNDROP",
    "JS_TARNFETCH",
    "BKDR_TARNSHELL",
    "WORM_TARNMAIL",
    "TSPY_TARNKEY",
    "EXPL_TARNRTF",
];
pub(super) const SANDBOXED: &[&str] =
    &["VAN_TARNDOC", "VAN_TARNTEST", "VAN_TARNLINK", "VAN_TARNBOT"];
pub(super) const RANSOMWARE: &[&str] =
    &["Ransom.Win32.TARNLOCK", "Ransom.JS.TARNDROP", "Ransom_TARNCRYPT", "Ransom.HTML.TARNNOTE"];

pub(super) const DETECTORS: &[&str] =
    &["Pattern-based scanning", "Predictive Machine Learning", "Writing style analysis"];
pub(super) const RISK_LEVELS: &[(u64, &str)] =
    &[(40, "Dangerous"), (25, "Suspicious"), (20, "High"), (10, "Medium"), (5, "Low")];

pub(super) const TEMPLATES: &[&str] = &[
    "All: Credit Card Number",
    "Japan: 個人番号 (My Number)",
    "EU: IBAN",
    "Source code",
    "Password list",
    "US: HIPAA",
    "UK: NHS Number",
    "Germany: Personalausweis",
];
