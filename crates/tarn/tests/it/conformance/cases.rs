//! The cases, and how each is played.

use std::time::Duration;

use super::log::Log;
use super::subjects::{Faults, Play, Subject};
use super::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// From the start of a case to its end: a first walk, some polls, and the hour in which the last records settle.
const SPAN: Duration = Duration::from_secs(150 * 60);
/// Second and further pages of walks that show that there is paging.
const MANY_PAGES: usize = 8;
/// Every step between two durable states of collection.
const FAILPOINTS: [&str; 10] = [
    "connectors.request_sent",
    TOKEN_REFRESHED,
    "connectors.answer_read",
    "lake.file_written",
    "lake.before_commit",
    "lake.after_commit",
    "catalog.reserve.before_commit",
    "catalog.reserve.after_commit",
    "catalog.apply_page.before_commit",
    "catalog.apply_page.after_commit",
];

/// The one step that only integrations with access tokens pass.
const TOKEN_REFRESHED: &str = "connectors.token_refreshed";

/// What may befall a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Case {
    FirstRun,
    Failpoints,
    EmptyPage,
    Paging,
    ThrottledWithWait,
    ThrottledWithoutWait,
    Unauthorized,
    OneContentTypeForbidden,
    ServerError,
    Outage,
    CutBody,
    WrongContentType,
    DuplicateDelivery,
    LateDelivery,
    NewestFirst,
    ExpiredPageToken,
    SameCursorTwice,
    NullCursor,
    ClockSkew,
    PoisonedRecord,
    SchemaDrift,
    RotatedCredential,
}

impl Case {
    /// Every case, in the order of the table.
    pub(super) const ALL: [Self; 22] = [
        Self::FirstRun,
        Self::Failpoints,
        Self::EmptyPage,
        Self::Paging,
        Self::ThrottledWithWait,
        Self::ThrottledWithoutWait,
        Self::Unauthorized,
        Self::OneContentTypeForbidden,
        Self::ServerError,
        Self::Outage,
        Self::CutBody,
        Self::WrongContentType,
        Self::DuplicateDelivery,
        Self::LateDelivery,
        Self::NewestFirst,
        Self::ExpiredPageToken,
        Self::SameCursorTwice,
        Self::NullCursor,
        Self::ClockSkew,
        Self::PoisonedRecord,
        Self::SchemaDrift,
        Self::RotatedCredential,
    ];

    /// How the table names it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::FirstRun => "first run",
            Self::Failpoints => "failure at every failpoint, and restart",
            Self::EmptyPage => "empty page with more behind it",
            Self::Paging => "several pages",
            Self::ThrottledWithWait => "429 with Retry-After",
            Self::ThrottledWithoutWait => "429 without Retry-After",
            Self::Unauthorized => "401 in the middle",
            Self::OneContentTypeForbidden => "403 for one content type",
            Self::ServerError => "500 and 503 now and then",
            Self::Outage => "outage",
            Self::CutBody => "cut body",
            Self::WrongContentType => "wrong content type",
            Self::DuplicateDelivery => "duplicate delivery",
            Self::LateDelivery => "late delivery",
            Self::NewestFirst => "newest first",
            Self::ExpiredPageToken => "expired page token",
            Self::SameCursorTwice => "same cursor twice",
            Self::NullCursor => "null cursor, with or without more",
            Self::ClockSkew => "vendor's clock is wrong",
            Self::PoisonedRecord => "poisoned record",
            Self::SchemaDrift => "fields new, gone and of another type",
            Self::RotatedCredential => "credential rotated during a run",
        }
    }
}

/// Plays a case to its end.
pub(super) async fn play(subject: &Subject, case: Case, play: &Play) {
    match (case, play) {
        (Case::Failpoints, _) => fail_everywhere(subject).await,
        (Case::RotatedCredential, Play::Throughout(rotation)) => rotate(subject, rotation).await,
        (Case::SchemaDrift, Play::Throughout(faults)) => {
            let mut world = World::open(subject, faults).await;
            world.pass(9 * HOUR).await;
            world.check().await;
            world.check_drift().await;
        }
        (Case::Paging, Play::Throughout(faults)) => {
            let mut world = World::open(subject, faults).await;
            world.pass(10 * MINUTE).await;
            let pages = world.second_pages();
            assert!(pages >= MANY_PAGES, "{pages} second pages are hardly paging");
            world.pass(SPAN).await;
            world.check().await;
        }
        (Case::NewestFirst, Play::Throughout(faults)) => newest_first(subject, faults).await,
        (Case::DuplicateDelivery | Case::SameCursorTwice, Play::Throughout(faults)) => {
            let plain = *subject.repeats.get_or_init(|| repeats(subject, &[])).await;
            let repeating = repeats(subject, faults).await;
            assert!(repeating > plain, "{repeating} duplicates, and {plain} without the fault");
        }
        (_, Play::Throughout(faults)) => {
            let mut world = World::open(subject, faults).await;
            world.pass(SPAN).await;
            let books = world.check().await;
            assert_eq!(books.dead_lettered > 0, case == Case::PoisonedRecord, "{books:?}");
        }
        (_, Play::ForAWhile(on, off)) => {
            let mut world = World::open(subject, &[]).await;
            world.pass(HOUR).await;
            world.set_faults(on);
            world.pass(40 * MINUTE).await;
            assert_ne!(world.state().await, "ok", "the trouble was not noticed");
            let others_go_on = world.states().await.contains("ok");
            assert_eq!(others_go_on, case == Case::OneContentTypeForbidden);
            world.set_faults(off);
            world.pass(2 * HOUR).await;
            assert_eq!(world.state().await, "ok");
            world.check().await;
        }
        (_, Play::Impossible(_)) => {}
    }
}

/// At one failpoint after the other everything fails from the start of a process on; two minutes later,
/// in the midst of it, the process begins anew.
async fn fail_everywhere(subject: &Subject) {
    let log = Log::default();
    let _listening = log.listen();
    let mut world = World::open(subject, &[]).await;
    for failpoint in FAILPOINTS {
        // Until just before the next poll, so that the new process finds new records.
        world.pass(29 * MINUTE).await;
        log.take();
        world.restart_failing_at(failpoint).await;
        world.pass(2 * MINUTE).await;
        fail::remove(failpoint);
        let told = log.take();
        let passes = failpoint != TOKEN_REFRESHED || subject.has_access_tokens;
        assert_eq!(told.contains(traces(failpoint)), passes, "{failpoint} was struck: {told}");
        world.restart().await;
    }
    world.pass(2 * HOUR).await;
    assert_eq!(world.state().await, "ok");
    world.check().await;
}

/// What the log says when a failpoint was struck.
fn traces(failpoint: &str) -> &str {
    match failpoint.rsplit_once('.') {
        Some(("catalog.reserve", _)) => "was not sent",
        Some(("catalog.apply_page", _)) => "failed to enter a page",
        _ => failpoint,
    }
}

/// Begins anew in the middle of the first walk, when the newest records are there and older ones are not.
async fn newest_first(subject: &Subject, faults: Faults) {
    let mut world = World::open(subject, faults).await;
    let mut walks = 0;
    for seconds in [1, 5, 20] {
        world.pass(Duration::from_secs(seconds)).await;
        walks += usize::from(world.is_reading().await);
        world.restart().await;
    }
    assert!(walks > 0, "no restart came in the middle of a walk");
    world.pass(SPAN).await;
    assert_eq!(world.check().await.dead_lettered, 0);
}

/// Duplicates in the ledger after some hours with these faults.
async fn repeats(subject: &Subject, faults: Faults) -> u64 {
    let mut world = World::open(subject, faults).await;
    world.pass(SPAN).await;
    let books = world.check().await;
    assert_eq!(books.dead_lettered, 0, "{books:?}");
    books.duplicate
}

/// The vendor takes another key than the connector has, until somebody puts the new one in.
async fn rotate(subject: &Subject, rotation: Faults) {
    let mut world = World::open(subject, &[]).await;
    world.pass(30 * MINUTE).await;
    world.set_faults(rotation);
    world.pass(HOUR).await;
    assert_eq!(world.state().await, "credentials");
    world.apply("new-key").await;
    world.pass(2 * HOUR).await;
    assert_eq!(world.state().await, "ok");
    world.check().await;
}
