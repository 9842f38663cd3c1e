//! What is no query, and what people are told then.

use model::hint::Hint;

use crate::parse;

const WRONG: &[&str] = &[
    "FROM email, detection WHERE sensor_type = 'Mimecast'",
    "FROM email WHERE (status = 'held'",
    "FROM email WHERE status = 'held')",
    "FROM email WHERE status IN ()",
    "FROM email WHERE status IN 'held'",
    "FROM emial WHERE status = 'held'",
    "FROM nowhere",
    "FROM email WHERE sujbect = 'x'",
    "FROM email WHERE from_adress = 'x'",
    "FROM email WHERE zzzzz = 'x'",
    "FROM file WHERE file.nmae = 'x'",
    "FROM email WHERE EARLIEST=-24h OR status='x'",
    "FROM email WHERE (EARLIEST=-24h)",
    "FROM email WHERE status='a' OR status='b' AND EARLIEST=-24h",
    "FROM email WHERE subject = 'open",
    r"FROM email WHERE subject = e'a\qb'",
    "FROM email | head -1",
    "FROM email | head ten",
    "FROM email | haed 10",
    "FROM email |",
    "FROM email WHERE subject MATCHES_REGEX '(unclosed'",
    "FROM email WHERE subject MATCHES_REGEX '(?=look)'",
    "FROM email WHERE subject = \"invoice\"",
    "FROM email WHERE subject = “invoice”",
    "FROM email WHERE status = delivered",
    "FROM email WHERE status = NULL",
    "FROM email WHERE status == 'held'",
    "FROM email WHERE status LIKE 'held%'",
    "FROM email WHERE a = 'x' && b = 'y'",
    "FROM email status = 'held'",
    "FROM email WHERE status = 'held' subject = 'x'",
    "FROM email WHERE",
    "FROM WHERE status = 'held'",
    "FROM 'email'",
    "WHERE 'subject' = 'x'",
    "@ip = 10.0.0.1",
    "@mail = 'x'",
    "@ = 'x'",
    "FROM email WHERE source_address MATCHES '10.0.0.0/99'",
    "FROM email EARLIEST=24h",
    "FROM email EARLIEST=-24y",
    "FROM email EARLIEST=-1d EARLIEST=-2d",
    "FROM email EARLIEST=-1h LATEST=-1d",
    "FROM email EARLIEST>-1d",
    "FROM email EARLIEST=yesterday",
    "FROM email EARLIEST=-1d AND status = 'held'",
    "FROM email WHERE message_size = 'large'",
    "FROM email WHERE message_size CONTAINS '2'",
    "FROM email WHERE direction_id = 'sideways'",
    "FROM email WHERE email.is_read = 'perhaps'",
    "FROM email WHERE time = 'noon'",
    "FROM email WHERE subject > 'a'",
    "FROM email WHERE email = 'x'",
    "FROM email | aggregate count by email",
    "FROM email | aggregate sum(subject)",
    "FROM email | aggregate sum",
    "FROM email | aggregate median(message_size)",
    "FROM email | aggregate count(subject)",
    "FROM email | aggregate count status",
    "FROM email | aggregate count by status, status",
    "FROM email | aggregate count by @ip",
    "FROM email | aggregate count by status | sort cuont",
    "FROM email | fields subject | sort time",
    "FROM email | sort subject sideways",
    "FROM email; DROP TABLE email",
    "FROM email WHERE status = 'held' AND",
    "FROM email WHERE status =",
    "FROM email WHERE status",
    "FROM email WHERE status IS 'held'",
    "FROM email WHERE status IN ('held' 'x')",
    "FROM email WHERE status !LIKE 'x'",
    "FROM email WHERE (status = 'held' subject = 'x')",
    "FROM email WHERE @domain > 'a'",
    "FROM email | aggregate sum(message_size, subject)",
    "FROM email | aggregate sum(message_size",
    "FROM email 'x'",
    "FROM email WHERE subject = 'a\nb' OR\n  stauts = 'x'",
    "FROM email WHERE 件名 = '請求'",
    "FROM detection LATEST=perhaps",
    "FROM detection LATEST='true'",
    "FROM detection EARLIEST=true",
    "FROM detection LATEST=true LATEST=false",
    "FROM detection WHERE severity = 'High' OR LATEST=true",
    "FROM detection | latest",
    "FROM email WHERE sensor_type != 'Mimecast' AND aggregateId = 'x'",
    "FROM email WHERE (sensor_type = 'Mimecast' OR subject = 'x') AND aggregateId = 'x'",
];

#[test]
fn a_mistake_is_named_shown_and_mended() {
    let told: Vec<String> = WRONG
        .iter()
        .map(|text| match parse(text) {
            Ok(parsed) => panic!("`{text}` should be refused: {parsed:?}"),
            Err(error) => {
                let hint = error.hint().unwrap_or_else(|| panic!("`{text}`: no hint"));
                format!("{}\nhint: {hint}", error.render(text))
            }
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn nesting_is_bounded_and_width_is_not() {
    let deep = format!("{}subject = 'x'{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&deep).unwrap_err().message.contains("less nesting"));
    let deep = format!("{} subject = 'x'", "NOT ".repeat(100_000));
    assert!(parse(&deep).unwrap_err().message.contains("less nesting"));
    let wide = vec!["email.subject = 'x'"; 5_000].join(" OR ");
    assert!(parse(&wide).is_ok());
}
