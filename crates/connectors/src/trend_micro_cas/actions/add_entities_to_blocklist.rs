//! Adds entities to the block list.

use model::action::{Halt, Outcome, Text};

use super::Desk;
use super::blocklist::Direction;
use super::blocklist_change::{self, Words};
use super::messages::Sentence;

pub(super) const NAME: &str = "add_entities_to_blocklist";

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let words = Words {
        already: Sentence::closed(
            "\nThe following entities are already a part of blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティはすでに Trend Micro Cloud App Security のブロックリストにあります: ",
            [".", ""],
        ),
        none: Text::new(
            "\nNo entities were added using information from Trend Micro Cloud App Security.",
            "\nTrend Micro Cloud App Security のブロックリストに追加されたエンティティはありません。",
        ),
        done: Sentence::open(
            "\nSuccessfully added the following entities to blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティを Trend Micro Cloud App Security のブロックリストに追加しました: ",
        ),
        failed: Sentence::open(
            "\nAction wasn't able to add the following entities to blocklist in Trend Micro Cloud App Security: ",
            "\n次のエンティティは Trend Micro Cloud App Security のブロックリストに追加できませんでした: ",
        ),
    };
    blocklist_change::run(desk, Direction::Add, &words).await
}
