//! The connection: one access token for all calls, one repetition after a refusal of it, and one page per fetch.
//!
//! A page of SIEM files is fetched with its files, up to a cap; what is left follows in the next fetch. The file
//! host gets no token, whatever host it is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::budget::Budget;
use model::connector::{Settings, SettingsError};
use model::ids::StreamId;
use model::manifest::{ContentType, Manifest};
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Ask, Connection, Continuation, Fault, FetchError, Key, Page, Stream};
use url::Url;

use super::access::{Access, Token};
use super::files::{self, Failure, Fetched, Lines};
use super::patience::{Blame, Patience, Verdict};
use super::place::{From, Place, Transport};
use super::prepaid::Prepaid;
use super::siem::{self, Listed, Listing};
use super::step::{self, Step};
use super::{Kind, address, errors, logs, streams};
use crate::client::{self, Answer, ClientOptions, Request, ResetUnit, VendorClient};
use crate::parameters::Parameters;

/// Files fetched once more, at the most, to see whether the way to the file host is open.
const PROBES: usize = 3;
/// Marks a TTP paging token that the vendor answered to itself. No token begins like this.
const CIRCLE: &str = "circle ";
/// How far back the event stream goes, how far it lags and how often it is asked.
const STREAM_HISTORY: Duration = Duration::from_secs(24 * 3600);
const STREAM_LAG: Duration = Duration::from_secs(60);
const STREAM_INTERVAL: Duration = Duration::from_secs(300);

/// One Mimecast account, reached with one application.
#[derive(Debug)]
pub(super) struct MimecastConnection {
    http: VendorClient,
    base: Url,
    access: Access,
    keys: Vec<Key>,
    streams: Vec<Stream>,
    transport: Transport,
    /// The listing of each stream whose files are not all done.
    listings: Mutex<HashMap<StreamId, (Place, Listing)>>,
    patience: Patience,
}

/// What became of a file.
enum Got {
    Lines(Lines),
    /// It cannot be had now.
    Missed(Failure),
    /// Its link is refused and may be old.
    Stale,
}

impl MimecastConnection {
    /// Checks the settings; sends nothing.
    pub(super) fn open(manifest: &Manifest, settings: &Settings) -> Result<Self, SettingsError> {
        let parameters = Parameters::new(manifest, settings)?;
        let regions: Vec<_> =
            settings.extra_regions.iter().chain(&manifest.regions).cloned().collect();
        let written = parameters.text("base_url")?.unwrap_or_default();
        let base = address::base_url(&written, &regions)?;
        let host = client::host(&base);
        if base.scheme() == "http" && !address::is_own_machine(&base) {
            tracing::warn!(vendor.host = host, "the credentials are sent without TLS");
        }
        let (application, secret) =
            (only(&parameters, "client_id")?, only(&parameters, "client_secret")?);
        // Both together are what the vendor counts and what a person replaces.
        let pair = Secret::new(format!("{}:{}", application.expose(), secret.expose()));
        let label = "client_id".to_owned();
        let keys = vec![Key { secret: pair, label, host }];
        let options = ClientOptions {
            verify_tls: settings.verify_tls,
            proxy: settings.proxy.clone(),
            reset_unit: ResetUnit::Milliseconds,
            ..ClientOptions::default()
        };
        let http = VendorClient::new(options).map_err(|error| {
            let remedy = format!("check this machine's certificates and the proxy: {error}");
            SettingsError::new("verify_tls", "cannot be used on this machine", remedy)
        })?;
        Ok(Self {
            http,
            access: Access::new(address::below(&base, "/oauth/token"), application, secret),
            base,
            keys,
            streams: streams::selected(&parameters, &settings.content_types)?,
            transport: transport(&parameters)?,
            listings: Mutex::default(),
            patience: Patience::default(),
        })
    }

    /// Sends a request with the access token, once more with a new one when the vendor refuses it.
    async fn call(
        &self,
        budget: &Prepaid<'_>,
        request: impl Fn() -> Request<'static> + Send,
    ) -> Result<(Answer, Token), FetchError> {
        let token = self.access.token(&self.http, budget).await?;
        // Listings hold signed links, and refusals may repeat what was sent.
        let first: Request<'_> = request().confidential();
        let answer = self.http.send(budget, first.bearer(&token.secret)).await?;
        self.access.saw(&answer);
        if answer.status != 401 {
            return Ok((answer, token));
        }
        let token = self.access.instead_of(&token, &self.http, budget).await?;
        let second: Request<'_> = request().confidential();
        let answer = self.http.send(budget, second.bearer(&token.secret)).await?;
        self.access.saw(&answer);
        Ok((answer, token))
    }

    /// A page of the SIEM routes.
    async fn siem_page(
        &self,
        ask: &Ask,
        place: &Place,
        budget: &Prepaid<'_>,
    ) -> Result<(Answer, Token), FetchError> {
        let event_type = streams::siem_type(&ask.stream).ok_or_else(|| no_stream(&ask.stream))?;
        let url = siem::page_url(&self.base, &event_type, place, ask.page_size);
        let (answer, token) = self.call(budget, || Request::get(url.clone())).await?;
        let continued = place.is_continued();
        if !answer.is_success() {
            return Err(errors::refused(&answer, Kind::Siem, &token.secret, continued));
        }
        match errors::inside(&answer, Kind::Siem, &token.secret, continued) {
            Some(error) => Err(error),
            None => Ok((answer, token)),
        }
    }

    /// A page of events.
    async fn events(&self, ask: &Ask, budget: &Prepaid<'_>) -> Result<Page, FetchError> {
        let place = self.place(ask)?;
        let (answer, _) = self.siem_page(ask, &place, budget).await?;
        let page = siem::events(&answer.body).map_err(|problem| unreadable(&answer, problem))?;
        let served = page.records.len() + page.unusable.len();
        let (next, is_caught_up) = follow(&place, page.next, served == 0);
        Ok(Page {
            records: page.records,
            unusable: page.unusable,
            next,
            is_caught_up,
            vendor_time: answer.vendor_time,
        })
    }

    /// Files of a page of files: those that are left, as many as a step takes.
    async fn files(&self, ask: &Ask, budget: &Prepaid<'_>) -> Result<Page, FetchError> {
        let place = self.place(ask)?;
        let mut vendor_time = None;
        let kept = self.listings().remove(&ask.stream.id);
        let listing = match kept.filter(|(at, _)| at.from == place.from) {
            Some((_, listing)) => listing,
            None => self.list(ask, &place, &mut vendor_time, budget).await?,
        };
        let mut step = Step::new(place, listing);
        let mut waiting = step.left();
        while let Some(file) = waiting.pop() {
            if step.is_enough() {
                break;
            }
            let failed = match self.file(&file, &mut step).await {
                Ok(Got::Lines(lines)) => {
                    step.take(file.object, lines);
                    continue;
                }
                Ok(Got::Missed(failure)) => {
                    step.miss(failure);
                    continue;
                }
                Ok(Got::Stale) => match self.list(ask, &step.place, &mut None, budget).await {
                    Ok(again) => {
                        waiting = step.relist(&file, again);
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            // What is there already is worth keeping; the next fetch meets the failure again.
            step.missed = Some(failed);
            break;
        }
        match step.missed.take() {
            Some(error) if step.done.is_empty() => {
                if !step.unlisted.is_empty() {
                    // Another listing would not name them.
                    self.listings().insert(ask.stream.id.clone(), (step.place, step.listing));
                }
                return Err(error);
            }
            None if step.left().is_empty() => {}
            _ => return Ok(self.rest(ask, step, vendor_time)),
        }
        let Step { place, listing, lines, .. } = step;
        let is_empty = listing.files.is_empty() && listing.unusable.is_empty();
        let (next, is_caught_up) = follow(&place, listing.next, is_empty);
        let Lines { records, mut unusable, .. } = lines;
        unusable.extend(listing.unusable);
        Ok(Page { records, unusable, next, is_caught_up, vendor_time })
    }

    /// The page of a step that leaves files to the next one.
    fn rest(&self, ask: &Ask, step: Step, vendor_time: Option<Timestamp>) -> Page {
        let Step { mut place, listing, lines, done, .. } = step;
        place.done.extend(done);
        let next = Some(place.written());
        self.listings().insert(ask.stream.id.clone(), (place, listing));
        let Lines { records, unusable, .. } = lines;
        Page { records, unusable, next, is_caught_up: false, vendor_time }
    }

    async fn list(
        &self,
        ask: &Ask,
        place: &Place,
        vendor_time: &mut Option<Timestamp>,
        budget: &Prepaid<'_>,
    ) -> Result<Listing, FetchError> {
        let (answer, _) = self.siem_page(ask, place, budget).await?;
        *vendor_time = answer.vendor_time;
        siem::listing(&answer.body, &self.base).map_err(|problem| unreadable(&answer, problem))
    }

    /// The lines of a file; of one that is given up, a dead letter.
    async fn file(&self, file: &Listed, step: &mut Step) -> Result<Got, FetchError> {
        let failure = match files::fetch(&self.http, file).await? {
            Fetched::File(lines) => {
                self.patience.fetched(&file.object);
                return Ok(Got::Lines(lines));
            }
            Fetched::Failed(failure) => failure,
        };
        if failure.blame == Blame::Link && !step.is_relisted {
            step.is_relisted = true;
            return Ok(Got::Stale);
        }
        if failure.blame == Blame::Link && step.unlisted.contains(&file.object) {
            return Ok(Got::Lines(step::unlisted(file)));
        }
        let is_over = match self.patience.missed(&file.object, failure.blame) {
            Verdict::Wait => false,
            Verdict::Prove => self.is_way_open(step).await,
            Verdict::GiveUp => true,
        };
        if !is_over {
            return Ok(Got::Missed(failure));
        }
        self.patience.forget(&file.object);
        Ok(Got::Lines(Lines::lost(files::given_up(file, &failure))))
    }

    /// Whether a file of this page that came through before still does.
    async fn is_way_open(&self, step: &Step) -> bool {
        for file in step.listing.files.iter().filter(|file| step.is_done(file)).take(PROBES) {
            if let Ok(Fetched::File(_)) = files::fetch(&self.http, file).await {
                return true;
            }
        }
        false
    }

    /// A page of TTP logs.
    async fn ttp(&self, kind: Kind, ask: &Ask, budget: &Prepaid<'_>) -> Result<Page, FetchError> {
        let sent = ask.next.as_ref().map(|next| next.0.as_str());
        if sent.is_some_and(|token| token.starts_with(CIRCLE)) {
            let detail = "the vendor answered the paging token that it was asked with".to_owned();
            let fault = Fault::RepeatedLink;
            return Err(FetchError { fault, detail, retry_after: None, source: None });
        }
        let url = address::below(&self.base, logs::path(kind));
        let body = logs::body(kind, ask.interval, sent, ask.page_size);
        let request = || Request::post(url.clone(), "application/json", body.clone());
        let (answer, token) = self.call(budget, request).await?;
        if !answer.is_success() {
            return Err(errors::refused(&answer, kind, &token.secret, sent.is_some()));
        }
        if let Some(error) = errors::inside(&answer, kind, &token.secret, sent.is_some()) {
            return Err(error);
        }
        let page =
            logs::read(&answer.body, kind).map_err(|problem| unreadable(&answer, problem))?;
        let next = page.next.map(|token| {
            let is_circle = sent == Some(token.as_str());
            Continuation(if is_circle { format!("{CIRCLE}{token}") } else { token })
        });
        let vendor_time = answer.vendor_time;
        let (records, unusable) = (page.records, page.unusable);
        Ok(Page { records, unusable, next, is_caught_up: false, vendor_time })
    }

    fn place(&self, ask: &Ask) -> Result<Place, FetchError> {
        match &ask.next {
            Some(next) => Place::read(next, self.transport),
            None => {
                let from = siem::start(self.transport, ask.interval.start);
                Ok(Place::new(self.transport, from))
            }
        }
    }

    fn listings(&self) -> MutexGuard<'_, HashMap<StreamId, (Place, Listing)>> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connection for MimecastConnection {
    fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn streams(&self) -> &[Stream] {
        &self.streams
    }

    fn facts(&self, declared: &ContentType) -> ContentType {
        let mut facts = declared.clone();
        if self.transport == Transport::Stream && declared.name == Kind::Siem.name() {
            facts.history = STREAM_HISTORY;
            facts.lag = STREAM_LAG;
            facts.interval = STREAM_INTERVAL;
        }
        facts
    }

    async fn fetch(&self, _: &Key, ask: &Ask, budget: &dyn Budget) -> Result<Page, FetchError> {
        let budget = Prepaid::new(budget);
        match (Kind::of(&ask.stream.content_type), self.transport) {
            (Some(Kind::Siem), Transport::Batch) => self.files(ask, &budget).await,
            (Some(Kind::Siem), Transport::Stream) => self.events(ask, &budget).await,
            (Some(kind), _) => self.ttp(kind, ask, &budget).await,
            (None, _) => Err(no_stream(&ask.stream)),
        }
    }
}

/// What follows a page: the token to go on with, and whether nothing is left before the next poll.
fn follow(place: &Place, next: siem::Next, is_empty: bool) -> (Option<Continuation>, bool) {
    let Some(token) = next.token else { return (None, next.is_caught_up) };
    let from = From::Token(token);
    let is_same = place.from == from;
    if is_same && is_empty && !next.is_caught_up {
        // There is more, but not yet: the token is asked again at the next poll, and nothing is
        // covered until then.
        return (None, false);
    }
    let mut followed = Place::new(place.transport, from);
    // The same token after events, with more to come, leads nowhere.
    followed.circle = is_same && !is_empty && !next.is_caught_up;
    (Some(followed.written()), next.is_caught_up)
}

fn only(parameters: &Parameters<'_>, name: &str) -> Result<Secret, SettingsError> {
    let mut secrets = parameters.secrets(name)?;
    secrets.truncate(1);
    let missing = || SettingsError::new(format!("credential.{name}"), "is missing", "give it");
    secrets.pop().map(|(_, secret)| secret).ok_or_else(missing)
}

fn transport(parameters: &Parameters<'_>) -> Result<Transport, SettingsError> {
    match parameters.choices("siem_transport")?.as_slice() {
        [one] if one == "stream" => Ok(Transport::Stream),
        [_] => Ok(Transport::Batch),
        _ => Err(SettingsError::new(
            "parameters.siem_transport",
            "names both transports",
            "write batch or stream: both serve the same events",
        )),
    }
}

fn no_stream(stream: &Stream) -> FetchError {
    let detail = format!("`{}` is no stream of this vendor", stream.id);
    FetchError { fault: Fault::BadRequest, detail, retry_after: None, source: None }
}

fn unreadable(answer: &Answer, problem: &str) -> FetchError {
    answer.refused(Fault::Unreadable, problem)
}
