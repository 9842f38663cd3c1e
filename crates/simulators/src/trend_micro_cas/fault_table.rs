//! The faults of this vendor: names, values, defaults and help. Data, and nothing else.

use crate::faults::{
    Fault, FaultInfo, duration, instant, names, pairs, percent, signed_duration, switch, whole,
};
use crate::times::parse_instant_ms;

use super::access::ApiTypes;
use super::action_knobs::EmptyLists;
use super::fault_values::{
    base_url, block_lists, late, lost_answers, one_of, outage, put, spike, targets,
};
use super::knobs::{ExpiredText, Knobs, LinkEnd, Order};
use super::streams::Stream;

const SWITCH: &str = "on or off";
const EVERY: &str = "a whole number; 0 is never";
const KEYS: &str = "keys, comma separated; may be empty";
const TARGETS: &str =
    "addresses, message ids, unique ids or entries, comma separated; may be empty";
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

/// All faults, by what they touch: keys, quota, window, population, paging, delivery, response.
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
        |k, v| put(&mut k.scopes, pairs(v, ApiTypes::parse)),
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
    fault("wrong_type", SWITCH, "off", "answers are replaced by 200 with an HTML page", |k, v| {
        put(&mut k.wrong_type, switch(v))
    }),
    fault(
        "date_skew",
        "a duration such as 90s, or -90s",
        "0",
        "how far the Date header is from the simulator's time",
        |k, v| put(&mut k.date_skew_ms, signed_duration(v)),
    ),
    fault(
        "mails",
        "a whole number up to 100000",
        "400",
        "messages that investigation can find; the first ten are always the same",
        |k, v| put(&mut k.actions.mails, whole(v, 0).filter(|count| *count <= 100_000)),
    ),
    fault(
        "action_delay",
        DURATION,
        "2s",
        "from the request of an action to its end, half of it Created and half Executing",
        |k, v| put(&mut k.actions.delay_ms, duration(v)),
    ),
    fault(
        "executed_skew",
        "a duration such as 3s, or -3s",
        "0",
        "how far action_executed_at is from the time of execution",
        |k, v| put(&mut k.actions.executed_skew_ms, signed_duration(v)),
    ),
    fault("fail_items", TARGETS, "", "actions on these end Failed", |k, v| {
        put(&mut k.actions.fail_items, Some(targets(v)))
    }),
    fault("refuse_items", TARGETS, "", "requests that name these are answered 400", |k, v| {
        put(&mut k.actions.refuse_items, Some(targets(v)))
    }),
    fault(
        "lose_answer",
        "N for the next N, every:N for every Nth; 0 is never",
        "0",
        "POSTs that take effect and whose connection closes without an answer",
        |k, v| put(&mut k.actions.lose_answer, lost_answers(v)),
    ),
    fault(
        "status_lag",
        DURATION,
        "0",
        "how long a new batch is unknown to those who ask for results",
        |k, v| put(&mut k.actions.status_lag_ms, duration(v)),
    ),
    fault(
        "empty_polls",
        "a whole number",
        "0",
        "how many of the first requests for the results of a batch get an empty list",
        |k, v| put(&mut k.actions.empty_polls, whole(v, 0)),
    ),
    fault(
        "status_unknown",
        "404 or empty",
        "404",
        "what is answered to a batch id that is not known",
        |k, v| put(&mut k.actions.unknown_is_empty, one_of(v, &[("404", false), ("empty", true)])),
    ),
    fault(
        "status_stuck",
        SWITCH,
        "off",
        "actions that are asked for meanwhile stay Executing for ever, without effect",
        |k, v| put(&mut k.actions.status_stuck, switch(v)),
    ),
    fault(
        "gmail_quarantine",
        "refuse or fail",
        "refuse",
        "whether Gmail answers 400 to all but MAIL_DELETE, or accepts it and ends Failed",
        |k, v| put(&mut k.actions.gmail_fails, one_of(v, &[("refuse", false), ("fail", true)])),
    ),
    fault("blocklist_status", "200 or 201", "200", "status of a changed block list", |k, v| {
        put(&mut k.actions.blocklist_created, one_of(v, &[("200", false), ("201", true)]))
    }),
    fault("trailing_slash", SWITCH, "off", "blocked URLs of a host alone end with /", |k, v| {
        put(&mut k.actions.trailing_slash, switch(v))
    }),
    fault(
        "absent_lists",
        "senders, urls, filehashes, file256hashes, comma separated; may be empty",
        "",
        "block lists that the deployment does not know: not shown, ignored in requests",
        |k, v| put(&mut k.actions.absent_lists, block_lists(v)),
    ),
    fault(
        "empty_lists",
        "empty, null or absent",
        "empty",
        "how a block list without entries is shown",
        |k, v| {
            put(
                &mut k.actions.empty_lists,
                one_of(
                    v,
                    &[
                        ("empty", EmptyLists::Empty),
                        ("null", EmptyLists::Null),
                        ("absent", EmptyLists::Absent),
                    ],
                ),
            )
        },
    ),
];
