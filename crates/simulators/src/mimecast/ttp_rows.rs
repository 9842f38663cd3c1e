//! Rows of the TTP logs: links that were clicked or scanned, attachments that were opened in a sandbox, and
//! senders that pretend to be somebody.

use serde_json::{Map, Value, json};

use crate::release;
use crate::times::push_instant;

use super::knobs::{Knobs, TimeForm};
use super::story::{Direction, Story, hex};
use super::streams::{Stream, Ttp};

/// The id under which a row is listed as held and served.
pub(super) fn push_id(seed: u64, stream: Stream, number: u64, at_ms: i64, out: &mut String) {
    let story = story(seed, stream, number);
    match stream.ttp() {
        Some(Ttp::Impersonation) => out.push_str(&token(&story)),
        _ => {
            out.push_str(&story.message_id);
            out.push('/');
            out.push_str(&at_ms.to_string());
        }
    }
}

/// Appends a row as one JSON text.
pub(super) fn push_record(
    seed: u64,
    stream: Stream,
    number: u64,
    at_ms: i64,
    knobs: &Knobs,
    out: &mut String,
) {
    let story = story(seed, stream, number);
    let at = written(at_ms, knobs.time_form);
    let mut row = match stream.ttp() {
        Some(Ttp::Attachment) => attachment(story, &at),
        Some(Ttp::Impersonation) => impersonation(story, &at),
        _ => click(story, &at),
    };
    if knobs.unknown_every > 0 && number.is_multiple_of(knobs.unknown_every) {
        row.insert("futureField".to_owned(), json!({"why": ["new"]}));
        row.insert("action".to_owned(), json!("divert"));
    }
    if release::is_out(knobs.release_ms, at_ms) {
        release::rewrite(&mut row, "messageId", "subject");
    }
    out.push_str(&Value::Object(row).to_string());
}

/// Whether the row counts as malicious, which is what an unfiltered request for URL logs answers.
pub(super) fn is_malicious(seed: u64, stream: Stream, number: u64) -> bool {
    story(seed, stream, number).draw.chance(50)
}

/// Times of the logs have whole seconds.
pub(super) fn written(at_ms: i64, form: TimeForm) -> String {
    let mut text = String::with_capacity(25);
    push_instant(&mut text, at_ms);
    text.truncate("2026-10-01T08:15:30".len());
    text.push_str(match form {
        TimeForm::Basic => "+0000",
        TimeForm::Colon => "+00:00",
        TimeForm::Zulu => "Z",
    });
    text
}

fn story(seed: u64, stream: Stream, number: u64) -> Story {
    Story::new([seed, stream.coordinate(), number], stream.coordinate(), 0)
}

fn route(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn click(mut story: Story, at: &str) -> Map<String, Value> {
    // The first draw decides, as `is_malicious` does.
    let is_malicious = story.draw.chance(50);
    let is_click = story.draw.chance(60);
    let action = match (is_malicious, is_click) {
        (false, _) => "allow",
        (true, true) => "block",
        (true, false) => "warn",
    };
    let actions = match action {
        "allow" => "Allow",
        "block" => "Block",
        _ => "None",
    };
    let (link, category) = if is_malicious {
        ("http://login.bad.example/o365", "Phishing & Fraud")
    } else {
        ("https://www.journal.example/news?id=7", "News & Media")
    };
    let sending_ip =
        if story.draw.chance(15) { "Internal IP".to_owned() } else { story.sender_ip.clone() };
    object(json!({
        "userEmailAddress": story.recipient,
        "fromUserEmailAddress": story.sender,
        "url": link,
        "ttpDefinition": "Default Inbound URL Protect Definition",
        "subject": story.subject,
        "action": action,
        "adminOverride": "N/A",
        "userOverride": "None",
        "scanResult": if is_malicious { "malicious" } else { "clean" },
        "category": category,
        "sendingIp": sending_ip,
        "userAwarenessAction": "N/A",
        "date": at,
        "actions": actions,
        "route": route(story.direction),
        "creationMethod": if is_click { "User Click" } else { "Entry Scan" },
        "emailPartsDescription": if is_click { json!(["Body"]) } else { json!(["Body", "Attachment"]) },
        "messageId": story.message_id,
        "tagMap": {"UrlReputationScan": {"Status": ["VerdictBlock"], "Type": [category], "Url": [link]}},
    }))
}

fn attachment(mut story: Story, at: &str) -> Map<String, Value> {
    let result = story.draw.pick(&["safe", "safe", "safe", "malicious", "timeout"]);
    let deed = match result {
        "malicious" => {
            story.draw.pick(&["user release, none", "hold, none", "block", "none, none"])
        }
        _ => "none, none",
    };
    let capital = format!("{}{}", result[..1].to_ascii_uppercase(), &result[1..]);
    object(json!({
        "senderAddress": story.sender,
        "recipientAddress": story.recipient,
        "fileName": story.attachment.name,
        "fileType": story.attachment.mime,
        "result": result,
        "actionTriggered": deed,
        "date": at,
        "details": format!("{capital:<30}\r\nTime taken: 0 hrs, 1 min, 12 sec"),
        "route": route(story.direction),
        "messageId": story.message_id,
        "subject": story.subject,
        "fileHash": story.attachment.sha256,
        "definition": "Default Inbound Attachment Protect Definition",
    }))
}

fn token(story: &Story) -> String {
    let bits =
        story.message_id.bytes().fold(7, |all, byte| crate::draw::mix(&[all, u64::from(byte)]));
    format!("MTOKEN:eNq{}", hex(bits, 48))
}

fn impersonation(mut story: Story, at: &str) -> Map<String, Value> {
    let action = story.draw.pick(&["hold", "none", "bounce"]);
    let is_malicious = story.draw.chance(50);
    let mut results = vec![json!({
        "impersonationDomainSource": "internal_user_name",
        "similarDomain": "Ann CEO <ann@corp.example>",
        "stringSimilarToDomain": "Ann CEO",
        "checkerResult": "hit",
    })];
    let mut identifiers = vec!["internal_user_name"];
    if story.draw.chance(50) {
        identifiers.push("reply_address_mismatch");
        results.push(json!({
            "impersonationDomainSource": "reply_address_mismatch",
            "stringSimilarToDomain": "freemail.example",
        }));
    }
    object(json!({
        "id": token(&story),
        "senderAddress": story.sender,
        "recipientAddress": story.recipient,
        "subject": story.subject,
        "definition": "IP - 1 hit (hold)",
        "hits": identifiers.len(),
        "identifiers": identifiers,
        "action": action,
        "taggedExternal": false,
        "taggedMalicious": is_malicious,
        "senderIpAddress": story.sender_ip,
        "eventTime": at,
        "impersonationResults": results,
        "messageId": story.message_id,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_three_ways() {
        let at = 1_790_842_530_999;
        assert_eq!(written(at, TimeForm::Basic), "2026-10-01T08:15:30+0000");
        assert_eq!(written(at, TimeForm::Colon), "2026-10-01T08:15:30+00:00");
        assert_eq!(written(at, TimeForm::Zulu), "2026-10-01T08:15:30Z");
    }

    #[test]
    fn what_counts_as_malicious_says_so() {
        let stream = Stream::of_ttp(Ttp::Url);
        for number in 0..50 {
            let mut row = String::new();
            push_record(3, stream, number, 0, &Knobs::documented(), &mut row);
            let row: Value = serde_json::from_str(&row).unwrap();
            assert_eq!(row["scanResult"] == "malicious", is_malicious(3, stream, number));
        }
    }
}
