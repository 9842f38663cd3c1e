//! The faults of this vendor: names, values, defaults and help. Data, and nothing else.

use crate::faults::{
    Fault, FaultInfo, duration, instant, names, pairs, percent, period, signed_duration, switch,
    whole,
};

use super::knobs::{
    Application, Function, Knobs, Late, LimitHeaders, NextName, Nulls, Order, Outage, SpamDetail,
    Spelling, ThrottleBody, TimeForm, TypeParameter,
};
use super::streams::Stream;

const SWITCH: &str = "on or off";
const EVERY: &str = "a whole number; 0 is never";
const IDS: &str = "client ids, comma separated; may be empty";
const DURATION: &str = "a duration such as 500ms, 2s or 1h30m";
const COUNT: &str = "a whole number from 1";
const PERCENT: &str = "a percentage";
const STREAMS: &str =
    "all, or siem, ttp, siem/TYPE, ttp_url, ttp_attachment, ttp_impersonation joined by +";
const FUNCTIONS: &str =
    "siem, siem_stream, ttp_url, ttp_attachment, ttp_impersonation, comma separated; may be empty";

const fn fault(
    name: &'static str,
    accepts: &'static str,
    default: &'static str,
    help: &'static str,
    apply: fn(&mut Knobs, &str) -> Option<()>,
) -> Fault<Knobs> {
    Fault { info: FaultInfo { name, accepts, default, help }, apply }
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(text, _)| *text == value).map(|(_, choice)| *choice)
}

/// `ID:SECRET` pairs; an id alone is its own secret.
fn applications(value: &str) -> Option<Vec<Application>> {
    let is_pair = |text: &str| text.contains(':');
    let paired = names(value).into_iter();
    let paired = paired.map(|text| if is_pair(&text) { text } else { format!("{text}:{text}") });
    let paired = paired.collect::<Vec<_>>().join(",");
    let pairs = pairs(&paired, |secret| Some(secret.to_owned()))?;
    Some(pairs.into_iter().map(|(id, secret)| Application { id, secret }).collect())
}

fn functions(value: &str) -> Option<Vec<String>> {
    use Function::{Batch, Live, TtpAttachment, TtpImpersonation, TtpUrl};
    let known = [Batch, Live, TtpUrl, TtpAttachment, TtpImpersonation].map(Function::name);
    let named = names(value);
    named.iter().all(|name| known.contains(&name.as_str())).then_some(named)
}

fn late(value: &str) -> Option<Option<Late>> {
    if value == "off" {
        return Some(None);
    }
    let (share, most) = value.split_once(':')?;
    Some(Some(Late { percent: percent(share)?, most_ms: duration(most)? }))
}

fn outage(value: &str) -> Option<Outage> {
    match switch(value) {
        Some(true) => Some(Outage::On),
        Some(false) => Some(Outage::Off),
        None => period(value).map(|(start_ms, end_ms)| Outage::Between(start_ms, end_ms)),
    }
}

/// A duration of at least one millisecond.
fn span(value: &str) -> Option<i64> {
    duration(value).filter(|span| *span > 0)
}

/// An `http` or `https` URL without its trailing slash; empty is none.
fn base_url(value: &str) -> Option<Option<String>> {
    if value.is_empty() {
        return Some(None);
    }
    let parsed = url::Url::parse(value).ok()?;
    matches!(parsed.scheme(), "http" | "https")
        .then(|| Some(value.trim_end_matches('/').to_owned()))
}

/// All faults, by what they touch: keys, quota, population, records, files, paging, TTP logs, delivery.
pub(super) const FAULTS: &[Fault<Knobs>] = &[
    fault(
        "keys",
        "ID:SECRET, comma separated",
        "sim-client:sim-secret",
        "applications that are known",
        |k, v| put(&mut k.keys, applications(v)),
    ),
    fault("revoked", IDS, "", "deleted applications, answered 401", |k, v| {
        put(&mut k.revoked, Some(names(v)))
    }),
    fault("forbidden", FUNCTIONS, "", "functions that are answered 403", |k, v| {
        put(&mut k.forbidden, functions(v))
    }),
    fault("token_life", DURATION, "1799s", "how long an access token is accepted", |k, v| {
        put(&mut k.token_life_s, span(v).map(|life_ms| (life_ms / 1_000).max(1)))
    }),
    fault("one_token", SWITCH, "off", "a new access token ends the one before", |k, v| {
        put(&mut k.one_token, switch(v))
    }),
    fault("token_fails", SWITCH, "off", "access tokens are refused inside a 200", |k, v| {
        put(&mut k.token_fails, switch(v))
    }),
    fault("auth_outage", SWITCH, "off", "the token route answers 503", |k, v| {
        put(&mut k.auth_outage, switch(v))
    }),
    fault("transient_401", EVERY, "0", "every Nth good call is answered 401", |k, v| {
        put(&mut k.transient_every, whole(v, 0))
    }),
    fault(
        "transient_code",
        "an error code; empty is none",
        "InvalidClientIdentifier",
        "the code of these answers",
        |k, v| put(&mut k.transient_code, Some(v.to_owned())),
    ),
    fault(
        "requests",
        COUNT,
        "50",
        "calls allowed in one window, for each function but the stream",
        |k, v| put(&mut k.requests, whole(v, 1)),
    ),
    fault("window", DURATION, "15m", "length of this window, from its first call", |k, v| {
        put(&mut k.window_ms, span(v))
    }),
    fault("stream_requests", COUNT, "300", "calls of the stream allowed in its window", |k, v| {
        put(&mut k.live_requests, whole(v, 1))
    }),
    fault("stream_window", DURATION, "1h", "length of the stream's window", |k, v| {
        put(&mut k.live_window_ms, span(v))
    }),
    fault(
        "quota_scope",
        "function or application",
        "function",
        "what has a quota of its own: each function, or the application with all of them",
        |k, v| {
            put(
                &mut k.quota_per_application,
                one_of(v, &[("function", false), ("application", true)]),
            )
        },
    ),
    fault("token_counts", SWITCH, "off", "the token route has a quota too", |k, v| {
        put(&mut k.token_counts, switch(v))
    }),
    fault("count_refused", SWITCH, "off", "a refused call starts the wait anew", |k, v| {
        put(&mut k.count_refused, switch(v))
    }),
    fault("retry_after", SWITCH, "off", "send Retry-After with 429", |k, v| {
        put(&mut k.retry_after, switch(v))
    }),
    fault(
        "limit_headers",
        "exceeded, always or never",
        "exceeded",
        "when X-RateLimit headers are sent; the reset is in milliseconds",
        |k, v| {
            let choices = [
                ("exceeded", LimitHeaders::Exceeded),
                ("always", LimitHeaders::Always),
                ("never", LimitHeaders::Never),
            ];
            put(&mut k.limit_headers, one_of(v, &choices))
        },
    ),
    fault("throttle_body", "fail, detail, html or empty", "fail", "the body of a 429", |k, v| {
        let choices = [
            ("fail", ThrottleBody::Fail),
            ("detail", ThrottleBody::Detail),
            ("html", ThrottleBody::Html),
            ("empty", ThrottleBody::Empty),
        ];
        put(&mut k.throttle_body, one_of(v, &choices))
    }),
    fault(
        "streams",
        STREAMS,
        "all",
        "streams that have records; the others answer empty pages",
        |k, v| put(&mut k.streams, Stream::selection(v)),
    ),
    fault(
        "late",
        "off or PERCENT:DURATION",
        "off",
        "share of records that become visible up to so long after their generation",
        |k, v| put(&mut k.late, late(v)),
    ),
    fault(
        "order",
        "ascending, descending or shuffled",
        "ascending",
        "order of the records in a file or a page of events",
        |k, v| {
            let choices = [
                ("ascending", Order::Ascending),
                ("descending", Order::Descending),
                ("shuffled", Order::Shuffled),
            ];
            put(&mut k.order, one_of(v, &choices))
        },
    ),
    fault(
        "held",
        "batch or stream",
        "batch",
        "the transport whose reach and spelling count for what is held",
        |k, v| put(&mut k.live_is_held, one_of(v, &[("batch", false), ("stream", true)])),
    ),
    fault(
        "spelling",
        "by_transport, type, eventType or mixed",
        "by_transport",
        "the names of type and subtype",
        |k, v| {
            let choices = [
                ("by_transport", Spelling::ByTransport),
                ("type", Spelling::Lower),
                ("eventType", Spelling::Camel),
                ("mixed", Spelling::Mixed),
            ];
            put(&mut k.spelling, one_of(v, &choices))
        },
    ),
    fault("offsets", SWITCH, "on", "records of files carry _offset and _partition", |k, v| {
        put(&mut k.offsets, switch(v))
    }),
    fault(
        "nulls",
        "null, absent, empty or mixed",
        "null",
        "how a field without a value stands in a record",
        |k, v| {
            let choices = [
                ("null", Nulls::Null),
                ("absent", Nulls::Absent),
                ("empty", Nulls::Empty),
                ("mixed", Nulls::Mixed),
            ];
            put(&mut k.nulls, one_of(v, &choices))
        },
    ),
    fault(
        "recipients",
        "text or list",
        "text",
        "whether recipients are a text or a list of texts",
        |k, v| put(&mut k.recipient_lists, one_of(v, &[("text", false), ("list", true)])),
    ),
    fault(
        "spam_detail",
        "mixed, text, double or object",
        "mixed",
        "how the verdict of the spam filter is written",
        |k, v| {
            let choices = [
                ("mixed", SpamDetail::Mixed),
                ("text", SpamDetail::Text),
                ("double", SpamDetail::Double),
                ("object", SpamDetail::Object),
            ];
            put(&mut k.spam_detail, one_of(v, &choices))
        },
    ),
    fault(
        "postmaster",
        "a whole number up to 100",
        "3",
        "percentage of messages that are the vendor's own, which share their ids",
        |k, v| put(&mut k.postmaster_percent, whole(v, 0).filter(|share| *share <= 100)),
    ),
    fault("unknown", EVERY, "0", "every Nth record has fields and words of the future", |k, v| {
        put(&mut k.unknown_every, whole(v, 0))
    }),
    fault(
        "next_release",
        "off or an RFC 3339 time",
        "off",
        "records from then on lack a field, have a new one, and one of another type",
        |k, v| put(&mut k.release_ms, instant(v)),
    ),
    fault("file_span", DURATION, "15m", "time that one file of events covers", |k, v| {
        put(&mut k.file_ms, span(v).filter(|span| *span >= 1_000))
    }),
    fault("file_records", COUNT, "1000", "most events in a file", |k, v| {
        put(&mut k.file_records, whole(v, 1))
    }),
    fault("link_life", DURATION, "15m", "how long the link of a file is accepted", |k, v| {
        put(&mut k.link_life_ms, span(v))
    }),
    fault(
        "file_host",
        "a host, with or without port; empty is the request's own",
        "",
        "host of the files",
        |k, v| put(&mut k.file_host, Some((!v.is_empty()).then(|| v.to_owned()))),
    ),
    fault(
        "public_url",
        "an http or https URL; empty is http:// and the request's Host",
        "",
        "base of the links to files",
        |k, v| put(&mut k.public_url, base_url(v)),
    ),
    fault("dead_link", EVERY, "0", "every Nth link that is listed is refused with 403", |k, v| {
        put(&mut k.dead_link_every, whole(v, 0))
    }),
    fault("gone_file", EVERY, "0", "every Nth file is listed but answered 404", |k, v| {
        put(&mut k.gone_file_every, whole(v, 0))
    }),
    fault("repeat_link", EVERY, "0", "every Nth listing has its first file twice", |k, v| {
        put(&mut k.repeat_link_every, whole(v, 0))
    }),
    fault(
        "repeat_records",
        PERCENT,
        "0",
        "share of files that begin with the last events of the file before",
        |k, v| put(&mut k.repeat_records_percent, percent(v)),
    ),
    fault("corrupt_gzip", EVERY, "0", "every Nth file ends in bytes that are no gzip", |k, v| {
        put(&mut k.corrupt_every, whole(v, 0))
    }),
    fault("truncated_gzip", EVERY, "0", "every Nth file lacks its last bytes", |k, v| {
        put(&mut k.truncated_every, whole(v, 0))
    }),
    fault("bad_line", EVERY, "0", "every Nth file has a line that is not JSON", |k, v| {
        put(&mut k.bad_line_every, whole(v, 0))
    }),
    fault("bad_utf8", EVERY, "0", "every Nth file has a line that is not UTF-8", |k, v| {
        put(&mut k.bad_utf8_every, whole(v, 0))
    }),
    fault("blank_lines", SWITCH, "off", "files have blank lines", |k, v| {
        put(&mut k.blank_lines, switch(v))
    }),
    fault("members", COUNT, "1", "gzip members of a file", |k, v| put(&mut k.members, whole(v, 1))),
    fault(
        "file_encoding",
        SWITCH,
        "off",
        "files say Content-Encoding: gzip, so that HTTP unpacks them",
        |k, v| put(&mut k.file_encoding, switch(v)),
    ),
    fault(
        "old_start",
        "reject or clip",
        "reject",
        "what happens to a start before the reach of the transport",
        |k, v| put(&mut k.clip_old_start, one_of(v, &[("reject", false), ("clip", true)])),
    ),
    fault(
        "type_parameter",
        "both, type or types",
        "both",
        "which parameter names the types; the other is ignored",
        |k, v| {
            let choices = [
                ("both", TypeParameter::Both),
                ("type", TypeParameter::Type),
                ("types", TypeParameter::Types),
            ];
            put(&mut k.type_parameter, one_of(v, &choices))
        },
    ),
    fault(
        "next_name",
        "page, link or both",
        "page",
        "whether the token stands at @nextPage, at @nextLink or at both",
        |k, v| {
            let choices =
                [("page", NextName::Page), ("link", NextName::Link), ("both", NextName::Both)];
            put(&mut k.next_name, one_of(v, &choices))
        },
    ),
    fault(
        "page_token_life",
        DURATION,
        "0",
        "how long a paging token is accepted; 0 is for ever",
        |k, v| put(&mut k.page_token_life_ms, duration(v)),
    ),
    fault("stale_status", "400, 401 or 404", "400", "the answer to an old paging token", |k, v| {
        put(&mut k.stale_status, one_of(v, &[("400", 400), ("401", 401), ("404", 404)]))
    }),
    fault("siem_error", "error or fail", "error", "the shape of SIEM refusals", |k, v| {
        put(&mut k.siem_fail_shape, one_of(v, &[("error", false), ("fail", true)]))
    }),
    fault("short_page", EVERY, "0", "every Nth SIEM page is short, with more to come", |k, v| {
        put(&mut k.short_page_every, whole(v, 0))
    }),
    fault(
        "empty_page",
        EVERY,
        "0",
        "every Nth SIEM page is empty with the same token, with more to come",
        |k, v| put(&mut k.empty_page_every, whole(v, 0)),
    ),
    fault("missing_next", EVERY, "0", "every Nth SIEM page has no token", |k, v| {
        put(&mut k.missing_next_every, whole(v, 0))
    }),
    fault(
        "stuck_token",
        EVERY,
        "0",
        "every Nth SIEM page that was asked with a token answers the same one",
        |k, v| put(&mut k.stuck_token_every, whole(v, 0)),
    ),
    fault("ttp_history", DURATION, "7d", "how far back TTP logs go", |k, v| {
        put(&mut k.ttp_history_ms, span(v))
    }),
    fault("ttp_page", COUNT, "500", "most rows in a page of TTP logs", |k, v| {
        put(&mut k.ttp_page, whole(v, 1).and_then(|rows| usize::try_from(rows).ok()))
    }),
    fault(
        "scan_default",
        "malicious or all",
        "malicious",
        "which URL logs are answered when the request does not say",
        |k, v| put(&mut k.ttp_shows_all, one_of(v, &[("malicious", false), ("all", true)])),
    ),
    fault(
        "ttp_end",
        "absent or empty_page",
        "absent",
        "how TTP paging ends: without a token, or with a token that leads to an empty page",
        |k, v| put(&mut k.ttp_empty_end, one_of(v, &[("absent", false), ("empty_page", true)])),
    ),
    fault(
        "ttp_stuck",
        EVERY,
        "0",
        "every Nth page of TTP logs that was asked with a token answers the same one",
        |k, v| put(&mut k.ttp_stuck_every, whole(v, 0)),
    ),
    fault(
        "ttp_fail",
        EVERY,
        "0",
        "every Nth page of TTP logs is a failure inside a 200",
        |k, v| put(&mut k.ttp_fail_every, whole(v, 0)),
    ),
    fault("time_form", "basic, colon or zulu", "basic", "how TTP logs write UTC", |k, v| {
        let choices =
            [("basic", TimeForm::Basic), ("colon", TimeForm::Colon), ("zulu", TimeForm::Zulu)];
        put(&mut k.time_form, one_of(v, &choices))
    }),
    fault("throttle_every", EVERY, "0", "every Nth call is answered 429", |k, v| {
        put(&mut k.throttle_every, whole(v, 0))
    }),
    fault("unavailable_every", EVERY, "0", "every Nth call is answered 503", |k, v| {
        put(&mut k.unavailable_every, whole(v, 0))
    }),
    fault("fail_every", EVERY, "0", "every Nth call is answered 500", |k, v| {
        put(&mut k.fail_every, whole(v, 0))
    }),
    fault("unavailable_html", SWITCH, "off", "503 carries an HTML page", |k, v| {
        put(&mut k.unavailable_html, switch(v))
    }),
    fault(
        "cut_every",
        EVERY,
        "0",
        "every Nth page or file breaks off in the middle of its body",
        |k, v| put(&mut k.cut_every, whole(v, 0)),
    ),
    fault(
        "outage",
        "on, off or START/END (RFC 3339)",
        "off",
        "everything is answered 503",
        |k, v| put(&mut k.outage, outage(v)),
    ),
    fault("delay", DURATION, "0", "real time that every answer takes", |k, v| {
        put(&mut k.delay_ms, duration(v).and_then(|delay| u64::try_from(delay).ok()))
    }),
    fault("gzip", SWITCH, "off", "answers are gzip-encoded", |k, v| put(&mut k.gzip, switch(v))),
    fault("wrong_type", SWITCH, "off", "pages are replaced by 200 with an HTML page", |k, v| {
        put(&mut k.wrong_type, switch(v))
    }),
    fault(
        "date_skew",
        "a duration such as 90s, or -90s",
        "0",
        "how far the Date header is from the simulator's time",
        |k, v| put(&mut k.date_skew_ms, signed_duration(v)),
    ),
];
