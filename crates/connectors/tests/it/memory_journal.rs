//! The journal of a run in memory, for tests of actions: time passes as soon as somebody waits, a life can be
//! stopped at any write, and the next life finds what this one left.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use model::action::journal::{Ending, Memory, Patience, ShownRequest, Step, Verdict};
use model::action::{Entity, Halt, Item, Journal, Text};
use model::time::Timestamp;
use simulators::SimClock;

/// What a journal that protects something says about it.
pub(crate) const PROTECTED: &str = "protected by a test";
/// What a journal says when its cap is reached.
pub(crate) const OVER_CAP: &str = "over the cap of a test";

/// Where a life ends: at its n-th write, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Before the write took effect.
    Before(usize),
    /// After it.
    After(usize),
}

/// A request as it was written down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) step: String,
    pub(crate) is_change: bool,
    pub(crate) is_planned: bool,
    pub(crate) targets: Vec<Entity>,
    pub(crate) request: ShownRequest,
}

/// What survives the lives of all runs.
#[derive(Debug, Default)]
struct Store {
    runs: BTreeMap<String, Run>,
    /// Who has which of the vendor's names.
    claims: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Run {
    started_at: Timestamp,
    steps: BTreeMap<String, Memory>,
    verdicts: BTreeMap<Entity, Verdict>,
    written: Vec<Written>,
    endings: Vec<(String, Ending)>,
    progress: Vec<(Vec<Item>, Text)>,
}

#[derive(Debug, Default)]
struct Life {
    writes: usize,
    stop: Option<Stop>,
    is_over: bool,
}

/// One life of one run.
pub(crate) struct MemoryJournal {
    store: Arc<Mutex<Store>>,
    run: String,
    clock: SimClock,
    life: Mutex<Life>,
    patience: Patience,
    is_dry_run: bool,
    protected: Vec<Entity>,
    cap: usize,
}

impl MemoryJournal {
    /// The first life of a run that is asked for now. It polls every 5 s, believes the vendor after 30 s, and
    /// gives up after an hour.
    pub(crate) fn new(clock: &SimClock) -> Self {
        let patience = Patience {
            poll: Duration::from_secs(5),
            settle: Duration::from_secs(30),
            timeout: Duration::from_secs(3600),
        };
        let journal = Self {
            store: Arc::default(),
            run: "run-1".to_owned(),
            clock: clock.clone(),
            life: Mutex::default(),
            patience,
            is_dry_run: false,
            protected: Vec::new(),
            cap: usize::MAX,
        };
        journal.enter();
        journal
    }

    /// The next life of the same run: what was written is remembered, and nothing stops it.
    pub(crate) fn next_life(&self) -> Self {
        self.copy(&self.run)
    }

    /// The first life of another run beside this one.
    pub(crate) fn other_run(&self, run: &str) -> Self {
        let journal = self.copy(run);
        journal.enter();
        journal
    }

    /// Changes are only shown.
    pub(crate) fn dry(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// How long it waits for what.
    pub(crate) fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Nothing may be done to these.
    pub(crate) fn protecting(mut self, entities: &[Entity]) -> Self {
        self.protected = entities.to_vec();
        self
    }

    /// At most so many entities may be worked on.
    pub(crate) fn with_cap(mut self, cap: usize) -> Self {
        self.cap = cap;
        self
    }

    /// Ends this life at a write.
    pub(crate) fn stopping(self, stop: Stop) -> Self {
        self.life.lock().unwrap().stop = Some(stop);
        self
    }

    /// How many writes this life has made.
    pub(crate) fn writes(&self) -> usize {
        self.life.lock().unwrap().writes
    }

    /// Whether this life was stopped.
    pub(crate) fn is_over(&self) -> bool {
        self.life.lock().unwrap().is_over
    }

    /// Every request that was written down, in all lives.
    pub(crate) fn written(&self) -> Vec<Written> {
        self.read(|run| run.written.clone())
    }

    /// The changes that were about to be sent or planned, by step, in all lives.
    pub(crate) fn changes(&self) -> Vec<String> {
        let changes = self.written().into_iter().filter(|written| written.is_change);
        changes.map(|written| written.step).collect()
    }

    /// How every attempt ended, in all lives.
    pub(crate) fn endings(&self) -> Vec<(String, Ending)> {
        self.read(|run| run.endings.clone())
    }

    /// How far the run said to be, in all lives.
    pub(crate) fn progress_shown(&self) -> Vec<(Vec<Item>, Text)> {
        self.read(|run| run.progress.clone())
    }

    /// Everything that was written, as one text: for tests that look for a secret in it.
    pub(crate) fn everything(&self) -> String {
        let mut text = String::new();
        write!(text, "{:?}", self.store.lock().unwrap()).unwrap();
        text
    }

    fn copy(&self, run: &str) -> Self {
        Self {
            store: Arc::clone(&self.store),
            run: run.to_owned(),
            clock: self.clock.clone(),
            life: Mutex::default(),
            patience: self.patience,
            is_dry_run: self.is_dry_run,
            protected: self.protected.clone(),
            cap: self.cap,
        }
    }

    /// Writes down that the run was asked for.
    fn enter(&self) {
        let run = Run {
            started_at: self.now(),
            steps: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            written: Vec::new(),
            endings: Vec::new(),
            progress: Vec::new(),
        };
        self.store.lock().unwrap().runs.insert(self.run.clone(), run);
    }

    fn read<T>(&self, read: impl FnOnce(&Run) -> T) -> T {
        read(&self.store.lock().unwrap().runs[&self.run])
    }

    /// Makes one write, or ends the life before or after it.
    fn write<T>(&self, write: impl FnOnce(&mut Store) -> Result<T, Halt>) -> Result<T, Halt> {
        let mut life = self.living()?;
        let number = life.writes;
        life.writes += 1;
        if life.stop == Some(Stop::Before(number)) {
            life.is_over = true;
            return Err(Halt::Stopped);
        }
        let value = write(&mut self.store.lock().unwrap())?;
        if life.stop == Some(Stop::After(number)) {
            life.is_over = true;
            return Err(Halt::Stopped);
        }
        Ok(value)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Run) -> Result<T, Halt>) -> Result<T, Halt> {
        self.write(|store| change(store.runs.get_mut(&self.run).unwrap()))
    }

    /// A dead process does nothing more.
    fn living(&self) -> Result<MutexGuard<'_, Life>, Halt> {
        let life = self.life.lock().unwrap();
        if life.is_over { Err(Halt::Stopped) } else { Ok(life) }
    }

    fn note(&self, step: &Step<'_>, is_planned: bool) -> Written {
        Written {
            step: step.name.to_owned(),
            is_change: step.is_change,
            is_planned,
            targets: step.targets.to_vec(),
            request: step.request.clone(),
        }
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn key(&self, step: &str) -> String {
        format!("{}/{step}", self.run)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now_ms())
    }

    fn started_at(&self) -> Timestamp {
        self.read(|run| run.started_at)
    }

    fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    async fn recall(&self, step: &str) -> Result<Memory, Halt> {
        drop(self.living()?);
        Ok(self.read(|run| run.steps.get(step).cloned().unwrap_or(Memory::Fresh)))
    }

    async fn sending(&self, step: &Step<'_>) -> Result<(), Halt> {
        assert!(!(step.is_change && self.is_dry_run), "{}: sent in a dry run", step.name);
        let (now, written) = (self.now(), self.note(step, false));
        self.change(|run| {
            let is_permitted = |entity| run.verdicts.get(entity) == Some(&Verdict::Permitted);
            if let Some(entity) = step.targets.iter().find(|entity| !is_permitted(entity)) {
                return Err(Halt::Journal(format!("{entity} was not permitted").into()));
            }
            if step.is_change {
                let known = run.steps.insert(step.name.to_owned(), Memory::InDoubt(now));
                assert!(!matches!(known, Some(Memory::Ended(_))), "{}: sent again", step.name);
            }
            run.written.push(written);
            Ok(())
        })
    }

    async fn ended(&self, step: &str, ending: &Ending) -> Result<(), Halt> {
        self.change(|run| {
            run.endings.push((step.to_owned(), ending.clone()));
            let is_change = run.steps.contains_key(step);
            match ending {
                Ending::NotTaken { .. } => drop(run.steps.remove(step)),
                // It stays in doubt since it was sent.
                Ending::Unanswered { .. } => {}
                Ending::Answered { .. } if !is_change => {}
                ended => drop(run.steps.insert(step.to_owned(), Memory::Ended(ended.clone()))),
            }
            Ok(())
        })
    }

    async fn planned(&self, step: &Step<'_>) -> Result<(), Halt> {
        assert!(self.is_dry_run, "{}: planned outside of a dry run", step.name);
        let written = self.note(step, true);
        self.change(|run| {
            run.written.push(written);
            Ok(())
        })
    }

    async fn permit(&self, targets: &[Entity]) -> Result<Vec<Verdict>, Halt> {
        self.change(|run| {
            let mut verdicts = Vec::with_capacity(targets.len());
            for target in targets {
                let permitted =
                    run.verdicts.values().filter(|known| **known == Verdict::Permitted).count();
                let is_protected = self.protected.iter().any(|known| known.is_same(target));
                let verdict = run.verdicts.entry(target.clone()).or_insert_with(|| {
                    if is_protected {
                        Verdict::Protected(Text::same(PROTECTED))
                    } else if permitted >= self.cap {
                        Verdict::OverCap(Text::same(OVER_CAP))
                    } else {
                        Verdict::Permitted
                    }
                });
                verdicts.push(verdict.clone());
            }
            Ok(verdicts)
        })
    }

    async fn is_protected(&self, entity: &Entity) -> Result<Option<Text>, Halt> {
        let is_protected = self.protected.iter().any(|known| known.is_same(entity));
        Ok(is_protected.then(|| Text::same(PROTECTED)))
    }

    async fn claim(&self, handle: &str) -> Result<bool, Halt> {
        self.write(|store| {
            let holder = store.claims.entry(handle.to_owned()).or_insert_with(|| self.run.clone());
            Ok(*holder == self.run)
        })
    }

    async fn progress(&self, items: &[Item], message: &Text) -> Result<(), Halt> {
        self.change(|run| {
            run.progress.push((items.to_vec(), message.clone()));
            Ok(())
        })
    }

    async fn wait(&self, span: Duration) -> Result<bool, Halt> {
        drop(self.living()?);
        let over_at = self.started_at() + self.patience.timeout;
        let left = over_at.since(self.now());
        self.clock.advance(span.min(left));
        Ok(span < left)
    }
}

#[tokio::test]
async fn a_journal_in_memory_remembers_across_lives_and_ends_where_it_is_told() {
    let clock = SimClock::manual(1_772_438_400_000);
    let first = MemoryJournal::new(&clock).stopping(Stop::After(2));
    let entity = Entity::new(model::action::EntityKind::User, "a@b.example");
    let request = ShownRequest {
        method: "POST".to_owned(),
        url: "https://vendor.example/".to_owned(),
        headers: BTreeMap::new(),
        body: serde_json::Value::Null,
    };
    let targets = std::slice::from_ref(&entity);
    let step = Step { name: "post", is_change: true, targets, request };
    assert!(matches!(first.sending(&step).await, Err(Halt::Journal(_))), "nobody permitted it");
    assert_eq!(first.permit(targets).await.unwrap(), [Verdict::Permitted]);
    assert!(matches!(first.sending(&step).await, Err(Halt::Stopped)));
    assert!(first.is_over() && first.writes() == 3);
    assert!(matches!(first.recall("post").await, Err(Halt::Stopped)), "it is dead");

    let second = first.next_life();
    assert_eq!(second.recall("post").await.unwrap(), Memory::InDoubt(second.started_at()));
    let ending = Ending::Found { value: serde_json::json!(1) };
    second.ended("post", &ending).await.unwrap();
    assert_eq!(second.next_life().recall("post").await.unwrap(), Memory::Ended(ending));
    assert_eq!((second.changes(), second.endings().len()), (vec!["post".to_owned()], 1));
    assert!(second.claim("batch").await.unwrap() && second.claim("batch").await.unwrap());
    assert!(!second.other_run("run-2").claim("batch").await.unwrap());
    assert!(second.wait(Duration::from_secs(3599)).await.unwrap());
    assert!(!second.wait(Duration::from_secs(9)).await.unwrap());
    assert_eq!(second.now(), second.started_at() + Duration::from_secs(3600));
}
