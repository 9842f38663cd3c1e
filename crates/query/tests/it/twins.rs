//! The same question in both languages is the same plan.

use crate::{parse, parse_lucene};

/// Taegis style, Lucene style.
const TWINS: &[(&str, &str)] = &[
    ("", ""),
    ("", "*"),
    ("sensor_type = 'Mimecast'", "sensor_type:Mimecast"),
    ("sensor_type = 'Trend Micro CAS'", "sensor_type:\"Trend Micro CAS\""),
    (
        "msg_class = 'trendmicro_cas_security_events' AND status = 'held'",
        "msg_class: trendmicro_cas_security_events AND status: held",
    ),
    ("status = 'held' OR status = 'rejected'", "status:(held OR rejected)"),
    ("status IN ('held', 'rejected')", "status: IN [held rejected]"),
    ("status != 'held'", "-status:held"),
    ("status != 'held'", "NOT status:held"),
    ("status !IN ('held', 'rejected')", "NOT status:IN [held rejected]"),
    (
        "(status = 'held' OR status = 'bounced') AND direction != 'inbound'",
        "(status:held OR status:bounced) AND -direction:inbound",
    ),
    (
        "status = 'held' OR (status = 'bounced' AND direction = 'inbound')",
        "status:held OR status:bounced AND direction:inbound",
    ),
    ("raw_data CONTAINS 'virus'", "virus"),
    ("raw_data CONTAINS 'two words'", "\"two words\""),
    ("raw_data !CONTAINS 'virus' AND status = 'held'", "-virus +status:held"),
    ("subject MATCHES 'inv*e?'", "subject:inv*e?"),
    ("subject MATCHES_REGEX '^(?:inv.*|wire)$'", "subject:/inv.*|wire/"),
    ("raw_data MATCHES_REGEX 'inv|wire'", "/inv|wire/"),
    ("subject IS NULL", "-_exists_:subject"),
    ("cc_email_address IS NOT NULL", "cc_email_address:*"),
    ("message_size >= 100", "message_size:>=100"),
    ("message_size < 100", "message_size:[* TO 100}"),
    ("severity = 'High' AND severity >= 0.6", "severity:High AND severity:>=0.6"),
    ("disposition_id = 'Quarantined'", "disposition_id:quarantined"),
    ("email.is_read = true", "email.is_read:true"),
    ("source_address MATCHES '10.0.0.0/8'", "source_address:10.0.0.0/8"),
    ("@ip MATCHES '10.0.0.0/8'", "@ip:10.0.0.0/8"),
    ("@domain = 'bad.example'", "@domain:bad.example"),
    ("@user = 'cfo@corp.example'", "@user:cfo@corp.example"),
    ("trendmicro_cas.message.action = 'Pass'", "trendmicro_cas.message.action:Pass"),
    ("sensor_type = 'Mimecast' AND aggregateId = 'a'", "sensor_type:Mimecast AND aggregateId:a"),
    ("EARLIEST='2026-10-01' LATEST='2026-10-02'", "time:[2026-10-01 TO 2026-10-02]"),
    ("EARLIEST='2026-10-01' LATEST='2026-10-01'", "timestamp:2026-10-01"),
    ("LATEST='2026-10-02T08:00:00Z'", "timestamp:<=2026-10-02T08:00:00Z"),
    (
        "status = 'held' AND EARLIEST='2026-10-01' AND LATEST='2026-10-02'",
        "time:[2026-10-01 TO 2026-10-02] AND status:held",
    ),
    ("LATEST=true", "latest:true"),
    ("status = 'held' AND LATEST = TRUE", "status:held latest=true"),
];

#[test]
fn twins_are_one_plan() {
    for (taegis, lucene) in TWINS {
        let one = parse(taegis).unwrap_or_else(|error| panic!("{}", error.render(taegis)));
        let two = parse_lucene(lucene).unwrap_or_else(|error| panic!("{}", error.render(lucene)));
        assert_eq!(one.query, two.query, "{taegis}   {lucene}");
    }
}
