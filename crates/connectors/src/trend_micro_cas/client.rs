//! The connection: one GET per page, the key's shape checked before, its region looked for after. Actions have a
//! folder of their own.

use async_trait::async_trait;
use chrono::SecondsFormat;
use model::action::{Call, Halt, Outcome};
use model::budget::Budget;
use model::connector::{Region, Settings, SettingsError};
use model::manifest::Manifest;
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Ask, Connection, Continuation, Fault, FetchError, Key, Page, Stream};
use url::Url;

use super::{actions, address, envelope, errors, streams};
use crate::client::{self, Answer, ClientOptions, Request, VendorClient, link};
use crate::parameters::Parameters;

const PATH: &str = "/v1/siem/security_events";
/// The vendor's most, and its default.
const FULL_PAGE: u32 = 500;
/// Marks a continuation whose page linked to itself, so that the page's records are kept and the
/// next step reports the circle. No link begins like this.
const CIRCLE: &str = "circle ";

/// One CAS account, reached with one or more keys.
#[derive(Debug)]
pub(super) struct CasConnection {
    http: VendorClient,
    base: Url,
    keys: Vec<Key>,
    streams: Vec<Stream>,
    /// The other places where a key may belong that is unknown here, as many as a test may ask.
    regions: Vec<Region>,
}

impl CasConnection {
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
        // The first request of a test is the data request itself.
        regions.truncate(manifest.test_requests.saturating_sub(1) as usize);
        let keys = parameters
            .secrets("api_keys")?
            .into_iter()
            .map(|(label, secret)| Key { secret, label, host: host.clone() })
            .collect();
        let streams = streams::selected(&parameters)?;
        let options = ClientOptions {
            verify_tls: settings.verify_tls,
            proxy: settings.proxy.clone(),
            is_throttled: errors::is_throttled,
            ..ClientOptions::default()
        };
        let http = VendorClient::new(options).map_err(|error| {
            let remedy = format!("check this machine's certificates: {error}");
            SettingsError::new("verify_tls", "cannot be used on this machine", remedy)
        })?;
        Ok(Self { http, base, keys, streams, regions })
    }

    fn url(&self, ask: &Ask) -> Result<Url, FetchError> {
        let Some(Continuation(next)) = &ask.next else {
            return first_url(&self.base, ask);
        };
        if next.starts_with(CIRCLE) {
            let host = client::host(&self.base);
            return Err(failed(Fault::RepeatedLink, format!("a page of {host} links to itself")));
        }
        link::resolve(&self.base, next).map_err(|foreign| FetchError {
            fault: Fault::ForeignLink,
            detail: format!("link was not followed away from {}", foreign.expected),
            retry_after: None,
            source: Some(Box::new(foreign)),
        })
    }

    async fn get(&self, url: Url, key: &Secret, budget: &dyn Budget) -> Result<Answer, FetchError> {
        check_key(key)?;
        let request = Request::get(url).bearer(key).header("content-type", "application/json");
        self.http.send(budget, request).await
    }

    /// Whether another region takes the key; `None` when it cannot be told.
    async fn accepts(&self, region: &Region, key: &Secret, budget: &dyn Budget) -> Option<bool> {
        let mut url = address::base_url(&region.base_url, &[]).ok()?;
        let (service, event) = streams::pair(self.streams.first()?)?;
        set_path(&mut url);
        url.set_query(Some(&format!("service={service}&event={event}&limit=1")));
        let answer = self.get(url, key, budget).await.ok()?;
        Some(answer.is_success() && envelope::looks_like_page(&answer.body))
    }
}

#[async_trait]
impl Connection for CasConnection {
    fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn streams(&self) -> &[Stream] {
        &self.streams
    }

    async fn fetch(&self, key: &Key, ask: &Ask, budget: &dyn Budget) -> Result<Page, FetchError> {
        let url = self.url(ask)?;
        let answer = self.get(url.clone(), &key.secret, budget).await?;
        if !answer.is_success() {
            return Err(errors::refused(&answer, &key.secret, ask.next.is_some()));
        }
        let page = envelope::cut(&answer.body)
            .map_err(|misread| errors::misread(&answer, &key.secret, misread))?;
        let next = page.next_link.map(|link| {
            let is_circle = link::resolve(&self.base, &link).is_ok_and(|next| next == url);
            Continuation(if is_circle { format!("{CIRCLE}{link}") } else { link })
        });
        let vendor_time = answer.vendor_time;
        Ok(Page {
            records: page.records,
            unusable: page.unusable,
            next,
            is_caught_up: false,
            vendor_time,
        })
    }

    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt> {
        actions::run(&self.http, &self.base, call).await
    }

    async fn diagnose(&self, key: &Key, error: FetchError, budget: &dyn Budget) -> FetchError {
        if error.fault != Fault::UnknownKey {
            return error;
        }
        for region in &self.regions {
            if self.accepts(region, &key.secret, budget).await == Some(true) {
                return FetchError { fault: Fault::WrongRegion(region.name.clone()), ..error };
            }
        }
        error
    }
}

fn first_url(base: &Url, ask: &Ask) -> Result<Url, FetchError> {
    let (service, event) = streams::pair(&ask.stream).ok_or_else(|| {
        failed(Fault::BadRequest, format!("`{}` is no stream of this vendor", ask.stream.id))
    })?;
    let limit = ask.page_size.unwrap_or(FULL_PAGE).clamp(1, FULL_PAGE);
    let start = written(ask.interval.start);
    let end = written(rounded_up(ask.interval.end));
    let mut url = base.clone();
    set_path(&mut url);
    // Both bounds always: with one of them missing the vendor answers five minutes.
    url.set_query(Some(&format!(
        "service={service}&event={event}&start={start}&end={end}&limit={limit}"
    )));
    Ok(url)
}

fn set_path(url: &mut Url) {
    let path = format!("{}{PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
}

/// Seconds or milliseconds and `Z`: no other form is documented.
fn written(time: Timestamp) -> String {
    let form =
        if time.as_millis() % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    time.to_chrono().to_rfc3339_opts(form, true)
}

/// The next whole millisecond, so that cutting off microseconds loses no record at the end.
fn rounded_up(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_micros().saturating_add(999).div_euclid(1000))
}

/// Refuses what cannot be a key before anything is sent.
pub(super) fn check_key(secret: &Secret) -> Result<(), FetchError> {
    let text = secret.expose();
    let problem = if text.is_empty() {
        "the key is empty"
    } else if text.chars().any(char::is_whitespace) {
        "the key has white space in it"
    } else if text.contains(['"', '\'', '`']) {
        "the key has quotes in it"
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "the key has characters beyond ASCII"
    } else {
        return Ok(());
    };
    Err(failed(Fault::MalformedKey, problem.to_owned()))
}

fn failed(fault: Fault, detail: String) -> FetchError {
    FetchError { fault, detail, retry_after: None, source: None }
}

#[cfg(test)]
mod tests {
    use model::time::Interval;

    use super::*;

    fn url_of(start: &str, end: &str, page_size: Option<u32>) -> String {
        let time = |text: &str| Timestamp::parse(text).unwrap();
        let stream = Stream {
            id: "box/dlp".parse().unwrap(),
            content_type: super::super::SECURITY_EVENTS.to_owned(),
        };
        let interval = Interval { start: time(start), end: time(end) };
        let ask = Ask { stream, interval, next: None, page_size };
        first_url(&Url::parse("https://gate.example/cas").unwrap(), &ask).unwrap().into()
    }

    #[test]
    fn both_bounds_are_sent_in_seconds_or_milliseconds() {
        assert_eq!(
            url_of("2026-03-02T08:00:00+00:00", "2026-03-02T09:30:00.5+01:00", None),
            "https://gate.example/cas/v1/siem/security_events?service=box&event=dlp\
             &start=2026-03-02T08:00:00Z&end=2026-03-02T08:30:00.500Z&limit=500"
        );
    }

    #[test]
    fn microseconds_widen_the_interval_and_the_page_size_is_bounded() {
        let url = url_of("2026-03-02T08:00:00.000999Z", "2026-03-02T08:00:00.000001Z", Some(9_999));
        assert!(
            url.ends_with("&start=2026-03-02T08:00:00Z&end=2026-03-02T08:00:00.001Z&limit=500"),
            "{url}"
        );
        assert!(
            url_of("2026-03-02T08:00:00Z", "2026-03-02T08:00:01Z", Some(0)).ends_with("&limit=1")
        );
    }

    #[test]
    fn what_cannot_be_a_key_is_told_by_its_looks() {
        assert!(check_key(&Secret::new("0123456789abcdef0123456789abcdef01234567")).is_ok());
        for text in ["", " k", "k\n", "Bearer k", "\"k\"", "'k'", "ключ", "k\u{a0}", "k\u{7}"] {
            let error = check_key(&Secret::new(text)).unwrap_err();
            assert_eq!(error.fault, Fault::MalformedKey, "{text:?}");
        }
    }
}
