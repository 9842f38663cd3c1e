//! Dead letters: what could not become an event waits here until it is replayed or discarded.

use std::sync::Arc;

use ::connectors::transform::TransformedMapping;
pub use catalog::{DeadLetterFilter, DeadLetterPage, DeadLetterState, StoredDeadLetter};
use catalog::{ErrorKind, ReplayOutcome};
use model::batch::{Batch, IdentifiedRecord, TableCommit};
use model::clock;
use model::ids::BatchId;
use model::mapping::Mapping;
use model::record::Record;
use model::vendor::{IsForeign, Reopened};
use query::store::StoreError;
use serde::Serialize;
use tokio::task::JoinError;
use uuid::Uuid;

use crate::app::App;
use crate::collect::{Services, page};
use crate::connectors::document::Plan;
use crate::error::EngineError;
use crate::import::{IMPORT, IMPORT_NAME};
use crate::replayed_document::Reader;

/// What replaying did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Letters that are rows now.
    pub stored: u64,
    /// Letters that the lake held already.
    pub duplicate: u64,
    /// Letters that the transform dropped.
    pub filtered: u64,
    /// Letters that failed again, with the reason; they stay.
    pub failed: Vec<(Uuid, String)>,
}

impl App {
    /// Dead letters, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<DeadLetterPage, EngineError> {
        Ok(self.services.catalog.dead_letters(filter, before, limit).await?)
    }

    /// Gives letters up for good.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn discard(&self, ids: &[Uuid], actor: &str) -> Result<u64, EngineError> {
        let discarded = self.services.catalog.discard(ids, self.services.clock.now()).await?;
        self.audit(actor, "dead_letters.discard", "dead_letters", &serde_json::json!(ids)).await;
        Ok(discarded)
    }

    /// Sends waiting letters through today's mapping and transform again.
    ///
    /// # Errors
    /// The lake or the catalog fails.
    pub async fn replay(&self, ids: &[Uuid], actor: &str) -> Result<Replayed, EngineError> {
        let mut replayed = Replayed::default();
        for id in ids {
            let Some((letter, raw)) = self.services.catalog.dead_letter(*id).await? else {
                replayed.failed.push((*id, "there is no such dead letter".to_owned()));
                continue;
            };
            if letter.state != DeadLetterState::Waiting {
                replayed.failed.push((*id, "it is settled already".to_owned()));
                continue;
            }
            self.replay_one(&letter, Record::new(raw), &mut replayed).await?;
        }
        self.audit(actor, "dead_letters.replay", "dead_letters", &serde_json::json!(ids)).await;
        Ok(replayed)
    }

    async fn replay_one(
        &self,
        letter: &StoredDeadLetter,
        record: Record,
        replayed: &mut Replayed,
    ) -> Result<(), EngineError> {
        let source = self.sources.get(&letter.source).cloned();
        let mapping = self.mapping_of(letter).await?;
        let (Some(source), Some((connector_name, mapping))) = (source, mapping) else {
            replayed.failed.push((letter.id, format!("nothing reads `{}`", letter.source)));
            return Ok(());
        };
        let identity = match mapping.identify(record.raw()) {
            Ok(identity) => identity,
            Err(unusable) => {
                let document = match self.document_of(letter, record.raw()).await {
                    Ok(Some(input)) => input,
                    Ok(None) => {
                        replayed.failed.push((letter.id, unusable.to_string()));
                        return Ok(());
                    }
                    Err(refused) => {
                        replayed.failed.push((letter.id, refused));
                        return Ok(());
                    }
                };
                let (envelope, is_foreign) = self.layout_of(&letter.source);
                let reader = Reader { source, connector_name, mapping, envelope, is_foreign };
                return self.settle_document(letter, reader, document, replayed).await;
            }
        };
        let record = IdentifiedRecord::new(record, &identity, &letter.tenant, &source);
        let batch = Batch {
            id: BatchId::generate(),
            install: self.services.install,
            tenant: letter.tenant.clone(),
            connector: letter.connector,
            connector_name,
            source,
            stream: letter.stream.clone(),
            interval: None,
            ingest_time: self.services.clock.now(),
            records: vec![record],
            mapping,
        };
        // In a task of its own: whoever asked may go away, and must not cut it off between the lake
        // and the catalog.
        let settling = settle(letter.id, batch, self.services.clone());
        let settling = tokio::spawn(clock::working(self.services.clock.clone(), settling));
        let (settled, _busy) = settling.await.map_err(stopped)?;
        match settled? {
            Ok(ReplayOutcome::Stored) => replayed.stored += 1,
            Ok(ReplayOutcome::Filtered) => replayed.filtered += 1,
            Ok(ReplayOutcome::Duplicate) => replayed.duplicate += 1,
            Err(reason) => replayed.failed.push((letter.id, reason)),
        }
        Ok(())
    }

    /// Replays a letter that is a whole document. Its records have their own line in the ledger; the
    /// letter itself is then one too many.
    async fn settle_document(
        &self,
        letter: &StoredDeadLetter,
        reader: Reader,
        document: Reopened,
        replayed: &mut Replayed,
    ) -> Result<(), EngineError> {
        let outcome = self.replay_document(letter, reader, document).await?;
        if let Some(problem) = outcome.problem {
            replayed.failed.push((letter.id, problem));
            return Ok(());
        }
        let count =
            if outcome.counts.stored > 0 { &mut replayed.stored } else { &mut replayed.duplicate };
        *count += 1;
        let (batch, at) = (BatchId::generate(), self.services.clock.now());
        let duplicate = ReplayOutcome::Duplicate;
        self.services.catalog.replay_result(letter.id, duplicate, batch, &[], at).await?;
        Ok(())
    }

    /// How the documents of a source are laid out.
    fn layout_of(&self, source: &str) -> (Option<&'static str>, Option<IsForeign>) {
        let Some((integration, content_type)) = source.split_once('.') else { return (None, None) };
        let known = self.registry.get(integration);
        known.map_or((None, None), |known| {
            (known.envelope_field(content_type), known.foreign(content_type))
        })
    }

    /// Today's mapping for a letter: its source's, with its connector's transform where it has one.
    async fn mapping_of(
        &self,
        letter: &StoredDeadLetter,
    ) -> Result<Option<(String, Arc<dyn Mapping>)>, EngineError> {
        let Some((integration, content_type)) = letter.source.split_once('.') else {
            return Ok(None);
        };
        let integration = self.registry.get(integration);
        let Some(mapping) = integration.and_then(|known| known.mapping(content_type)) else {
            return Ok(None);
        };
        if letter.connector == IMPORT {
            return Ok(Some((IMPORT_NAME.to_owned(), mapping)));
        }
        let Some(stored) = self.services.catalog.connector(letter.connector).await? else {
            let stack = self.services.catalog.stack(letter.connector).await?;
            let name = stack.map_or_else(|| letter.connector.to_string(), |stack| stack.name);
            return Ok(Some((name, mapping)));
        };
        let plan: Option<Plan> = serde_json::from_value(stored.document).ok();
        let transform = plan
            .and_then(|plan| plan.transform)
            .and_then(|source| ::connectors::transform::Transform::compile(&source).ok());
        let mapping = match transform {
            Some(transform) => Arc::new(TransformedMapping::new(mapping, transform)) as _,
            None => mapping,
        };
        Ok(Some((stored.name.to_string(), mapping)))
    }
}

/// Appends the one record of a letter and enters what became of it; else says why the letter stays.
async fn settle(
    letter: Uuid,
    batch: Batch,
    services: Services,
) -> Result<Result<ReplayOutcome, String>, EngineError> {
    let id = batch.id;
    let watch = services.failed.watch(id);
    let Some(receipt) = page::append(batch, &services).await? else {
        watch.entered();
        return Ok(Err("it holds no record".to_owned()));
    };
    if let Some(dead) = receipt.dead_letters.into_iter().next() {
        watch.entered();
        return Ok(Err(dead.reason));
    }
    let outcome = match (receipt.stored, receipt.filtered) {
        (1.., _) => ReplayOutcome::Stored,
        (_, 1..) => ReplayOutcome::Filtered,
        _ => ReplayOutcome::Duplicate,
    };
    if !enter(letter, outcome, id, &receipt.commits, &services).await {
        return Ok(Err("it was settled meanwhile".to_owned()));
    }
    watch.entered();
    Ok(Ok(outcome))
}

/// Enters a letter whose rows are durable. They cannot be taken back, so this does not give up, unless
/// the letter no longer waits: then it answers `false`, and the rows are those of a failed append.
async fn enter(
    letter: Uuid,
    outcome: ReplayOutcome,
    batch: BatchId,
    commits: &[TableCommit],
    services: &Services,
) -> bool {
    let Services { catalog, clock, .. } = services;
    while let Err(error) = catalog.replay_result(letter, outcome, batch, commits, clock.now()).await
    {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) {
            return false;
        }
        tracing::error!(dead_letter = %letter, %error, "failed to enter a replayed dead letter");
        clock.sleep_until(clock.now() + page::ENTER_RETRY).await;
    }
    true
}

fn stopped(error: JoinError) -> EngineError {
    let action = "failed to replay a dead letter".to_owned();
    StoreError::Failed { action, source: Box::new(error) }.into()
}
