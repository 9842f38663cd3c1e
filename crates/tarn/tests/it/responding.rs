//! Acting from outside, with real processes: the six actions that Cloud App Security's users know, and the five
//! webhooks that Vision One's users know, by hand.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{Server, Vendor, pause, wait_until};

const CAS: &str = "Trend Micro Cloud App Security";

/// A command on a server: its exit code, and what it printed as JSON.
fn ran(server: &Server, arguments: &[&str]) -> (i32, Value) {
    let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
        .args(arguments)
        .args(["--format", "json", "--server", server.url(), "--token", server.token()])
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    let value = serde_json::from_str(&printed);
    (
        ran.status.code().unwrap(),
        value.unwrap_or_else(|_| panic!("{arguments:?}: {printed} {errors}")),
    )
}

/// Runs an action of Cloud App Security.
fn act(server: &Server, action: &str, more: &[&str]) -> (i32, Value) {
    let action = format!("trend_micro_cas.{action}");
    ran(server, &[&["action", "run", &action, "--poll", "200ms"], more].concat())
}

fn apply(server: &Server, place: &Path, text: &str) {
    let file = place.join("connectors.yaml");
    std::fs::write(&file, text).unwrap();
    server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
}

fn cas_connector(vendor: &Vendor) -> String {
    format!(
        "connectors:\n  - name: cas\n    integration: trend_micro_cas\n    enabled: false\n    \
         credential: {{ api_keys: sim-key }}\n    parameters: {{ base_url: \"http://{}\" }}\n    \
         quota: {{ requests: 200, per: 1s }}\n",
        vendor.address
    )
}

/// Something that the vendor blocks, and that a mail of its leads to.
const URL: &str = "url=http://pay.bad.example/login";

#[test]
fn the_six_actions_say_what_they_did_in_words_and_in_json() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let faults = [
        "--events",
        "0",
        "--fault",
        "action_delay=300ms",
        "--fault",
        "requests=200",
        "--fault",
        "window=1s",
    ];
    let vendor = Vendor::start(place, &faults);
    let server = Server::start(place, &[], "");
    apply(&server, place, &cas_connector(&vendor));

    connects(&server);
    blocks(&server, &vendor);
    learns(&server);
    mitigates_mails(&server, &vendor);
    mitigates_no_account(&server);
    let (_, history) = ran(&server, &["action", "history"]);
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), 8);
    assert!(history.iter().all(|run| run["actor"] == "admin" && run["connector"] == "cas"));
    assert!(!std::fs::read_to_string(place.join("server.err")).unwrap().contains("sim-key"));
}

fn connects(server: &Server) {
    let (code, run) = act(server, "ping", &[]);
    assert_eq!((code, run["is_success"].as_bool()), (0, Some(true)));
    assert_eq!(
        run["message"],
        format!(
            "Successfully connected to the {CAS} instance with the provided connection parameters!"
        )
    );
}

fn blocks(server: &Server, vendor: &Vendor) {
    let (code, run) = act(
        server,
        "add_entities_to_blocklist",
        &["--entity", URL, "--entity", "user=bad@sender.example", "--entity", "file_name=inv.pdf"],
    );
    assert_eq!((code, run["state"].as_str()), (0, Some("succeeded")), "{run:#}");
    assert_eq!(
        run["message"],
        format!(
            "\nSuccessfully added the following entities to blocklist in {CAS}: http://pay.bad.example/login\nbad@sender.example"
        )
    );
    assert_eq!(run["items"][2]["state"], "skipped");
    let (code, run) = act(server, "add_entities_to_blocklist", &["--entity", URL]);
    assert_eq!(code, 0);
    assert_eq!(
        run["message"],
        format!(
            "\nThe following entities are already a part of blocklist in {CAS}: http://pay.bad.example/login."
        )
    );
    let state = vendor.ask("/_sim/state");
    assert_eq!(state["blocklist"]["urls"], json!(["pay.bad.example/login"]));
    assert_eq!(state["blocklist"]["senders"], json!(["bad@sender.example"]));
}

fn learns(server: &Server) {
    let (code, run) =
        act(server, "enrich_entities", &["--entity", URL, "--entity", "url=https://good.example/"]);
    assert_eq!((code, run["state"].as_str()), (3, Some("partial")));
    assert_eq!(run["result"], json!({ "blocked_urls": ["http://pay.bad.example/login"] }));
    let (_, known) = ran(server, &["action", "entity", URL]);
    assert!(known.as_array().unwrap().iter().any(|property| {
        property["name"] == "TMCAS_blocked"
            && property["value"] == "True"
            && property["is_suspicious"] == true
    }));

    let (code, run) = act(
        server,
        "entity_email_search",
        &["--entity", URL, "--entity", "ip=203.0.113.20", "--param", "max_days_backwards=7"],
    );
    assert_eq!((code, run["is_success"].as_bool()), (0, Some(true)), "{run:#}");
    let found: Vec<&str> = run["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| mail["mail_unique_id"].as_str().unwrap())
        .collect();
    assert!(
        ["AAMkSIM00000-0=", "AAMkSIM00000-1=", "AAMkSIM00002-0="]
            .iter()
            .all(|id| found.contains(id)),
        "{found:?}"
    );
}

fn mitigates_mails(server: &Server, vendor: &Vendor) {
    let message = "message_ids=<sim-mail-0@mail.sender.example>, <nobody@has.this.example>";
    let (code, run) = act(
        server,
        "mitigate_emails",
        &[
            "--param",
            message,
            "--param",
            "service=Exchange",
            "--param",
            "mitigation_action=Quarantine",
        ],
    );
    assert_eq!((code, run["state"].as_str()), (3, Some("partial")), "{run:#}");
    assert_eq!(
        run["message"],
        format!(
            "\nSuccessfully mitigated the following emails in {CAS}: <sim-mail-0@mail.sender.example>\nAction wasn’t able to mitigate the following emails in {CAS}: <nobody@has.this.example>"
        )
    );
    let quarantined = vendor.ask("/_sim/state")["mails"].clone();
    assert_eq!(quarantined.as_array().unwrap().len(), 2, "both mailboxes: {quarantined:#}");
    let (code, run) = act(
        server,
        "mitigate_emails",
        &["--param", message, "--param", "mitigation_action=Quarantine"],
    );
    assert_eq!((code, run["state"].as_str()), (1, Some("failed")));
    assert_eq!(
        run["message"],
        "Error executing action TrendMicroCloudAppSecurity - Mitigate Emails. Reason: You can only delete emails in gmail service."
    );
}

fn mitigates_no_account(server: &Server) {
    let bad = ["--locale", "ja", "--param", "email_addresses=ghost@corp.example, no-address"];
    let (code, run) = act(server, "mitigate_accounts", &bad);
    assert_eq!((code, run["is_success"].as_bool()), (1, Some(false)));
    assert_eq!(run["message"], format!("\n{CAS} で対処できたアカウントはありません。"));
}

#[test]
fn an_account_batch_goes_on_over_the_death_of_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let quota = ["--fault", "requests=200", "--fault", "window=1s"];
    let more = ["--events", "0", "--fault", "action_delay=6s"];
    let vendor = Vendor::start(place, &[&more[..], &quota].concat());
    let server = Server::start(place, &[], "");
    apply(&server, place, &cas_connector(&vendor));
    let accounts = "email_addresses=mina@corp.example, ghost@corp.example, ito@corp.example";
    let (_, run) = act(&server, "mitigate_accounts", &["--param", accounts, "--no-wait"]);
    let id = run["id"].as_str().unwrap().to_owned();
    let shown = |server: &Server| server.ask_json(&["action", "status", &id]);
    wait_until("the vendor has accepted the batch", || {
        shown(&server)["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["state"] == "accepted")
            .count()
            == 3
    });
    server.kill();
    pause(Duration::from_millis(500));
    let server = Server::start(place, &[], "");
    wait_until("the run has ended", || !shown(&server)["ended_at"].is_null());
    let run = shown(&server);
    assert_eq!(run["state"], "partial", "{run:#}");
    assert_eq!(
        run["message"],
        format!(
            "\nSuccessfully mitigated the following accounts in {CAS}: mina@corp.example\nito@corp.example\nAction wasn't able to mitigate the following accounts in {CAS}: ghost@corp.example"
        )
    );
    let requests = vendor.ask("/_sim/requests");
    let posts =
        requests.as_array().unwrap().iter().filter(|request| request["method"] == "POST").count();
    assert_eq!(posts, 1);
}

const TEMPLATES: [&str; 5] = [
    "Trend Vision One Add To Block List",
    "Trend Vision One Isolate Endpoint",
    "Trend Vision One Quarantine Email Message",
    "Trend Vision One Remove From Block List",
    "Trend Vision One Restore Endpoint Connection",
];

#[test]
fn the_five_webhooks_act_on_an_alert_by_hand_and_the_history_shows_each() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let vendor =
        Vendor::of(place, "trend_vision_one", &["--events", "600", "--fault", "task_delay=300ms"]);
    let config = place.join("tarn.yaml");
    std::fs::write(&config, "egress: { allow: [127.0.0.1] }\n").unwrap();
    let server = Server::start(place, &["--config", config.to_str().unwrap()], "");
    applies(&server, place, &vendor);
    let alerts = stored(&server);
    // Whether a template has what it needs of an alert, its preview says.
    let fitting = |template: &str| {
        let fits = |uid: &&String| {
            let preview = server.try_ask(&["responder", "preview", template, "--record", uid]);
            preview.trim_start().starts_with('{')
        };
        alerts.iter().find(fits).unwrap_or_else(|| panic!("no alert fits {template}")).clone()
    };
    let blocked = fitting(TEMPLATES[0]);
    let isolated = fitting(TEMPLATES[1]);
    let quarantined = fitting(TEMPLATES[2]);
    let by_hand = |template: &str, uid: &str| {
        let (code, run) = ran(&server, &["responder", "run", template, "--record", uid]);
        assert_eq!((code, run["state"].as_str()), (0, Some("succeeded")), "{run:#}");
        assert_eq!(run["origin"]["record"], uid);
        run
    };
    let state = || vendor.ask("/_sim/state");
    by_hand(TEMPLATES[0], &blocked);
    assert_eq!(state()["suspicious_objects"].as_array().unwrap().len(), 1);
    let isolation = by_hand(TEMPLATES[1], &isolated);
    assert_eq!(state()["endpoints"][0]["isolated"], true);
    by_hand(TEMPLATES[2], &quarantined);
    assert_eq!(state()["mails"][0]["state"], "quarantined");
    by_hand(TEMPLATES[3], &blocked);
    assert_eq!(state()["suspicious_objects"], json!([]));
    assert_eq!(isolation["reverse"], format!("responder.{}", TEMPLATES[4]));
    let (code, restored) = ran(&server, &["action", "revert", isolation["id"].as_str().unwrap()]);
    assert_eq!((code, restored["state"].as_str()), (0, Some("succeeded")), "{restored:#}");
    assert_eq!(state()["endpoints"][0]["isolated"], false);
    is_shown(&server, &isolation);

    // The path and the body may be edited before they are sent; what leads nowhere public is refused.
    let edit = r#"{"path":"/v3.0/response/endpoints/nowhere"}"#;
    let (code, run) =
        ran(&server, &["responder", "run", TEMPLATES[1], "--record", &isolated, "--edit", edit]);
    assert_eq!((code, run["state"].as_str()), (1, Some("failed")), "{run:#}");
    server.kill();
    let server = Server::start(place, &[], "");
    let (code, run) = ran(&server, &["responder", "run", TEMPLATES[1], "--record", &isolated]);
    assert_eq!((code, run["state"].as_str()), (1, Some("failed")));
    assert!(run["message"].as_str().unwrap().contains("egress.allow"), "{run:#}");
}

/// Makes a connector that collects alerts, and a responder of each template.
fn applies(server: &Server, place: &Path, vendor: &Vendor) {
    apply(
        server,
        place,
        &format!(
            "connectors:\n  - name: v1\n    integration: trend_vision_one\n    content_types: [alerts]\n    \
         credential: {{ token: sim-key }}\n    parameters: {{ base_url: \"http://{}\" }}\n    backfill: 30d\n",
            vendor.address
        ),
    );
    let documents: String = TEMPLATES
        .map(|template| format!(
            "  - name: {template}\n    tenant: all\n    template: {template}\n    request: {{ host: \"{}\", protocol: http }}\n    \
             auth: {{ token: sim-key }}\n    poll: {{ every: 200ms }}\n", vendor.address
        ))
        .concat();
    let file = place.join("responders.yaml");
    std::fs::write(&file, format!("responders:\n{documents}")).unwrap();
    let (_, plan) = ran(server, &["responder", "apply", "-f", file.to_str().unwrap()]);
    assert!(plan.as_array().unwrap().iter().all(|change| change["kind"] == "create"), "{plan}");
    let (_, again) = ran(server, &["responder", "apply", "-f", file.to_str().unwrap()]);
    assert!(
        again.as_array().unwrap().iter().all(|change| change["kind"] == "unchanged"),
        "{again}"
    );
    let (_, actions) = ran(server, &["action", "list"]);
    let names: Vec<&str> = actions
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["action"].as_str().unwrap())
        .collect();
    for template in TEMPLATES {
        assert!(names.contains(&&*format!("responder.{template}")), "{names:?}");
    }
}

/// The uids of alerts, once some are stored.
fn stored(server: &Server) -> Vec<String> {
    let mut alerts = Vec::new();
    wait_until("alerts are stored", || {
        let rows = server.ask(&[
            "query",
            "--lang",
            "sql",
            "--format",
            "ndjson",
            "SELECT uid FROM events ORDER BY time DESC LIMIT 200",
        ]);
        alerts = rows
            .lines()
            .map(|row| {
                serde_json::from_str::<Value>(row).unwrap()["uid"].as_str().unwrap().to_owned()
            })
            .collect();
        alerts.len() >= 30
    });
    alerts
}

/// The history shows each webhook, and nothing secret.
fn is_shown(server: &Server, isolation: &Value) {
    let (_, history) = ran(server, &["action", "history", "--webhooks"]);
    let names: Vec<&str> =
        history.as_array().unwrap().iter().map(|run| run["connector"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 5);
    assert!(TEMPLATES.iter().all(|template| names.contains(template)), "{names:?}");
    let run = server.ask_json(&["action", "status", isolation["id"].as_str().unwrap()]);
    let sent =
        run["steps"].as_array().unwrap().iter().find(|step| step["is_change"] == true).unwrap();
    assert_eq!(sent["request"]["headers"]["authorization"], "Bearer ********");
    assert!(!run.to_string().contains("sim-key"));
}
