//! What the endpoint inventory knows of machines, by their GUIDs, names or addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::action::outcome::{Enrichment, Table};
use model::action::{Entity, EntityKind, Halt, ItemState, Outcome, Text};
use model::vendor::FetchError;
use serde_json::{Value, json};
use url::Url;

use super::endpoints::is_guid;
use super::response::{outcome, told_item};
use super::run::{Run, refusal};
use super::words::Words;
use crate::action::{Ask, Board, reason};

const ENDPOINTS: Words = Words {
    verb: "retrieve information about",
    past: "retrieved information about",
    nouns: "endpoints",
    place: " from Trend Vision One",
    none: "No endpoints were enriched using information from Trend Vision One.",
    ja_nouns: "エンドポイント",
    ja_stem: "の情報を取得",
    ja_none: "Trend Vision One の情報で補足したエンドポイントはありません。",
};
/// What is told of a machine: the property, the heading, and where the vendor has it.
const PROPERTIES: [(&str, &str, &str); 9] = [
    ("TMV1_agent_guid", "Agent GUID", "/agentGuid"),
    ("TMV1_endpoint_name", "Name", "/endpointName"),
    ("TMV1_type", "Type", "/type"),
    ("TMV1_os", "OS", "/osName"),
    ("TMV1_ip", "IP addresses", "/ipAddresses"),
    ("TMV1_last_user", "Last user", "/lastLoggedOnUser"),
    ("TMV1_isolation_status", "Isolation", "/isolationStatus"),
    ("TMV1_epp_status", "Protection", "/eppAgent/status"),
    ("TMV1_edr_connectivity", "Sensor", "/edrSensor/connectivity"),
];

/// Looks up machines.
pub(super) async fn act(run: &Run<'_>) -> Result<Outcome, Halt> {
    let kinds = [EntityKind::Host, EntityKind::Ip];
    let mut board = Board::of(&run.input.entities, &kinds);
    let (mut enrichment, mut rows) = (Vec::new(), Vec::new());
    let mut found = BTreeMap::new();
    for entity in board.entities(ItemState::Pending) {
        let machines = match machines(run, &entity).await? {
            Ok(machines) => machines,
            Err(why) => {
                board.set(&entity, why.0, why.1);
                continue;
            }
        };
        if machines.is_empty() {
            let detail = Text::new("no such endpoint", "該当するエンドポイントがありません");
            board.set(&entity, ItemState::Failed, detail);
            continue;
        }
        board.set(&entity, ItemState::Succeeded, Text::default());
        rows.extend(
            machines
                .iter()
                .map(|machine| PROPERTIES.map(|(_, _, place)| shown(machine, place)).to_vec()),
        );
        enrichment.push(enriched(&entity, &machines));
        found.insert(entity, machines);
    }
    let told = board.items().iter().map(|item| {
        let mut told = told_item(item, None, &[]);
        told["endpoints"] = found.get(&item.entity).cloned().unwrap_or_default().into();
        told
    });
    let result = json!({ "items": told.collect::<Value>() });
    let mut outcome = outcome(&ENDPOINTS, board, result);
    outcome.enrichment = enrichment;
    if !rows.is_empty() {
        let columns = PROPERTIES.map(|(_, heading, _)| heading.to_owned()).to_vec();
        let title = Text::new("Endpoints", "エンドポイント");
        outcome.tables = vec![Table { title, columns, rows }];
    }
    Ok(outcome)
}

/// Why a machine cannot be looked up.
type Unfound = (ItemState, Text);

/// The machines that an entity names; a name may stand for several.
async fn machines(run: &Run<'_>, entity: &Entity) -> Result<Result<Vec<Value>, Unfound>, Halt> {
    let value = &*entity.value;
    if value.is_empty() || value.contains('\'') {
        // How the vendor wants a quote inside a filter is not known.
        let why = Text::new("cannot be asked for", "検索できない値です");
        return Ok(Err((ItemState::Invalid, why)));
    }
    if entity.kind == EntityKind::Ip && value.parse::<IpAddr>().is_err() {
        let why = Text::new("is no IP address", "IP アドレスではありません");
        return Ok(Err((ItemState::Invalid, why)));
    }
    let answered = if entity.kind == EntityKind::Ip {
        with_address(run, value).await?
    } else {
        let member = if is_guid(value) { "agentGuid" } else { "endpointName" };
        with(run, member, value).await?
    };
    match answered {
        Ok(machines) => Ok(Ok(machines)),
        Err(error) => Ok(Err((ItemState::Failed, reason(&refusal(error)?)))),
    }
}

type Answered = Result<Vec<Value>, FetchError>;

/// The machines whose GUID or name is this.
async fn with(run: &Run<'_>, member: &str, value: &str) -> Result<Answered, Halt> {
    let mut url = run.url("endpointSecurity/endpoints");
    // A header takes plain letters only: a machine with another name is looked for in the whole list.
    let filter = value.is_ascii().then(|| spellings(member, value));
    url.query_pairs_mut().append_pair("top", if filter.is_some() { "100" } else { "1000" });
    let ask = |url: Url| match &filter {
        Some(filter) => Ask::get(url).header("tmv1-filter", &**filter),
        None => Ask::get(url),
    };
    let listed = run.list("endpoints", &ask(url), ask).await?;
    let is_meant = |machine: &Value| {
        let own = machine[member].as_str().unwrap_or_default();
        own.to_lowercase() == value.to_lowercase()
    };
    Ok(listed.map(|machines| machines.into_iter().filter(is_meant).collect()))
}

/// A filter for a value however it is cased: the vendor's own lists differ in that.
fn spellings(member: &str, value: &str) -> String {
    let mut spellings = vec![value.to_owned(), value.to_uppercase(), value.to_lowercase()];
    spellings.dedup();
    let terms: Vec<_> = spellings.iter().map(|value| format!("{member} eq '{value}'")).collect();
    terms.join(" or ")
}

/// The machines with an address: only the older list knows addresses, the current one knows the rest.
async fn with_address(run: &Run<'_>, address: &str) -> Result<Answered, Halt> {
    let mut url = run.url("eiqs/endpoints");
    url.query_pairs_mut().append_pair("top", "50");
    let query = format!("ip eq '{address}'");
    let ask = |url: Url| Ask::get(url).header("tmv1-query", &*query);
    let old = match run.list("addresses", &ask(url), ask).await? {
        Ok(old) => old,
        Err(error) => return Ok(Err(error)),
    };
    let mut machines = Vec::new();
    for guid in old.iter().filter_map(|machine| machine["agentGuid"].as_str()) {
        if !is_guid(guid) {
            continue;
        }
        match with(run, "agentGuid", guid).await? {
            Ok(found) => machines.extend(found),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(machines))
}

/// The properties of the machines that an entity names; those that differ stand side by side.
fn enriched(entity: &Entity, machines: &[Value]) -> Enrichment {
    let mut properties = BTreeMap::new();
    for (name, _, place) in PROPERTIES {
        let mut values: Vec<String> = Vec::new();
        for value in machines.iter().map(|machine| shown(machine, place)) {
            if !value.is_empty() && !values.contains(&value) {
                values.push(value);
            }
        }
        if !values.is_empty() {
            properties.insert(name.to_owned(), values.join(", "));
        }
    }
    Enrichment { entity: entity.clone(), properties, is_suspicious: false }
}

fn shown(machine: &Value, place: &str) -> String {
    match machine.pointer(place) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
