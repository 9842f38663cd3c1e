//! Actions under `kill -9`: a process is killed at every step of a run's journal in turn, and whatever it had sent
//! by then, the run that goes on has asked the vendor for each thing once, and tells so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{Process, Vendor, free_address, wait_until};

/// How often a run passes steps at most, before the enumeration is believed to have no end.
const MOST_STEPS: usize = 200;

/// An action, what it is asked, and what of it a vendor with state shows.
struct Case {
    action: &'static str,
    integration: &'static str,
    credential: &'static str,
    arguments: &'static [&'static str],
    /// The path of the requests that change something.
    path: &'static str,
    /// The things that they name, and the member of an item that names them.
    items: &'static [&'static str],
    member: &'static str,
    /// The effects, out of the vendor's state.
    effects: fn(&Value) -> Vec<i64>,
}

const ACCOUNTS: Case = Case {
    action: "trend_micro_cas.mitigate_accounts",
    integration: "trend_micro_cas",
    credential: "{ api_keys: sim-key }",
    arguments: &[
        "--param",
        "email_addresses=mina@corp.example, ito@corp.example",
        "--param",
        "mitigation_action=Reset Password",
    ],
    path: "/v1/mitigation/accounts",
    items: &["mina@corp.example", "ito@corp.example"],
    member: "account_user_email",
    effects: |state| each(&state["accounts"], "password_resets"),
};

const EMAILS: Case = Case {
    action: "trend_micro_cas.mitigate_emails",
    integration: "trend_micro_cas",
    credential: "{ api_keys: sim-key }",
    arguments: &[
        "--param",
        "message_ids=<sim-mail-0@mail.sender.example>, <sim-mail-1@mail.sender.example>",
        "--param",
        "mitigation_action=Quarantine",
        "--param",
        "service=Exchange",
    ],
    path: "/v1/mitigation/mails",
    // The first message lies in two mailboxes.
    items: &["AAMkSIM00000-0=", "AAMkSIM00000-1=", "AAMkSIM00001-0="],
    member: "mail_unique_id",
    effects: |state| each(&state["mails"], "effects"),
};

const ISOLATION: Case = Case {
    action: "trend_vision_one.isolate_endpoint",
    integration: "trend_vision_one",
    credential: "{ token: sim-key }",
    arguments: &["--entity", "host=TARN-PC-0112"],
    path: "/v3.0/response/endpoints/isolate",
    items: &["TARN-PC-0112"],
    member: "endpointName",
    effects: |state| each(&state["endpoints"], "effects"),
};

#[test]
fn accounts_are_mitigated_once_wherever_the_process_is_killed() {
    killed_everywhere(&ACCOUNTS);
}

#[test]
fn mails_are_mitigated_once_wherever_the_process_is_killed() {
    killed_everywhere(&EMAILS);
}

#[test]
fn an_endpoint_is_isolated_once_wherever_the_process_is_killed() {
    killed_everywhere(&ISOLATION);
}

/// Kills a run at its first step, then one at its second, and so on until one ends before it is killed.
fn killed_everywhere(case: &Case) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let address = free_address();
    let file = place.join("connectors.yaml");
    let document = format!(
        "connectors:\n  - name: c\n    integration: {}\n    enabled: false\n    credential: {}\n    \
         parameters: {{ base_url: \"http://{address}\" }}\n    quota: {{ requests: 200, per: 1s }}\n",
        case.integration, case.credential
    );
    std::fs::write(&file, document).unwrap();
    tarn(place, &["connector", "apply", "-f", file.to_str().unwrap()]);
    let (mut kills, mut sent_before_kill) = (0, 0);
    loop {
        assert!(kills < MOST_STEPS, "no end after {kills} steps");
        let knob =
            if case.integration == "trend_micro_cas" { "action_delay" } else { "task_delay" };
        let fault = format!("{knob}=300ms");
        // A vendor that starts anew gives its ids anew: by another seed, as no real one gives them twice.
        let seed = (kills + 1).to_string();
        let arguments = ["--events", "0", "--seed", &seed, "--fault", &fault];
        let vendor = Vendor::at(&address, place, case.integration, &arguments);
        let was_killed = killed_at(place, case, kills);
        if was_killed && accepted(&vendor, case).iter().any(|count| *count > 0) {
            sent_before_kill += 1;
        }
        if was_killed {
            tarn(place, &["action", "resume"]);
        }
        let counts = accepted(&vendor, case);
        assert_eq!(counts, vec![1; case.items.len()], "step {kills}: accepted requests per item");
        let effects = (case.effects)(&vendor.ask("/_sim/state"));
        assert_eq!(effects, vec![1; case.items.len()], "step {kills}: effects");
        let runs = json_of(&tarn(place, &["action", "history", "--format", "json"]));
        let runs = runs.as_array().unwrap();
        assert_eq!(runs.len(), kills + 1, "one row for each run");
        assert_eq!(runs[0]["state"], "succeeded", "step {kills}: {:#}", runs[0]);
        assert_eq!(runs[0]["is_success"], true);
        let items = runs[0]["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["state"] == "succeeded"), "{items:#?}");
        if !was_killed {
            break;
        }
        kills += 1;
    }
    assert!(sent_before_kill > 0 && kills > sent_before_kill, "{sent_before_kill} of {kills}");
    println!(
        "{}: steps={kills} killed={kills} sent_before_the_kill={sent_before_kill} accepted_twice=0 lost=0",
        case.action
    );
}

/// A webhook cannot be asked afterwards.
#[test]
fn a_webhook_that_may_have_arrived_is_unknown_and_never_sent_twice() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let address = free_address();
    std::fs::write(place.join("tarn.yaml"), "egress: { allow: [127.0.0.1] }\n").unwrap();
    let document = json!({
        "name": "Isolate", "effect": "contains",
        "request": {
            "host": address, "protocol": "http", "path": "/v3.0/response/endpoints/isolate",
            "body": [{ "endpointName": "{{ target }}" }],
        },
        "auth": { "type": "bearer", "token": "sim-key" },
        "parameters": [{
            "name": "machine", "type": "text", "required": true,
            "title": { "en": "Machine", "ja": "端末" }, "help": { "en": "Which", "ja": "対象" },
        }],
        "target": { "type": "host", "value": "{{ parameters.machine }}" },
        "success": { "items": { "path": "$", "status_field": "status", "ok": [202] } },
    });
    let file = place.join("responder.json");
    std::fs::write(&file, document.to_string()).unwrap();
    tarn(place, &["responder", "apply", "-f", file.to_str().unwrap()]);
    let arguments = &["--config", "tarn.yaml", "--param", "machine=TARN-PC-0112"];
    let case = Case { action: "responder.Isolate", arguments, ..ISOLATION };
    let (mut kills, mut unknown) = (0, 0);
    loop {
        assert!(kills < MOST_STEPS, "no end after {kills} steps");
        let vendor = Vendor::at(
            &address,
            place,
            case.integration,
            &["--events", "0", "--fault", "task_delay=0s"],
        );
        let was_killed = killed_at(place, &case, kills);
        let sent = accepted(&vendor, &case);
        if was_killed {
            tarn(place, &["action", "resume", "--config", "tarn.yaml"]);
        }
        let counts = accepted(&vendor, &case);
        let runs = json_of(&tarn(place, &["action", "history", "--format", "json"]));
        assert_eq!(runs.as_array().unwrap().len(), kills + 1);
        match runs[0]["state"].as_str().unwrap() {
            "succeeded" => assert_eq!(counts, [1], "step {kills}"),
            "unknown" => {
                assert_eq!(counts, sent, "step {kills}: nothing is sent when the end is not known");
                unknown += 1;
            }
            other => panic!("step {kills}: {other}: {:#}", runs[0]),
        }
        if !was_killed {
            break;
        }
        kills += 1;
    }
    assert!(unknown > 0 && unknown < kills, "{unknown} of {kills}");
    println!("webhook: steps={kills} killed={kills} unknown={unknown} accepted_twice=0");
}

/// Runs the action and kills it when it has passed a number of steps; `false` when it ended before.
fn killed_at(place: &Path, case: &Case, steps: usize) -> bool {
    let mark: PathBuf = place.join("held");
    drop(std::fs::remove_file(&mark));
    let hold = format!("actions.step={steps}*off->1*return(hold:{})", mark.display());
    let fixed = [
        "--data-dir",
        "data",
        "action",
        "run",
        case.action,
        "--poll",
        "100ms",
        "--settle",
        "500ms",
        "--timeout",
        "5m",
    ];
    let mut run = Process::start(place, "run", &[&fixed[..], case.arguments].concat(), &hold);
    let mut has_ended = false;
    wait_until("the run is held or ends", || {
        has_ended = run.has_ended();
        has_ended || mark.exists()
    });
    run.kill();
    mark.exists()
}

/// How many accepted requests named each item.
fn accepted(vendor: &Vendor, case: &Case) -> Vec<usize> {
    let requests = vendor.ask("/_sim/requests");
    let posts: Vec<&Value> = requests
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["method"] == "POST" && request["path"] == case.path)
        .filter(|request| request["status"].as_u64().is_some_and(|status| status < 300))
        .collect();
    case.items
        .iter()
        .map(|item| {
            let names = |element: &&Value| element[case.member] == json!(item);
            let of_post =
                |post: &&Value| post["body"].as_array().unwrap().iter().filter(names).count();
            posts.iter().map(of_post).sum()
        })
        .collect()
}

fn each(rows: &Value, member: &str) -> Vec<i64> {
    rows.as_array().unwrap().iter().map(|row| row[member].as_i64().unwrap()).collect()
}

/// Runs a command on the data directory; answers its standard output.
fn tarn(place: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
        .args(["--data-dir", "data"])
        .args(arguments)
        .current_dir(place)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
