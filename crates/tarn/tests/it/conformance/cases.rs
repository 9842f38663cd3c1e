//! The cases, and how each is played.

use std::time::Duration;

use super::subjects::{Play, Subject};
use super::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Every step between two durable states of collection.
const FAILPOINTS: [&str; 9] = [
    "connectors.request_sent",
    "connectors.answer_read",
    "lake.file_written",
    "lake.before_commit",
    "lake.after_commit",
    "catalog.reserve.before_commit",
    "catalog.reserve.after_commit",
    "catalog.apply_page.before_commit",
    "catalog.apply_page.after_commit",
];

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
    RotatedCredential,
}

impl Case {
    /// Every case, in the order of the table.
    pub(super) const ALL: [Self; 21] = [
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
            Self::RotatedCredential => "credential rotated during a run",
        }
    }
}

/// Plays a case to its end.
pub(super) async fn play(subject: &Subject, case: Case, play: &Play) {
    match (case, play) {
        (Case::Failpoints, _) => fail_everywhere(subject).await,
        (Case::RotatedCredential, Play::Throughout(rotation)) => rotate(subject, rotation).await,
        (_, Play::Throughout(faults)) => {
            let mut world = World::open(subject, faults).await;
            world.pass(3 * HOUR).await;
            let books = world.check().await;
            assert_eq!(books.dead_lettered > 0, case == Case::PoisonedRecord, "{books:?}");
            let repeats = [Case::DuplicateDelivery, Case::SameCursorTwice];
            assert!(books.duplicate > 0 || !repeats.contains(&case), "{books:?}");
        }
        (_, Play::ForAWhile(on, off)) => {
            let mut world = World::open(subject, &[]).await;
            world.pass(HOUR).await;
            world.set_faults(on);
            world.pass(40 * MINUTE).await;
            assert_ne!(world.state().await, "ok", "the trouble was not noticed");
            world.set_faults(off);
            world.pass(2 * HOUR).await;
            assert_eq!(world.state().await, "ok");
            world.check().await;
        }
        (_, Play::Impossible(_)) => {}
    }
}

/// Everything fails twice at each failpoint, and in the middle the process begins anew.
async fn fail_everywhere(subject: &Subject) {
    let mut world = World::open(subject, &[]).await;
    for (number, failpoint) in FAILPOINTS.into_iter().enumerate() {
        world.fail_at(failpoint);
        world.pass(15 * MINUTE).await;
        fail::remove(failpoint);
        if number % 3 == 2 {
            world.restart().await;
        }
    }
    world.pass(2 * HOUR).await;
    assert_eq!(world.state().await, "ok");
    world.check().await;
}

/// The vendor takes another key than the connector has, until somebody puts the new one in.
async fn rotate(subject: &Subject, rotation: super::subjects::Faults) {
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
