//! The queries of the contract, with what each of them means.

use crate::{outline, parse};

/// The vendor guide's own queries, and ours of every kind.
const CONTRACT: &[&str] = &[
    "WHERE sensor_type = 'mimecast' AND ingest.integration_id = 'mimecast2.0demo'",
    "FROM email WHERE sensor_type = 'Mimecast' and EARLIEST=-24h",
    "FROM email WHERE sensor_type = 'Mimecast' AND status = 'delivered'",
    "FROM email WHERE sensor_type = 'Mimecast' AND original_data CONTAINS 'virus'",
    "FROM http WHERE sensor_type = 'Mimecast' EARLIEST=-7d",
    "FROM email, http WHERE sensor_type = 'Mimecast' EARLIEST=-12h",
    "FROM email EARLIEST=-1h | head 10",
    "from email where sensor_type='MIMECAST' earliest =-24h",
    "FROM email WHERE from_email_address = 'billing@supplier.example' EARLIEST=-3d",
    "FROM email WHERE from_email_address CONTAINS '@supplier.example' AND direction = 'inbound' EARLIEST=-3d",
    "FROM email WHERE to_email_address IN ('cfo@corp.example','ceo@corp.example') EARLIEST=-30d",
    "FROM email WHERE status !IN ('delivered','accepted') EARLIEST=-1d",
    "FROM email WHERE status != 'delivered' EARLIEST=-1d | head 50",
    "FROM email WHERE subject CONTAINS 'invoice' AND (status = 'held' OR status = 'rejected') EARLIEST=-7d",
    r"FROM email WHERE subject CONTAINS e'CEO\'s request' EARLIEST=-7d",
    "FROM email WHERE subject MATCHES_REGEX 'invoice|remittance|wire' EARLIEST=-7d",
    r"FROM email WHERE from_email_address MATCHES_REGEX '@(bad|evil)\.example$' EARLIEST=-7d",
    r"FROM email WHERE from_email_address !MATCHES_REGEX '@corp\.example$' AND direction = 'internal' EARLIEST=-7d",
    "FROM email WHERE subject IS NULL EARLIEST=-1d",
    "FROM email WHERE reply_to_email_address IS NOT NULL EARLIEST=-1d",
    "FROM email WHERE message_size >= 20000000 EARLIEST=-7d",
    r#"FROM email WHERE original_data CONTAINS '"type":"impersonation protect"' EARLIEST=-7d"#,
    "FROM email WHERE original_data !CONTAINS 'postmaster' AND status = 'held' EARLIEST=-1d",
    "FROM email WHERE sensor_type = 'Mimecast' EARLIEST='2026-10-01T00:00:00Z' LATEST='2026-10-01T23:59:59Z'",
    "FROM email WHERE status = 'rejected' EARLIEST=-24h | aggregate count by from_email_address | head 20",
    "FROM email EARLIEST=-1d | aggregate count by status, direction",
    "FROM http WHERE sensor_type = 'Mimecast' EARLIEST=-7d | aggregate count by uri_host, source_username | head 25",
    "FROM http WHERE uri_host = 'login.bad.example' EARLIEST=-30d",
    "FROM http WHERE uri_path MATCHES '*/o365*' EARLIEST=-7d",
    "@ip = '203.0.113.40'",
    "@domain CONTAINS 'bad.example' EARLIEST=-7d",
    "FROM email WHERE @user = 'cfo@corp.example' EARLIEST=-3d",
    "@hash IN ('275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f') EARLIEST=-30d",
    "FROM email, http WHERE @ip !MATCHES '10.*' AND sensor_type = 'Mimecast' EARLIEST=-1d",
    "FROM email WHERE ingest.integration_id IN ('mimecast2.0demo','mimecast2.0ttp') EARLIEST=-1d | aggregate count by ingest.integration_id",
    "FROM auth WHERE @user CONTAINS 'cfo' EARLIEST=-12h",
    "FROM cloudaudit WHERE user_name CONTAINS 'admin' EARLIEST=-3d | head 2",
    "FROM detection WHERE severity >= 0.6 AND status = 'OPEN' AND investigation_ids IS NULL EARLIEST=-1d | head 5",
    "FROM email WHERE status = 'delivered' EARLIEST=-45d",
    "WHERE sensor_type = 'mimecast' AND @domain = 'bad.example' EARLIEST=-7d | head 100",
    "FROM email WHERE (status = 'held' AND direction = 'inbound') OR (status = 'bounced' AND direction = 'outbound') EARLIEST=-1d",
    "FROM email WHERE cc_email_address IS NOT NULL AND bcc_email_address IS NULL EARLIEST=-1d | aggregate count by to_email_address | head 10",
    "FROM http WHERE destination_port = 8443 OR uri_host CONTAINS 'corp-example' EARLIEST=-12h",
];

/// What the contract leaves to us.
const OWN: &[&str] = &[
    "",
    "FROM email EARLIEST=-1d WHERE subject='x'| head 2",
    "(subject = 'a' OR subject = 'b') AND EARLIEST=-1d AND LATEST=-1h",
    "FROM email LATEST='2026-10-01'",
    "FROM email WHERE subject = 'a' OR status = 'held' AND direction = 'inbound'",
    "FROM email WHERE NOT (subject CONTAINS 'a') AND status NOT IN ('held')",
    "FROM email WHERE from = 'a@b.example'",
    "FROM email WHERE email.subject = 7 AND email.is_read = 'TRUE' AND message_size = '12'",
    "FROM email WHERE disposition_id = 'quarantined' AND severity_id IN (3, 'critical')",
    "FROM email WHERE severity = 'High' OR severity > 3",
    "FROM email WHERE event_time_usec >= 1790763400777000 AND time < 1790763400777",
    "FROM email WHERE ingest_time > '-1h' AND time = '2026-10-01T00:00:00+09:00'",
    "FROM email WHERE source_address MATCHES '10.0.0.0/8' AND subject MATCHES 'a/b*'",
    "FROM email WHERE @ip MATCHES '2001:db8::/32' AND @domain IS NULL",
    r"FROM email WHERE @domain MATCHES_REGEX '^bad\.' OR @domain IN ('a.example', 'b.example')",
    "FROM email WHERE @domain MATCHES '*.bad.example' OR @domain = '*.x'",
    "FROM email WHERE trendmicro_cas.message.action = 'Quarantine' AND msg_class = 'trendmicro_cas_security_events'",
    "FROM file WHERE message.location CONTAINS 'sites' | fields time, message.location",
    "FROM file WHERE trend_micro_cas.message.action = 'Pass' AND mimecast.action = 'Hld'",
    "FROM file WHERE message.`odd key`.0 IS NOT NULL",
    "FROM email, http WHERE mimecast.aggregateId = 'x' AND sensor_type = 'mimecast'",
    "FROM http WHERE source_username = 'kim@corp.example' AND mimecast.scanResult = 'malicious'",
    "FROM email WHERE file_hash = 'aa' OR file_name CONTAINS 'invoice' OR url CONTAINS 'login'",
    "FROM file WHERE trendmicro_cas.message.x MATCHES '10.0.0.0/8'",
    "FROM email WHERE msg_origin.vendor = 'trendmicro' AND tenantid = 'default'",
    "WHERE sujbect = 'x' | aggregate count by nonsense_name",
    "FROM process WHERE process_name = 'cmd.exe' | head 5",
    "FROM email_activity, file_hosting | sort -time, subject asc | tail 3",
    "FROM email | aggregate count, sum(message_size), avg(message_size) by direction | sort sum(message_size) desc | head 3",
    "FROM email | aggregate min(time), max(time), cardinality(to_email_address)",
    "FROM email | fields time, subject | sort subject | fields Subject",
    "FROM detection LATEST=true",
    "FROM detection WHERE severity = 'High' AND latest = TRUE AND LATEST=-1h | head 3",
    "FROM detection LATEST=false",
    "FROM file LATEST=true",
    "WHERE msg_class = 'mimecast_siem' AND aggregateId = 'x'",
    "FROM email WHERE sensor_type IN ('Mimecast', 'x') AND (aggregateId = 'x' OR subject IS NULL)",
    "FROM email WHERE sensor_type = 'Mimecast' OR tenantid = 'x'",
];

#[test]
fn queries_of_the_contract_mean_this() {
    insta::assert_snapshot!(outlines(CONTRACT));
}

#[test]
fn queries_beyond_the_contract_mean_this() {
    insta::assert_snapshot!(outlines(OWN));
}

fn outlines(queries: &[&str]) -> String {
    let outline = |text: &&str| match parse(text) {
        Ok(parsed) => format!("{text}\n{}", outline::of(&parsed)),
        Err(error) => panic!("{}\nhint: {:?}", error.render(text), error.hint),
    };
    queries.iter().map(outline).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn spelling_of_keywords_names_and_space_changes_nothing() {
    let plain = parse("FROM email WHERE sensor_type = 'Mimecast' EARLIEST=-24h").unwrap();
    let spellings = [
        "from EMAIL where sensor_type='Mimecast' earliest =-24h",
        "FROM\n\temail\u{3000}WHERE sensor_type = 'Mimecast'\nAND EARLIEST = -24h",
        "FROM scwx.email WHERE `sensor_type` = 'Mimecast' EARLIEST='-24h'",
        "FROM email EARLIEST=-24h WHERE (sensor_type = 'Mimecast')",
        "FROM email, Email WHERE EARLIEST=-1d AND sensor_type = e'Mimecast'",
    ];
    for spelling in spellings {
        assert_eq!(parse(spelling).unwrap().query, plain.query, "{spelling}");
    }
}
