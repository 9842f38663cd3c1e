//! What a run says at its end: one line for the case wall, and one for each thing that it worked on.

use model::action::outcome::Table;
use model::action::{Item, ItemState, Text};

/// The state of one thing, in words.
pub(crate) fn state(state: ItemState) -> Text {
    match state {
        ItemState::Pending => Text::new("not sent", "未送信"),
        ItemState::Accepted => Text::new("accepted, not done yet", "受付済み (処理中)"),
        ItemState::Succeeded => Text::new("done", "完了"),
        ItemState::Already => Text::new("was so before", "適用済み"),
        ItemState::Failed => Text::new("failed", "失敗"),
        ItemState::Skipped => Text::new("skipped", "対象外"),
        ItemState::Invalid => Text::new("not valid", "無効な値"),
        ItemState::Protected => Text::new("protected", "保護対象"),
        ItemState::OverCap => Text::new("over the cap", "上限超過"),
        ItemState::Planned => Text::new("would be sent", "送信予定"),
        ItemState::Unknown => Text::new("sent, not confirmed", "送信済み (結果は不明)"),
        ItemState::Expired => Text::new("not done in time", "時間内に完了せず"),
    }
}

/// The message of a run: how many of how many, then a line for each thing.
pub(crate) fn message(title: &Text, items: &[Item], is_dry_run: bool) -> Text {
    let count =
        |holds: fn(ItemState) -> bool| items.iter().filter(|item| holds(item.state)).count();
    let all = items.len();
    let done = count(ItemState::is_success);
    let running = count(|state| state == ItemState::Accepted);
    let unsure = count(|state| state == ItemState::Unknown);
    let mut message = if is_dry_run {
        let planned = count(|state| state == ItemState::Planned);
        Text::new(
            format!("{}: dry run, {planned} of {all} would be sent.", title.en),
            format!("{}: 試行のみ。{all} 件中 {planned} 件を送信する予定です。", title.ja),
        )
    } else if done == 0 && running == 0 && unsure > 0 {
        Text::new(
            format!("{}: sent, not confirmable: needs a person.", title.en),
            format!("{}: 送信しましたが、結果を確認できません。担当者の確認が必要です。", title.ja),
        )
    } else if running > 0 {
        Text::new(
            format!("{}: {done} of {all} done, {running} accepted and not done yet.", title.en),
            format!(
                "{}: {all} 件中 {done} 件が完了、{running} 件は受付済みで処理中です。",
                title.ja
            ),
        )
    } else if done == all {
        Text::new(
            format!("{}: done for {done} of {all}.", title.en),
            format!("{}: {all} 件中 {done} 件が完了しました。", title.ja),
        )
    } else if done > 0 {
        Text::new(
            format!("{}: only done for {done} of {all}.", title.en),
            format!("{}: {all} 件中 {done} 件だけが完了しました。", title.ja),
        )
    } else {
        Text::new(
            format!("{}: done for none of {all}.", title.en),
            format!("{}: {all} 件とも完了しませんでした。", title.ja),
        )
    };
    for item in items {
        message.push(&line(item));
    }
    message
}

fn line(item: &Item) -> Text {
    let words = state(item.state);
    let task = item.handle.as_ref();
    let tail = |detail: &str| {
        let task = task.map(|task| format!(" [{task}]")).unwrap_or_default();
        if detail.is_empty() { task } else { format!(": {detail}{task}") }
    };
    Text::new(
        format!("\n{}: {}{}", item.entity.value, words.en, tail(&item.detail.en)),
        format!("\n{}: {}{}", item.entity.value, words.ja, tail(&item.detail.ja)),
    )
}

/// The message of a run that names no thing.
pub(crate) fn plain(title: &Text, what: ItemState, detail: &Text) -> Text {
    let words = state(what);
    let join = |title: &str, word: &str, detail: &str, dot: &str| {
        if detail.is_empty() {
            format!("{title}: {word}{dot}")
        } else {
            format!("{title}: {word}: {detail}")
        }
    };
    Text::new(
        join(&title.en, &words.en, &detail.en, "."),
        join(&title.ja, &words.ja, &detail.ja, "。"),
    )
}

/// The items for people.
pub(crate) fn table(items: &[Item]) -> Option<Table> {
    if items.is_empty() {
        return None;
    }
    let row = |item: &Item| {
        let handle = item.handle.clone().unwrap_or_default();
        vec![item.entity.to_string(), state(item.state).en, item.detail.en.clone(), handle]
    };
    Some(Table {
        title: Text::new("Items", "項目"),
        columns: ["entity", "state", "detail", "task"].map(str::to_owned).to_vec(),
        rows: items.iter().map(row).collect(),
    })
}

/// The refusal of the whole request.
pub(crate) fn refused(title: &Text, host: &str, status: u16, words: &str) -> Text {
    let tail = if words.is_empty() { String::new() } else { format!(": {words}") };
    let (mut english, mut japanese) = (String::new(), String::new());
    if (300..400).contains(&status) {
        english.push_str(
            "; redirects are not followed: write the place that it leads to into the responder",
        );
        japanese.push_str("。リダイレクトには従いません。転送先をレスポンダーに書いてください");
    }
    Text::new(
        format!("{}: {host} refused the request with {status}{tail}{english}", title.en),
        format!("{}: {host} が要求を拒否しました ({status}){tail}{japanese}", title.ja),
    )
}
