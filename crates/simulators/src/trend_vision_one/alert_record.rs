//! One version of an alert as the bytes of an answer: a pure function of the alert's history up to that version.

use serde_json::{Value, json};

use crate::draw::{Draw, mix, push_uuid};
use crate::release;
use crate::times::{DAY_MS, format_instant};

use super::VisionOne;
use super::history::{History, Step, VERSIONS};
use super::inventory::guid_of;
use super::mailboxes::one_in;
use super::parameters::seconds;
use super::streams::Stream;
use super::vocabulary as words;

const CONTENT: u64 = 0xa1e7;
/// One of so many alerts comes from a sweep with threat intelligence.
const SWEEP_EVERY: u64 = 8;
/// Sequence numbers of a day.
const SEQUENCE: u64 = 100_000;

/// What the steps up to a version made of an alert.
struct State {
    status: String,
    result: String,
    enriched: bool,
    correlated: bool,
    investigated_ms: Option<i64>,
    updated_ms: i64,
}

impl State {
    fn of(history: &History, position: usize) -> Self {
        let mut state = Self {
            status: "Open".to_owned(),
            result: "No Findings".to_owned(),
            enriched: false,
            correlated: false,
            investigated_ms: None,
            updated_ms: 0,
        };
        for (at_ms, step) in history.steps.iter().take(position + 1) {
            state.apply(*at_ms, step);
        }
        state
    }

    fn apply(&mut self, at_ms: i64, step: &Step) {
        self.updated_ms = at_ms;
        match step {
            Step::Created => {}
            Step::Enriched => self.enriched = true,
            Step::Correlated => {
                self.correlated = true;
                self.enter("In Progress", at_ms);
            }
            Step::Closed(result) => {
                self.enter("Closed", at_ms);
                self.result = (*result).to_owned();
            }
            Step::Edited { status, result } => {
                if let Some(status) = status {
                    self.enter(status, at_ms);
                }
                if let Some(result) = result {
                    self.result.clone_from(result);
                }
            }
        }
    }

    fn enter(&mut self, status: &str, at_ms: i64) {
        status.clone_into(&mut self.status);
        if status == "In Progress" {
            self.investigated_ms.get_or_insert(at_ms);
        }
    }

    /// The deprecated form of status and result in one.
    fn investigation(&self) -> &str {
        match (self.status.as_str(), self.result.as_str()) {
            ("Open", _) => "New",
            ("Closed", "True Positive" | "False Positive" | "Benign True Positive") => &self.result,
            (status, _) => status,
        }
    }
}

impl VisionOne {
    /// `WB-<customer>-<yyyymmdd>-<sequence>`.
    pub(super) fn alert_id(&self, alert: u64) -> String {
        id("WB", self.population.lattice(Stream::Alerts).time_ms(alert), alert)
    }

    /// The alert of an id, whatever became of it.
    pub(super) fn alert_of(&self, id: &str) -> Option<u64> {
        let day = id.split('-').nth(2).filter(|day| day.len() == 8 && day.is_ascii())?;
        let day = format!("{}-{}-{}T00:00:00Z", &day[..4], &day[4..6], &day[6..]);
        let start_ms = super::parameters::instant(&day)?;
        let lattice = self.population.lattice(Stream::Alerts);
        lattice.between(start_ms, start_ms + DAY_MS).find(|alert| self.alert_id(*alert) == id)
    }

    /// The bytes of a version by its number.
    pub(super) fn alert_text(&self, version: u64) -> String {
        let alert = version / VERSIONS;
        let position = usize::try_from(version % VERSIONS).unwrap_or(0);
        self.alert(alert, &self.history(alert, &self.knobs()), position).to_string()
    }

    /// A version of an alert.
    pub(super) fn alert(&self, alert: u64, history: &History, position: usize) -> Value {
        let state = State::of(history, position);
        let created_ms = history.updated_ms(0);
        let id = id("WB", created_ms, alert);
        let mut record = json!({
            "schemaVersion": "1.21",
            "id": id,
            "investigationStatus": state.investigation(),
            "status": state.status,
            "investigationResult": state.result,
            "workbenchLink": format!("https://portal.xdr.trendmicro.example/index.html#/workbench/alerts/{id}"),
        });
        let mut content = Content {
            draw: Draw::new(&[self.seed, alert, CONTENT]),
            seed: self.seed,
            alert,
            state: &state,
            created_ms,
        };
        let own = if alert % SWEEP_EVERY == 3 { content.sweep() } else { content.analysis() };
        for (name, value) in [
            ("createdDateTime", Value::from(seconds(created_ms))),
            ("updatedDateTime", Value::from(seconds(state.updated_ms))),
        ] {
            record[name] = value;
        }
        if let Some(investigated_ms) = state.investigated_ms {
            record["firstInvestigatedDateTime"] = Value::from(seconds(investigated_ms));
            record["ownerIds"] = json!(["5b1f7f0e-0000-4000-8000-00000000004a"]);
        }
        if state.correlated {
            record["incidentId"] = Value::from(self::id("IC", created_ms, alert));
            record["caseId"] = Value::from(self::id("CL", created_ms, alert));
        }
        if let Value::Object(own) = own {
            own.into_iter().for_each(|(name, value)| record[name] = value);
        }
        let is_new = release::is_out(self.knobs().release_ms, state.updated_ms);
        if let (true, Some(members)) = (is_new, record.as_object_mut()) {
            release::rewrite(members, "schemaVersion", "investigationResult");
        }
        record
    }
}

fn id(kind: &str, created_ms: i64, alert: u64) -> String {
    let day = format_instant(created_ms)[..10].replace('-', "");
    format!("{kind}-{}-{day}-{:05}", words::CUSTOMER, alert % SEQUENCE)
}

/// What a record says beside its state.
struct Content<'s> {
    draw: Draw,
    seed: u64,
    alert: u64,
    state: &'s State,
    created_ms: i64,
}

impl Content<'_> {
    fn uuid(&mut self) -> String {
        let mut text = String::with_capacity(36);
        push_uuid(&mut text, self.draw.bits(), self.draw.bits());
        text
    }

    /// An alert of the analytics engine.
    fn analysis(&mut self) -> Value {
        let place = usize::try_from(self.draw.below(words::MODELS.len() as u64)).unwrap_or(0);
        let model = &words::MODELS[place];
        let custom = self.draw.chance(15);
        let filters: Vec<Value> = model
            .filters
            .iter()
            .map(|(name, techniques)| {
                let matched_ms = self.created_ms - 1_000 * (30 + i64::from(self.alert.is_multiple_of(200)));
                let matched = format_instant(matched_ms + i64::try_from(self.draw.below(900)).unwrap_or(0));
                json!({
                    "id": self.uuid(), "name": name, "matchedDateTime": matched,
                    "mitreTechniqueIds": techniques,
                    "matchedEvents": [{ "uuid": self.uuid(), "matchedDateTime": matched, "type": "TELEMETRY_PROCESS" }],
                })
            })
            .collect();
        let filter_ids: Vec<Value> = filters.iter().map(|filter| filter["id"].clone()).collect();
        let (scope, host, mailbox) = self.scope();
        let indicators = self.indicators(&host, mailbox, &json!(filter_ids));
        json!({
            "alertProvider": "SAE",
            "modelId": format!("7d0f6d5e-2c4b-4f51-9b7e-{place:012x}"),
            "model": model.name,
            "modelType": if custom { "custom" } else { "preset" },
            "score": 20 + self.draw.below(80),
            "severity": model.severity,
            "impactScope": scope,
            "description": model.description,
            "matchedRules": [{ "id": self.uuid(), "name": model.name, "matchedFilters": filters }],
            "indicators": indicators,
        })
    }

    /// An alert of a sweep: no rules, a campaign, and indicators of another shape.
    fn sweep(&mut self) -> Value {
        let campaign = self.draw.pick(words::CAMPAIGNS);
        let (scope, host, _) = self.scope();
        let seen = seconds(self.created_ms - 3_600_000);
        let link = self.draw.pick(words::LINKS);
        json!({
            "alertProvider": "TI",
            "modelId": "1ebd4f91-4b28-40b4-87f5-8defee4791d8",
            "model": "Threat Intelligence Sweeping",
            "modelType": "preset",
            "score": 30 + self.draw.below(60),
            "severity": self.draw.pick(&["low", "medium", "high"]),
            "campaign": campaign,
            "industry": "Manufacturing",
            "regionAndCountry": Value::Null,
            "createdBy": "Trend Micro",
            "totalIndicatorCount": 12,
            "matchedIndicatorCount": 2,
            "reportLink": "https://reports.example/slow-heron",
            "impactScope": scope,
            "matchedIndicatorPatterns": [{ "id": format!("indicator--{}", self.uuid()), "pattern": format!("[url:value = '{link}']"), "tags": ["STIX2.malicious-activity"] }],
            "indicators": [
                { "id": 1, "type": "url", "value": link, "fields": [["processCmd"], ["request"]], "relatedEntities": [host], "matchedIndicatorPatternIds": [], "firstSeenDateTimes": [format_instant(self.created_ms - 7_200_000)], "lastSeenDateTimes": [seen], "provenance": ["Sweeping"] },
                { "id": 2, "type": "file_sha256", "value": "", "fields": [["objectFileHashSha256"]], "relatedEntities": [], "matchedIndicatorPatternIds": [], "firstSeenDateTimes": [], "lastSeenDateTimes": [], "provenance": ["Sweeping"] },
            ],
        })
    }

    /// The entities concerned, the key of the first machine, and the mailbox.
    fn scope(&mut self) -> (Value, Value, &'static str) {
        let account = self.draw.pick(words::ACCOUNTS);
        let mailbox = self.draw.pick(words::MAILBOXES);
        let (name, address) = self.draw.pick(words::HOSTS);
        // Unused: what is drawn after it has to stay what it was for a seed.
        self.uuid();
        let guid = guid_of(self.seed, name).to_uppercase();
        let mut entities = vec![
            json!({ "entityType": "account", "entityValue": account, "entityId": account, "relatedEntities": [guid], "relatedIndicatorIds": [], "provenance": ["Alert"] }),
            json!({ "entityType": "host", "entityValue": { "guid": guid, "name": name, "ips": [address] }, "entityId": guid, "relatedEntities": [account], "relatedIndicatorIds": [1, 2, 3], "provenance": ["Alert"] }),
        ];
        let has_mail = self.draw.chance(40);
        if has_mail {
            entities.push(json!({ "entityType": "emailAddress", "entityValue": mailbox, "entityId": mailbox.to_uppercase(), "relatedEntities": [], "relatedIndicatorIds": [], "provenance": ["Alert"] }));
        }
        let (second, second_address) = self.draw.pick(words::HOSTS);
        if self.state.correlated {
            // Known by its addresses only.
            entities.push(json!({ "entityType": "host", "entityValue": { "guid": "", "name": second, "ips": [second_address, "2001:db8::12"] }, "entityId": [second_address, "2001:db8::12"], "relatedEntities": [[account]], "relatedIndicatorIds": [], "provenance": ["Lateral Movement Enrichment"] }));
        }
        let scope = json!({
            "desktopCount": 1 + u8::from(self.state.correlated), "serverCount": 0, "accountCount": 1,
            "emailAddressCount": u8::from(has_mail), "containerCount": 0, "cloudIdentityCount": 0,
            "entities": entities,
        });
        (scope, Value::from(guid), mailbox)
    }

    fn indicators(&mut self, host: &Value, mailbox: &str, filters: &Value) -> Vec<Value> {
        let digest = format!(
            "{:016x}{:016x}{:08x}",
            self.draw.bits(),
            self.draw.bits(),
            self.draw.below(1 << 32)
        );
        let mut found = vec![
            ("command_line", "processCmd", self.draw.pick(words::COMMANDS).to_owned()),
            ("fullpath", "objectFilePath", self.draw.pick(words::FILES).to_owned()),
            ("file_sha1", "objectFileHashSha1", digest),
            ("url", "request", self.draw.pick(words::LINKS).to_owned()),
            ("domain", "hostName", self.draw.pick(words::DOMAINS).to_owned()),
            ("email_sender", "mailFromAddresses", self.draw.pick(words::SENDERS).to_owned()),
        ];
        // A message that the mailbox has, so that it can be acted on.
        let mail = one_in(mailbox, mix(&[self.alert]));
        found
            .extend(mail.map(|mail| ("email_message_id", "mailMsgId", mail.message_id.to_owned())));
        if self.state.enriched {
            found.push(("ip", "dst", self.draw.pick(words::ADDRESSES).to_owned()));
        }
        (1..)
            .zip(found)
            .map(|(id, (kind, field, value))| {
                json!({ "id": id, "type": kind, "field": field, "value": value, "relatedEntities": [host], "filterIds": filters, "provenance": ["Alert"] })
            })
            .collect()
    }
}
