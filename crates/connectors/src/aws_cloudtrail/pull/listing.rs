//! Which objects a bucket got in a span of time: the folders of the days are listed, and the time of change tells.
//!
//! Keys are no order of arrival, so a folder is listed from its beginning by every walk; only inside one walk
//! does the last key say where to go on.

use std::collections::VecDeque;
use std::time::Duration;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use model::time::{Interval, Timestamp};
use model::vendor::{Continuation, Fault, FetchError};

use super::address::Bucket;
use super::failure;
use super::key::{self, Below};
use super::notification::Object;
use super::session::Session;

/// The action in policies.
const LIST: &str = "s3:ListBucket";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where a walk goes on: behind this key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place(pub(super) String);

/// Between the key and the number of the page; sorts before whatever a longer key goes on with.
const AND: char = '\n';

impl Place {
    /// Reads what [`Place::written`] wrote.
    pub(super) fn read(next: &Continuation) -> Self {
        let key = next.0.rsplit_once(AND).map_or(next.0.as_str(), |(key, _)| key);
        Self(key.to_owned())
    }

    /// The number of the page that led here.
    pub(super) fn page(next: &Continuation) -> u64 {
        next.0.rsplit_once(AND).and_then(|(_, page)| page.parse().ok()).unwrap_or(0)
    }

    /// For the cursor: with the number of the page, so that it grows from page to page also while one object goes
    /// on.
    pub(super) fn written(&self, page: u64) -> Continuation {
        Continuation(format!("{}{AND}{page:08}", self.0))
    }
}

/// A walk over the objects that changed in a span, in the order of their keys.
pub(super) struct Walk<'a> {
    session: &'a Session,
    bucket: &'a Bucket,
    span: Interval,
    behind: Option<String>,
    /// Folders whose days are to be listed, first one first.
    folders: VecDeque<String>,
    /// The next page of the day folder that is being listed.
    page: Option<(String, Option<String>)>,
}

impl<'a> Walk<'a> {
    /// Finds the folders of accounts, kinds and regions.
    ///
    /// # Errors
    /// The bucket cannot be listed.
    pub(super) async fn begin(
        session: &'a Session,
        bucket: &'a Bucket,
        span: Interval,
        place: Option<Place>,
    ) -> Result<Self, FetchError> {
        let behind = place.map(|place| place.0);
        let mut found = Vec::new();
        let mut open = vec![key::root(&bucket.prefix)];
        while let Some(folder) = open.pop() {
            match key::below(&folder) {
                Below::Nothing => {}
                Below::Days => found.extend(days(span).map(|day| format!("{folder}{day}/"))),
                Below::Folders => open.extend(folders(session, bucket, &folder).await?),
            }
        }
        found.sort_unstable();
        let is_left = |folder: &String| match &behind {
            Some(behind) => folder > behind || behind.starts_with(folder.as_str()),
            None => true,
        };
        found.retain(is_left);
        Ok(Self { session, bucket, span, behind, folders: found.into(), page: None })
    }

    /// The next objects, possibly none; `None` at the end.
    ///
    /// # Errors
    /// The bucket cannot be listed.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Object>>, FetchError> {
        let (folder, token) = match self.page.take() {
            Some(page) => page,
            None => match self.folders.pop_front() {
                Some(folder) => (folder, None),
                None => return Ok(None),
            },
        };
        let after = self.behind.as_deref().filter(|behind| behind.starts_with(&folder));
        let asked = Asked { prefix: &folder, delimiter: None, token: token.as_deref(), after };
        let answer = list(self.session, self.bucket, &asked).await?;
        let objects = answer.contents().iter().filter_map(|found| self.wanted(found)).collect();
        if let Some(token) = answer.next_continuation_token {
            self.page = Some((folder, Some(token)));
        }
        Ok(Some(objects))
    }

    fn wanted(&self, found: &aws_sdk_s3::types::Object) -> Option<Object> {
        let changed = Timestamp::from_micros(
            found.last_modified()?.as_nanos().div_euclid(1000).try_into().ok()?,
        );
        let key = found.key()?.to_owned();
        let is_wanted = changed >= self.span.start && changed < self.span.end && key::is_log(&key);
        let tag = found.e_tag().map(|tag| tag.trim_matches('"').to_owned());
        is_wanted.then(|| Object { bucket: self.bucket.name.clone(), key, tag, region: None })
    }
}

/// The day folders that may hold objects of a span. A folder's day is that of the delivery, which may be tried
/// for hours; what comes later than a day is announced all the same.
fn days(span: Interval) -> impl Iterator<Item = String> {
    let text = |time: Timestamp| {
        let date = time.to_string();
        date.get(..10).map(|date| date.replace('-', "/")).unwrap_or_default()
    };
    let last = text(span.end);
    let mut day = span.start - DAY;
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let this = text(day);
        is_over = this >= last;
        day = day + DAY;
        Some(this)
    })
}

/// One page of a listing.
struct Asked<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    token: Option<&'a str>,
    after: Option<&'a str>,
}

async fn folders(
    session: &Session,
    bucket: &Bucket,
    folder: &str,
) -> Result<Vec<String>, FetchError> {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let asked =
            Asked { prefix: folder, delimiter: Some("/"), token: token.as_deref(), after: None };
        let answer = list(session, bucket, &asked).await?;
        let prefixes = answer.common_prefixes().iter();
        found.extend(prefixes.filter_map(|prefix| prefix.prefix().map(str::to_owned)));
        token = answer.next_continuation_token;
        if token.is_none() {
            return Ok(found);
        }
    }
}

async fn list(
    session: &Session,
    bucket: &Bucket,
    asked: &Asked<'_>,
) -> Result<ListObjectsV2Output, FetchError> {
    loop {
        let region = match session.bucket_region(&bucket.name) {
            Some(region) => region,
            None => session.region().await,
        };
        let client = session.s3(&region).await;
        let ask = client.list_objects_v2().bucket(&bucket.name).prefix(asked.prefix);
        let ask = ask.set_delimiter(asked.delimiter.map(str::to_owned));
        let ask = ask.set_continuation_token(asked.token.map(str::to_owned));
        let ask = ask.set_start_after(asked.after.map(str::to_owned));
        let error = match ask.send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match failure::bucket_region(&error) {
            Some(other) if session.learn_region(&bucket.name, &other) => {}
            _ => return Err(failure::of(LIST, &bucket.to_string(), error)),
        }
    }
}

/// Any one log file of a bucket, to try whether it can be read. `None` when there is none yet.
///
/// # Errors
/// The bucket cannot be listed.
pub(super) async fn sample(
    session: &Session,
    bucket: &Bucket,
) -> Result<Option<Object>, FetchError> {
    let mut open = vec![key::root(&bucket.prefix)];
    // Years, months and days hold one way down each: the newest.
    for _ in 0..32 {
        let Some(folder) = open.pop() else { return Ok(None) };
        let asked = Asked { prefix: &folder, delimiter: Some("/"), token: None, after: None };
        let answer = list(session, bucket, &asked).await?;
        let file =
            answer.contents().iter().filter_map(|object| object.key()).find(|key| key::is_log(key));
        if let Some(key) = file {
            let (bucket, key) = (bucket.name.clone(), key.to_owned());
            return Ok(Some(Object { bucket, key, tag: None, region: None }));
        }
        let below = answer.common_prefixes().iter().filter_map(|prefix| prefix.prefix());
        open.extend(
            below.filter(|folder| !folder.contains("/CloudTrail-Digest/")).map(str::to_owned),
        );
    }
    Ok(None)
}

/// Everything below a prefix, for an import.
pub(super) async fn everything(
    session: &Session,
    bucket: &Bucket,
) -> Result<Vec<(Object, u64)>, FetchError> {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let asked =
            Asked { prefix: &bucket.prefix, delimiter: None, token: token.as_deref(), after: None };
        let answer = list(session, bucket, &asked).await?;
        for object in answer.contents() {
            let Some(key) = object.key().filter(|key| !key.ends_with('/')) else { continue };
            let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            let (bucket, key) = (bucket.name.clone(), key.to_owned());
            found.push((Object { bucket, key, tag: None, region: None }, size));
        }
        token = answer.next_continuation_token;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// A span that cannot be asked for.
pub(super) fn no_stream(stream: &model::vendor::Stream) -> FetchError {
    let detail = format!("`{}` is no stream of this connector", stream.id);
    FetchError { fault: Fault::BadRequest, detail, retry_after: None, source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_grow_with_keys_and_with_pages() {
        let place = |key: &str, page| Place(key.to_owned()).written(page);
        let places =
            [place("", 1), place("a", 2), place("a", 10), place("a b", 11), place("b", 12)];
        assert!(places.is_sorted_by(|one, next| one.0 <= next.0));
        for (place, key) in places.iter().zip(["", "a", "a", "a b", "b"]) {
            assert_eq!(Place::read(place).0, key);
            assert!((1..=12).contains(&Place::page(place)));
        }
    }

    #[test]
    fn the_folders_of_a_span_begin_a_day_before_it() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let of = |start: &str, end: &str| -> Vec<String> {
            days(Interval { start: at(start), end: at(end) }).collect()
        };
        assert_eq!(
            of("2026-03-01T00:30:00Z", "2026-03-01T06:00:00Z"),
            ["2026/02/28", "2026/03/01"]
        );
        assert_eq!(
            of("2026-02-28T23:30:00Z", "2026-03-01T00:10:00Z"),
            ["2026/02/27", "2026/02/28", "2026/03/01"]
        );
        assert_eq!(of("2025-12-31T12:00:00Z", "2025-12-31T12:00:00Z").len(), 2);
    }
}
