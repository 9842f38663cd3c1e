//! Queries of the Lucene-style language, with what each of them means.

use crate::{outline, parse_lucene};

const TERMS: &[&str] = &[
    "",
    "*",
    "*:*",
    "invoice",
    "\"urgent invoice\"",
    "'urgent invoice'",
    r#""say \"hi\" and \\ more""#,
    "inv*ce",
    "*invoice*",
    "in?oice",
    r"100\% \*sure\*",
    "/inv(oice)?|wire/",
    "/etc/passwd",
    "https\\://login.bad.example/x",
    "~/notes PROGRA~x",
];

const FIELDS: &[&str] = &[
    "msg_class: trendmicro_cas_security_events",
    "msg_class:trendmicro_cas_security_events AND status:quarantine",
    "status : held",
    "subject:\"Invoice 7\"",
    "subject:Invoice\\ 7",
    "subject:inv*ce?",
    r"subject:50\*off*",
    r"subject:\*\?",
    "subject:/inv.*|wire/",
    "subject:*",
    "_exists_:cc_email_address",
    "-_exists_:cc_email_address",
    "msg_origin.vendor:trendmicro AND tenantid:default",
    "trendmicro_cas.message.action:Quarantine",
    r"trendmicro_cas.message.odd\ key\.x:1",
    "@user:cfo@corp.example OR @domain:bad.example",
    "@domain:*.bad.example OR @domain:/bad|evil\\.example/",
    "file.hashes.value: IN [aa, bb \"c c\"]",
    "severity:high OR severity:3 OR severity:>=0.6",
    "disposition_id:quarantined AND email.is_read:true",
    "source_address:10.0.0.0/8 OR source_address:2001:db8::1 OR source_address:10.1.*",
    "trendmicro_cas.client:10.0.0.0/8",
    "trendmicro_cas.client:007",
    "nonsense_name:x",
    "source:mimecast.siem AND aggregateId:abc",
];

const RANGES: &[&str] = &[
    "message_size:[100 TO 200]",
    "message_size:{100 TO 200}",
    "message_size:[100 TO 200}",
    "message_size:[100 TO *]",
    "message_size:{* TO 200}",
    "message_size:[* TO *]",
    "message_size:>=100 AND message_size:<200.5",
    "message_size:(>100 AND <= 200)",
    "disposition_id:[allowed TO blocked]",
    "trendmicro_cas.score:[0.5 TO 1]",
    "source_address:[10.0.0.1 TO 10.0.0.6]",
    "source_address:{10.0.0.255 TO *]",
    "timestamp:[2026-10-01 TO 2026-10-02]",
    "timestamp:{2026-10-01 TO 2026-10-03}",
    "time:[now-24h TO now]",
    "time:>=-7d",
    "time:2026-10-01 AND time:<2026-10-01T08:00 AND status:held",
    "time:2026-10-01 OR status:held",
    "-time:2026-10-01",
    "write_time:>2026-10-01T08:00:00Z",
    "event_time_usec:>=1790763400777000",
    "time:1790763400777",
];

const OPERATORS: &[&str] = &[
    "a AND b OR c AND d",
    "a && b || !c",
    "(a OR b) AND c",
    "a OR (b AND (c OR d))",
    "+a +b -c",
    "a -b",
    "a NOT b",
    "-a",
    "NOT NOT a",
    "a AND NOT (b OR c)",
    "a OR -b",
    "a b",
    "a and b",
    "status:(held OR rejected)",
    "status:(held OR (rejected AND -bounced))",
    "subject:(\"a b\" OR /c+/ OR d* OR *)",
    "message_size:([1 TO 5] OR >100)",
    "status:(held OR subject:x)",
    "-status:(held rejected)",
];

const LATEST: &[&str] = &[
    "latest:true",
    "latest=true",
    "latest = TRUE",
    "latest:false",
    "msg_class:mimecast_siem latest:true",
    "msg_class:mimecast_siem AND latest:true",
    "latest:true AND msg_class:mimecast_siem AND severity:high",
    "a OR b latest:true",
    "\"latest=true\"",
];

#[test]
fn terms_and_phrases_mean_this() {
    insta::assert_snapshot!(outlines(TERMS));
}

#[test]
fn fields_mean_this() {
    insta::assert_snapshot!(outlines(FIELDS));
}

#[test]
fn ranges_mean_this() {
    insta::assert_snapshot!(outlines(RANGES));
}

#[test]
fn operators_mean_this() {
    insta::assert_snapshot!(outlines(OPERATORS));
}

#[test]
fn the_newest_version_is_a_setting() {
    insta::assert_snapshot!(outlines(LATEST));
}

fn outlines(queries: &[&str]) -> String {
    let outline = |text: &&str| match parse_lucene(text) {
        Ok(parsed) => format!("{text}\n{}", outline::of(&parsed)),
        Err(error) => panic!("{}\nhint: {:?}", error.render(text), error.hint),
    };
    queries.iter().map(outline).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn white_space_changes_nothing() {
    let plain = parse_lucene("status:held AND (subject:x OR subject:y) AND -direction:inbound");
    let spellings = [
        "status: held AND ( subject: x OR subject: y ) AND -direction: inbound",
        "status:held\nAND (subject:x\n\tOR subject:y)\nAND -direction:inbound\n",
        "  status :held AND\n(subject :\nx OR\u{3000}subject:y) AND -direction:inbound",
        "status:held && (subject:x || subject:y) && -direction:inbound",
    ];
    for spelling in spellings {
        assert_eq!(parse_lucene(spelling).unwrap(), *plain.as_ref().unwrap(), "{spelling}");
    }
}
