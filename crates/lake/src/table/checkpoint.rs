//! Standard Delta checkpoints, so that every other reader opens the table without its older log
//! entries. We never read them ourselves: they do not hold what receipts add up to.

use std::sync::Arc;

use deltalake::DeltaTableBuilder;
use deltalake::protocol::checkpoints::create_checkpoint;
use model::ocsf::Class;
use parquet::arrow::async_reader::AsyncFileReader as _;
use url::Url;

use super::data::StoredFile;
use super::log::{LogFile, table_path};
use crate::durable::Durable;
use crate::error::LakeError;

/// Writes the checkpoint of a version, and `_last_checkpoint`. Neither commits nor removes anything.
pub(crate) async fn write(store: &Durable, class: Class, version: u64) -> Result<(), LakeError> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| LakeError::Checkpoint { class, source };
    let directory = store.root().join(table_path(class).as_ref());
    let url = Url::from_directory_path(&directory)
        .map_err(|()| failed(format!("`{}` is no URL", directory.display()).into()))?;
    let store = Arc::new(store.at_filesystem_root());
    let runtime = tokio::runtime::Handle::current();
    // The library works on the thread that asks.
    let written = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            let builder = DeltaTableBuilder::from_url(url.clone())?;
            let table =
                builder.with_storage_backend(store, url).with_version(version).load().await?;
            create_checkpoint(&table, None).await
        })
    });
    written.await.map_err(LakeError::Task)?.map_err(|error| failed(Box::new(error)))
}

/// Whether the files of a checkpoint can be opened: nothing may be removed on its account otherwise.
pub(crate) async fn is_readable(store: &Durable, files: &[LogFile]) -> bool {
    for file in files {
        let mut reader = StoredFile::new(store.clone(), file.path.clone(), file.size_bytes);
        if let Err(error) = reader.get_metadata(None).await {
            tracing::warn!(path = %file.path, %error, "a checkpoint cannot be read");
            return false;
        }
    }
    !files.is_empty()
}
