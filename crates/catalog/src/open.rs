//! Opening a catalog: tables up to date, the master key checked, the install known.

use std::fmt;
use std::sync::Arc;

use model::ids::InstallId;
use model::secret::Secret;

use crate::columns::Columns;
use crate::database::{Pools, Transaction};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::master_key::MasterKey;
use crate::seal::{Place, SealingKey, hmac_sha256};

const KEY_CHECK: &[u8] = b"the master key fits";

/// All mutable metadata of one data directory. Clones share the same connections.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) pools: Pools,
    pub(crate) sealing: SealingKey,
    shared: Arc<Shared>,
}

/// What never changes while a catalog is open.
struct Shared {
    place: String,
    install: InstallId,
    fingerprint_key: Vec<u8>,
}

/// What a vendor key is known by: equal for equal keys at the same host, wherever they are stored,
/// and useless to whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The fingerprint in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Catalog({} at {})", self.shared.install, self.shared.place)
    }
}

impl Catalog {
    /// Opens the catalog at a URL, `sqlite::memory:` or what [`crate::file_url`] makes of a path.
    /// A missing one is made; an older one is brought up to date.
    ///
    /// # Errors
    /// The database cannot be opened, or its secrets were sealed with another master key.
    pub async fn open(url: &str, master: &MasterKey) -> Result<Self> {
        let (pools, place) = Pools::open(url).await?;
        let sealing = SealingKey::derive(master);
        let mut transaction = pools.begin("read the install").await?;
        let install = match read_install(&mut transaction).await? {
            Some(install) => install,
            None => make_install(&mut transaction, &sealing).await?,
        };
        transaction.commit().await.while_doing("make the install")?;
        if sealing.open(install.place("master_key_check"), &install.master_key_check).is_err() {
            return Err(CatalogError::WrongMasterKey { origin: master.origin().to_owned(), place });
        }
        let fingerprint_key =
            sealing.open(install.place("fingerprint_key"), &install.fingerprint_key)?;
        let id = install.id.parse().map_err(|source: uuid::Error| {
            CatalogError::corrupt("the install has no readable id", source)
        })?;
        let shared = Arc::new(Shared { place, install: id, fingerprint_key });
        Ok(Self { pools, sealing, shared })
    }

    /// Finishes the work in hand and closes the connections. Calls after it fail.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    /// The data directory's own identity, made once.
    pub fn install(&self) -> InstallId {
        self.shared.install
    }

    /// Where the catalog lies, for people.
    pub fn place(&self) -> &str {
        &self.shared.place
    }

    /// What a vendor key is known by at its host.
    pub fn key_fingerprint(&self, host: &str, secret: &Secret) -> KeyId {
        let host = host.trim().to_ascii_lowercase();
        let parts = [host.as_bytes(), b"\0", secret.expose().as_bytes()];
        KeyId(hex::encode(hmac_sha256(&self.shared.fingerprint_key, &parts)))
    }
}

/// The install as it is stored.
struct StoredInstall {
    id: String,
    master_key_check: String,
    fingerprint_key: String,
}

impl StoredInstall {
    fn place<'a>(&'a self, field: &'a str) -> Place<'a> {
        place(&self.id, field)
    }
}

fn place<'a>(id: &'a str, field: &'a str) -> Place<'a> {
    Place { table: "install", owner: id, field }
}

async fn read_install(transaction: &mut Transaction) -> Result<Option<StoredInstall>> {
    let row = sqlx::query("SELECT id, master_key_check, fingerprint_key FROM install")
        .fetch_optional(&mut **transaction)
        .await
        .while_doing("read the install")?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredInstall {
        id: row.text("id")?,
        master_key_check: row.text("master_key_check")?,
        fingerprint_key: row.text("fingerprint_key")?,
    }))
}

async fn make_install(
    transaction: &mut Transaction,
    sealing: &SealingKey,
) -> Result<StoredInstall> {
    let id = InstallId::generate().to_string();
    let fingerprint_key: [u8; 32] = rand::random();
    let install = StoredInstall {
        master_key_check: sealing.seal(place(&id, "master_key_check"), KEY_CHECK),
        fingerprint_key: sealing.seal(place(&id, "fingerprint_key"), &fingerprint_key),
        id,
    };
    sqlx::query(
        "INSERT INTO install (slot, id, master_key_check, fingerprint_key) VALUES (1, $1, $2, $3)",
    )
    .bind(&install.id)
    .bind(&install.master_key_check)
    .bind(&install.fingerprint_key)
    .execute(&mut **transaction)
    .await
    .while_doing("make the install")?;
    Ok(install)
}
