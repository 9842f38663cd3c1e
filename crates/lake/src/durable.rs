//! An object store on local disks whose writes have reached the disk when they are acknowledged (I1).
//!
//! A file is staged under a name that listings skip, synced, then linked (create if absent) or renamed
//! (overwrite) into place, and the directory is synced, with every parent that is new to this process.
//! Reading is left to `object_store`. All that touches the disk goes through [`Disk`], so that a test
//! can lose what was not synced.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use model::time::Timestamp;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, UploadPart,
};

/// The steps of a durable write, one call each.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates a file with this content; not yet synced.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    fn create(&self, path: &FilePath, content: &[Bytes]) -> io::Result<()>;

    /// Waits until a file's content, or a directory's entries, are on the disk.
    ///
    /// # Errors
    /// The disk did not take them.
    fn sync(&self, path: &FilePath) -> io::Result<()>;

    /// Gives a file a second name, which must be free.
    ///
    /// # Errors
    /// The name is taken ([`io::ErrorKind::AlreadyExists`]), or the link cannot be made.
    fn link(&self, from: &FilePath, to: &FilePath) -> io::Result<()>;

    /// Gives a file another name, replacing what has it.
    ///
    /// # Errors
    /// The file cannot be renamed.
    fn rename(&self, from: &FilePath, to: &FilePath) -> io::Result<()>;

    /// Removes a name of a file.
    ///
    /// # Errors
    /// The file cannot be removed.
    fn remove(&self, path: &FilePath) -> io::Result<()>;

    /// Creates a directory whose parent exists; one that exists already is fine.
    ///
    /// # Errors
    /// The directory cannot be made.
    fn create_directory(&self, path: &FilePath) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Debug)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn create(&self, path: &FilePath, content: &[Bytes]) -> io::Result<()> {
        let mut file = File::options().write(true).create_new(true).open(path)?;
        content.iter().try_for_each(|part| file.write_all(part))
    }

    fn sync(&self, path: &FilePath) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn link(&self, from: &FilePath, to: &FilePath) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    fn rename(&self, from: &FilePath, to: &FilePath) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &FilePath) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_directory(&self, path: &FilePath) -> io::Result<()> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            done => done,
        }
    }
}

/// The store; clones share what they know about directories.
#[derive(Debug, Clone)]
pub(crate) struct Durable {
    disk: Arc<dyn Disk>,
    reader: Arc<LocalFileSystem>,
    root: PathBuf,
    /// Directories that this process knows to be on the disk.
    settled: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Durable {
    /// A store under `root`, which is created, with its parents, when it is not there.
    pub(crate) fn open(root: &FilePath, disk: Arc<dyn Disk>) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        let settled = Arc::default();
        settle_directory(disk.as_ref(), &settled, &root)?;
        let root = root.canonicalize()?;
        let reader = Arc::new(LocalFileSystem::new_with_prefix(&root)?);
        Ok(Self { disk, reader, root, settled })
    }

    /// The directory of the store.
    pub(crate) fn root(&self) -> &FilePath {
        &self.root
    }

    /// The same disk with paths that count from the root of the file system, for libraries that
    /// name tables so.
    pub(crate) fn at_filesystem_root(&self) -> Self {
        Self { reader: Arc::new(LocalFileSystem::new()), root: PathBuf::from("/"), ..self.clone() }
    }

    /// Makes sure that a file which was found in the store, and its name, are on the disk:
    /// another process may have died between naming it and syncing the directory.
    pub(crate) async fn settle(&self, location: &Path) -> Result<()> {
        let path = self.reader.path_to_filesystem(location)?;
        let store = self.clone();
        blocking(move || {
            store.disk.sync(&path).and_then(|()| store.sync_parent(&path)).map_err(generic)
        })
        .await
    }

    /// Makes sure that names which were removed from a folder stay removed.
    pub(crate) async fn settle_removals(&self, folder: &Path) -> Result<()> {
        let path = self.reader.path_to_filesystem(folder)?;
        let store = self.clone();
        blocking(move || store.disk.sync(&path).map_err(generic)).await
    }

    /// Every file below a folder, also those that were staged and never named.
    pub(crate) async fn files_below(&self, folder: &Path) -> Result<Vec<FoundFile>> {
        let start = self.reader.path_to_filesystem(folder)?;
        blocking(move || {
            let mut files = Vec::new();
            let mut folders = vec![(start, String::new())];
            while let Some((folder, name)) = folders.pop() {
                visit(&folder, &name, &mut folders, &mut files).map_err(generic)?;
            }
            Ok(files)
        })
        .await
    }

    /// Removes a file that [`Durable::files_below`] found in a folder; one that is gone is fine.
    pub(crate) async fn remove_found(&self, folder: &Path, file: &FoundFile) -> Result<()> {
        let path = self.reader.path_to_filesystem(folder)?.join(&file.name);
        let store = self.clone();
        blocking(move || store.remove_now(&path)).await
    }

    fn remove_now(&self, path: &FilePath) -> Result<()> {
        match self.disk.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(generic),
        }
    }

    fn put_now(&self, path: &FilePath, content: &[Bytes], mode: &PutMode) -> Result<()> {
        if let Some(parent) = path.parent() {
            settle_directory(self.disk.as_ref(), &self.settled, parent).map_err(generic)?;
        }
        let staged = staged_name(path);
        let placed = self
            .disk
            .create(&staged, content)
            .and_then(|()| self.disk.sync(&staged))
            .and_then(|()| self.place(&staged, path, mode));
        if let Err(error) = placed {
            if let Err(left) = self.disk.remove(&staged) {
                tracing::debug!(path = %staged.display(), error = %left, "left a staged file behind");
            }
            return Err(match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    Error::AlreadyExists { path: path.display().to_string(), source: error.into() }
                }
                _ => generic(error),
            });
        }
        self.sync_parent(path).map_err(generic)
    }

    fn place(&self, staged: &FilePath, path: &FilePath, mode: &PutMode) -> io::Result<()> {
        match mode {
            PutMode::Create => {
                self.disk.link(staged, path)?;
                if let Err(error) = self.disk.remove(staged) {
                    tracing::debug!(path = %staged.display(), %error, "left a staged file behind");
                }
                Ok(())
            }
            PutMode::Overwrite => self.disk.rename(staged, path),
            PutMode::Update(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    fn sync_parent(&self, path: &FilePath) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.disk.sync(parent))
    }
}

/// A file in the store, by its name from the folder that was looked through.
#[derive(Debug, Clone)]
pub(crate) struct FoundFile {
    /// The path below the folder, parts joined by `/`.
    pub(crate) name: String,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// When it was written, by the clock of the disk.
    pub(crate) written_at: Timestamp,
}

impl FoundFile {
    /// Whether it was staged: left behind by a write that did not come to its end.
    pub(crate) fn is_staged(&self) -> bool {
        let digits = self.name.rsplit_once('#').map(|(_, digits)| digits);
        digits.is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    }
}

/// Lists one directory; what goes while it is listed is passed over.
fn visit(
    folder: &FilePath,
    name: &str,
    folders: &mut Vec<(PathBuf, String)>,
    files: &mut Vec<FoundFile>,
) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // A name that is no text is not one of ours.
        let Ok(own) = entry.file_name().into_string() else { continue };
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        let meta = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta?,
        };
        if meta.is_dir() {
            folders.push((entry.path(), name));
        } else if meta.is_file() {
            let written_at = DateTime::<Utc>::from(meta.modified()?).into();
            files.push(FoundFile { name, size_bytes: meta.len(), written_at });
        }
    }
    Ok(())
}

/// Creates a directory with all its parents, and syncs the entry of each that this process has not
/// yet seen on the disk: one that exists may have been made a moment ago by a process that died.
fn settle_directory(
    disk: &dyn Disk,
    settled: &Arc<Mutex<HashSet<PathBuf>>>,
    directory: &FilePath,
) -> io::Result<()> {
    let known =
        |path: &FilePath| settled.lock().unwrap_or_else(PoisonError::into_inner).contains(path);
    let missing: Vec<&FilePath> = directory.ancestors().take_while(|path| !known(path)).collect();
    for path in missing.into_iter().rev() {
        if !path.is_dir() {
            disk.create_directory(path)?;
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            match disk.sync(parent) {
                // Parents above the lake that we may not open are not ours to sync.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                done => done?,
            }
        }
        settled.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf());
    }
    Ok(())
}

/// A name beside the target that listings skip: `#` and digits at the end.
fn staged_name(path: &FilePath) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("#{}", uuid::Uuid::new_v4().as_u128()));
    PathBuf::from(name)
}

fn generic(source: io::Error) -> Error {
    Error::Generic { store: "durable local store", source: source.into() }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::JoinError { source })?
}

impl fmt::Display for Durable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Durable({})", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for Durable {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let path = self.reader.path_to_filesystem(location)?;
        let store = self.clone();
        blocking(move || {
            let content: Vec<Bytes> = payload.into_iter().collect();
            store.put_now(&path, &content, &options.mode)?;
            Ok(PutResult { e_tag: None, version: None })
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload { store: self.clone(), location: location.clone(), parts: Vec::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.reader.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let removed = locations.and_then(move |location| {
            let store = store.clone();
            async move {
                let path = store.reader.path_to_filesystem(&location)?;
                blocking(move || store.remove_now(&path)).await?;
                Ok(location)
            }
        });
        removed.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let content = self.get(from).await?.bytes().await?;
        let mode = match options.mode {
            CopyMode::Create => PutMode::Create,
            CopyMode::Overwrite => PutMode::Overwrite,
        };
        self.put_opts(to, content.into(), mode.into()).await.map(|_| ())
    }
}

/// A write in parts: kept in memory, and as durable as any other once it is complete.
#[derive(Debug)]
struct Upload {
    store: Durable,
    location: Path,
    parts: Vec<Bytes>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let content: PutPayload = std::mem::take(&mut self.parts).into_iter().collect();
        self.store.put_opts(&self.location, content, PutOptions::default()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
