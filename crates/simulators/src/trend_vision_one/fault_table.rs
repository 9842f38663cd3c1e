//! The faults of this vendor: names, values, defaults and help. Data, and nothing else.

use crate::faults::{
    Fault, FaultInfo, duration, instant, names, pairs, percent, period, signed_duration, switch,
    whole,
};
use crate::times::parse_instant_ms;

use super::access::Area;
use super::knobs::{Denied, ETag, Knobs, Late, LinkEnd, Outage, RetryAfter};
use super::streams::Stream;

const SWITCH: &str = "on or off";
const EVERY: &str = "a whole number; 0 is never";
const KEYS: &str = "keys, comma separated; may be empty";
pub(super) const DURATION: &str = "a duration such as 500ms, 2s or 1h30m";
const SHARE: &str = "off or PERCENT:DURATION";

pub(super) const fn fault(
    name: &'static str,
    accepts: &'static str,
    default: &'static str,
    help: &'static str,
    apply: fn(&mut Knobs, &str) -> Option<()>,
) -> Fault<Knobs> {
    Fault { info: FaultInfo { name, accepts, default, help }, apply }
}

pub(super) fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

pub(super) fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(text, _)| *text == value).map(|(_, choice)| *choice)
}

fn share(value: &str) -> Option<Option<Late>> {
    if value == "off" {
        return Some(None);
    }
    let (part, most) = value.split_once(':')?;
    Some(Some(Late { percent: percent(part)?, most_ms: duration(most)? }))
}

fn outage(value: &str) -> Option<Outage> {
    match switch(value) {
        Some(true) => Some(Outage::On),
        Some(false) => Some(Outage::Off),
        None => period(value).map(|(start_ms, end_ms)| Outage::Between(start_ms, end_ms)),
    }
}

/// `KEY` for everything, or `KEY:AREA+AREA`.
fn denied(value: &str) -> Option<Vec<Denied>> {
    let read = |text: &String| {
        let Some((key, areas)) = text.split_once(':') else {
            return Some(Denied { key: text.clone(), areas: Area::ALL.to_vec() });
        };
        let areas = areas.split('+').map(Area::named).collect::<Option<Vec<_>>>()?;
        Some(Denied { key: key.to_owned(), areas })
    };
    names(value).iter().map(read).collect()
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

/// All faults, by what they touch: keys, quota, readings of the contract, population, paging, delivery.
pub(super) const FAULTS: &[Fault<Knobs>] = &[
    fault("keys", KEYS, "sim-key", "keys that are accepted", |k, v| {
        put(&mut k.keys, Some(names(v)))
    }),
    fault(
        "expired",
        KEYS,
        "",
        "keys that have run out: data is answered 401, the health check as `health_expired` says",
        |k, v| put(&mut k.expired, Some(names(v))),
    ),
    fault(
        "expires",
        "KEY:RFC3339, comma separated",
        "",
        "when keys run out; the expiry in a key of the vendor's own form counts too",
        |k, v| put(&mut k.expires, pairs(v, parse_instant_ms)),
    ),
    fault("revoked", KEYS, "", "deleted keys, answered 401", |k, v| {
        put(&mut k.revoked, Some(names(v)))
    }),
    fault("disabled", KEYS, "", "keys switched off in the console, answered 401", |k, v| {
        put(&mut k.disabled, Some(names(v)))
    }),
    fault(
        "no_scope",
        "KEY, or KEY:AREA joined by +, comma separated; areas are alerts, audit_logs, observed_attack_techniques, endpoints, api_keys, response, isolation, endpoint_actions, block_list, mail_actions, mail_deletion, account_actions, task_results, suspicious_objects, search, sandbox",
        "",
        "what keys may not use, answered 403; the health check stays fine",
        |k, v| put(&mut k.no_scope, denied(v)),
    ),
    fault(
        "health_expired",
        "ok or refused",
        "ok",
        "what the health check says to a key that has run out",
        |k, v| put(&mut k.health_refuses_expired, one_of(v, &[("ok", false), ("refused", true)])),
    ),
    fault(
        "requests",
        "a whole number from 1",
        "60",
        "requests allowed in one window, for each key and path",
        |k, v| put(&mut k.requests, whole(v, 1)),
    ),
    fault(
        "window",
        DURATION,
        "60s",
        "length of the quota's window, from its first request",
        |k, v| put(&mut k.window_ms, duration(v).filter(|window| *window > 0)),
    ),
    fault("count_refused", SWITCH, "off", "a refused request starts the wait anew", |k, v| {
        put(&mut k.count_refused, switch(v))
    }),
    fault("retry_after", "off, seconds or date", "off", "Retry-After with 429", |k, v| {
        let choices = [
            ("off", RetryAfter::Off),
            ("on", RetryAfter::Seconds),
            ("seconds", RetryAfter::Seconds),
            ("date", RetryAfter::Date),
        ];
        put(&mut k.retry_after, one_of(v, &choices))
    }),
    fault(
        "throttle_code",
        "present or absent",
        "present",
        "whether a 429 has an error code in its body",
        |k, v| {
            put(&mut k.throttle_without_code, one_of(v, &[("present", false), ("absent", true)]))
        },
    ),
    fault(
        "bounds",
        "inclusive or end_exclusive",
        "inclusive",
        "whether windows of alerts and audit logs include their end",
        |k, v| {
            put(&mut k.end_exclusive, one_of(v, &[("inclusive", false), ("end_exclusive", true)]))
        },
    ),
    fault(
        "alert_top",
        "ignored or refused",
        "ignored",
        "what happens to `top` on alerts, which have no such parameter",
        |k, v| put(&mut k.top_refused, one_of(v, &[("ignored", false), ("refused", true)])),
    ),
    fault(
        "detected_default",
        "open or applies",
        "open",
        "whether techniques asked for by ingestion alone are still cut to the last hour by detection",
        |k, v| {
            put(&mut k.detected_default_applies, one_of(v, &[("open", false), ("applies", true)]))
        },
    ),
    fault(
        "audit_order",
        "descending or ascending",
        "descending",
        "order of audit logs when none is asked for",
        |k, v| {
            put(&mut k.audit_ascending, one_of(v, &[("descending", false), ("ascending", true)]))
        },
    ),
    fault(
        "no_products",
        SWITCH,
        "off",
        "techniques are answered 400: no products are connected",
        |k, v| put(&mut k.no_products, switch(v)),
    ),
    fault(
        "widest",
        DURATION,
        "0",
        "techniques in a wider window time out in the data lake (400); 0 is never",
        |k, v| put(&mut k.widest_ms, duration(v)),
    ),
    fault(
        "streams",
        "all, or alerts, audit_logs, observed_attack_techniques joined by +",
        "all",
        "streams that have records; the others answer empty pages",
        |k, v| put(&mut k.streams, Stream::selection(v)),
    ),
    fault("updates", SWITCH, "on", "alerts change after their creation", |k, v| {
        put(&mut k.updates, switch(v))
    }),
    fault(
        "settle",
        DURATION,
        "15m",
        "how long a version of an alert must be shown to count as held",
        |k, v| put(&mut k.settle_ms, duration(v)),
    ),
    fault(
        "withdraw",
        SHARE,
        "off",
        "share of alerts that Trend takes back so long after their creation",
        |k, v| put(&mut k.withdraw, share(v)),
    ),
    fault("notes_touch", SWITCH, "off", "a note moves the alert's update time", |k, v| {
        put(&mut k.notes_touch, switch(v))
    }),
    fault(
        "late",
        SHARE,
        "off",
        "share of audit logs and techniques that are taken in up to so much later",
        |k, v| put(&mut k.late, share(v)),
    ),
    fault(
        "twins",
        "a percentage",
        "0",
        "share of audit logs that are byte for byte the one before",
        |k, v| put(&mut k.twins_percent, percent(v)),
    ),
    fault(
        "audit_ingested",
        "present or absent",
        "present",
        "whether audit logs show when they were taken in",
        |k, v| put(&mut k.without_ingested, one_of(v, &[("present", false), ("absent", true)])),
    ),
    fault("etag", "bare, quoted or weak", "bare", "how ETags are written", |k, v| {
        let choices = [("bare", ETag::Bare), ("quoted", ETag::Quoted), ("weak", ETag::Weak)];
        put(&mut k.etag, one_of(v, &choices))
    }),
    fault(
        "alerts_per_page",
        "a whole number from 1 to 10",
        "10",
        "alerts in a page; very large ones come one by one",
        |k, v| {
            let count = whole(v, 1).and_then(|count| usize::try_from(count).ok());
            put(&mut k.alerts_per_page, count.filter(|count| *count <= 10))
        },
    ),
    fault(
        "update_while_paging",
        EVERY,
        "0",
        "before every Nth continued page of alerts the first alert of the window is edited",
        |k, v| put(&mut k.update_while_paging, whole(v, 0)),
    ),
    fault(
        "withdraw_while_paging",
        EVERY,
        "0",
        "before every Nth continued page of alerts the first alert of the window is taken back",
        |k, v| put(&mut k.withdraw_while_paging, whole(v, 0)),
    ),
    fault(
        "link_end",
        "absent, null, empty or mixed",
        "absent",
        "how the last page says that it is the last",
        |k, v| {
            let choices = [
                ("absent", LinkEnd::Absent),
                ("null", LinkEnd::Null),
                ("empty", LinkEnd::Empty),
                ("mixed", LinkEnd::Mixed),
            ];
            put(&mut k.link_end, one_of(v, &choices))
        },
    ),
    fault("raw_space", SWITCH, "on", "spaces stand in next links as they are", |k, v| {
        put(&mut k.raw_space, switch(v))
    }),
    fault(
        "link_path",
        "same or odd",
        "same",
        "whether next links of techniques name the path in the singular",
        |k, v| put(&mut k.odd_path, one_of(v, &[("same", false), ("odd", true)])),
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
    fault("lost_link", EVERY, "0", "every Nth page that should go on does not say so", |k, v| {
        put(&mut k.lost_link, whole(v, 0))
    }),
    fault("null_items", SWITCH, "off", "empty pages have null instead of a list", |k, v| {
        put(&mut k.null_items, switch(v))
    }),
    fault(
        "token_life",
        DURATION,
        "0",
        "how long page tokens of techniques are accepted; 0 is for ever",
        |k, v| put(&mut k.token_life_ms, duration(v)),
    ),
    fault(
        "skip_token_life",
        DURATION,
        "0",
        "how long page tokens of alerts and audit logs are accepted; 0 is for ever",
        |k, v| put(&mut k.skip_token_life_ms, duration(v)),
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
    fault(
        "gateway_timeout_every",
        EVERY,
        "0",
        "every Nth request is answered 504 with an HTML page",
        |k, v| put(&mut k.gateway_timeout_every, whole(v, 0)),
    ),
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
