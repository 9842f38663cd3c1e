//! Previewing a transform on stored records before it is applied (C-22, N-08).

pub use ::connectors::transform::Preview;
use ::connectors::transform::{Transform, preview};
use model::ids::{ConnectorName, TenantId};
use query::fields::{Field, Reads};
use query::plan::{Filter, Predicate, Query, Stage, TimeRange, Value};
use query::store::Statement;
use tokio_stream::StreamExt;

use crate::app::App;
use crate::error::EngineError;

impl App {
    /// What a VRL program does to the last `count` stored records of a connector.
    ///
    /// # Errors
    /// The program does not compile, or there is no such connector.
    pub async fn preview_transform(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        program: &str,
        count: u64,
    ) -> Result<Vec<Preview>, EngineError> {
        let transform = Transform::compile(program).map_err(|error| EngineError::Invalid {
            problem: format!("the program does not compile: {error}"),
            hint: error.report,
        })?;
        let stored = self.connector(tenant, name).await?;
        let document = self.document(&stored)?;
        let mut plain = document.plan.clone();
        plain.transform = None;
        let checked = self.checked(&plain, &document.credential)?;
        let mut previews = Vec::new();
        for feed in checked.feeds.values() {
            let raws = self.last_raw(tenant, &stored.id.to_string(), feed, count).await?;
            previews.extend(preview(
                &transform,
                feed.mapping.as_ref(),
                raws.iter().map(AsRef::as_ref),
            ));
        }
        Ok(previews)
    }

    /// The raw bytes of the newest records of a connector in one source.
    async fn last_raw(
        &self,
        tenant: &TenantId,
        connector: &str,
        feed: &crate::collect::target::Feed,
        count: u64,
    ) -> Result<Vec<bytes::Bytes>, EngineError> {
        let classes = feed.source.classes.clone();
        let own = |name: &str| Field {
            name: name.to_owned(),
            reads: Reads::Columns(
                classes.iter().map(|class| (*class, vec![name.to_owned()])).collect(),
            ),
        };
        let equals = |name: &str, value: &str| {
            Filter::Test(own(name), Predicate::Equals(Value::Text(value.to_owned())))
        };
        let query = Query {
            classes: classes.clone(),
            latest: false,
            filter: Filter::And(vec![
                equals("connector_uid", connector),
                equals("source", &feed.source.id),
            ]),
            range: TimeRange::default(),
            stages: vec![Stage::Head(count), Stage::Fields(vec![own("raw_data")])],
        };
        let mut rows = self.services.store.query(tenant, Statement::Query(query)).await?;
        let mut raws = Vec::new();
        while let Some(page) = rows.pages.next().await {
            let texts = page?;
            raws.extend(texts.iter().filter_map(|row| {
                Some(bytes::Bytes::copy_from_slice(row.get("raw_data")?.as_str()?.as_bytes()))
            }));
        }
        Ok(raws)
    }
}
