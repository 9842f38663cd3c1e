//! What a client needs that sends a trail's records on instead of storing them: what messages announce, the objects,
//! and the queues. It reads as whoever the machine says.

use std::sync::Arc;

use model::vendor::FetchError;

use super::address;
pub use super::notification::{Object, Puzzle};
pub use super::object::{Broken, Log, Piece};
use super::queue;
pub use super::queue::Message;
use super::session::{Access, Session};
use super::{key, notification, object};

/// The longest wait for a message that SQS offers, in seconds.
pub const LONGEST_WAIT: i32 = queue::LONGEST_WAIT;

/// The log files that a message announces: none for S3's test message, for digests, and for what other services
/// write into the bucket.
///
/// # Errors
/// Says why the message is not understood.
pub fn announced(body: &str) -> Result<Vec<Object>, Puzzle> {
    let objects = notification::read(body)?.into_iter();
    Ok(objects.filter(|object| key::is_log(&object.key)).collect())
}

/// Reads what trails wrote.
#[derive(Clone)]
pub struct Reader(Arc<Session>);

impl Reader {
    /// Makes ready; asks nobody.
    pub fn new() -> Self {
        Self(Arc::new(Session::new(Access::default())))
    }

    /// Who AWS takes the machine for: an ARN.
    ///
    /// # Errors
    /// Its keys are not known, or nothing answers.
    pub async fn identify(&self) -> Result<String, FetchError> {
        self.0.identify().await
    }

    /// The region where nothing says another.
    pub async fn region(&self) -> String {
        self.0.region().await
    }

    /// Begins to read an object; `None` when it is gone.
    ///
    /// # Errors
    /// It was refused or not answered.
    pub async fn open(&self, object: &Object) -> Result<Option<Log>, FetchError> {
        let region = match &object.region {
            Some(region) => region.clone(),
            None => self.0.region().await,
        };
        object::open(&self.0, object, &region).await
    }

    /// A queue by its URL or ARN; `None` when the text is neither.
    pub async fn queue(&self, text: &str) -> Option<Queue> {
        let (region, endpoint) = (self.0.region().await, self.0.endpoint().await);
        let queue = address::Queue::read(text, &region, endpoint.as_deref())?;
        Some(Queue { session: self.0.clone(), queue })
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// A queue that hears of new objects.
#[derive(Clone)]
pub struct Queue {
    session: Arc<Session>,
    queue: address::Queue,
}

impl Queue {
    /// Account and name, for people.
    pub fn name(&self) -> &str {
        &self.queue.name
    }

    /// Asks for messages; waits for the first one up to `wait` seconds. They are hidden for `visibility` seconds.
    ///
    /// # Errors
    /// The queue refuses or does not answer.
    pub async fn receive(&self, wait: i32, visibility: i32) -> Result<Vec<Message>, FetchError> {
        queue::receive(&self.session, &self.queue, wait, visibility).await
    }

    /// Deletes messages by their receipts. One that cannot be deleted comes again.
    pub async fn delete(&self, receipts: &[String]) {
        queue::delete(&self.session, &self.queue, receipts).await;
    }

    /// Hides messages for `seconds` from now on; 0 shows them at once.
    pub async fn hide(&self, receipts: &[String], seconds: i32) {
        queue::hide(&self.session, &self.queue, receipts, seconds).await;
    }

    /// How many messages wait, roughly.
    ///
    /// # Errors
    /// The queue refuses or does not answer.
    pub async fn waiting(&self) -> Result<u64, FetchError> {
        queue::waiting(&self.session, &self.queue).await
    }
}
