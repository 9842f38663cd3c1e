//! The connection: one stream for each queue and one for each bucket, read side by side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use model::budget::Budget;
use model::connector::{Settings, SettingsError};
use model::ids::StreamId;
use model::manifest::{ContentType, CursorStrategy, Manifest};
use model::secret::Secret;
use model::vendor::{Ask, Connection, Fault, FetchError, Key, Page, Reopened, Stream};
use tokio::sync::watch;

use super::address::{Bucket, Queue};
use super::intake::{Haul, Taken};
use super::listing;
use super::memory::Memory;
use super::notification::{self, Object};
use super::reception::Reception;
use super::reconciliation::{Reconciliation, Walked};
use super::session::Session;
use super::settings::PullSettings;
use super::{failure, key, object, queue, s3_files};
use crate::aws_cloudtrail::RECORDS;

/// What the budget counts by when the machine's own identity asks.
const OWN_IDENTITY: &str = "the machine's own identity";
/// Whom the requests go to, for the budget: all services together.
const HOST: &str = "amazonaws.com";
/// Longest name of a stream.
const NAME: usize = 200;

/// A connector's queues and buckets.
pub(crate) struct CloudTrailConnection {
    settings: PullSettings,
    session: Arc<Session>,
    keys: Vec<Key>,
    streams: Vec<Stream>,
    receptions: HashMap<StreamId, Arc<Reception>>,
    reconciliations: HashMap<StreamId, Reconciliation>,
    /// Queues that are being read.
    begun: Mutex<Vec<StreamId>>,
    stop: watch::Sender<bool>,
}

impl CloudTrailConnection {
    /// Checks the settings; asks nobody.
    pub(crate) fn open(manifest: &Manifest, settings: &Settings) -> Result<Self, SettingsError> {
        let settings = PullSettings::read(manifest, settings)?;
        let session = Arc::new(Session::new(settings.access.clone()));
        let memory = Arc::new(Memory::default());
        let mut streams = Vec::new();
        let mut receptions = HashMap::new();
        for queue in &settings.queues {
            let stream = stream("queues", &format!("queue/{}/{}", queue.region, queue.name))?;
            let (session, memory) = (session.clone(), memory.clone());
            let reception = Reception::new(session, memory, queue.clone(), settings.visibility);
            receptions.insert(stream.id.clone(), Arc::new(reception));
            streams.push(stream);
        }
        let mut reconciliations = HashMap::new();
        for bucket in &settings.buckets {
            let Bucket { name, prefix } = bucket;
            let stream =
                stream("buckets", format!("bucket/{name}/{prefix}").trim_end_matches('/'))?;
            let (session, memory) = (session.clone(), memory.clone());
            let reconciliation = Reconciliation::new(session, memory, bucket.clone());
            reconciliations.insert(stream.id.clone(), reconciliation);
            streams.push(stream);
        }
        let keys = vec![key_of(&settings)];
        let (begun, stop) = (Mutex::default(), watch::Sender::new(false));
        Ok(Self { settings, session, keys, streams, receptions, reconciliations, begun, stop })
    }

    /// The next page of a queue; the first one sets it to work.
    async fn receive(
        &self,
        stream: &Stream,
        reception: &Arc<Reception>,
    ) -> Result<Page, FetchError> {
        self.begin(stream, reception);
        match reception.intake.take().await {
            Taken::Haul(haul) => Ok(page(haul)),
            Taken::Nothing => Ok(Page { is_caught_up: true, ..page(Haul::default()) }),
            Taken::Failed(error) => Err(error),
        }
    }

    fn begin(&self, stream: &Stream, reception: &Arc<Reception>) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !begun.contains(&stream.id) {
            begun.push(stream.id.clone());
            tokio::spawn(reception.clone().run(self.stop.subscribe()));
        }
    }

    async fn stopped(&self) {
        // The sender is ours, so it is there.
        drop(self.stop.subscribe().wait_for(|stop| *stop).await);
    }

    async fn probe_queue(&self, queue: &Queue) -> Result<String, FetchError> {
        let (message, waiting) = queue::probe(&self.session, queue).await?;
        let announced = message.map(|message| notification::read(&message.body));
        let objects = match announced {
            None => return Ok(format!("about {waiting} messages wait, none was seen")),
            Some(Err(puzzle)) => return Ok(format!("about {waiting} messages wait, but {puzzle}")),
            Some(Ok(objects)) => objects,
        };
        let Some(object) = objects.into_iter().find(|object| key::is_log(&object.key)) else {
            return Ok(format!("about {waiting} messages wait; the first announces no log file"));
        };
        let region = object.region.as_ref().unwrap_or(&queue.region);
        let found = object::get(&self.session, &object, region).await?;
        let state = if found.is_some() { "can be read" } else { "is gone" };
        Ok(format!("about {waiting} messages wait; {object} {state}"))
    }

    async fn probe_bucket(&self, bucket: &Bucket) -> Result<String, FetchError> {
        let Some(object) = listing::sample(&self.session, bucket).await? else {
            return Ok(format!("{bucket} can be listed and holds no log file yet"));
        };
        let region = self.session.region().await;
        let found = object::get(&self.session, &object, &region).await?;
        let state = if found.is_some() { "can be read" } else { "is gone" };
        Ok(format!("{bucket} can be listed; {object} {state}"))
    }
}

impl Drop for CloudTrailConnection {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[async_trait]
impl Connection for CloudTrailConnection {
    fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn streams(&self) -> &[Stream] {
        &self.streams
    }

    fn facts(&self, declared: &ContentType) -> ContentType {
        let (overlap, lag) = (self.settings.look_back, self.settings.look_after);
        ContentType { overlap, lag, ..declared.clone() }
    }

    fn cursor(&self, stream: &Stream, declared: CursorStrategy) -> CursorStrategy {
        if self.reconciliations.contains_key(&stream.id) {
            CursorStrategy::Intervals
        } else {
            declared
        }
    }

    async fn fetch(&self, _: &Key, ask: &Ask, budget: &dyn Budget) -> Result<Page, FetchError> {
        // AWS has no quota of requests: what is counted is pages, and one stands for all that it takes.
        let permit = budget.reserve(HOST).await.map_err(|error| FetchError {
            fault: Fault::Budget,
            detail: error.to_string(),
            retry_after: None,
            source: Some(Box::new(error)),
        })?;
        drop(permit);
        if let Some(reception) = self.receptions.get(&ask.stream.id) {
            return tokio::select! {
                biased;
                page = self.receive(&ask.stream, reception) => page,
                () = self.stopped() => Ok(page(Haul::default())),
            };
        }
        let Some(reconciliation) = self.reconciliations.get(&ask.stream.id) else {
            return Err(listing::no_stream(&ask.stream));
        };
        let walked = tokio::select! {
            biased;
            walked = reconciliation.page(ask) => walked?,
            () = self.stopped() => Reconciliation::later(ask),
        };
        let Walked { haul, next } = walked;
        Ok(Page { next, ..page(haul) })
    }

    async fn acknowledge(&self, stream: &Stream) {
        if let Some(reception) = self.receptions.get(&stream.id) {
            reception.acknowledge().await;
        } else if let Some(reconciliation) = self.reconciliations.get(&stream.id) {
            reconciliation.acknowledge();
        }
    }

    fn interrupt(&self) {
        self.stop.send_replace(true);
    }

    fn tested(&self) -> Vec<Stream> {
        self.streams.clone()
    }

    async fn probe(&self, _: &Key, ask: &Ask, _: &dyn Budget) -> Result<String, FetchError> {
        self.session.identify().await?;
        if let Some(reception) = self.receptions.get(&ask.stream.id) {
            return self.probe_queue(&reception.queue).await;
        }
        match self.reconciliations.get(&ask.stream.id) {
            Some(reconciliation) => self.probe_bucket(reconciliation.bucket()).await,
            None => Err(listing::no_stream(&ask.stream)),
        }
    }

    fn remedy(&self, error: &FetchError) -> Option<String> {
        failure::remedy(error)
    }

    async fn reopen(&self, letter: &[u8]) -> Result<Option<Reopened>, FetchError> {
        let Some(object) = std::str::from_utf8(letter).ok().and_then(named) else {
            return Ok(None);
        };
        s3_files::reader(&self.session, &object).await.map(Some)
    }
}

/// The object that a dead letter names.
fn named(letter: &str) -> Option<Object> {
    let (bucket, key) = letter.strip_prefix("s3://")?.split_once('/')?;
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    Some(Object { bucket, key, tag: None, region: None })
}

fn page(haul: Haul) -> Page {
    let Haul { records, unusable, .. } = haul;
    Page { records, unusable, next: None, is_caught_up: false, vendor_time: None }
}

fn stream(parameter: &str, name: &str) -> Result<Stream, SettingsError> {
    let wrong = || {
        let setting = format!("parameters.{parameter}");
        let problem = format!("has the name `{name}`, which is longer than {NAME} characters");
        SettingsError::new(setting, problem, "shorten the prefix: the rest is found below it")
    };
    let id = StreamId::new(name).map_err(|_| wrong())?;
    Ok(Stream { id, content_type: RECORDS.to_owned() })
}

/// Who asks, for the budget and for people.
fn key_of(settings: &PullSettings) -> Key {
    let host = HOST.to_owned();
    if let Some((role, _)) = &settings.access.role {
        return Key { secret: Secret::new(role.as_str()), label: "role_arn".to_owned(), host };
    }
    match &settings.access.keys {
        Some((id, ..)) => Key { secret: id.clone(), label: "access_key_id".to_owned(), host },
        None => Key { secret: Secret::new(OWN_IDENTITY), label: OWN_IDENTITY.to_owned(), host },
    }
}
