//! Objects as files, for an import: listed below an `s3://` URL and read like any other file, as whoever the
//! machine says.

use std::sync::Arc;

use model::vendor::{FetchError, Reopened};

use super::address::Bucket;
use super::body;
use super::notification::Object;
use super::object;
use super::session::{Access, Session};
use super::{failure, key, listing};

/// The buckets that this machine's identity may read: AWS's usual variables, profiles and roles.
#[derive(Clone)]
pub struct S3Files(Arc<Session>);

/// An object that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3File {
    object: Object,
    size_bytes: u64,
}

impl S3File {
    /// Its URL.
    pub fn url(&self) -> String {
        self.object.to_string()
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

impl S3Files {
    /// Makes ready; asks nobody.
    pub fn new() -> Self {
        Self(Arc::new(Session::new(Access::default())))
    }

    /// Whether a text is the URL of a bucket or of something in one.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("s3://") && Bucket::read(text).is_some()
    }

    /// The objects whose keys begin as the URL says, in their order, without the digests of trails and without what
    /// other services write beside them.
    ///
    /// # Errors
    /// The bucket cannot be listed; [`S3Files::remedy`] says what to do.
    pub async fn list(&self, url: &str) -> Result<Vec<S3File>, FetchError> {
        let Some(bucket) = Bucket::read(url) else { return Ok(Vec::new()) };
        let found = listing::everything(&self.0, &bucket).await?.into_iter();
        let is_wanted =
            |object: &Object| !key::is_of_a_service(&object.key) || key::is_log(&object.key);
        let files = found.filter(|(object, _)| is_wanted(object));
        Ok(files.map(|(object, size_bytes)| S3File { object, size_bytes }).collect())
    }

    /// Opens an object. The reader waits for the network: read it in a thread of its own.
    ///
    /// # Errors
    /// The object is gone or refused.
    pub async fn open(&self, file: &S3File) -> Result<Reopened, FetchError> {
        reader(&self.0, &file.object).await
    }

    /// What to do about a failure.
    pub fn remedy(error: &FetchError) -> Option<String> {
        failure::remedy(error)
    }
}

impl Default for S3Files {
    fn default() -> Self {
        Self::new()
    }
}

/// Opens an object by name.
pub(super) async fn reader(session: &Session, object: &Object) -> Result<Reopened, FetchError> {
    let region = session.region().await;
    let Some(answer) = object::get(session, object, &region).await? else {
        return Err(object::gone(object));
    };
    let (body, feed) = body::open(answer.body);
    tokio::spawn(feed);
    Ok(Box::new(body))
}
