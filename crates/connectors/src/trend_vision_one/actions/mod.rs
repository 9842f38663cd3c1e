//! The response actions: what can be done at this vendor, each declared in `actions.yaml`.
//!
//! Most actions are one shape: a list of items is posted, the vendor answers item by item with the tasks that it
//! opened, and the tasks are followed to their real end. That shape is [`response`]; an action of it is a [`Verb`]
//! in the file of what it works on ([`endpoints`], [`mailboxes`], [`accounts`], [`block_list`], [`sandbox`]). The
//! others have files of their own: [`alerts`], [`notes`], [`inventory`], [`ping`].

mod accounts;
mod alerts;
mod block_list;
mod endpoints;
mod inventory;
mod mailboxes;
mod multi_status;
mod notes;
mod orders;
mod ping;
mod response;
mod run;
mod sandbox;
mod sandbox_file;
mod tasks;
mod witness;
mod words;

use model::action::{ActionSpec, Call, Halt, Outcome, Right, Text};
use url::Url;

use super::{address, errors, token};
use crate::action::{Exchange, reason};
use crate::client::VendorClient;
use response::Verb;
use run::Run;

/// The declarations, in the order of the catalogue.
pub(super) fn declared() -> Vec<ActionSpec> {
    serde_saphyr::from_str(include_str!("../actions.yaml"))
        .expect("the actions are part of the build and a test reads them")
}

/// Runs an action; see [`model::action::Responds::act`].
pub(super) async fn act(
    http: &VendorClient,
    base: &Url,
    specs: &[ActionSpec],
    call: &Call<'_>,
) -> Result<Outcome, Halt> {
    let Some(spec) = specs.iter().find(|spec| spec.name == call.action) else {
        return Err(Halt::fatal(format!("`{}` is no action of this integration", call.action)));
    };
    let ended = match usable(call.rights, address::is_vendor(base)) {
        Ok(rights) => {
            let exchange = Exchange::new(http, rights, call.journal, errors::refused_call);
            let run = Run { exchange, base, input: call.input, rights };
            start(&run, call.action).await
        }
        Err(halt) => Err(halt),
    };
    ended.map_err(|halt| named(spec, halt))
}

async fn start(run: &Run<'_>, action: &str) -> Result<Outcome, Halt> {
    match action {
        "ping" => ping::act(run).await,
        "update_alert" => alerts::act(run).await,
        "add_note" => notes::act(run).await,
        "get_endpoint" => inventory::act(run).await,
        "sandbox_submit_file" => sandbox_file::act(run).await,
        "sandbox_submit_url" => sandbox::act_on_urls(run).await,
        other => match verb(other) {
            Some(verb) => response::act(run, verb).await,
            None => Err(Halt::fatal(format!("`{other}` is declared and cannot be run"))),
        },
    }
}

fn verb(action: &str) -> Option<&'static Verb> {
    [endpoints::VERBS, mailboxes::VERBS, accounts::VERBS, block_list::VERBS]
        .into_iter()
        .flatten()
        .find(|verb| verb.name == action)
}

/// The first keys in a row that have the form of a key: others are not sent anywhere.
fn usable(rights: &[Right], is_vendor: bool) -> Result<&[Right], Halt> {
    let check = |right: &Right| token::check(&right.key.secret, is_vendor);
    if let Some(good) = rights.split(|right| check(right).is_err()).find(|good| !good.is_empty()) {
        return Ok(good);
    }
    match rights.first().map(check) {
        Some(Err(error)) => Err(Halt::Fatal(reason(&error))),
        _ => Err(Halt::fatal("the connector has no key")),
    }
}

/// Says which action it was that could not be run.
fn named(spec: &ActionSpec, halt: Halt) -> Halt {
    let Halt::Fatal(why) = halt else { return halt };
    Halt::Fatal(Text::new(
        format!("Error executing action \"{}\". Reason: {}", spec.title.en, why.en),
        format!("アクション「{}」の実行中にエラーが発生しました。理由: {}", spec.title.ja, why.ja),
    ))
}
