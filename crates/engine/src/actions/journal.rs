//! The journal of a run in the catalog.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use catalog::{Catalog, CatalogError, PermitAsk, StoredRun};
use model::action::journal::{Ending, Memory, Patience, Step, Verdict};
use model::action::spec::Effect;
use model::action::{Entity, Halt, Item, Journal, RunState, Text};
use model::clock::Clock;
use model::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::guard;

/// What a run is told while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// To go on.
    Go,
    /// To end: somebody stopped it.
    Cancel,
    /// To rest: the process ends.
    Stop,
}

/// The journal of one run.
pub(super) struct RunJournal {
    pub(super) catalog: Catalog,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) run: StoredRun,
    pub(super) effect: Effect,
    pub(super) patience: Patience,
    pub(super) signal: watch::Receiver<Signal>,
}

impl RunJournal {
    /// Fails when the run is to stop. A test may hold or kill the process here.
    fn proceed(&self, step: &str) -> Result<(), Halt> {
        if model::failpoint::hit("actions.step", step) {
            return Err(Halt::Stopped);
        }
        match *self.signal.borrow() {
            Signal::Go => Ok(()),
            Signal::Cancel => Err(Halt::Cancelled),
            Signal::Stop => Err(Halt::Stopped),
        }
    }

    /// Whether a change may be sent: every target was permitted, and the run has time left.
    async fn check(&self, step: &Step<'_>) -> Result<(), Halt> {
        if self.clock.now() >= self.run.asked.due_at {
            return Err(Halt::Fatal(Text::new(
                "the run's time was over before it could be sent",
                "送信する前に実行の制限時間を過ぎました",
            )));
        }
        if self.effect != Effect::Contains {
            return Ok(());
        }
        let permitted = self.catalog.permitted(self.run.asked.id).await.map_err(failed)?;
        let is_permitted = |target: &Entity| permitted.iter().any(|known| known.is_same(target));
        match step.targets.iter().find(|target| !is_permitted(target)) {
            Some(target) => Err(Halt::fatal(format!("{target} was not permitted"))),
            None if step.targets.is_empty() => {
                Err(Halt::fatal("the request names nothing that was permitted"))
            }
            None => Ok(()),
        }
    }

    fn request_of(step: &Step<'_>) -> Value {
        let mut request = json!(step.request);
        if !step.targets.is_empty() {
            request["targets"] = json!(step.targets);
        }
        request
    }
}

#[async_trait]
impl Journal for RunJournal {
    fn key(&self, step: &str) -> String {
        format!("{}/{step}", self.run.asked.id)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn started_at(&self) -> Timestamp {
        self.run.asked.created_at
    }

    fn is_dry_run(&self) -> bool {
        self.run.asked.is_dry_run
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    async fn recall(&self, step: &str) -> Result<Memory, Halt> {
        let stored = self.catalog.step(self.run.asked.id, step).await.map_err(failed)?;
        let Some(stored) = stored else { return Ok(Memory::Fresh) };
        let Some(ending) = stored.ending else {
            return Ok(Memory::InDoubt(stored.sent_at.unwrap_or(self.started_at())));
        };
        let ending: Ending = serde_json::from_value(ending).map_err(|error| {
            let what = format!("the end of the step `{step}` cannot be read");
            failed(CatalogError::Corrupt { what, source: Some(error.into()) })
        })?;
        Ok(match ending {
            Ending::NotTaken { .. } => Memory::Fresh,
            Ending::Unanswered { .. } => {
                Memory::InDoubt(stored.sent_at.unwrap_or(self.started_at()))
            }
            ended => Memory::Ended(ended),
        })
    }

    async fn sending(&self, step: &Step<'_>) -> Result<(), Halt> {
        self.proceed(step.name)?;
        if step.is_change {
            self.check(step).await?;
        }
        let request = Self::request_of(step);
        let (run, now) = (self.run.asked.id, self.clock.now());
        let written = self.catalog.step_sending(run, step.name, step.is_change, &request, now);
        written.await.map_err(failed)?;
        // Whoever stops now stops behind the request: what is written down as sent is sent.
        model::failpoint::hit("actions.step", step.name);
        Ok(())
    }

    async fn ended(&self, step: &str, ending: &Ending) -> Result<(), Halt> {
        // Also when the run is to stop: what is known is written down first.
        model::failpoint::hit("actions.step", step);
        let (run, now) = (self.run.asked.id, self.clock.now());
        self.catalog.step_ended(run, step, &json!(ending), now).await.map_err(failed)?;
        self.proceed(step)
    }

    async fn planned(&self, step: &Step<'_>) -> Result<(), Halt> {
        let (run, now) = (self.run.asked.id, self.clock.now());
        let request = Self::request_of(step);
        let written = self.catalog.step_sending(run, step.name, step.is_change, &request, now);
        written.await.map_err(failed)?;
        let ending = json!(Ending::NotTaken { detail: "dry run".to_owned(), answer: None });
        self.catalog.step_ended(run, step.name, &ending, now).await.map_err(failed)
    }

    async fn permit(&self, targets: &[Entity]) -> Result<Vec<Verdict>, Halt> {
        self.proceed("permit")?;
        let asked = &self.run.asked;
        // What takes nothing away is let through, and written down all the same: the history finds it.
        let is_guarded = self.effect == Effect::Contains;
        let (protected, caps) = if is_guarded {
            let protected = self.catalog.protected(&asked.tenant).await.map_err(failed)?;
            (protected, self.catalog.caps(&asked.tenant).await.map_err(failed)?)
        } else {
            (Vec::new(), Vec::new())
        };
        let cap = caps.iter().find(|cap| cap.action == asked.action);
        let ask = PermitAsk {
            run: asked.id,
            tenant: &asked.tenant,
            action: &asked.action,
            targets: targets
                .iter()
                .map(|target| (target, guard::protection(&protected, target)))
                .collect(),
            cap: cap.map(|cap| (cap.per_hour, guard::over_cap(cap.per_hour))),
            is_counted: is_guarded && !asked.is_dry_run,
            are_aliases: false,
            at: self.clock.now(),
        };
        let verdicts = self.catalog.permit(&ask).await.map_err(failed)?;
        self.proceed("permit")?;
        Ok(verdicts)
    }

    async fn is_protected(&self, entity: &Entity) -> Result<Option<Text>, Halt> {
        if self.effect != Effect::Contains {
            return Ok(None);
        }
        let asked = &self.run.asked;
        let protected = self.catalog.protected(&asked.tenant).await.map_err(failed)?;
        let ask = PermitAsk {
            run: asked.id,
            tenant: &asked.tenant,
            action: &asked.action,
            targets: vec![(entity, guard::protection(&protected, entity))],
            cap: None,
            is_counted: false,
            are_aliases: true,
            at: self.clock.now(),
        };
        let verdicts = self.catalog.permit(&ask).await.map_err(failed)?;
        Ok(verdicts.into_iter().find_map(|verdict| match verdict {
            Verdict::Protected(why) => Some(why),
            Verdict::Permitted | Verdict::OverCap(_) => None,
        }))
    }

    async fn claim(&self, handle: &str) -> Result<bool, Halt> {
        let (run, connector) = (self.run.asked.id, self.run.asked.connector);
        self.catalog.claim_handle(run, connector, handle).await.map_err(failed)
    }

    async fn progress(&self, items: &[Item], message: &Text) -> Result<(), Halt> {
        self.proceed("progress")?;
        let progress = json!({ "items": items, "message": message });
        let written = self.catalog.run_progress(self.run.asked.id, RunState::InProgress, &progress);
        written.await.map_err(failed)?;
        self.proceed("progress")
    }

    async fn wait(&self, span: Duration) -> Result<bool, Halt> {
        let due = self.run.asked.due_at;
        let until = (self.clock.now() + span).min(due);
        let mut signal = self.signal.clone();
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            // The sender lives as long as the run: an error cannot be.
            _ = signal.wait_for(|signal| *signal != Signal::Go) => {}
        }
        match *self.signal.borrow() {
            Signal::Go => Ok(self.clock.now() < due),
            Signal::Cancel => Err(Halt::Cancelled),
            Signal::Stop => Err(Halt::Stopped),
        }
    }
}

fn failed(error: CatalogError) -> Halt {
    Halt::Journal(Box::new(error))
}
