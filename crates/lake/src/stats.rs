//! Size and counts of every table, from the log alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Timestamp;
use query::store::TableStats;

use crate::error::LakeError;
use crate::table::file::DataFile;
use crate::table::tables::Tables;

/// One line per table that exists.
pub(crate) async fn stats(
    tables: &Tables,
    tenant: Option<&TenantId>,
) -> Result<Vec<TableStats>, LakeError> {
    let mut lines = Vec::new();
    for class in Class::ALL {
        tables.refresh(class).await?;
        let state = tables.state(class);
        let Some(version) = state.version() else { continue };
        let mut line = TableStats {
            class,
            version,
            rows: 0,
            files: 0,
            size_bytes: 0,
            earliest: None,
            latest: None,
            sources: BTreeMap::new(),
        };
        for file in state.files() {
            if tenant.is_none_or(|tenant| *tenant == file.tenant) {
                count(&mut line, file);
            }
        }
        lines.push(line);
    }
    Ok(lines)
}

fn count(line: &mut TableStats, file: &Arc<DataFile>) {
    line.rows += file.rows;
    line.files += 1;
    line.size_bytes += file.size_bytes;
    line.earliest =
        Some(line.earliest.map_or(file.earliest, |time: Timestamp| time.min(file.earliest)));
    line.latest = Some(line.latest.map_or(file.latest, |time: Timestamp| time.max(file.latest)));
    for (source, rows) in &file.sources {
        *line.sources.entry(source.clone()).or_default() += rows;
    }
}
