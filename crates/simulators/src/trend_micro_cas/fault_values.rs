//! How the values of this vendor's faults are read.

use crate::faults::{duration, names, percent, period, switch};

use super::action_knobs::LostAnswers;
use super::blocklist::List;
use super::knobs::{Late, Outage, Spike};
use super::streams::Stream;

pub(super) fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

pub(super) fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(text, _)| *text == value).map(|(_, choice)| *choice)
}

pub(super) fn spike(value: &str) -> Option<Option<Spike>> {
    if value == "off" {
        return Some(None);
    }
    let (streams, rest) = value.split_once(':')?;
    let (factor, bounds) = rest.split_once(':')?;
    let (start_ms, end_ms) = period(bounds)?;
    let factor = factor.parse().ok().filter(|factor| (1.0..=1_000.0).contains(factor))?;
    Some(Some(Spike { streams: Stream::selection(streams)?, factor, start_ms, end_ms }))
}

pub(super) fn late(value: &str) -> Option<Option<Late>> {
    if value == "off" {
        return Some(None);
    }
    let (share, most) = value.split_once(':')?;
    Some(Some(Late { percent: percent(share)?, most_ms: duration(most)? }))
}

pub(super) fn outage(value: &str) -> Option<Outage> {
    match switch(value) {
        Some(true) => Some(Outage::On),
        Some(false) => Some(Outage::Off),
        None => period(value).map(|(start_ms, end_ms)| Outage::Between(start_ms, end_ms)),
    }
}

/// An `http` or `https` URL without its trailing slash; empty is none.
pub(super) fn base_url(value: &str) -> Option<Option<String>> {
    if value.is_empty() {
        return Some(None);
    }
    let parsed = url::Url::parse(value).ok()?;
    matches!(parsed.scheme(), "http" | "https")
        .then(|| Some(value.trim_end_matches('/').to_owned()))
}

/// How many answers are lost: `N` for the next ones, `every:N` for every Nth.
pub(super) fn lost_answers(value: &str) -> Option<LostAnswers> {
    let number = |text: &str| text.parse().ok();
    match value.strip_prefix("every:") {
        Some(every) => number(every).filter(|every| *every > 0).map(LostAnswers::Every),
        None => number(value).map(LostAnswers::Next),
    }
}

/// Names of block lists; an empty text is none.
pub(super) fn block_lists(value: &str) -> Option<Vec<List>> {
    names(value).iter().map(|name| List::named(name)).collect()
}

/// Names of targets, lower case.
pub(super) fn targets(value: &str) -> Vec<String> {
    names(value).iter().map(|name| name.to_lowercase()).collect()
}
