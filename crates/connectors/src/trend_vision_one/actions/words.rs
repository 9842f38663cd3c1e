//! What an action says: who succeeded, who did not and why, in English and Japanese.

use model::action::{Item, ItemState, Text};

/// The words of one action. Sentences are put together around them.
#[derive(Debug)]
pub(super) struct Words {
    /// What it does: `isolate`.
    pub(super) verb: &'static str,
    /// What it has done: `isolated`.
    pub(super) past: &'static str,
    /// To what: `endpoints`.
    pub(super) nouns: &'static str,
    /// Where: ` in Trend Vision One`.
    pub(super) place: &'static str,
    /// What it says when nothing succeeded.
    pub(super) none: &'static str,
    /// To what, in Japanese.
    pub(super) ja_nouns: &'static str,
    /// What it does, in Japanese, up to the verb's ending: `を隔離`.
    pub(super) ja_stem: &'static str,
    /// What it says when nothing succeeded, in Japanese.
    pub(super) ja_none: &'static str,
}

/// Where most actions work.
pub(super) const HERE: &str = " in Trend Vision One";

impl Words {
    /// What is said at the end: successes, failures, the rest, and whether nothing succeeded.
    pub(super) fn told(&self, items: &[Item]) -> Text {
        if items.iter().any(|item| item.state == ItemState::Planned) {
            return self.planned(items);
        }
        let Self { verb, past, nouns, place, ja_nouns, ja_stem, .. } = self;
        let mut sections = vec![
            section(
                items,
                |state| state == ItemState::Succeeded,
                format!("Successfully {past} the following {nouns}{place}"),
                format!("Trend Vision One で次の{ja_nouns}{ja_stem}しました"),
            ),
            section(
                items,
                |state| state == ItemState::Already,
                format!("There was nothing to do for the following {nouns}{place}"),
                format!("Trend Vision One で次の{ja_nouns}はすでに指定どおりの状態でした"),
            ),
            section(
                items,
                |state| matches!(state, ItemState::Failed | ItemState::Invalid),
                format!("Action wasn't able to {verb} the following {nouns}{place}"),
                format!("Trend Vision One で次の{ja_nouns}{ja_stem}できませんでした"),
            ),
            section(
                items,
                |state| state == ItemState::Expired,
                format!("Trend Vision One was not done in time with the following {nouns}"),
                format!("Trend Vision One での次の{ja_nouns}の処理が時間内に完了しませんでした"),
            ),
            section(
                items,
                |state| state == ItemState::Unknown,
                format!("It is not known what became of the following {nouns}{place}"),
                format!("Trend Vision One での次の{ja_nouns}の処理の結果を確認できません"),
            ),
        ];
        sections.extend(self.left_out(items));
        if !items.iter().any(|item| item.state.is_success()) {
            sections.push(Some(Text::new(self.none, self.ja_none)));
        }
        joined(sections)
    }

    /// What is said while tasks go on.
    pub(super) fn waiting(&self, items: &[Item]) -> Text {
        let Self { nouns, ja_nouns, .. } = self;
        joined(vec![section(
            items,
            |state| state == ItemState::Accepted,
            format!("Waiting for Trend Vision One to finish with the following {nouns}"),
            format!("Trend Vision One での次の{ja_nouns}の処理の完了を待っています"),
        )])
    }

    /// What is said after a dry run.
    fn planned(&self, items: &[Item]) -> Text {
        let Self { verb, nouns, place, ja_nouns, ja_stem, .. } = self;
        let mut sections = vec![
            Some(Text::new("Dry run: nothing was sent.", "ドライラン: 何も送信されていません。")),
            section(
                items,
                |state| state == ItemState::Planned,
                format!("Action would {verb} the following {nouns}{place}"),
                format!("実行すると Trend Vision One で次の{ja_nouns}{ja_stem}します"),
            ),
            section(
                items,
                |state| matches!(state, ItemState::Failed | ItemState::Invalid),
                format!("Action would not be able to {verb} the following {nouns}{place}"),
                format!("次の{ja_nouns}は Trend Vision One での処理の対象になりません"),
            ),
        ];
        sections.extend(self.left_out(items));
        joined(sections)
    }

    /// Those that nothing was sent for.
    fn left_out(&self, items: &[Item]) -> [Option<Text>; 2] {
        let Self { nouns, ja_nouns, .. } = self;
        [
            section(
                items,
                |state| matches!(state, ItemState::Protected | ItemState::OverCap),
                format!("Nothing was sent for the following {nouns}"),
                format!("次の{ja_nouns}には何も送信されていません"),
            ),
            section(
                items,
                |state| state == ItemState::Skipped,
                "The following entities were skipped, as the action does not support their types"
                    .to_owned(),
                "次のエンティティは、種類が対象外のためスキップされました".to_owned(),
            ),
        ]
    }
}

/// A heading and the items that it is true of, one in each line with the reason; `None` when there are none.
fn section(
    items: &[Item],
    holds: impl Fn(ItemState) -> bool,
    en: String,
    ja: String,
) -> Option<Text> {
    let mut text = Text::new(format!("{en}:"), format!("{ja}:"));
    let chosen: Vec<&Item> = items.iter().filter(|item| holds(item.state)).collect();
    for item in &chosen {
        let value = &item.entity.value;
        text.push(&match item.detail.is_empty() || item.state.is_success() {
            true => Text::same(format!("\n{value}")),
            false => Text::new(
                format!("\n{value} ({})", item.detail.en),
                format!("\n{value} ({})", item.detail.ja),
            ),
        });
    }
    (!chosen.is_empty()).then_some(text)
}

fn joined(sections: Vec<Option<Text>>) -> Text {
    let mut whole = Text::default();
    for section in sections.into_iter().flatten() {
        if !whole.is_empty() {
            whole.push(&Text::same("\n"));
        }
        whole.push(&section);
    }
    whole
}
