//! The sandbox: what was handed in is followed to its verdict; URLs are handed in one by one.
//!
//! A submission cannot be found again: the vendor lists none. One whose answer was lost stays unknown.

use std::collections::BTreeMap;

use model::action::outcome::{Enrichment, Table};
use model::action::{Entity, EntityKind, Halt, ItemState, Outcome, Text};
use serde_json::{Value, json};

use super::block_list::{is_url, not_a_url};
use super::multi_status::{Answer, Said};
use super::orders::{Intake, Order, chunks, member};
use super::response::{Work, outcome, told_item, unknown};
use super::run::{Run, numbered};
use super::tasks::{Desk, Follower, Records};
use super::words::{HERE, Words};
use crate::action::{Ask, Board, Change, Taken, reason};
use crate::client::Method;

const URLS: Words = Words {
    verb: "analyze",
    past: "analyzed",
    nouns: "URLs",
    place: HERE,
    none: "No URLs were analyzed in Trend Vision One.",
    ja_nouns: " URL ",
    ja_stem: "を分析",
    ja_none: "Trend Vision One で分析した URL はありません。",
};
/// What is told of a verdict, by the vendor's name and ours.
const VERDICT: &[(&str, &str)] = &[
    ("riskLevel", "risk_level"),
    ("detectionNames", "detection_names"),
    ("threatTypes", "threat_types"),
    ("trueFileType", "true_file_type"),
    ("analysisCompletionDateTime", "analyzed_at"),
    ("digest", "digest"),
];
/// What the sandbox says of something harmless.
const HARMLESS: &str = "noRisk";

/// Hands in URLs and waits for the verdicts.
pub(super) async fn act_on_urls(run: &Run<'_>) -> Result<Outcome, Halt> {
    let mut intake = Intake::of(&run.input.entities, &[EntityKind::Url], |entity| {
        if is_url(&entity.value) { Ok(member("url", &entity.value)) } else { Err(not_a_url()) }
    });
    let permitted = intake.board.permit(run.journal()).await?;
    intake.keep(&permitted);
    let Intake { mut board, orders, .. } = intake;
    let mut works = Vec::new();
    for (place, chunk) in chunks(&orders, "").into_iter().enumerate() {
        let chunk = &orders[chunk];
        match hand_in(run, &numbered("submit", place + 1), chunk, &mut board).await {
            Ok(more) => works.extend(more),
            Err(Halt::Fatal(why)) if place > 0 => {
                chunk.iter().for_each(|order| {
                    board.set(&order.entity, ItemState::Failed, why.clone());
                });
            }
            Err(halt) => return Err(halt),
        }
        board.show_sending(run.journal()).await?;
    }
    judge(run, &URLS, board, &works).await
}

/// One request with several URLs.
async fn hand_in(
    run: &Run<'_>,
    step: &str,
    orders: &[Order],
    board: &mut Board,
) -> Result<Vec<Work>, Halt> {
    let bodies = orders.iter().map(|order| Value::Object(order.body.clone())).collect();
    let targets: Vec<Entity> = orders.iter().map(|order| order.entity.clone()).collect();
    let ask = Ask::json(Method::Post, run.url("sandbox/urls/analyze"), bodies);
    let said = match run.exchange.change(&Change { step, targets: &targets, ask }, None).await? {
        Taken::Answered(reply) => match Answer::read(&reply.body, orders.len()) {
            Answer::Items(said) => said,
            Answer::Whole(words) => return Err(Halt::fatal(run.clean(&words))),
        },
        taken => {
            let (state, detail) = untold(taken)?;
            orders.iter().for_each(|order| board.set(&order.entity, state, detail.clone()));
            return Ok(Vec::new());
        }
    };
    let mut works = Vec::new();
    for (order, said) in orders.iter().zip(said) {
        match said {
            Said::Accepted(id) | Said::Duplicate(id) => {
                works.push(accept(board, &order.entity, &id));
            }
            Said::Refused(words) => {
                board.set(&order.entity, ItemState::Failed, Text::same(run.clean(&words)));
            }
            Said::Nothing => board.set(&order.entity, ItemState::Unknown, unnamed()),
        }
    }
    Ok(works)
}

/// What items become of a change that was not answered.
pub(super) fn untold(taken: Taken) -> Result<(ItemState, Text), Halt> {
    match taken {
        Taken::Planned => Ok((ItemState::Planned, Text::default())),
        Taken::Unknown(why) => Ok((ItemState::Unknown, unknown(&why))),
        Taken::Refused(error) => Err(Halt::Fatal(reason(&error))),
        Taken::Answered(_) | Taken::Found(_) => Ok((ItemState::Unknown, unnamed())),
    }
}

pub(super) fn unnamed() -> Text {
    Text::new("the vendor's answer names no analysis of it", "応答に分析の ID がありません")
}

/// Writes down that the sandbox works on an entity.
pub(super) fn accept(board: &mut Board, entity: &Entity, id: &str) -> Work {
    if let Some(item) = board.item(entity) {
        item.state = ItemState::Accepted;
        item.handle = Some(id.to_owned());
    }
    Work { entity: entity.clone(), id: id.to_owned() }
}

/// Waits for the verdicts and tells them.
pub(super) async fn judge(
    run: &Run<'_>,
    words: &Words,
    mut board: Board,
    works: &[Work],
) -> Result<Outcome, Halt> {
    let follower = Follower { run, desk: Desk::Sandbox, words };
    let mut records = follower.follow(&mut board, works).await?;
    let mut enrichment = Vec::new();
    let mut rows = Vec::new();
    for work in works {
        let is_done =
            board.item(&work.entity).is_some_and(|item| item.state == ItemState::Succeeded);
        if is_done {
            let verdict = verdict(run, &mut board, work, &mut records).await?;
            if let Some(risk) = verdict {
                rows.push(vec![work.entity.value.clone(), risk.clone()]);
                enrichment.push(enriched(&work.entity, risk));
            }
        }
    }
    let told = board.items().iter().map(|item| {
        let record = item.handle.as_ref().and_then(|id| records.get(id));
        told_item(item, record, VERDICT)
    });
    let result = json!({ "items": told.collect::<Value>() });
    let mut outcome = outcome(words, board, result);
    outcome.enrichment = enrichment;
    if !rows.is_empty() {
        let columns = ["Object", "Risk level"].map(str::to_owned).to_vec();
        let title = Text::new("Sandbox analysis", "サンドボックスの分析結果");
        outcome.tables = vec![Table { title, columns, rows }];
    }
    Ok(outcome)
}

/// Puts the verdict into the record; answers the risk level.
async fn verdict(
    run: &Run<'_>,
    board: &mut Board,
    work: &Work,
    records: &mut Records,
) -> Result<Option<String>, Halt> {
    let ask = Ask::get(run.url_of("sandbox/analysisResults", &work.id, &[]));
    match run.exchange.inquire("result", &ask).await? {
        Ok(reply) => {
            let mut whole = reply.body;
            whole["status"] = Value::from("succeeded");
            let risk = whole["riskLevel"].as_str().map(str::to_owned);
            records.insert(work.id.clone(), whole);
            Ok(risk)
        }
        Err(error) => {
            let why = reason(&error);
            let detail = Text::new(
                format!("analyzed, but the result cannot be read: {}", why.en),
                format!("分析は完了しましたが、結果を取得できません: {}", why.ja),
            );
            board.set(&work.entity, ItemState::Failed, detail);
            Ok(None)
        }
    }
}

fn enriched(entity: &Entity, risk: String) -> Enrichment {
    let is_suspicious = risk != HARMLESS;
    let properties = BTreeMap::from([("TMV1_sandbox_risk".to_owned(), risk)]);
    Enrichment { entity: entity.clone(), properties, is_suspicious }
}
