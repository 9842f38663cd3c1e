//! Mitigates accounts: waits until every account that was submitted is done.

use std::time::Duration;

use model::action::{Entity, EntityKind, Halt, Item, ItemState, Outcome, Text};
use model::time::Timestamp;
use model::vendor::Fault;
use serde_json::{Value, json};

use super::mail_address::is_mail_address;
use super::messages::{Sentence, is_failure, is_success, push_remarks};
use super::mitigation::{Fate, Job, Kind};
use super::waiting::waiting;
use super::{Desk, Manner};
use crate::action::{Board, reason};

pub(super) const NAME: &str = "mitigate_accounts";

const BEGUN: Sentence = Sentence::closed(
    "\nSuccessfully initiated mitigation process for the following accounts in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のアカウントへの対処を開始しました: ",
    [". Waiting for mitigation actions to finish...", "。完了を待っています..."],
);
const SET_ASIDE: Sentence = Sentence::closed(
    "\nAction wasn't able to mitigate the following accounts in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のアカウントには対処できませんでした: ",
    [".", ""],
);
const DONE: Sentence = Sentence::open(
    "\nSuccessfully mitigated the following accounts in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のアカウントに対処しました: ",
);
const FAILED: Sentence = Sentence::open(
    "\nAction wasn't able to mitigate the following accounts in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のアカウントには対処できませんでした: ",
);

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let action = match desk.input().text("mitigation_action") {
        "" | "Disable Account" => "ACCOUNT_DISABLE",
        "Enable MFA" => "ACCOUNT_ENABLE_MFA",
        "Reset Password" => "ACCOUNT_RESET_PASSWORD",
        "Revoke Sign In Sessions" => "ACCOUNT_REVOKE_SIGNIN_SESSIONS",
        other => return Err(Halt::fatal(format!("`{other}` is no mitigation action"))),
    };
    let mut board = Board::new();
    for address in desk.input().list("email_addresses") {
        let item = Item::new(Entity::new(EntityKind::EmailAddress, &*address), ItemState::Pending);
        board.push(if is_mail_address(&address) {
            item
        } else {
            let why = Text::new("no mail address", "メールアドレスではありません");
            Item { state: ItemState::Invalid, ..item.because(why) }
        });
    }
    let permitted = board.permit(desk.journal()).await?;
    // What is sent is kept, so that another life of the run goes by the same.
    let elements: Vec<Value> = match desk.recall("elements").await? {
        Some(elements) => elements,
        None => {
            if !permitted.is_empty() {
                check_vendor(desk).await?;
            }
            let elements = permitted.iter().map(|account| element(action, account)).collect();
            desk.keep("elements", &elements).await?;
            elements
        }
    };
    let targets: Vec<_> = elements.iter().map(account).collect();
    let job = Job { desk, kind: Kind::Accounts, elements: &elements, targets: &targets };
    let shown = |fates: &[Fate], is_first: bool| {
        let mut board = board.clone();
        settle(&mut board, fates, &targets);
        let message = if is_first { begun(&board) } else { waiting() };
        (board.into_items(), message)
    };
    let mut fates = job.submit(&shown).await?;
    let records = job.follow(&mut fates, &shown).await?;
    settle(&mut board, &fates, &targets);
    let mut outcome = told(board);
    outcome.result = Value::Array(records);
    Ok(outcome)
}

/// Asks the vendor for the results of the last minute before anything is sent: a key without the right, or a vendor
/// that is down, ends the run here, and not with a change of which nobody knows whether it was taken.
async fn check_vendor(desk: &Desk<'_>) -> Result<(), Halt> {
    let now = desk.journal().now();
    let [start, end] = [now - Duration::from_secs(60), now].map(Timestamp::to_rfc3339_millis);
    let query = [("start", &*start), ("end", &*end), ("limit", "1")];
    let url = desk.url(Kind::Accounts.path(), &query);
    match desk.try_get("ready", url, Manner::Ask).await? {
        // What it says against this question is no word against the action.
        Err(error) if error.fault != Fault::BadRequest => Err(Halt::Fatal(reason(&error))),
        _ => Ok(()),
    }
}

/// What is sent for an account. The vendor acts on accounts of Microsoft 365 only.
fn element(action: &str, account: &Entity) -> Value {
    json!({
        "action_type": action,
        "service": "exchange",
        "account_provider": "office365",
        "account_user_email": account.value,
    })
}

fn account(element: &Value) -> Entity {
    let address = element["account_user_email"].as_str().unwrap_or_default();
    Entity::new(EntityKind::EmailAddress, address)
}

fn settle(board: &mut Board, fates: &[Fate], targets: &[Entity]) {
    for (fate, target) in fates.iter().zip(targets) {
        if let Some(item) = board.item(target) {
            item.state = fate.state;
            item.detail = fate.detail.clone();
            item.handle = fate.batch.clone();
        }
    }
}

fn begun(board: &Board) -> Text {
    let begun = board.values(|state| state == ItemState::Accepted);
    let mut message = BEGUN.in_line(&begun);
    let set_aside = board.values(is_failure);
    if !set_aside.is_empty() {
        message.push(&SET_ASIDE.in_line(&set_aside));
    }
    message
}

fn told(board: Board) -> Outcome {
    let mut message = Text::default();
    let done = board.values(ItemState::is_success);
    let failures = board.values(is_failure);
    let is_success = is_success(&board);
    if !done.is_empty() {
        message.push(&DONE.about(&done));
    }
    if !is_success {
        message.push(&Text::new(
            "\nNo accounts were mitigated in Trend Micro Cloud App Security.",
            "\nTrend Micro Cloud App Security で対処できたアカウントはありません。",
        ));
    } else if !failures.is_empty() {
        message.push(&FAILED.about(&failures));
    }
    push_remarks(&mut message, &board);
    let mut outcome = Outcome::said(is_success, message);
    outcome.items = board.into_items();
    outcome
}
