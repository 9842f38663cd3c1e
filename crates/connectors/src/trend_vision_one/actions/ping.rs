//! Whether the vendor can be reached and knows the key.

use model::action::{Halt, Outcome, Text};
use model::vendor::Fault;
use serde_json::json;

use super::run::Run;
use crate::action::{Ask, reason};

/// Asks whether the service is there, and then for data: the first answers to a key that has run out, too.
pub(super) async fn act(run: &Run<'_>) -> Result<Outcome, Halt> {
    let mut tasks = run.url("response/tasks");
    tasks.query_pairs_mut().append_pair("top", "50");
    for (step, url) in [("health", run.url("healthcheck/connectivity")), ("tasks", tasks)] {
        let Err(error) = run.exchange.inquire(step, &Ask::get(url)).await? else { continue };
        if error.fault == Fault::MissingScope && step == "tasks" {
            // The vendor knows the key; some of the actions need no task list.
            let mut outcome = connected(false);
            outcome.message.push(&Text::new(
                "\nThe key lacks Response Management > View (Task List tab): actions with tasks will be refused.",
                "\nキーに Response Management > View（Task List タブ）の権限がないため、タスクを伴うアクションは拒否されます。",
            ));
            return Ok(outcome);
        }
        let why = reason(&error);
        return Ok(Outcome::said(
            false,
            Text::new(
                format!("Failed to connect to the Trend Vision One! Error: {}.", why.en),
                format!("Trend Vision One に接続できませんでした。エラー: {}", why.ja),
            ),
        ));
    }
    Ok(connected(true))
}

fn connected(responds: bool) -> Outcome {
    let mut outcome = Outcome::said(
        true,
        Text::new(
            "Successfully connected to the Trend Vision One instance with the provided connection parameters!",
            "指定された接続パラメータで Trend Vision One に接続しました。",
        ),
    );
    outcome.result = json!({ "status": "available", "can_list_tasks": responds });
    outcome
}
