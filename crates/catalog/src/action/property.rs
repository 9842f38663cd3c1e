//! What actions learned about entities: a property each, with its source and time.

use model::action::{Entity, EntityKind};
use model::ids::{RunId, TenantId};
use model::time::Timestamp;

use crate::columns::Columns;
use crate::database::Connection;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

/// A property of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityProperty {
    /// Whose knowledge it is.
    pub tenant: TenantId,
    /// The kind of the entity.
    pub kind: EntityKind,
    /// The entity, as entities of its kind are compared.
    pub value: String,
    /// The property's name: `TMCAS_blocked`.
    pub name: String,
    /// Its value.
    pub property: String,
    /// Whether it makes the entity suspicious.
    pub is_suspicious: bool,
    /// The action that learned it.
    pub source: String,
    /// The run that learned it.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
}

impl Catalog {
    /// The properties of an entity by their names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn entity_properties(
        &self,
        tenant: &TenantId,
        entity: &Entity,
    ) -> Result<Vec<EntityProperty>> {
        let rows = sqlx::query(
            "SELECT * FROM entity_properties WHERE tenant = $1 AND kind = $2 AND value = $3
             ORDER BY name",
        )
        .bind(tenant.as_str())
        .bind(entity.kind.as_str())
        .bind(entity.compared())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("read an entity's properties")?;
        rows.iter()
            .map(|row| {
                Ok(EntityProperty {
                    tenant: row.parsed("tenant")?,
                    kind: row.parsed("kind")?,
                    value: row.text("value")?,
                    name: row.text("name")?,
                    property: row.text("property")?,
                    is_suspicious: row.flag("is_suspicious")?,
                    source: row.text("source")?,
                    run: row.parsed("run_id")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }
}

pub(super) async fn put(connection: &mut Connection, property: &EntityProperty) -> Result<()> {
    sqlx::query(
        "INSERT INTO entity_properties (tenant, kind, value, name, property, is_suspicious, source,
             run_id, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (tenant, kind, value, name) DO UPDATE SET property = excluded.property,
             is_suspicious = excluded.is_suspicious, source = excluded.source,
             run_id = excluded.run_id, at = excluded.at",
    )
    .bind(property.tenant.as_str())
    .bind(property.kind.as_str())
    .bind(&property.value)
    .bind(&property.name)
    .bind(&property.property)
    .bind(property.is_suspicious)
    .bind(&property.source)
    .bind(property.run.to_string())
    .bind(property.at.as_micros())
    .execute(connection)
    .await
    .while_doing("write down what was learned about an entity")?;
    Ok(())
}
