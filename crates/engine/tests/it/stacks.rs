//! Stacks on virtual time: how they stand, and that what they push is stored once whatever happens.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::app::App;
use engine::error::EngineError;
use engine::stacks::Refusal;
use engine::stacks::enrolment::Exchange;
use engine::stacks::push::Push;
use engine::stacks::stack::{Offer, Wish};
use engine::stacks::standing::Status;
use engine::stacks::token::Sender;
use model::clock::Clock as _;
use model::ids::ConnectorId;
use model::ledger::Counts;
use model::secret::Secret;
use model::time::Timestamp;
use proptest::prelude::*;

use crate::troubled::{Trouble, Troubled};
use crate::world::{World, open_app, tenant};

const URL: &str = "https://tarn.example";
const ACCOUNT: &str = "111122223333";
const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const DAY: Duration = Duration::from_secs(86_400);

fn wish(account: Option<&str>) -> Wish {
    Wish { account: account.map(str::to_owned), ..Wish::default() }
}

async fn offer(app: &App, wish: &Wish) -> Offer {
    app.offer_stack(&tenant(), wish, URL, "test").await.unwrap()
}

fn exchange(offer: &Offer, token: &str) -> Exchange {
    let road = offer.road.as_ref().unwrap();
    let (_, code) = road.parameters.iter().find(|(name, _)| name == "EnrolmentCode").unwrap();
    Exchange {
        code: Secret::new(code),
        token: Secret::new(token),
        account: ACCOUNT.to_owned(),
        region: offer.stack.row.region.clone(),
        client_version: Some("0.1.0".to_owned()),
        template_version: Some("0.1.0".to_owned()),
    }
}

async fn sender(app: &App) -> Result<Sender, EngineError> {
    app.sender(&Secret::new(TOKEN)).await
}

/// A stack with its client.
async fn enrolled(app: &App) -> ConnectorId {
    let offer = offer(app, &wish(None)).await;
    app.enrol(exchange(&offer, TOKEN)).await.unwrap();
    offer.stack.row.id
}

fn push(app: &App, key: &str, body: impl Into<Bytes>) -> Push {
    let body = body.into();
    Push {
        key: key.to_owned(),
        object: "s3://trail/a.json.gz".to_owned(),
        encoding: String::new(),
        place: app.push_place(Some(body.len() as u64)).unwrap(),
        body,
    }
}

fn body(records: std::ops::Range<u32>) -> String {
    let records: Vec<_> = records
        .map(|number| {
            format!(
                r#"{{"eventVersion":"1.11","eventTime":"2026-03-09T08:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"eu-west-1","eventID":"e-{number}","recipientAccountId":"{ACCOUNT}"}}"#
            )
        })
        .collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

async fn pushed(app: &App, key: &str, body: impl Into<Bytes>) -> Result<Counts, EngineError> {
    let sender = sender(app).await?;
    app.push_records(&sender, push(app, key, body)).await
}

async fn status(world: &World, id: ConnectorId) -> Status {
    world.app.stack(&tenant(), id).await.unwrap().status
}

fn refusal(error: EngineError) -> Refusal {
    match error {
        EngineError::Stack(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stack_goes_from_pending_to_connected_and_back_when_its_heartbeats_stop() {
    let world = World::open().await;
    let app = &world.app;
    let offered = offer(app, &wish(None)).await;
    let id = offered.stack.row.id;
    assert_eq!(status(&world, id).await, Status::Pending);
    app.enrol(exchange(&offered, TOKEN)).await.unwrap();
    assert_eq!(status(&world, id).await, Status::Connecting);
    pushed(app, "empty", r#"{"Records":[]}"#).await.unwrap();
    assert_eq!(status(&world, id).await, Status::Connecting, "nothing is stored");
    pushed(app, "one", body(0..1)).await.unwrap();
    assert_eq!(status(&world, id).await, Status::Connected);

    world.pass(Duration::from_secs(179)).await;
    assert_eq!(status(&world, id).await, Status::Connected);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(status(&world, id).await, Status::Connecting, "three heartbeats are missing");
    let problem = app.stack(&tenant(), id).await.unwrap().problem.unwrap();
    assert!(problem.contains("no sign of life"), "{problem}");
    let says = engine::stacks::SignOfLife { queue_visible: Some(7), ..Default::default() };
    app.heartbeat(&sender(app).await.unwrap(), &says).await.unwrap();
    assert_eq!(status(&world, id).await, Status::Connected);
    let row = app.stack(&tenant(), id).await.unwrap().row;
    assert_eq!((row.queue_visible, row.client_version.as_deref()), (Some(7), Some("0.1.0")));

    app.revoke_stack(&tenant(), id, "test").await.unwrap();
    assert_eq!(status(&world, id).await, Status::Revoked);
    let refused = refusal(pushed(app, "two", body(0..1)).await.unwrap_err());
    assert!(matches!(refused, Refusal::Revoked(_)), "{refused:?}");
    world.pass(Duration::from_secs(300)).await;
    assert_eq!(app.stack(&tenant(), id).await.unwrap().problem, None);
    sender(app).await.unwrap_err();
    let stack = app.stack(&tenant(), id).await.unwrap();
    assert!(stack.is_alive && stack.problem.unwrap().contains("still deployed"));

    let renewed = app.renew_stack(&tenant(), id, None, URL, "test").await.unwrap();
    assert!(renewed.road.is_none(), "its client has a token");
    assert_eq!(pushed(app, "two", body(0..1)).await.unwrap().duplicate, 1);
    assert_eq!(status(&world, id).await, Status::Connected);
}

#[tokio::test]
async fn days_are_counted_down_and_told_of_until_the_stack_is_renewed() {
    let world = World::open().await;
    let app = &world.app;
    let wanted = Wish { expires_in_days: Some(30), ..wish(None) };
    let offered = offer(app, &wanted).await;
    let id = offered.stack.row.id;
    app.enrol(exchange(&offered, TOKEN)).await.unwrap();
    let seen = async || {
        let stack = app.stack(&tenant(), id).await.unwrap();
        (stack.expires_in_days.unwrap(), stack.problem.is_some_and(|text| text.contains("renew")))
    };
    assert_eq!(seen().await, (30, false));
    world.pass(DAY * 15).await;
    assert_eq!(seen().await, (15, false));
    world.pass(DAY).await;
    assert_eq!(seen().await, (14, true));
    world.pass(DAY * 14 - Duration::from_secs(1)).await;
    assert_eq!(seen().await, (1, true));
    sender(app).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(status(&world, id).await, Status::Expired);
    assert!(matches!(refusal(sender(app).await.unwrap_err()), Refusal::Expired(_)));
    app.renew_stack(&tenant(), id, None, URL, "test").await.unwrap();
    assert_eq!(seen().await, (30, false), "as many days as before");
    sender(app).await.unwrap();
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_the_same_exchange_may_be_repeated() {
    let world = World::open().await;
    let app = &world.app;
    let offered = offer(app, &wish(None)).await;
    let first = app.enrol(exchange(&offered, TOKEN)).await.unwrap();
    assert_eq!(app.enrol(exchange(&offered, TOKEN)).await.unwrap(), first);
    let other = app.enrol(exchange(&offered, &TOKEN.replace('0', "x"))).await.unwrap_err();
    assert!(matches!(refusal(other), Refusal::Enrolment(_)));
    sender(app).await.unwrap();
    let short = app.enrol(exchange(&offered, "short")).await.unwrap_err();
    assert!(short.to_string().contains("`token`"), "{short}");

    // A second stack of the same account and region is refused, with what to do.
    let second = offer(app, &wish(None)).await;
    let refused = app.enrol(exchange(&second, &TOKEN.replace('0', "y"))).await.unwrap_err();
    let reason = refused.to_string();
    assert!(reason.contains(&offered.stack.row.id.to_string()), "{reason}");
    let seen = app.stack(&tenant(), second.stack.row.id).await.unwrap();
    assert_eq!(seen.problem, Some(reason), "people see why");

    // A link for that account belongs to the stack that is there: a client deployed anew takes its place.
    let again = offer(app, &wish(Some(ACCOUNT))).await;
    assert_eq!(again.stack.row.id, offered.stack.row.id);
    let newer = TOKEN.replace('0', "z");
    let standing = app.enrol(exchange(&again, &newer)).await.unwrap();
    assert_eq!(standing.stack_id, first.stack_id);
    app.sender(&Secret::new(newer)).await.unwrap();
    assert!(matches!(refusal(sender(app).await.unwrap_err()), Refusal::UnknownToken));

    let elsewhere = Exchange { account: "444455556666".to_owned(), ..exchange(&again, TOKEN) };
    let third = offer(app, &wish(Some("777788889999"))).await;
    let foreign = Exchange { code: exchange(&third, TOKEN).code, ..elsewhere };
    let reason = app.enrol(foreign).await.unwrap_err().to_string();
    assert!(reason.contains("777788889999"), "{reason}");
}

#[tokio::test]
async fn a_link_that_nobody_used_dies_and_asking_again_gives_another() {
    let world = World::open().await;
    let app = &world.app;
    let offered = offer(app, &wish(None)).await;
    world.pass(DAY * 7).await;
    let late = app.enrol(exchange(&offered, TOKEN)).await.unwrap_err();
    assert!(late.to_string().contains("ran out"), "{late}");
    let again = offer(app, &wish(None)).await;
    assert_eq!(again.stack.row.id, offered.stack.row.id);
    app.enrol(exchange(&again, TOKEN)).await.unwrap();
}

#[tokio::test]
async fn a_push_that_comes_again_is_answered_again_and_stored_once() {
    let world = World::open().await;
    let app = &world.app;
    let id = enrolled(app).await;
    let all = Counts { served: 3, stored: 3, ..Counts::default() };
    for _ in 0..3 {
        assert_eq!(pushed(app, "a", body(0..3)).await.unwrap(), all);
    }
    let other = refusal(pushed(app, "a", body(0..4)).await.unwrap_err());
    assert!(matches!(other, Refusal::ReusedKey(_)), "{other:?}");
    let counts = pushed(app, "b", body(2..5)).await.unwrap();
    assert_eq!(counts, Counts { served: 3, stored: 2, duplicate: 1, ..Counts::default() });
    let stack = app.stack(&tenant(), id).await.unwrap();
    assert_eq!((stack.counts.served, stack.counts.stored), (6, 5));
    assert!(app.verify().await.unwrap().is_clean());
    // A week later the key may be used for something else.
    world.pass(DAY * 7 + Duration::from_secs(1)).await;
    app.maintain().await.unwrap();
    assert_eq!(pushed(app, "a", body(0..4)).await.unwrap().duplicate, 4);
}

#[tokio::test]
async fn the_same_push_at_the_same_time_is_stored_by_one_of_the_two() {
    let world = World::open().await;
    let app = &world.app;
    enrolled(app).await;
    let (one, other) = tokio::join!(pushed(app, "a", body(0..3)), pushed(app, "a", body(0..3)));
    let counts = Counts { served: 3, stored: 3, ..Counts::default() };
    for answer in [one, other] {
        match answer {
            Ok(answered) => assert_eq!(answered, counts),
            Err(error) => assert_eq!(refusal(error), Refusal::UnderWay("a".to_owned())),
        }
    }
    assert_eq!(app.ledger(None, None).await.unwrap(), counts);
}

#[tokio::test]
async fn rows_that_were_stored_before_a_crash_are_stored_once_when_the_push_comes_again() {
    for trouble in [Trouble::Failed, Trouble::Unfinished, Trouble::StoredPanic] {
        let world = World::open().await;
        let troubled = Troubled::over(&world.store);
        let app = Arc::new(troubled.open_app(&world).await);
        enrolled(&app).await;
        troubled.fail_after(0, trouble);
        pushed(&app, "a", body(0..5)).await.unwrap_err();
        // The process that comes after.
        let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
        let counts = pushed(&app, "a", body(0..5)).await.unwrap();
        assert_eq!((counts.served, counts.duplicate), (5, 5), "{trouble:?}");
        assert_eq!(pushed(&app, "a", body(0..5)).await.unwrap(), counts);
        let proof = app.verify().await.unwrap();
        assert!(proof.is_clean(), "{trouble:?}: {:?}", proof.disagreements);
        assert_eq!((proof.lake.rows, proof.ledger.stored), (5, 5), "{trouble:?}");
    }
}

#[tokio::test]
async fn a_catalog_that_fails_for_a_while_delays_the_answer_and_changes_nothing() {
    const POINT: &str = "catalog.apply_push.before_commit";
    let world = World::open().await;
    enrolled(&world.app).await;
    fail::cfg(POINT, "3*return->off").unwrap();
    let counts = world.during(pushed(&world.app, "a", body(0..5))).await.unwrap();
    fail::remove(POINT);
    assert_eq!((counts.served, counts.stored), (5, 5));
    assert!(world.app.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn a_stack_that_sends_too_much_waits_for_the_next_minute_also_after_a_restart() {
    let world = World::open().await;
    enrolled(&world.app).await;
    for number in 0..600 {
        pushed(&world.app, &number.to_string(), r#"{"Records":[]}"#).await.unwrap();
    }
    let ledger = world.app.ledger(None, None).await.unwrap();
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    let over = refusal(pushed(&app, "over", body(0..1)).await.unwrap_err());
    assert_eq!(over.retry_after(), Some(Duration::from_secs(60)), "{over:?}");
    assert_eq!(app.ledger(None, None).await.unwrap(), ledger);
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(pushed(&app, "over", body(0..1)).await.unwrap().stored, 1);
}

#[tokio::test]
async fn digests_are_passed_over_and_what_is_no_record_is_set_aside_with_its_object() {
    let world = World::open().await;
    let app = &world.app;
    let id = enrolled(app).await;
    let digest = r#"{"awsAccountId":"1","digestStartTime":"x","digestEndTime":"y","logFiles":[]}"#;
    assert_eq!(pushed(app, "digest", digest).await.unwrap(), Counts::default());
    let mixed = body(0..1).replace("]}", r#",7,"x"]}"#);
    let counts = pushed(app, "mixed", mixed).await.unwrap();
    assert_eq!((counts.served, counts.stored, counts.dead_lettered), (3, 1, 2));

    let sender = sender(app).await.unwrap();
    let broken = push(app, "broken", &b"\x1f\x8bnot gzip"[..]);
    let counts = app.push_dead_letter(&sender, broken, "it is cut").await.unwrap();
    assert_eq!((counts.served, counts.dead_lettered), (1, 1));
    let again = push(app, "broken", &b"\x1f\x8bnot gzip"[..]);
    app.push_dead_letter(&sender, again, "it is cut").await.unwrap();
    let named = push(app, "named", "");
    app.push_dead_letter(&sender, named, "it is too large").await.unwrap();

    let letters = app.dead_letters(&Default::default(), None, 9).await.unwrap().letters;
    let reasons: Vec<_> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(letters.len(), 4, "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.starts_with("s3://trail/a.json.gz: ")),
        "{reasons:?}"
    );
    assert!(letters.iter().all(|letter| letter.connector == id));
    let replayed = app.replay(&[letters[0].id], "test").await.unwrap();
    assert!(replayed.failed[0].1.contains("tarn ingest"), "{replayed:?}");
    assert!(app.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn memory_for_bodies_is_bounded_and_refused_at_once() {
    let world = World::open().await;
    let places: Vec<_> = (0..64).map(|_| world.app.push_place(None).unwrap()).collect();
    let refused = refusal(world.app.push_place(Some(1)).unwrap_err());
    assert_eq!(refused, Refusal::Busy);
    assert!(refused.retry_after().is_some());
    drop(places);
    world.app.push_place(None).unwrap();
    let large = refusal(world.app.push_place(Some((2 << 20) + 1)).unwrap_err());
    assert!(matches!(large, Refusal::TooLarge(_)));
}

#[tokio::test]
async fn more_records_than_a_body_may_have_are_refused_whole() {
    let world = World::open().await;
    enrolled(&world.app).await;
    let many = format!(r#"{{"Records":[{}{{}}]}}"#, "{},".repeat(10_000));
    let refused = refusal(pushed(&world.app, "a", many).await.unwrap_err());
    assert!(matches!(refused, Refusal::TooLarge(_)), "{refused:?}");
    assert_eq!(world.app.ledger(None, None).await.unwrap(), Counts::default());
}

/// Bodies that a confused client could send.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let item = prop_oneof![
        "[{}\\[\\],:\"a-z0-9 ]{0,20}".prop_map(String::from),
        (0u32..50).prop_map(|number| body(number..number + 1)
            .trim_start_matches(r#"{"Records":["#)
            .trim_end_matches("]}")
            .to_owned()),
        Just("{}".to_owned()),
        Just("null".to_owned()),
    ];
    let list = prop::collection::vec(item, 0..8)
        .prop_map(|items| format!(r#"{{"Records":[{}]}}"#, items.join(",")).into_bytes());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        list.clone(),
        (list, 0usize..300).prop_map(|(mut body, length)| {
            body.truncate(length);
            body
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a client sends is refused as its own fault or accounted for to the last record.
    #[test]
    fn any_body_is_refused_or_accounted_for(bodies in prop::collection::vec(any_body(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let world = World::open().await;
            let app = &world.app;
            enrolled(app).await;
            let mut total = Counts::default();
            for (number, body) in bodies.into_iter().enumerate() {
                match pushed(app, &number.to_string(), body).await {
                    Ok(counts) => {
                        prop_assert_eq!(counts.imbalance(), 0);
                        total += counts;
                    }
                    Err(EngineError::Stack(Refusal::Broken(_))) => {}
                    Err(other) => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(app.ledger(None, None).await.unwrap(), total);
            prop_assert!(app.verify().await.unwrap().is_clean());
            Ok(())
        });
        outcome?;
    }
}

#[tokio::test]
async fn an_hour_of_pushes_is_one_line_of_the_ledger() {
    let world = World::open().await;
    let app = &world.app;
    let id = enrolled(app).await;
    for number in 0..5 {
        pushed(app, &number.to_string(), body(number..number + 1)).await.unwrap();
        world.pass(Duration::from_secs(60)).await;
    }
    let start: Timestamp = world.clock.now();
    let streams = world.catalog.ledger_streams(id).await.unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].stream.as_str(), "push/us-east-1");
    assert_eq!(streams[0].counts.stored, 5);
    assert!(streams[0].holes.is_empty(), "{start}");
}
