//! The words of outcomes: the English ones are those that users of the product's earlier integrations know.

use model::action::{ItemState, Text};

use super::{
    add_entities_to_blocklist, enrich_entities, entity_email_search, list_blocklist,
    mitigate_accounts, mitigate_emails, ping, remove_entities_from_blocklist,
};
use crate::action::{Board, names};

/// The whole message of a run that failed.
pub(super) fn fatal(action: &str, reason: &Text) -> Text {
    if action == ping::NAME {
        return Text::new(
            format!(
                "Failed to connect to the Trend Micro Cloud App Security! Error: {}.",
                reason.en
            ),
            format!("Trend Micro Cloud App Security に接続できませんでした。エラー: {}", reason.ja),
        );
    }
    // Two of the product's known messages name the integration as people do, the others as a program does.
    let (integration, en, ja) = match action {
        add_entities_to_blocklist::NAME => {
            (SHORT, "Add Entities To Blocklist", "ブロックリストに追加")
        }
        remove_entities_from_blocklist::NAME => {
            (SHORT, "Remove Entities From Blocklist", "ブロックリストから削除")
        }
        list_blocklist::NAME => (SHORT, "List Blocklist", "ブロックリストの一覧"),
        enrich_entities::NAME => (LONG, "Enrich Entities", "エンティティの情報付加"),
        entity_email_search::NAME => {
            (SHORT, "Entity Email Search", "エンティティに関連するメールの検索")
        }
        mitigate_emails::NAME => (SHORT, "Mitigate Emails", "メールの対処"),
        mitigate_accounts::NAME => (LONG, "Mitigate Accounts", "アカウントの対処"),
        unknown => (SHORT, unknown, unknown),
    };
    Text::new(
        format!("Error executing action {integration} - {en}. Reason: {}.", reason.en),
        format!("アクション「{ja}」を実行できませんでした。理由: {}", reason.ja),
    )
}

const SHORT: &str = "TrendMicroCloudAppSecurity";
const LONG: &str = "Trend Micro Cloud App Security";

/// A sentence in front of ids and the end of it behind them; each as English and Japanese.
pub(super) struct Sentence {
    pub(super) before: [&'static str; 2],
    pub(super) after: [&'static str; 2],
}

impl Sentence {
    /// A sentence that ends with the ids.
    pub(super) const fn open(en: &'static str, ja: &'static str) -> Self {
        Self { before: [en, ja], after: ["", ""] }
    }

    /// A sentence that goes on behind the ids.
    pub(super) const fn closed(
        en: &'static str,
        ja: &'static str,
        after: [&'static str; 2],
    ) -> Self {
        Self { before: [en, ja], after }
    }

    /// The sentence about these ids, one in each line.
    pub(super) fn about(&self, ids: &[&str]) -> Text {
        self.with(&names(ids))
    }

    /// The sentence about these ids in one line.
    pub(super) fn in_line(&self, ids: &[&str]) -> Text {
        self.with(&ids.join(", "))
    }

    fn with(&self, ids: &str) -> Text {
        let [en, ja] = self.before;
        let [en_after, ja_after] = self.after;
        Text::new(format!("{en}{ids}{en_after}"), format!("{ja}{ids}{ja_after}"))
    }
}

/// What no earlier integration told: items that are neither done nor failed, or would only be done.
const REMARKS: [(ItemState, Sentence); 5] = [
    (
        ItemState::Planned,
        Sentence::open(
            "\nDry run: nothing was sent. The action would work on the following: ",
            "\nドライランのため、何も送信していません。次のものが対象になります: ",
        ),
    ),
    (
        ItemState::Protected,
        Sentence::open(
            "\nThe following are protected and were left alone: ",
            "\n次のものは保護されているため、何も行っていません: ",
        ),
    ),
    (
        ItemState::OverCap,
        Sentence::open(
            "\nThe following were left alone because the action's cap for the hour is reached: ",
            "\n1 時間あたりの上限に達したため、次のものには何も行っていません: ",
        ),
    ),
    (
        ItemState::Expired,
        Sentence::open(
            "\nThe vendor accepted the following and was not done with them when the time was over: ",
            "\n次のものは受け付けられましたが、待ち時間内に完了しませんでした: ",
        ),
    ),
    (
        ItemState::Unknown,
        Sentence::open(
            "\nThe following were sent, and nobody can say what came of it: ",
            "\n次のものは送信しましたが、結果を確認できませんでした: ",
        ),
    ),
];

/// Adds what there is to say about items that are neither done nor failed.
pub(super) fn push_remarks(message: &mut Text, board: &Board) {
    for (state, sentence) in &REMARKS {
        let ids = board.values(|own| own == *state);
        if !ids.is_empty() {
            message.push(&sentence.about(&ids));
        }
    }
}

/// Why nobody can say what came of a request.
pub(super) fn unknown(detail: &str) -> Text {
    Text::new(detail, format!("送信しましたが、結果を確認できませんでした: {detail}"))
}

/// Whether an item could not be worked on.
pub(super) fn is_failure(state: ItemState) -> bool {
    matches!(state, ItemState::Failed | ItemState::Invalid)
}

/// Whether a run succeeded: something is as it was to be, or would be in a dry run.
pub(super) fn is_success(board: &Board) -> bool {
    !board.values(|state| state.is_success() || state == ItemState::Planned).is_empty()
}

/// A state as tables show it.
pub(super) fn word(state: ItemState) -> &'static str {
    match state {
        ItemState::Pending => "pending",
        ItemState::Accepted => "accepted",
        ItemState::Succeeded => "succeeded",
        ItemState::Already => "already done",
        ItemState::Failed => "failed",
        ItemState::Skipped => "skipped",
        ItemState::Invalid => "invalid",
        ItemState::Protected => "protected",
        ItemState::OverCap => "over cap",
        ItemState::Planned => "planned",
        ItemState::Unknown => "unknown",
        ItemState::Expired => "expired",
    }
}
