//! Removes entities from the block list: the way back from adding them.

use model::action::{Halt, Outcome, Text};

use super::Desk;
use super::blocklist::Direction;
use super::blocklist_change::{self, Words};
use super::messages::Sentence;

pub(super) const NAME: &str = "remove_entities_from_blocklist";

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let words = Words {
        already: Sentence::closed(
            "\nThe following entities are not a part of blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティは Trend Micro Cloud App Security のブロックリストにありません: ",
            [".", ""],
        ),
        none: Text::new(
            "\nNo entities were removed using information from Trend Micro Cloud App Security.",
            "\nTrend Micro Cloud App Security のブロックリストから削除されたエンティティはありません。",
        ),
        done: Sentence::open(
            "\nSuccessfully removed the following entities from blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティを Trend Micro Cloud App Security のブロックリストから削除しました: ",
        ),
        failed: Sentence::open(
            "\nAction wasn't able to remove the following entities from blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティは Trend Micro Cloud App Security のブロックリストから削除できませんでした: ",
        ),
    };
    blocklist_change::run(desk, Direction::Remove, &words).await
}
