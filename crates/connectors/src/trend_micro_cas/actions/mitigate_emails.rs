//! Mitigates mails in every mailbox that holds them.
//!
//! A message is one item, whatever the number of its mailboxes: it is done when it is done in all of them.

use model::action::journal::Verdict;
use model::action::outcome::Table;
use model::action::{Entity, EntityKind, Halt, Item, ItemState, Outcome, Text};
use model::vendor::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Desk;
use super::messages::{Sentence, is_failure, is_success, push_remarks, word};
use super::mitigation::{Fate, Job, Kind};
use super::paging::Then;
use super::sweep::{self, Criterion, KEPT_DAYS, Mail};
use super::waiting::waiting;
use crate::action::{Board, reason};

pub(super) const NAME: &str = "mitigate_emails";

const DONE: Sentence = Sentence::open(
    "\nSuccessfully mitigated the following emails in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のメールに対処しました: ",
);
// The known message has a typographic apostrophe, unlike those of the other actions.
const FAILED: Sentence = Sentence::open(
    "\nAction wasn\u{2019}t able to mitigate the following emails in Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security で次のメールには対処できませんでした: ",
);

/// A message that was asked for, and what was found of it; kept for the next life of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    id: String,
    mails: Vec<Mail>,
    /// Why nothing can be done about it.
    problem: Option<(ItemState, Text)>,
}

/// What is done, where.
#[derive(Debug, Clone, Copy)]
struct Order {
    action: &'static str,
    service: &'static str,
    provider: &'static str,
}

impl Order {
    fn of(desk: &Desk<'_>) -> Result<Self, Halt> {
        let (service, provider) = match desk.input().text("service") {
            "" | "Gmail" => ("gmail", "google"),
            "Exchange" => ("exchange", "office365"),
            other => return Err(Halt::fatal(format!("`{other}` is no service"))),
        };
        let action = match desk.input().text("mitigation_action") {
            "" | "Delete" => "MAIL_DELETE",
            "Quarantine" if service == "gmail" => {
                return Err(Halt::Fatal(Text::new(
                    "You can only delete emails in gmail service",
                    "Gmail サービスではメールの削除のみ可能です",
                )));
            }
            "Quarantine" => "MAIL_QUARANTINE",
            other => return Err(Halt::fatal(format!("`{other}` is no mitigation action"))),
        };
        Ok(Self { action, service, provider })
    }

    fn element(self, mail: &Mail) -> Value {
        let mut element = json!({
            "action_type": self.action,
            "service": self.service,
            "account_provider": self.provider,
            "mailbox": mail.mailbox,
            "mail_message_delivery_time": mail.delivered_at,
        });
        for (name, id) in
            [("mail_unique_id", &mail.unique_id), ("mail_message_id", &mail.message_id)]
        {
            if !id.is_empty() {
                element[name] = Value::from(id.as_str());
            }
        }
        element
    }
}

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let order = Order::of(desk)?;
    let mut messages: Vec<Message> = match desk.recall("mails").await? {
        Some(messages) => messages,
        None => {
            let messages = find_all(desk, order).await?;
            desk.keep("mails", &messages).await?;
            messages
        }
    };
    permit(desk, &mut messages).await?;
    let mut elements = Vec::new();
    let mut targets = Vec::new();
    for mail in
        messages.iter().filter(|message| message.problem.is_none()).flat_map(|one| &one.mails)
    {
        elements.push(order.element(mail));
        targets.push(mailbox(mail));
    }
    let job = Job { desk, kind: Kind::Mails, elements: &elements, targets: &targets };
    let shown = |fates: &[Fate], _: bool| (items(&messages, fates), waiting());
    let mut fates = job.submit(&shown).await?;
    let records = job.follow(&mut fates, &shown).await?;
    let mut outcome = told(&messages, &fates);
    outcome.result = Value::Array(records);
    Ok(outcome)
}

/// Looks for every message in all mailboxes.
async fn find_all(desk: &Desk<'_>, order: Order) -> Result<Vec<Message>, Halt> {
    let mut messages = Vec::new();
    for (number, id) in (1..).zip(desk.input().list("message_ids")) {
        messages.push(find(desk, order, number, id).await?);
    }
    Ok(messages)
}

async fn find(desk: &Desk<'_>, order: Order, number: usize, id: String) -> Result<Message, Halt> {
    let problem = |id: String, state, detail| Message {
        id,
        mails: Vec::new(),
        problem: Some((state, detail)),
    };
    if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(problem(
            id,
            ItemState::Invalid,
            Text::new("no message id", "メッセージ ID ではありません"),
        ));
    }
    let mut mails: Vec<Mail> = Vec::new();
    let (mut elsewhere, mut unreadable) = (0_usize, 0_usize);
    let mut visit = |record: Map<String, Value>| {
        match Mail::read(&record) {
            // Nothing is done to a mail that was not asked for, whatever the vendor finds.
            Some(mail) if !mail.is_of(&id) => {}
            Some(mail) if !mail.service.is_empty() && mail.service != order.service => {
                elsewhere += 1
            }
            Some(mail) if !mails.contains(&mail) => mails.push(mail),
            Some(_) => {}
            None => unreadable += 1,
        }
        Then::Continue
    };
    let criterion = Criterion { name: "message_id", value: id.clone() };
    let step = format!("search/{number}");
    let searched =
        sweep::search(desk, &step, &criterion, KEPT_DAYS, usize::MAX, &mut visit).await?;
    if let Err(error) = searched {
        // What is wrong with one id is no reason to give up the others; a part of the mailboxes is no answer.
        if matches!(error.fault, Fault::BadRequest | Fault::ForeignLink | Fault::RepeatedLink) {
            return Ok(problem(id, ItemState::Failed, reason(&error)));
        }
        return Err(Halt::Fatal(reason(&error)));
    }
    if mails.is_empty() {
        return Ok(problem(id, ItemState::Failed, missing(order, elsewhere, unreadable)));
    }
    Ok(Message { id, mails, problem: None })
}

/// Why no mail of a message can be worked on.
fn missing(order: Order, elsewhere: usize, unreadable: usize) -> Text {
    let service = order.service;
    if elsewhere > 0 {
        return Text::new(
            format!("found in another service than {service}, in {elsewhere} mailboxes"),
            format!("{service} 以外のサービスの {elsewhere} 個のメールボックスにあります"),
        );
    }
    if unreadable > 0 {
        return Text::new(
            "found, and the vendor does not tell mailbox, id and time of delivery",
            "見つかりましたが、メールボックス、ID、配信日時のいずれかが不明です",
        );
    }
    Text::new(
        format!("no such mail in the last {KEPT_DAYS} days"),
        format!("過去 {KEPT_DAYS} 日間に該当するメールはありません"),
    )
}

fn mailbox(mail: &Mail) -> Entity {
    Entity::new(EntityKind::EmailAddress, mail.mailbox.to_lowercase())
}

/// Asks about every mailbox; a message with one that must be left alone is left alone.
async fn permit(desk: &Desk<'_>, messages: &mut [Message]) -> Result<(), Halt> {
    let mut mailboxes: Vec<Entity> = Vec::new();
    for mail in messages.iter().flat_map(|message| &message.mails) {
        let mailbox = mailbox(mail);
        if !mailboxes.contains(&mailbox) {
            mailboxes.push(mailbox);
        }
    }
    if mailboxes.is_empty() {
        return Ok(());
    }
    let verdicts = desk.journal().permit(&mailboxes).await?;
    for message in messages.iter_mut() {
        for mail in &message.mails {
            let place = mailboxes.iter().position(|known| *known == mailbox(mail));
            let (state, why) = match place.and_then(|place| verdicts.get(place)) {
                Some(Verdict::Permitted) => continue,
                Some(Verdict::Protected(why)) => (ItemState::Protected, why.clone()),
                Some(Verdict::OverCap(why)) => (ItemState::OverCap, why.clone()),
                None => (ItemState::Protected, Text::default()),
            };
            let mut detail = Text::same(format!("{}: ", mail.mailbox));
            detail.push(&why);
            message.problem = Some((state, detail));
            break;
        }
    }
    Ok(())
}

/// The mails of every message with the fates of those that were sent.
fn with_fates<'m>(
    messages: &'m [Message],
    fates: &'m [Fate],
) -> Vec<(&'m Message, Vec<(&'m Mail, &'m Fate)>)> {
    let mut fates = fates.iter();
    let fated = |message: &'m Message| match message.problem {
        Some(_) => (message, Vec::new()),
        None => (message, message.mails.iter().zip(fates.by_ref()).collect()),
    };
    messages.iter().map(fated).collect()
}

/// The item of every message.
fn items(messages: &[Message], fates: &[Fate]) -> Vec<Item> {
    let item = |(message, mails): (&Message, Vec<(&Mail, &Fate)>)| {
        let entity = Entity::new(EntityKind::MessageId, &*message.id);
        if let Some((state, why)) = &message.problem {
            return Item::new(entity, *state).because(why.clone());
        }
        let state = summary(&mails);
        let mut item = Item::new(entity, state).because(detail(&mails, state));
        item.handle = mails.iter().find_map(|(_, fate)| fate.batch.clone());
        item
    };
    with_fates(messages, fates).into_iter().map(item).collect()
}

/// What became of a message by what became of its mails: the worst of it.
fn summary(mails: &[(&Mail, &Fate)]) -> ItemState {
    let worst = [
        ItemState::Pending,
        ItemState::Accepted,
        ItemState::Failed,
        ItemState::Unknown,
        ItemState::Expired,
        ItemState::Planned,
        ItemState::Succeeded,
    ];
    let has = |state: &ItemState| mails.iter().any(|(_, fate)| fate.state == *state);
    worst.into_iter().find(has).unwrap_or(ItemState::Already)
}

/// In how many mailboxes it is as the message's item says, and why where it is not done.
fn detail(mails: &[(&Mail, &Fate)], state: ItemState) -> Text {
    let is_alike = |fate: &Fate| match state.is_success() {
        true => fate.state.is_success(),
        false => fate.state == state,
    };
    let alike: Vec<_> = mails.iter().filter(|(_, fate)| is_alike(fate)).collect();
    let (some, all) = (alike.len(), mails.len());
    let mut detail = Text::new(
        format!("{some} of {all} mailboxes"),
        format!("{all} 個中 {some} 個のメールボックス"),
    );
    if let Some((_, fate)) = alike.first().filter(|(_, fate)| !fate.detail.is_empty()) {
        detail.push(&Text::same(": "));
        detail.push(&fate.detail);
    }
    detail
}

fn told(messages: &[Message], fates: &[Fate]) -> Outcome {
    let mut board = Board::new();
    items(messages, fates).into_iter().for_each(|item| board.push(item));
    let done = board.values(ItemState::is_success);
    let failures = board.values(is_failure);
    let is_success = is_success(&board);
    let mut message = Text::default();
    if !done.is_empty() {
        message.push(&DONE.about(&done));
    }
    if !is_success {
        message.push(&Text::new(
            "\nNo emails were mitigated in Trend Micro Cloud App Security.",
            "\nTrend Micro Cloud App Security で対処できたメールはありません。",
        ));
    } else if !failures.is_empty() {
        message.push(&FAILED.about(&failures));
    }
    push_remarks(&mut message, &board);
    let mut outcome = Outcome::said(is_success, message);
    outcome.tables.extend(table(messages, fates));
    outcome.items = board.into_items();
    outcome
}

/// What became of every mail.
fn table(messages: &[Message], fates: &[Fate]) -> Option<Table> {
    let mut rows = Vec::new();
    for (message, mails) in with_fates(messages, fates) {
        for (mail, fate) in mails {
            let row = [&*message.id, &mail.mailbox, word(fate.state), &fate.detail.en];
            rows.push(row.map(str::to_owned).to_vec());
        }
    }
    let columns = ["Message ID", "Mailbox", "State", "Detail"].map(str::to_owned).to_vec();
    let title = Text::new("Emails by mailbox", "メールボックスごとの結果");
    (!rows.is_empty()).then_some(Table { title, columns, rows })
}
