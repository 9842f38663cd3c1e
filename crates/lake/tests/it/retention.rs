//! Retention removes exactly what has expired, says so, and gives way to a legal hold.

use std::collections::BTreeMap;

use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use model::time::Day;
use query::store::EventStore as _;
use query::store::maintenance::{Bookmark, Expired, Expiry, Hold, MaintenancePlan};
use serde_json::{Value, json};

use crate::queries::sql;
use crate::support::*;

const CLASS: Class = Class::EmailActivity;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Two mails on each of four days from 2026-03-02 on, for two tenants, and other events.
async fn shore() -> Shore {
    let shore = Shore::new().await;
    let mails: Vec<Value> = (0..8).map(|n| mail(n, n as i64 / 2 * 86_400)).collect();
    let others: Vec<Value> = (0..4)
        .map(|n| of_class(Class::BaseEvent, 50 + n, n as i64 * 86_400, json!({"message": "m"})))
        .collect();
    shore
        .store(vec![batch(&mails), batch(&others), batch_of("other", "test.events", &mails)])
        .await;
    shore
}

fn expiring(tenant: &str, class: Class, before: &str) -> MaintenancePlan {
    let expiry = Expiry { tenant: TenantId::new(tenant).unwrap(), class, before: day(before) };
    MaintenancePlan { expire: vec![expiry], ..MaintenancePlan::new(at(240)) }
}

fn gone(version: Option<u64>) -> Expired {
    Expired {
        class: CLASS,
        tenant: TenantId::default(),
        version,
        days: vec![day("2026-03-02"), day("2026-03-03")],
        files: 2,
        rows: 4,
    }
}

#[tokio::test]
async fn whole_days_before_the_limit_go_and_the_books_still_balance() {
    let shore = shore().await;
    let dry = MaintenancePlan { dry_run: true, ..expiring("default", CLASS, "2026-03-04") };
    assert_eq!(shore.maintain(dry).await.expired, [gone(None)]);
    assert_eq!(shore.rows().await, 20);

    let report = shore.maintain(expiring("default", CLASS, "2026-03-04")).await;
    assert_eq!(report.expired, [gone(Some(2))]);
    let days = sql(&shore, "SELECT day, count(*) AS n FROM events GROUP BY day ORDER BY day").await;
    let days: Vec<_> = days.into_iter().map(Value::Object).collect();
    assert_eq!(
        days,
        [
            json!({"day": "2026-03-02", "n": 1}),
            json!({"day": "2026-03-03", "n": 1}),
            json!({"day": "2026-03-04", "n": 3}),
            json!({"day": "2026-03-05", "n": 3}),
        ]
    );
    let stats = shore.lake.stats(Some(&TenantId::new("other").unwrap())).await.unwrap();
    assert_eq!(stats[0].rows, 8, "another tenant's rows stay");

    let found = shore.lake.verify().await.unwrap();
    assert_eq!((found.rows, found.expired, found.findings), (16, 4, vec![]));
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 12);
    let again = shore.maintain(expiring("default", CLASS, "2026-03-04")).await;
    assert!(again.expired.is_empty() && again.tables.is_empty());
}

#[tokio::test]
async fn the_proof_outlives_the_log_and_the_files() {
    let shore = shore().await;
    shore.maintain(merging(at(240))).await;
    shore.maintain(expiring("default", CLASS, "2026-03-04")).await;
    shore.applied_all(240).await;
    shore.backdate();
    let report = shore.maintain(everything(at(240))).await;
    assert!(report.tables[0].log_entries > 0);
    let folders = ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
        .map(|day| names(&shore.table(CLASS).join(format!("tenant_uid=default/day={day}"))).len());
    assert_eq!(folders, [0, 0, 1, 1]);
    let shore = shore.reopened().await;
    let found = shore.lake.verify().await.unwrap();
    assert_eq!((found.rows, found.expired, found.findings), (16, 4, vec![]));
    let install = &found.receipts["00000000-0000-0000-0000-000000000001"];
    assert_eq!(install.values().sum::<u64>(), 20);
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 12);
}

#[tokio::test]
async fn a_hold_of_any_install_wins_however_old_it_is() {
    let shore = shore().await;
    let hold = |tenant: &str, class| Hold { tenant: TenantId::new(tenant).unwrap(), class };
    let mark = |holds| Bookmark {
        install: InstallId(uuid::Uuid::from_u128(77)),
        holds,
        ..bookmark(-10_000, BTreeMap::new())
    };
    for held in [hold("default", None), hold("default", Some(CLASS))] {
        shore.lake.bookmark(&mark(vec![held])).await.unwrap();
        let report = shore.maintain(expiring("default", CLASS, "2026-03-04")).await;
        assert!(report.expired.is_empty());
    }
    assert_eq!(shore.rows().await, 20);
    // A hold on something else holds nothing here.
    let holds = vec![hold("other", None), hold("default", Some(Class::BaseEvent))];
    shore.lake.bookmark(&mark(holds)).await.unwrap();
    let report = shore.maintain(expiring("default", CLASS, "2026-03-04")).await;
    assert_eq!(report.expired.len(), 1);
}

#[tokio::test]
async fn rows_without_a_time_go_by_when_they_came_in() {
    let shore = Shore::new().await;
    let mut timeless = mail(1, 0);
    timeless["ms"] = json!(null);
    shore.store(vec![batch(&[timeless])]).await;
    // It came in on 2026-03-02.
    let early = shore.maintain(expiring("default", CLASS, "2026-03-02")).await;
    assert!(early.expired.is_empty());
    let report = shore.maintain(expiring("default", CLASS, "2026-03-03")).await;
    assert_eq!(report.expired[0].days, [day("1970-01-01")]);
    assert_eq!(shore.rows().await, 0);
}

#[tokio::test]
async fn records_of_days_that_went_are_new_again_at_once() {
    let shore = shore().await;
    let other = open(&shore.directory).await;
    other.maintain(&expiring("default", CLASS, "2026-03-04")).await.unwrap();
    assert_eq!(shore.counts(batch(&[mail(0, 0), mail(6, 3 * 86_400)])).await, [1, 1, 0, 0]);
    let found = shore.lake.verify().await.unwrap();
    assert_eq!((found.rows, found.expired, found.findings), (17, 4, vec![]));
}

#[tokio::test]
async fn a_retention_run_that_stops_on_its_way_is_done_once() {
    for (point, rows) in [("lake.before_expire_commit", 20), ("lake.after_expire_commit", 16)] {
        let shore = shore().await;
        let place = shore.directory.path().file_name().unwrap().to_str().unwrap().to_owned();
        fail::cfg(point, &format!("return({place})")).unwrap();
        let plan = expiring("default", CLASS, "2026-03-04");
        let report = shore.lake.maintain(&plan).await.unwrap();
        fail::remove(point);
        assert_eq!(report.failures.len(), 1, "{point}");
        assert_eq!(shore.reopened_rows().await, rows, "{point}");
        shore.maintain(plan).await;
        let found = shore.lake.verify().await.unwrap();
        assert_eq!((found.rows, found.expired, found.findings), (16, 4, vec![]), "{point}");
    }
}
