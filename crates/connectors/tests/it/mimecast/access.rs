//! Access tokens: one for all streams, made anew when it runs out or is refused, and never sent elsewhere.

use std::time::Duration;

use futures::future::join_all;
use model::vendor::Fault;
use serde_json::json;

use super::{ask, fetch, integration, open, settings, simulator};
use crate::servers::Stub;
use crate::support::{Broke, Ledger, printed};

const TOKEN: &str = "/oauth/token";

fn tokens(simulator: &simulators::Simulator) -> usize {
    simulator.requests().iter().filter(|request| request.path == TOKEN).count()
}

#[tokio::test]
async fn many_streams_share_one_token() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let asks: Vec<_> = connection
        .streams()
        .iter()
        .map(|stream| ask(&*connection, stream.id.as_str(), 1))
        .collect();
    assert_eq!(asks.len(), 13);
    let ledger = Ledger::default();
    let key = &connection.keys()[0];
    let pages = join_all(asks.iter().map(|ask| connection.fetch(key, ask, &ledger))).await;
    assert!(pages.iter().all(Result::is_ok), "{pages:?}");
    assert_eq!(tokens(&simulator), 1);
    let calls = simulator.requests().iter().filter(|r| !r.path.starts_with("/sim-files")).count();
    assert_eq!(ledger.requests(), calls, "each call is reserved once, and files are not");
}

#[tokio::test]
async fn a_token_is_made_anew_before_it_runs_out() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let ask = ask(&*connection, "ttp_url", 1);
    fetch(&*connection, &ask).await.unwrap();
    // An answer at this time tells that little is left.
    simulator.clock().advance(Duration::from_secs(1_550));
    fetch(&*connection, &ask).await.unwrap();
    fetch(&*connection, &ask).await.unwrap();
    assert_eq!(tokens(&simulator), 2);
    assert!(simulator.requests().iter().all(|request| request.status == 200));
}

#[tokio::test]
async fn a_token_that_ran_out_unnoticed_is_made_anew_once() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let ask = ask(&*connection, "ttp_url", 1);
    fetch(&*connection, &ask).await.unwrap();
    simulator.clock().advance(Duration::from_secs(3 * 3600));
    fetch(&*connection, &ask).await.unwrap();
    let statuses: Vec<_> = simulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 200, 401, 200, 200]);
}

#[tokio::test]
async fn passing_refusals_are_met_with_one_repetition() {
    for code in ["InvalidClientIdentifier", "unauthorized", "token_verification_failed", ""] {
        let (simulator, url) = simulator(&[("transient_code", code)]).await;
        let connection = open(&url);
        let ask = ask(&*connection, "siem/spam", 1);
        fetch(&*connection, &ask).await.unwrap();
        simulator.set_fault("transient_401", "2").unwrap();
        for _ in 0..4 {
            fetch(&*connection, &ask).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_repeated_once_and_no_more() {
    let (simulator, url) = simulator(&[("transient_401", "1")]).await;
    let connection = open(&url);
    let error = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap_err();
    assert_eq!(error.fault, Fault::UnknownKey);
    let calls = simulator.requests().iter().filter(|request| request.path != TOKEN).count();
    assert_eq!((calls, tokens(&simulator)), (2, 2));
}

#[tokio::test]
async fn streams_go_on_when_a_new_token_ends_the_old_one() {
    let (simulator, url) = simulator(&[("one_token", "on")]).await;
    let (one, two) = (open(&url), open(&url));
    for _ in 0..3 {
        for connection in [&one, &two] {
            let ask = ask(&**connection, "ttp_attachment", 1);
            fetch(&**connection, &ask).await.unwrap();
        }
    }
    assert!(tokens(&simulator) <= 6);
}

#[tokio::test]
async fn credentials_are_refused_in_words() {
    for (fault, expected) in [
        (("keys", "other:secret"), Fault::UnknownKey),
        (("keys", "sim-client:changed"), Fault::UnknownKey),
        (("revoked", "sim-client"), Fault::UnknownKey),
        (("auth_outage", "on"), Fault::Outage),
        (("token_fails", "on"), Fault::Outage),
        (("outage", "on"), Fault::Outage),
    ] {
        let (_, url) = simulator(&[fault]).await;
        let connection = open(&url);
        let error = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap_err();
        assert_eq!(error.fault, expected, "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_failed_request_for_a_token_is_shared_by_those_who_waited_for_it() {
    let (simulator, url) = simulator(&[("revoked", "sim-client"), ("delay", "200ms")]).await;
    let connection = open(&url);
    let asks: Vec<_> = ["ttp_url", "ttp_attachment", "siem/av", "siem/spam"]
        .map(|stream| ask(&*connection, stream, 1))
        .into();
    let pages = join_all(asks.iter().map(|ask| fetch(&*connection, ask))).await;
    assert!(pages.iter().all(|page| page.as_ref().unwrap_err().fault == Fault::UnknownKey));
    assert_eq!(tokens(&simulator), 1);
}

#[tokio::test]
async fn a_token_is_used_to_its_end_while_the_token_route_is_down() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let ask = ask(&*connection, "ttp_url", 1);
    fetch(&*connection, &ask).await.unwrap();
    simulator.set_fault("auth_outage", "on").unwrap();
    simulator.clock().advance(Duration::from_secs(1_600));
    for _ in 0..3 {
        fetch(&*connection, &ask).await.unwrap();
    }
    simulator.clock().advance(Duration::from_secs(600));
    let error = fetch(&*connection, &ask).await.unwrap_err();
    assert_eq!(error.fault, Fault::Outage);
}

#[tokio::test]
async fn what_cannot_be_a_credential_is_not_sent() {
    let stub = Stub::fixed(200, &[], "{}").await;
    for (id, secret) in [("", "s"), ("with space", "s"), ("i", "\"quoted\""), ("i", "секрет")]
    {
        let mut settings = settings(&stub.url, json!({}));
        let one = |text: &str| model::connector::OneOrMany::One(model::secret::Secret::new(text));
        settings.credential.0.insert("client_id".to_owned(), one(id));
        settings.credential.0.insert("client_secret".to_owned(), one(secret));
        let connection = integration().open(&settings).unwrap();
        let error = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap_err();
        assert_eq!(error.fault, Fault::MalformedKey, "{id:?} {secret:?}");
    }
    assert_eq!(stub.requests(), 0);
}

#[tokio::test]
async fn nothing_is_sent_without_a_reservation() {
    let stub = Stub::fixed(200, &[], "{}").await;
    let connection = open(&stub.url);
    let ask = ask(&*connection, "ttp_url", 1);
    let error = connection.fetch(&connection.keys()[0], &ask, &Broke).await.unwrap_err();
    assert_eq!((error.fault.clone(), stub.requests()), (Fault::Budget, 0));
    assert!(printed(&error).contains("disk is full"));
}

#[tokio::test]
async fn a_failure_behind_a_refresh_leaves_the_token_for_the_next_call() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let ask = ask(&*connection, "ttp_url", 1);
    let host = url.trim_start_matches("http://");
    fail::cfg("connectors.token_refreshed", &format!("return({host})")).unwrap();
    let error = fetch(&*connection, &ask).await.unwrap_err();
    fail::remove("connectors.token_refreshed");
    assert!(error.detail.contains("failpoint"), "{error}");
    fetch(&*connection, &ask).await.unwrap();
    assert_eq!(tokens(&simulator), 1);
}
