//! The faults of this vendor: names, values, defaults and help. Data, and nothing else.

use crate::faults::{
    Fault, FaultInfo, duration, instant, names, pairs, percent, period, signed_duration, switch,
    whole,
};
use crate::times::parse_instant_ms;

use super::knobs::{ExpiredText, Knobs, Late, LinkEnd, Order, Outage, Spike};
use super::streams::Stream;

const SWITCH: &str = "on or off";
const EVERY: &str = "a whole number; 0 is never";
const KEYS: &str = "keys, comma separated; may be empty";
const DURATION: &str = "a duration such as 500ms, 2s or 1h30m";
const STREAMS: &str = "all, *N for the first N, or service/event and service names joined by +";

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

fn spike(value: &str) -> Option<Option<Spike>> {
    if value == "off" {
        return Some(None);
    }
    let (streams, rest) = value.split_once(':')?;
    let (factor, bounds) = rest.split_once(':')?;
    let (start_ms, end_ms) = period(bounds)?;
    let factor = factor.parse().ok().filter(|factor| (1.0..=1_000.0).contains(factor))?;
    Some(Some(Spike { streams: Stream::selection(streams)?, factor, start_ms, end_ms }))
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

/// Whether `+`-joined API types include log retrieval.
fn scope(value: &str) -> Option<bool> {
    const TYPES: [(&str, bool); 6] = [
        ("none", false),
        ("log_retrieval", true),
        ("threat_investigation", false),
        ("threat_mitigation", false),
        ("threat_remediation", false),
        ("intelligent_investigation", false),
    ];
    let types: Option<Vec<bool>> = value.split('+').map(|name| one_of(name, &TYPES)).collect();
    types.map(|types| types.contains(&true))
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

/// All faults, by what they touch: keys, quota, window, population, paging, delivery.
pub(super) const FAULTS: &[Fault<Knobs>] = &[
    fault("keys", KEYS, "sim-key", "keys that are accepted", |k, v| {
        put(&mut k.keys, Some(names(v)))
    }),
    fault("expired", KEYS, "", "keys answered 401 as expired", |k, v| {
        put(&mut k.expired, Some(names(v)))
    }),
    fault("revoked", KEYS, "", "deleted keys, answered 401 as unknown", |k, v| {
        put(&mut k.revoked, Some(names(v)))
    }),
    fault("no_scope", KEYS, "", "keys without the log retrieval type, answered 403", |k, v| {
        put(&mut k.no_scope, Some(names(v)))
    }),
    fault(
        "scopes",
        "KEY:TYPE[+TYPE], comma separated; types are none, log_retrieval, threat_investigation, threat_mitigation, threat_remediation, intelligent_investigation",
        "",
        "API types of single keys; the others have all",
        |k, v| put(&mut k.scopes, pairs(v, scope)),
    ),
    fault(
        "issued",
        "KEY:RFC3339, comma separated",
        "",
        "when keys were issued; they expire 365 days later",
        |k, v| put(&mut k.issued, pairs(v, parse_instant_ms)),
    ),
    fault(
        "expired_text",
        "expired or not_found",
        "expired",
        "whether an expired key is told so or called unknown",
        |k, v| {
            put(
                &mut k.expired_text,
                one_of(
                    v,
                    &[("expired", ExpiredText::Expired), ("not_found", ExpiredText::NotFound)],
                ),
            )
        },
    ),
    fault("requests", "a whole number from 1", "20", "requests allowed in one window", |k, v| {
        put(&mut k.requests, whole(v, 1))
    }),
    fault(
        "window",
        DURATION,
        "60s",
        "length of the quota's window, from its first request",
        |k, v| put(&mut k.window_ms, duration(v).filter(|window| *window > 0)),
    ),
    fault("quota_scope", "key or tenant", "key", "who shares a quota", |k, v| {
        put(&mut k.quota_per_tenant, one_of(v, &[("key", false), ("tenant", true)]))
    }),
    fault("count_refused", SWITCH, "off", "a refused request starts the wait anew", |k, v| {
        put(&mut k.count_refused, switch(v))
    }),
    fault("retry_after", SWITCH, "off", "send Retry-After with 429", |k, v| {
        put(&mut k.retry_after, switch(v))
    }),
    fault(
        "bounds",
        "inclusive or end_exclusive",
        "inclusive",
        "whether a window includes its end",
        |k, v| {
            put(&mut k.end_exclusive, one_of(v, &[("inclusive", false), ("end_exclusive", true)]))
        },
    ),
    fault(
        "old_start",
        "reject or clip",
        "reject",
        "what happens to a start more than 72 hours ago",
        |k, v| put(&mut k.clip_old_start, one_of(v, &[("reject", false), ("clip", true)])),
    ),
    fault(
        "order",
        "ascending, descending or shuffled",
        "ascending",
        "order of the records in a window",
        |k, v| {
            put(
                &mut k.order,
                one_of(
                    v,
                    &[
                        ("ascending", Order::Ascending),
                        ("descending", Order::Descending),
                        ("shuffled", Order::Shuffled),
                    ],
                ),
            )
        },
    ),
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
        "spike",
        "off or STREAMS:FACTOR:START/END (streams as in `streams`, RFC 3339 times)",
        "off",
        "more records in a stretch of time; set it before that time, and with a rate",
        |k, v| put(&mut k.spike, spike(v)),
    ),
    fault(
        "link_end",
        "empty, null, absent, null_text or mixed",
        "empty",
        "how the last page says that it is the last",
        |k, v| {
            put(
                &mut k.link_end,
                one_of(
                    v,
                    &[
                        ("empty", LinkEnd::Empty),
                        ("null", LinkEnd::Null),
                        ("absent", LinkEnd::Absent),
                        ("null_text", LinkEnd::NullText),
                        ("mixed", LinkEnd::Mixed),
                    ],
                ),
            )
        },
    ),
    fault(
        "link_scheme",
        "present or absent",
        "present",
        "whether links begin with http://",
        |k, v| put(&mut k.link_without_scheme, one_of(v, &[("present", false), ("absent", true)])),
    ),
    fault(
        "link_host",
        "a host, with or without port; empty is the request's own",
        "",
        "host of the next links",
        |k, v| put(&mut k.link_host, Some((!v.is_empty()).then(|| v.to_owned()))),
    ),
    fault(
        "public_url",
        "an http or https URL; empty is http:// and the request's Host",
        "",
        "base of the links",
        |k, v| put(&mut k.public_url, base_url(v)),
    ),
    fault(
        "link_repeat",
        EVERY,
        "0",
        "every Nth continued page answers its own link as the next one",
        |k, v| put(&mut k.link_repeat, whole(v, 0)),
    ),
    fault(
        "empty_page_with_link",
        EVERY,
        "0",
        "every Nth continued page has no records but a next link",
        |k, v| put(&mut k.empty_page_with_link, whole(v, 0)),
    ),
    fault(
        "duplicates",
        "a percentage",
        "0",
        "share of continued pages that begin with the last records of the page before",
        |k, v| put(&mut k.duplicates_percent, percent(v)),
    ),
    fault(
        "token_life",
        DURATION,
        "0",
        "how long a paging token is accepted after the first page; 0 is for ever",
        |k, v| put(&mut k.token_life_ms, duration(v)),
    ),
    fault("throttle_every", EVERY, "0", "every Nth request is answered 429", |k, v| {
        put(&mut k.throttle_every, whole(v, 0))
    }),
    fault("unavailable_every", EVERY, "0", "every Nth request is answered 503", |k, v| {
        put(&mut k.unavailable_every, whole(v, 0))
    }),
    fault("fail_every", EVERY, "0", "every Nth request is answered 500", |k, v| {
        put(&mut k.fail_every, whole(v, 0))
    }),
    fault("unavailable_html", SWITCH, "off", "503 carries an HTML page", |k, v| {
        put(&mut k.unavailable_html, switch(v))
    }),
    fault(
        "cut_every",
        EVERY,
        "0",
        "every Nth page breaks off in the middle of its body",
        |k, v| put(&mut k.cut_every, whole(v, 0)),
    ),
    fault(
        "next_release",
        "off or an RFC 3339 time",
        "off",
        "records from then on lack a field, have a new one, and one of another type",
        |k, v| put(&mut k.release_ms, instant(v)),
    ),
    fault(
        "poison_every",
        EVERY,
        "0",
        "every Nth page ends with an item that is no record",
        |k, v| put(&mut k.poison_every, whole(v, 0)),
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
    fault("huge_body", "a whole number of bytes", "0", "padding in every page", |k, v| {
        put(&mut k.huge_body, v.parse().ok())
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
