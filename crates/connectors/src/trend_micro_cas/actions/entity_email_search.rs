//! Searches mail for entities.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::action::outcome::Table;
use model::action::{Entity, EntityKind, Halt, Input, ItemState, Outcome, Text};
use model::vendor::Fault;
use serde_json::{Map, Value};

use super::Desk;
use super::entries::{List, hash_list, is_absolute_url};
use super::mail_address::is_mail_address;
use super::paging::{Then, text};
use super::sweep::{self, Criterion, KEPT_DAYS};
use crate::action::{Board, reason};

pub(super) const NAME: &str = "entity_email_search";

const DEFAULT_DAYS: i64 = 30;
const DEFAULT_MAILS: usize = 100;
/// More mails than a person reads: a result is kept whole, with the run.
const MOST_MAILS: usize = 10_000;
const KINDS: [EntityKind; 7] = [
    EntityKind::Url,
    EntityKind::Hash,
    EntityKind::EmailAddress,
    EntityKind::User,
    EntityKind::EmailSubject,
    EntityKind::FileName,
    EntityKind::Ip,
];

/// Refuses days out of range before anything is sent.
///
/// # Errors
/// The whole message of the failure.
pub(super) fn check_days(input: &Input) -> Result<(), Halt> {
    if (1..=KEPT_DAYS).contains(&days(input)) {
        return Ok(());
    }
    Err(Halt::Fatal(Text::new(
        "Error executing action \"Entity Email Search\". Reason: \"Max Days Backwards\" should be in range from \
         1 to 90.",
        "アクション「エンティティに関連するメールの検索」を実行できませんでした。理由: 「遡る最大日数」は 1～90 の範囲で指定してください。",
    )))
}

fn days(input: &Input) -> i64 {
    input.integer("max_days_backwards").unwrap_or(DEFAULT_DAYS)
}

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let input = desk.input();
    let asked = input.integer("max_emails_to_return").and_then(|most| usize::try_from(most).ok());
    let most = asked.filter(|most| *most > 0).unwrap_or(DEFAULT_MAILS).min(MOST_MAILS);
    let mut board = Board::of(&input.entities, &KINDS);
    let mut found = Found { mails: Vec::new(), ids: BTreeSet::new(), most };
    for (number, entity) in (1..).zip(board.entities(ItemState::Pending)) {
        match criterion(&entity) {
            Ok(criterion) if found.mails.len() < most => {
                let step = format!("search/{number}");
                search(desk, &step, &entity, &criterion, &mut found, &mut board).await?;
            }
            Ok(_) => board.set(&entity, ItemState::Skipped, full(most)),
            Err((state, detail)) => board.set(&entity, state, detail),
        }
    }
    Ok(told(board, found))
}

/// The mails that were found, each once.
struct Found {
    mails: Vec<(Map<String, Value>, String)>,
    ids: BTreeSet<String>,
    most: usize,
}

async fn search(
    desk: &Desk<'_>,
    step: &str,
    entity: &Entity,
    criterion: &Criterion,
    found: &mut Found,
    board: &mut Board,
) -> Result<(), Halt> {
    let mut hits = 0_usize;
    let room = found.most - found.mails.len();
    let mut visit = |record: Map<String, Value>| {
        hits += 1;
        let id = text(&record, "mail_unique_id");
        // A record without an id cannot be told from others, and is kept.
        if id.is_empty() || found.ids.insert(id.to_owned()) {
            found.mails.push((record, entity.value.clone()));
        }
        if found.mails.len() < found.most { Then::Continue } else { Then::Stop }
    };
    let searched =
        sweep::search(desk, step, criterion, days(desk.input()), room, &mut visit).await?;
    let (state, detail) = match searched {
        Ok(()) if hits > 0 => (ItemState::Succeeded, Text::default()),
        Ok(()) => (ItemState::Failed, Text::new("no mail was found", "該当するメールはありません")),
        // What is wrong with one search is no reason to give up the others.
        Err(error)
            if matches!(
                error.fault,
                Fault::BadRequest | Fault::ForeignLink | Fault::RepeatedLink
            ) =>
        {
            (ItemState::Failed, reason(&error))
        }
        Err(error) => return Err(Halt::Fatal(reason(&error))),
    };
    board.set(entity, state, detail);
    Ok(())
}

/// What an entity is searched by; or why it is not.
fn criterion(entity: &Entity) -> Result<Criterion, (ItemState, Text)> {
    let value = entity.value.trim();
    let invalid = |en: &str, ja: &str| Err((ItemState::Invalid, Text::new(en, ja)));
    let name = match entity.kind {
        EntityKind::Url if is_absolute_url(value) => "url",
        EntityKind::Url => return invalid("no absolute URL", "絶対 URL ではありません"),
        EntityKind::EmailAddress | EntityKind::User if is_mail_address(value) => "mailbox",
        EntityKind::EmailAddress => {
            return invalid("no mail address", "メールアドレスではありません");
        }
        EntityKind::Hash => match hash_list(value) {
            Some(List::Sha1) => "file_sha1",
            Some(_) => "file_sha256",
            None => {
                return invalid(
                    "neither a SHA-1 nor a SHA-256 digest",
                    "SHA-1 でも SHA-256 でもありません",
                );
            }
        },
        EntityKind::Ip if is_ip(value) => "source_ip",
        EntityKind::Ip => return invalid("no IP address", "IP アドレスではありません"),
        EntityKind::EmailSubject | EntityKind::FileName if value.is_empty() => {
            return invalid("it is empty", "空です");
        }
        EntityKind::EmailSubject => "subject",
        EntityKind::FileName => "file_name",
        _ => return Err((ItemState::Skipped, Text::default())),
    };
    let value = match entity.kind {
        // Without quotes every word of it would do.
        EntityKind::EmailSubject => format!("\"{value}\""),
        EntityKind::Hash => value.to_lowercase(),
        _ => value.to_owned(),
    };
    Ok(Criterion { name, value })
}

/// An address, or a network with its mask.
fn is_ip(value: &str) -> bool {
    let (address, mask) = value.split_once('/').map_or((value, None), |(a, m)| (a, Some(m)));
    let is_mask = |mask: &str| mask.parse::<u8>().is_ok_and(|bits| bits <= 128);
    address.parse::<IpAddr>().is_ok()
        && mask.is_none_or(|mask| is_mask(mask) || mask.parse::<IpAddr>().is_ok())
}

fn full(most: usize) -> Text {
    Text::new(
        format!("not searched: {most} mails were found before it"),
        format!("先に {most} 件のメールが見つかったため、検索していません"),
    )
}

fn told(board: Board, found: Found) -> Outcome {
    let is_success = !found.mails.is_empty();
    let message = if is_success {
        Text::new(
            "Successfully returned information about emails related to the provided entities in Trend Micro Cloud \
             App Security.",
            "Trend Micro Cloud App Security で、指定されたエンティティに関連するメールの情報を取得しました。",
        )
    } else {
        Text::new(
            "No information about emails related to entities were found in Trend Micro Cloud App Security.",
            "Trend Micro Cloud App Security に、エンティティに関連するメールの情報は見つかりませんでした。",
        )
    };
    let mut outcome = Outcome::said(is_success, message);
    outcome.items = board.into_items();
    if is_success {
        outcome.tables.push(table(&found));
    }
    outcome.result = found.mails.into_iter().map(|(record, _)| Value::Object(record)).collect();
    outcome
}

fn table(found: &Found) -> Table {
    let columns = ["Delivered", "Mailbox", "Sender", "Subject", "Message ID", "Found By"];
    let row = |(record, entity): &(Map<String, Value>, String)| {
        let members = [
            "mail_message_delivery_time",
            "mailbox",
            "mail_message_sender",
            "mail_message_subject",
            "mail_message_id",
        ];
        let mut row: Vec<_> = members.iter().map(|name| text(record, name).to_owned()).collect();
        row.push(entity.clone());
        row
    };
    Table {
        title: Text::new("Emails", "メール"),
        columns: columns.map(str::to_owned).to_vec(),
        rows: found.mails.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_searched_by_what_they_are() {
        let of = |kind, value: &str| match criterion(&Entity::new(kind, value)) {
            Ok(criterion) => Ok((criterion.name, criterion.value)),
            Err((state, _)) => Err(state),
        };
        let found = |name, value: &str| Ok((name, value.to_owned()));
        let (sha1, sha256) = ("A".repeat(40), "b".repeat(64));
        for (kind, value, expected) in [
            (EntityKind::Url, "http://a.example/?q=1", found("url", "http://a.example/?q=1")),
            (EntityKind::User, "a@b.example", found("mailbox", "a@b.example")),
            (EntityKind::User, "CORP\\a", Err(ItemState::Skipped)),
            (EntityKind::EmailAddress, "CORP\\a", Err(ItemState::Invalid)),
            (EntityKind::Hash, &sha1, found("file_sha1", &sha1.to_lowercase())),
            (EntityKind::Hash, &sha256, found("file_sha256", &sha256)),
            (EntityKind::Hash, "abc", Err(ItemState::Invalid)),
            (EntityKind::EmailSubject, "Wire now", found("subject", "\"Wire now\"")),
            (EntityKind::FileName, " ", Err(ItemState::Invalid)),
            (EntityKind::FileName, "a.docm", found("file_name", "a.docm")),
            (EntityKind::Ip, "2001:db8::25", found("source_ip", "2001:db8::25")),
            (EntityKind::Ip, "192.0.2.0/24", found("source_ip", "192.0.2.0/24")),
            (EntityKind::Ip, "192.0.2.300", Err(ItemState::Invalid)),
            (EntityKind::Host, "pc-1", Err(ItemState::Skipped)),
        ] {
            assert_eq!(of(kind, value), expected, "{kind} {value}");
        }
    }
}
