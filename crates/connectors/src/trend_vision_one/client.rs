//! The connection: one GET per page, the same filter on every page, the walk counted, a key looked for elsewhere
//! when it is unknown here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::action::{ActionSpec, Call, Halt, Outcome};
use model::budget::Budget;
use model::connector::{Region, Settings, SettingsError};
use model::manifest::Manifest;
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{
    Ask, Connection, Continuation, Fault, FetchError, Key, KeyNotice, Page, Stream,
};
use url::Url;

use super::content::Content;
use super::envelope::{self, Cut};
use super::filters::Filters;
use super::place::Place;
use super::{actions, address, errors, token};
use crate::client::{self, Answer, ClientOptions, Request, VendorClient, link};
use crate::parameters::Parameters;

/// Needs no permission and says what time it is there.
const HEALTH_CHECK: &str = "/v3.0/healthcheck/connectivity";
/// Empty pages in a row that may name themselves as the next page.
const STALLS: u32 = 5;
/// How often a span that cannot be cut further is walked before what came is taken for all.
const WALKS: u32 = 3;
/// The engine halves what is two seconds wide or more, and asks from a second before it.
const HALVED_FROM: Duration = Duration::from_secs(3);

/// One company at the vendor, reached with one or more keys.
#[derive(Debug)]
pub(super) struct VisionOneConnection {
    http: VendorClient,
    base: Url,
    keys: Vec<Key>,
    streams: Vec<Stream>,
    filters: Filters,
    actions: Vec<ActionSpec>,
    /// The other places where a key may belong that is unknown here.
    regions: Vec<Region>,
    /// What was found out about a key: the region that takes it. By label.
    diagnosed: Mutex<BTreeMap<String, Option<String>>>,
    /// The latest time that the vendor's clock showed.
    vendor_now: Mutex<Option<Timestamp>>,
    /// How often walks of the narrowest spans ended short, by stream and the start of the span.
    short_walks: Mutex<BTreeMap<(String, Timestamp), u32>>,
}

impl VisionOneConnection {
    /// Checks the settings; sends nothing.
    pub(super) fn open(manifest: &Manifest, settings: &Settings) -> Result<Self, SettingsError> {
        let parameters = Parameters::new(manifest, settings)?;
        let mut regions: Vec<_> =
            settings.extra_regions.iter().chain(&manifest.regions).cloned().collect();
        let written = parameters.text("base_url")?.unwrap_or_default();
        let base = address::base_url(&written, &regions)?;
        if address::is_own_machine(&base) {
            // A key for something on this machine does not belong at the vendor's own sites.
            regions.truncate(settings.extra_regions.len());
        } else if base.scheme() == "http" {
            tracing::warn!(vendor.host = client::host(&base), "the key is sent without TLS");
        }
        let host = client::host(&base);
        regions.retain(|region| {
            address::base_url(&region.base_url, &[]).is_ok_and(|url| client::host(&url) != host)
        });
        // The data requests of a test come first.
        let data_requests = manifest.content_types.len();
        regions.truncate((manifest.test_requests as usize).saturating_sub(data_requests));
        let keys = parameters
            .secrets("token")?
            .into_iter()
            .map(|(label, secret)| Key {
                secret: token::cleaned(&secret),
                label,
                host: host.clone(),
            })
            .collect();
        let chosen =
            |content: &&&Content| settings.content_types.iter().any(|name| name == content.name);
        let streams = Content::ALL.iter().filter(chosen).map(|content| content.stream()).collect();
        let options = ClientOptions {
            verify_tls: settings.verify_tls,
            is_throttled: errors::is_throttled,
            proxy: settings.proxy.clone(),
            ..ClientOptions::default()
        };
        let http = VendorClient::new(options).map_err(|error| {
            let remedy = format!("check this machine's certificates and the proxy: {error}");
            SettingsError::new("verify_tls", "cannot be used on this machine", remedy)
        })?;
        Ok(Self {
            http,
            base,
            keys,
            streams,
            filters: Filters::read(&parameters)?,
            actions: manifest.actions.clone(),
            regions,
            diagnosed: Mutex::default(),
            vendor_now: Mutex::default(),
            short_walks: Mutex::default(),
        })
    }

    async fn get(
        &self,
        url: Url,
        content: &Content,
        key: &Secret,
        budget: &dyn Budget,
    ) -> Result<Answer, FetchError> {
        token::check(key, address::is_vendor(&url))?;
        let mut request = Request::get(url).bearer(key);
        // The vendor's links do not carry the filter: it goes with every page.
        if let Some(filter) = (content.filter)(&self.filters) {
            request = request.header("tmv1-filter", filter);
        }
        let answer = self.http.send(budget, request).await?;
        if answer.vendor_time.is_some() {
            *self.vendor_now.lock().unwrap_or_else(PoisonError::into_inner) = answer.vendor_time;
        }
        Ok(answer)
    }

    fn vendor_now(&self) -> Option<Timestamp> {
        *self.vendor_now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn first_url(
        &self,
        content: &Content,
        ask: &Ask,
        key: &Secret,
        budget: &dyn Budget,
    ) -> Result<Url, FetchError> {
        if content.asks_the_time && self.vendor_now().is_none() {
            // Whatever is answered, the data request after it tells what is wrong.
            self.get(at(&self.base, HEALTH_CHECK), content, key, budget).await?;
        }
        let mut url = at(&self.base, content.path);
        url.set_query(Some(&(content.query)(ask, self.vendor_now())));
        Ok(url)
    }

    fn linked_url(&self, link: &str) -> Result<Url, FetchError> {
        link::resolve(&self.base, link).map_err(|foreign| FetchError {
            fault: Fault::ForeignLink,
            detail: format!("link was not followed away from {}", foreign.expected),
            retry_after: None,
            source: Some(Box::new(foreign)),
        })
    }

    /// Where the walk goes on after a page.
    fn next(
        &self,
        content: &Content,
        ask: &Ask,
        walk: Walk,
        page: &Cut,
        url: &Url,
    ) -> Option<Continuation> {
        let seen = walk.seen + page.served();
        let total = walk.total.or(page.total);
        if let Some(next) = &page.next_link {
            let is_circle = link::resolve(&self.base, next).is_ok_and(|next| next == *url);
            // An empty page is not the end, and has nothing that could be read twice.
            let stalled = if is_circle { walk.stalled + 1 } else { 0 };
            let place = if is_circle && (page.served() > 0 || stalled > STALLS) {
                Place::Circle
            } else {
                Place::Link { link: next.clone(), total, seen, stalled }
            };
            return Some(place.written());
        }
        // Where the vendor does not count, a full page that ends a walk may have lost its link.
        let is_whole = match total {
            Some(total) => total <= seen,
            None => page.served() < u64::from((content.page_size)(ask)),
        };
        if is_whole {
            return None;
        }
        if !self.walks_again(ask) {
            tracing::warn!(
                stream = %ask.stream.id, interval = %ask.interval, total, seen,
                "walks of this second keep ending early; what came is taken for all"
            );
            return None;
        }
        Some(Place::Short { total, seen }.written())
    }

    /// Says whether another walk is worth it after one that ended short. It is as long as the engine
    /// goes on with less: a span that fits on one page needs no links.
    fn walks_again(&self, ask: &Ask) -> bool {
        if ask.interval.width() >= HALVED_FROM {
            return true;
        }
        let mut walks = self.short_walks.lock().unwrap_or_else(PoisonError::into_inner);
        let count = walks.entry((ask.stream.id.to_string(), ask.interval.start)).or_insert(0);
        *count += 1;
        *count < WALKS
    }

    fn forget_short_walks(&self, ask: &Ask) {
        let mut walks = self.short_walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.remove(&(ask.stream.id.to_string(), ask.interval.start));
    }

    /// The region that takes the key, asked for once.
    async fn region_of(&self, key: &Key, budget: &dyn Budget) -> Option<String> {
        let known = |diagnosed: &Mutex<BTreeMap<String, Option<String>>>| {
            diagnosed.lock().unwrap_or_else(PoisonError::into_inner).get(&key.label).cloned()
        };
        if let Some(known) = known(&self.diagnosed) {
            return known;
        }
        let mut found = None;
        for region in &self.regions {
            if self.is_known_at(region, &key.secret, budget).await == Some(true) {
                found = Some(region.name.clone());
                break;
            }
        }
        let mut diagnosed = self.diagnosed.lock().unwrap_or_else(PoisonError::into_inner);
        diagnosed.insert(key.label.clone(), found.clone());
        found
    }

    /// Whether another region knows the key; `None` when it cannot be told.
    async fn is_known_at(
        &self,
        region: &Region,
        key: &Secret,
        budget: &dyn Budget,
    ) -> Option<bool> {
        let base = address::base_url(&region.base_url, &[]).ok()?;
        let content = Content::named(&self.streams.first()?.content_type)?;
        let url = at(&base, content.path);
        let answer = self.get(url, content, key, budget).await.ok()?;
        let is_page = answer.is_success() && envelope::looks_like_page(&answer.body);
        Some(is_page || answer.status == 403)
    }
}

/// What was counted on the way to a page.
#[derive(Debug, Clone, Copy, Default)]
struct Walk {
    total: Option<u64>,
    seen: u64,
    stalled: u32,
}

#[async_trait]
impl Connection for VisionOneConnection {
    fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn streams(&self) -> &[Stream] {
        &self.streams
    }

    async fn fetch(&self, key: &Key, ask: &Ask, budget: &dyn Budget) -> Result<Page, FetchError> {
        let content = Content::named(&ask.stream.content_type).ok_or_else(|| {
            failed(Fault::BadRequest, format!("`{}` is no stream of this vendor", ask.stream.id))
        })?;
        let (url, walk) = match ask.next.as_ref().map(Place::read) {
            None => (self.first_url(content, ask, &key.secret, budget).await?, Walk::default()),
            Some(Place::Link { link, total, seen, stalled }) => {
                (self.linked_url(&link)?, Walk { total, seen, stalled })
            }
            Some(Place::Circle) => {
                let host = client::host(&self.base);
                return Err(failed(
                    Fault::RepeatedLink,
                    format!("a page of {host} links to itself"),
                ));
            }
            Some(Place::Short { total, seen }) => {
                let detail = match total {
                    Some(total) => {
                        format!("{seen} of {total} rows came: some moved while they were read")
                    }
                    None => format!("{seen} rows came, and a full page without a link to the next"),
                };
                return Err(failed(Fault::ShortWalk, detail));
            }
        };
        let answer = self.get(url.clone(), content, &key.secret, budget).await?;
        let page = if answer.is_success() {
            envelope::cut(&answer.body)
                .map_err(|misread| errors::misread(&answer, &key.secret, content, misread))?
        } else if errors::is_empty(&answer) {
            tracing::info!(stream = %ask.stream.id, "no product that reports is connected yet");
            Cut { records: Vec::new(), unusable: Vec::new(), next_link: None, total: None }
        } else {
            let error = errors::refused(&answer, &key.secret, content, ask.next.is_some());
            return Err(ahead_of_vendor(error, &answer, ask));
        };
        let next = self.next(content, ask, walk, &page, &url);
        if next.is_none() {
            self.forget_short_walks(ask);
        }
        let Cut { records, unusable, .. } = page;
        Ok(Page { records, unusable, next, is_caught_up: false, vendor_time: answer.vendor_time })
    }

    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt> {
        actions::act(&self.http, &self.base, &self.actions, call).await
    }

    fn key_notice(&self, key: &Key, now: Timestamp) -> Option<KeyNotice> {
        token::notice(&key.secret, now)
    }

    async fn diagnose(&self, key: &Key, error: FetchError, budget: &dyn Budget) -> FetchError {
        if error.fault != Fault::UnknownKey {
            return error;
        }
        match self.region_of(key, budget).await {
            Some(region) => FetchError { fault: Fault::WrongRegion(region), ..error },
            None => error,
        }
    }
}

/// A refusal of an end that the vendor's clock has not reached yet says so, and waits until it has.
fn ahead_of_vendor(error: FetchError, answer: &Answer, ask: &Ask) -> FetchError {
    let end = ask.interval.end;
    match answer.vendor_time {
        Some(now) if error.fault == Fault::BadRequest && end > now => FetchError {
            detail: format!(
                "{}; it is {now} there, before {end}: check this machine's clock",
                error.detail
            ),
            retry_after: error.retry_after.or(Some(end.since(now))),
            ..error
        },
        _ => error,
    }
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

fn failed(fault: Fault, detail: String) -> FetchError {
    FetchError { fault, detail, retry_after: None, source: None }
}
