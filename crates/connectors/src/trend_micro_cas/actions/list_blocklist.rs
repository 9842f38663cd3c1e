//! Shows the block list.

use model::action::outcome::Table;
use model::action::{Halt, Outcome, Text};
use serde_json::{Map, Value};

use super::Desk;
use super::blocklist::Blocklist;
use super::entries::List;

pub(super) const NAME: &str = "list_blocklist";

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let lists = Blocklist::ask(desk, "list").await?;
    let mut result = Map::new();
    let mut rows = Vec::new();
    for list in List::ALL {
        let entries = lists.entries(list);
        result.insert(list.name().to_owned(), Value::from(entries));
        rows.extend(entries.iter().map(|entry| vec![list.name().to_owned(), entry.clone()]));
    }
    let count = rows.len();
    let message = if rows.is_empty() {
        Text::new(
            "The blocklist of Trend Micro Cloud App Security is empty.",
            "Trend Micro Cloud App Security のブロックリストは空です。",
        )
    } else {
        Text::new(
            format!("The blocklist of Trend Micro Cloud App Security has {count} entries."),
            format!(
                "Trend Micro Cloud App Security のブロックリストには {count} 件の項目があります。"
            ),
        )
    };
    let mut outcome = Outcome::said(true, message);
    outcome.result = Value::Object(result);
    if !rows.is_empty() {
        let columns = vec!["List".to_owned(), "Entry".to_owned()];
        outcome.tables.push(Table {
            title: Text::new("Blocklist", "ブロックリスト"),
            columns,
            rows,
        });
    }
    Ok(outcome)
}
