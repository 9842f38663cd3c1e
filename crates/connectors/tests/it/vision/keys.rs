//! Keys: unknown, run out, without one permission, of another region; and their end read offline.

use std::time::Duration;

use model::connector::OneOrMany;
use model::hint::Hint;
use model::secret::Secret;
use model::vendor::{Fault, FetchError, KeyNotice};

use super::{
    ALERTS, ALL, AUDIT_LOGS, TECHNIQUES, ask_for, settings, simulator, token_until, vision,
};
use crate::servers::Stub;
use crate::support::{Ledger, printed, region, time};

async fn tested(url: &str, token: &str, content_type: &str) -> Result<u64, FetchError> {
    let connection = vision().open(&settings(url, token)).unwrap();
    let key = &connection.keys()[0];
    let ask = ask_for(&*connection, content_type, 1);
    connection.fetch(key, &ask, &Ledger::default()).await.map(|page| page.served())
}

#[tokio::test]
async fn refused_keys_are_unknown_or_have_run_out() {
    let end = time(super::START);
    let old = token_until(end);
    let young = token_until(end + Duration::from_secs(3600));
    let (_, url) = simulator(&[
        ("keys", &format!("off,gone,{old},{young}")),
        ("disabled", "off"),
        ("revoked", "gone"),
        ("expired", "worn"),
    ])
    .await;
    for content_type in ALL {
        for key in ["other", "off", "gone", "worn"] {
            let error = tested(&url, key, content_type).await.unwrap_err();
            assert_eq!(error.fault, Fault::UnknownKey, "{key} {content_type}");
        }
        let error = tested(&url, &old, content_type).await.unwrap_err();
        assert_eq!(error.fault, Fault::ExpiredKey, "{content_type}");
        assert!(
            error.detail.contains("the key ran out at 2026-03-02T08:00:00Z"),
            "{}",
            error.detail
        );
        assert!(error.fault.is_credential() && error.hint().is_some());
        assert!(tested(&url, &young, content_type).await.is_ok());
    }
}

#[tokio::test]
async fn a_key_that_the_health_check_likes_but_that_lacks_one_permission_is_caught() {
    for (denied, permission) in [
        (ALERTS, "Workbench: View, filter, and search"),
        (AUDIT_LOGS, "Audit Logs: Export And Download"),
        (TECHNIQUES, "Observed Attack Techniques: View, filter, and search"),
    ] {
        let (simulator, url) = simulator(&[("no_scope", &format!("sim-key:{denied}"))]).await;
        for content_type in ALL {
            let outcome = tested(&url, "sim-key", content_type).await;
            if content_type == denied {
                let error = outcome.unwrap_err();
                assert_eq!(error.fault, Fault::MissingScope);
                assert!(error.detail.contains(permission), "{}", error.detail);
            } else {
                assert!(outcome.is_ok(), "{denied} {content_type}");
            }
        }
        let health = simulator.requests().into_iter().find(|r| r.path.contains("healthcheck"));
        assert_eq!(health.unwrap().status, 200);
    }
}

#[tokio::test]
async fn what_cannot_be_a_key_is_not_sent() {
    let stub = Stub::fixed(200, &[], r#"{"items":[]}"#).await;
    for key in ["", "with space", "\"quoted\"", "schlüssel"] {
        let error = tested(&stub.url, key, ALERTS).await.unwrap_err();
        assert_eq!((error.fault, stub.requests()), (Fault::MalformedKey, 0), "{key:?}");
    }
    // At the vendor itself a key must have the vendor's form, so nothing is sent to it here either.
    let error = tested("eu", "sim-key", ALERTS).await.unwrap_err();
    assert_eq!(error.fault, Fault::MalformedKey);
    assert!(error.detail.contains("three parts"), "{}", error.detail);
}

#[tokio::test]
async fn white_space_and_line_breaks_of_a_copied_key_do_not_matter() {
    let token = token_until(time("2027-01-01T00:00:00Z"));
    let (_, url) = simulator(&[("keys", &token)]).await;
    let wrapped = format!("  {}\r\n{}\n", &token[..60], &token[60..]);
    assert!(tested(&url, &wrapped, ALERTS).await.is_ok());
}

#[tokio::test]
async fn a_key_of_another_region_is_named_with_its_region_and_looked_for_once() {
    let (_, here) = simulator(&[("keys", "other")]).await;
    let (elsewhere, elsewhere_url) = simulator(&[("no_scope", "sim-key:alerts")]).await;
    let mut settings = settings(&here, "sim-key");
    settings.extra_regions = vec![region("branch", &elsewhere_url)];
    let connection = vision().open(&settings).unwrap();
    let key = &connection.keys()[0];
    for content_type in ALL {
        let ask = ask_for(&*connection, content_type, 1);
        let ledger = Ledger::default();
        let error = connection.fetch(key, &ask, &ledger).await.unwrap_err();
        let error = connection.diagnose(key, error, &ledger).await;
        assert_eq!(error.fault, Fault::WrongRegion("branch".to_owned()), "{content_type}");
    }
    assert_eq!(
        elsewhere.requests().len(),
        1,
        "a key that lacks a permission is known all the same"
    );
}

#[test]
fn the_end_of_a_key_is_read_offline_and_told_in_time() {
    let end = time("2026-06-01T00:00:00Z");
    let connection = vision().open(&settings("http://127.0.0.1:1", &token_until(end))).unwrap();
    let key = &connection.keys()[0];
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(connection.key_notice(key, end - day * 31), None);
    assert_eq!(connection.key_notice(key, end - day * 30), None);
    let soon = connection.key_notice(key, end - day * 29).unwrap();
    assert_eq!(soon, KeyNotice::ExpiresSoon(end));
    assert!(soon.is_warning() && soon.to_string().contains("2026-06-01T00:00:00Z"));
    assert_eq!(connection.key_notice(key, end), Some(KeyNotice::Expired(end)));
    let other = vision().open(&settings("http://127.0.0.1:1", "sim-key")).unwrap();
    assert_eq!(other.key_notice(&other.keys()[0], end), None);
}

#[tokio::test]
async fn the_key_is_in_no_error() {
    // Longer than what is told of a refusal, like the vendor's own keys.
    let marker = "mark3r.s3cr3t.0123456789".repeat(20);
    let body = format!(r#"{{"error":{{"code":"InvalidCredentials","message":"no {marker}"}}}}"#);
    let stub = Stub::fixed(401, &[], &body).await;
    let error = tested(&stub.url, &marker, ALERTS).await.unwrap_err();
    assert!(!printed(&error).contains("mark3r") && printed(&error).contains("********"));
}

#[test]
fn several_keys_share_the_work_and_equal_ones_count_once() {
    let mut settings = settings("eu", "a");
    let secrets = ["a", "b", "a"].map(Secret::new).to_vec();
    settings.credential.0.insert("token".to_owned(), OneOrMany::Many(secrets));
    let connection = vision().open(&settings).unwrap();
    let labels: Vec<_> = connection.keys().iter().map(|key| key.label.as_str()).collect();
    assert_eq!(labels, ["token[0]", "token[1]"]);
    assert_eq!(connection.keys()[0].host, "api.eu.xdr.trendmicro.com");
}
