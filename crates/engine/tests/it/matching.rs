//! A small judge of queries over rows in memory: what a query means, read off its plan, for the few kinds of
//! tests that these queries use. It stands in for the lake, and refuses what it does not know.

use model::time::Timestamp;
use query::fields::Reads;
use query::plan::{Filter, Predicate, Query, TimeRange, Value as Wanted};
use query::store::{EventStore, Row, Statement};
use query::taegis;
use serde_json::Value;
use tokio_stream::StreamExt;

use crate::world::{World, tenant};
use model::clock::Clock;

/// The rows that a query finds.
pub(crate) async fn rows(world: &World, text: &str) -> Vec<Row> {
    let context = taegis::Context { sources: world.app.sources(), now: world.clock.now() };
    let Query { classes, filter, range, stages, latest } =
        taegis::parse(text, &context).unwrap().query;
    assert!(stages.is_empty());
    let plain = Query { classes, filter: Filter::All, range: TimeRange::default(), stages, latest };
    let mut answer = world.store.query(&tenant(), Statement::Query(plain)).await.unwrap();
    let mut found = Vec::new();
    while let Some(page) = answer.pages.next().await {
        found.extend(page.unwrap().into_iter().filter(|row| {
            let time = Timestamp::from_millis(row["time"].as_i64().unwrap());
            range.earliest.is_none_or(|earliest| time >= earliest)
                && range.latest.is_none_or(|latest| time < latest)
                && holds(&filter, row)
        }));
    }
    found
}

fn holds(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::All => true,
        Filter::None => false,
        Filter::And(all) => all.iter().all(|filter| holds(filter, row)),
        Filter::Or(any) => any.iter().any(|filter| holds(filter, row)),
        Filter::Not(filter) => !holds(filter, row),
        Filter::Test(field, predicate) => {
            values(&field.reads, row).iter().any(|value| fits(value, predicate))
        }
    }
}

/// Every value that a field has in a row.
fn values(reads: &Reads, row: &Row) -> Vec<Value> {
    let source = row["source"].as_str().unwrap();
    match reads {
        Reads::SourceName(pairs) => {
            let own = pairs.iter().filter(|(id, _)| id == source);
            own.map(|(_, name)| Value::from(name.as_str())).collect()
        }
        Reads::Columns(by_class) => {
            let own = by_class.iter().filter(|(class, _)| row["class_uid"] == class.uid());
            let paths = own.flat_map(|(_, columns)| columns);
            let row = Value::Object(row.clone());
            paths.flat_map(|path| at(&row, path.split('.').collect())).collect()
        }
        Reads::Raw { sources, path } if sources.iter().any(|id| id == source) => {
            let raw: Value = serde_json::from_str(row["raw_data"].as_str().unwrap()).unwrap();
            at(&raw, path.iter().map(String::as_str).collect())
        }
        Reads::Raw { .. } => Vec::new(),
        Reads::Output => panic!("no stages here"),
    }
}

fn at(value: &Value, path: Vec<&str>) -> Vec<Value> {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter().flat_map(|item| at(item, path.clone())).collect(),
        (Value::Null, _) => Vec::new(),
        (value, None) => vec![value.clone()],
        (value, Some((name, rest))) => match value.get(*name) {
            Some(inner) => at(inner, rest.to_vec()),
            None => Vec::new(),
        },
    }
}

fn fits(value: &Value, predicate: &Predicate) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    match predicate {
        Predicate::Equals(Wanted::Text(wanted)) => text == wanted.to_lowercase(),
        Predicate::Contains(part) => text.contains(&part.to_lowercase()),
        other => panic!("this judge does not know {other:?}"),
    }
}
