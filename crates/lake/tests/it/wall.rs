//! The wall between tenants over three tenants and thirty days, against statements that want over it:
//! as the rows came, and again after merges, a checkpoint and a clean-up.

use futures::TryStreamExt as _;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Timestamp;
use query::plan::{Filter, Query, TimeRange};
use query::store::{EventStore as _, Row, Statement, StoreError};
use serde_json::{Value, json};

use crate::support::*;

const TENANTS: [&str; 3] = ["acme", "bravo", "corp"];
const DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;
/// Mails of a tenant, and its other events.
const MAILS: u64 = 2 * DAYS as u64;
const OTHERS: u64 = 2 * 5;

/// A mail of each of thirty days and a few other events, twice over; each says whose it is.
async fn shore() -> Shore {
    let shore = Shore::new().await;
    for round in 0..2 {
        let of = |tenant: &str| {
            let days = 0..DAYS;
            let mails = days.clone().map(|day| {
                let event = json!({"email": {"subject": format!("secret of {tenant}")}});
                mail_with((round * 100 + day) as u64, day * DAY_SECONDS + round * 60, event)
            });
            let others = days.take(5).map(|day| {
                let event = json!({"message": format!("secret of {tenant}")});
                let id = (round * 100 + 50 + day) as u64;
                of_class(Class::BaseEvent, id, day * DAY_SECONDS + round, event)
            });
            batch_of(tenant, "test.events", &mails.chain(others).collect::<Vec<_>>())
        };
        shore.store(TENANTS.map(of).into()).await;
    }
    shore
}

async fn run(shore: &Shore, tenant: &str, text: &str) -> Result<Vec<Row>, StoreError> {
    let tenant = TenantId::new(tenant).unwrap();
    let answer = shore.lake.query(&tenant, Statement::Sql(text.to_owned())).await?;
    let pages: Vec<Vec<Row>> = answer.pages.try_collect().await?;
    Ok(pages.into_iter().flatten().collect())
}

/// Statements and how many of the tenant's own rows they count.
fn counting() -> Vec<(&'static str, u64)> {
    vec![
        ("SELECT count(*) AS n FROM email_activity WHERE tenant_uid = 'bravo' OR true", MAILS),
        ("SELECT count(*) AS n FROM email_activity WHERE tenant_uid = 'x' OR 1 = 1 OR NULL", MAILS),
        (
            "SELECT count(*) AS n FROM events WHERE NOT (tenant_uid = 'acme') OR tenant_uid IS NULL OR true",
            MAILS + OTHERS,
        ),
        (
            "SELECT count(*) AS n FROM (SELECT * FROM email_activity UNION ALL SELECT * FROM email_activity) t",
            2 * MAILS,
        ),
        (
            "SELECT count(*) AS n FROM (SELECT uid FROM events UNION SELECT uid FROM email_activity WHERE tenant_uid IN ('acme', 'bravo', 'corp')) t",
            MAILS + OTHERS,
        ),
        (
            "WITH all_of_it AS (SELECT * FROM events), more AS (SELECT * FROM all_of_it) SELECT count(*) AS n FROM more",
            MAILS + OTHERS,
        ),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT count(*) AS n FROM r CROSS JOIN email_activity",
            3 * MAILS,
        ),
        (
            "SELECT count(*) AS n FROM email_activity WHERE uid IN (SELECT uid FROM events WHERE tenant_uid <> 'nobody')",
            MAILS,
        ),
        (
            "SELECT count(*) AS n FROM email_activity WHERE EXISTS (SELECT 1 FROM events WHERE events.tenant_uid <> email_activity.tenant_uid)",
            0,
        ),
        ("SELECT (SELECT count(*) FROM events) AS n", MAILS + OTHERS),
        ("SELECT count(*) AS n FROM events a JOIN events b ON a.uid = b.uid", MAILS + OTHERS),
        ("SELECT count(*) AS n FROM events a JOIN events b ON a.tenant_uid <> b.tenant_uid", 0),
        (
            "SELECT count(*) AS n FROM events a FULL OUTER JOIN events b ON a.tenant_uid = b.tenant_uid AND a.uid = b.uid",
            MAILS + OTHERS,
        ),
        ("SELECT count(distinct tenant_uid) AS n FROM events a CROSS JOIN (SELECT 1 AS one) b", 1),
        (
            "SELECT count(*) AS n FROM email_activity WHERE tenant_uid BETWEEN 'a' AND 'z' GROUP BY tenant_uid",
            MAILS,
        ),
        ("SELECT count(*) AS n FROM datafusion.public.email_activity", MAILS),
        ("SELECT count(*) AS n FROM base_event WHERE tenant_uid LIKE '%'", OTHERS),
    ]
}

const REFUSED: [&str; 24] = [
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM datafusion.information_schema.tables",
    "SELECT * FROM bravo.email_activity",
    "SELECT * FROM bravo.public.email_activity",
    "SELECT * FROM read_parquet('events')",
    "SELECT * FROM 'events/email_activity/tenant_uid=bravo'",
    "SELECT * FROM `lake://data/events/email_activity/`",
    "COPY email_activity TO '/tmp/stolen.parquet'",
    "COPY (SELECT * FROM events) TO '/tmp/stolen.csv' STORED AS CSV",
    "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'lake://data/events/email_activity/tenant_uid=bravo/'",
    "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/'",
    "CREATE TABLE t AS SELECT * FROM events",
    "CREATE VIEW events AS SELECT 1",
    "CREATE SCHEMA s",
    "INSERT INTO email_activity SELECT * FROM email_activity",
    "UPDATE email_activity SET tenant_uid = 'acme'",
    "DELETE FROM email_activity",
    "DROP TABLE email_activity",
    "SET datafusion.catalog.information_schema = true",
    "SHOW TABLES",
    "EXPLAIN SELECT * FROM email_activity",
    "SELECT 1; SELECT * FROM events",
    "WITH gone AS (DELETE FROM email_activity RETURNING *) SELECT * FROM gone",
];

async fn assert_walls(shore: &Shore) {
    for tenant in TENANTS {
        for (text, expected) in counting() {
            let rows = run(shore, tenant, text).await;
            let rows = rows.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(rows.len(), 1, "{tenant}: {text}");
            assert_eq!(rows[0]["n"], expected, "{tenant}: {text}");
        }
        for text in REFUSED {
            let answer = run(shore, tenant, text).await;
            assert!(matches!(answer, Err(StoreError::Refused { .. })), "{tenant}: {text}");
        }
        for text in [
            "SELECT * FROM events",
            "SELECT * FROM email_activity",
            "SELECT * FROM events WHERE raw_data LIKE '%secret of%' OR true",
        ] {
            let rows = run(shore, tenant, text).await.unwrap();
            assert!(rows.len() as u64 >= MAILS);
            let own = format!("secret of {tenant}");
            for row in rows {
                let text = Value::Object(row).to_string();
                assert!(text.contains(&own), "{tenant}: {text}");
                assert_eq!(text.matches("secret of").count(), text.matches(&own).count());
            }
        }
    }
}

/// Each tenant's day is read from the files of that tenant and day, and of no others.
async fn assert_scans(shore: &Shore, files_of_a_day: usize) {
    let day = "2026-03-12";
    let start = Timestamp::parse("2026-03-12T00:00:00Z").unwrap();
    let end = Timestamp::parse("2026-03-13T00:00:00Z").unwrap();
    let range = TimeRange { earliest: Some(start), latest: Some(end) };
    let classes = vec![Class::EmailActivity];
    let query = Query { classes, filter: Filter::All, range, stages: Vec::new() };
    let sql =
        |condition: &str| Statement::Sql(format!("SELECT * FROM email_activity WHERE {condition}"));
    let statements = [
        Statement::Query(query),
        sql(&format!("day = '{day}'")),
        sql(&format!("day = '{day}' AND (tenant_uid = 'bravo' OR true)")),
        sql("time >= TIMESTAMP '2026-03-12T00:00:00Z' AND time < TIMESTAMP '2026-03-13T00:00:00Z'"),
    ];
    for tenant in TENANTS {
        for statement in &statements {
            let id = TenantId::new(tenant).unwrap();
            let read = shore.lake.files_read(&id, statement.clone()).await.unwrap();
            let place = format!("events/email_activity/tenant_uid={tenant}/day={day}/");
            assert!(read.iter().all(|file| file.starts_with(&place)), "{statement:?}: {read:?}");
            assert_eq!(read.len(), files_of_a_day, "{statement:?}");
        }
        let all = Statement::Sql("SELECT uid FROM events".to_owned());
        let read = shore.lake.files_read(&TenantId::new(tenant).unwrap(), all).await.unwrap();
        let own = format!("/tenant_uid={tenant}/");
        assert!(read.iter().all(|file| file.contains(&own)), "{read:?}");
        assert_eq!(read.len(), (DAYS as usize + 5) * files_of_a_day);
    }
}

#[tokio::test]
async fn no_statement_sees_over_the_wall_before_or_after_maintenance() {
    let shore = shore().await;
    assert_walls(&shore).await;
    assert_scans(&shore, 2).await;
    shore.applied_all(2).await;
    shore.backdate();
    shore.maintain(merging(at(2))).await;
    assert_scans(&shore, 1).await;
    // The merged files are young; the ones that they replaced are not.
    shore.backdate();
    let report = shore.maintain(everything(at(2))).await;
    assert!(report.tables.iter().all(|table| table.log_entries > 0 && table.files > 0));
    let shore = shore.reopened().await;
    assert_walls(&shore).await;
    assert_scans(&shore, 1).await;
}
