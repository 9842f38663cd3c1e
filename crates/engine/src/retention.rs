//! How long events are kept, and what must not go: rules and legal holds by tenant and table.
//!
//! Without a rule everything is kept for ever. A rule for a table counts more than the rule for all
//! tables of its tenant; a hold counts more than any rule.

use std::time::Duration;

use catalog::Catalog;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Timestamp;
use query::store::maintenance::{Expiry, Hold};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::EngineError;

const RULES: &str = "lake.retention.";
const HOLDS: &str = "lake.hold.";
/// Stands for every table in the name of a setting.
const ALL_TABLES: &str = "all";
/// More days are for ever.
const MOST_DAYS: u32 = 36_500;

/// How long a tenant's events are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionRule {
    /// The owner.
    pub tenant: TenantId,
    /// The table; all that have no rule of their own when there is none.
    pub class: Option<Class>,
    /// Days: a day goes when all of it is older.
    pub days: u32,
}

/// Events that must not go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalHold {
    /// The owner.
    pub tenant: TenantId,
    /// The table; every table when there is none.
    pub class: Option<Class>,
    /// Why, in the words of whoever set it.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredRule {
    days: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredHold {
    reason: Option<String>,
    since: Timestamp,
}

/// All rules and holds of this install.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) rules: Vec<RetentionRule>,
    pub(crate) holds: Vec<LegalHold>,
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// The catalog cannot be read, or holds what this version does not understand: then nothing may
    /// be removed.
    pub(crate) async fn read(catalog: &Catalog) -> Result<Self, EngineError> {
        let mut policy = Self::default();
        for (place, value) in catalog.settings(RULES).await? {
            let (tenant, class) = owner(&place)?;
            let StoredRule { days } = stored(RULES, &place, value)?;
            policy.rules.push(RetentionRule { tenant, class, days });
        }
        for (place, value) in catalog.settings(HOLDS).await? {
            let (tenant, class) = owner(&place)?;
            let StoredHold { reason, since } = stored(HOLDS, &place, value)?;
            policy.holds.push(LegalHold { tenant, class, reason, since });
        }
        Ok(policy)
    }

    /// What may go now.
    pub(crate) fn expiries(&self, now: Timestamp) -> Vec<Expiry> {
        let mut tenants: Vec<&TenantId> = self.rules.iter().map(|rule| &rule.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let holds = self.held();
        let mut expiries = Vec::new();
        for tenant in tenants {
            for class in Class::ALL {
                let is_held = holds.iter().any(|hold| hold.covers(tenant, class));
                if let Some(days) = self.days(tenant, class).filter(|_| !is_held) {
                    let limit = now - Duration::from_secs(u64::from(days) * 86_400);
                    let (tenant, before) = (tenant.clone(), limit.day());
                    expiries.push(Expiry { tenant, class, before });
                }
            }
        }
        expiries
    }

    /// The holds as the lake keeps them.
    pub(crate) fn held(&self) -> Vec<Hold> {
        let holds = self.holds.iter();
        holds.map(|hold| Hold { tenant: hold.tenant.clone(), class: hold.class }).collect()
    }

    fn days(&self, tenant: &TenantId, class: Class) -> Option<u32> {
        let rule = |wanted: Option<Class>| {
            let found = |rule: &&RetentionRule| rule.tenant == *tenant && rule.class == wanted;
            self.rules.iter().find(found).map(|rule| rule.days)
        };
        rule(Some(class)).or_else(|| rule(None))
    }
}

impl App {
    /// The retention rules of a tenant.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn retention(&self, tenant: &TenantId) -> Result<Vec<RetentionRule>, EngineError> {
        let policy = Policy::read(&self.services.catalog).await?;
        Ok(policy.rules.into_iter().filter(|rule| rule.tenant == *tenant).collect())
    }

    /// Keeps a tenant's events for so many days from now on; of all tables when none is named.
    ///
    /// # Errors
    /// The number of days is impossible, or the catalog cannot be written.
    pub async fn set_retention(
        &self,
        rule: RetentionRule,
        actor: &str,
    ) -> Result<RetentionRule, EngineError> {
        if !(1..=MOST_DAYS).contains(&rule.days) {
            return Err(EngineError::Invalid {
                problem: format!("{} days cannot be kept", rule.days),
                hint: format!(
                    "give between 1 and {MOST_DAYS} days; to keep everything, remove the rule"
                ),
            });
        }
        let name = setting(RULES, &rule.tenant, rule.class);
        let value = json!(StoredRule { days: rule.days });
        self.services.catalog.put_setting(&name, &value).await?;
        let object = place(&rule.tenant, rule.class);
        self.audit(actor, "lake.retention_set", &object, &json!({ "days": rule.days })).await;
        Ok(rule)
    }

    /// Removes a retention rule: what it covered is kept by the rule above it, or for ever.
    ///
    /// # Errors
    /// There is no such rule, or the catalog cannot be written.
    pub async fn remove_retention(
        &self,
        tenant: &TenantId,
        class: Option<Class>,
        actor: &str,
    ) -> Result<(), EngineError> {
        let name = setting(RULES, tenant, class);
        if !self.services.catalog.remove_setting(&name).await? {
            return Err(missing("retention rule", tenant, class));
        }
        let object = place(tenant, class);
        self.audit(actor, "lake.retention_removed", &object, &Value::Null).await;
        Ok(())
    }

    /// The legal holds of a tenant.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn holds(&self, tenant: &TenantId) -> Result<Vec<LegalHold>, EngineError> {
        let policy = Policy::read(&self.services.catalog).await?;
        Ok(policy.holds.into_iter().filter(|hold| hold.tenant == *tenant).collect())
    }

    /// Holds a tenant's events; of every table when none is named. When it answers, nothing of them
    /// is removed any more, by whatever install shares the lake.
    ///
    /// # Errors
    /// The catalog or the lake cannot be written; a hold that is stored counts for this install.
    pub async fn set_hold(
        &self,
        tenant: &TenantId,
        class: Option<Class>,
        reason: Option<String>,
        actor: &str,
    ) -> Result<LegalHold, EngineError> {
        let since = self.services.clock.now();
        let value = json!(StoredHold { reason: reason.clone(), since });
        let name = setting(HOLDS, tenant, class);
        self.services.catalog.put_setting(&name, &value).await?;
        let detail = json!({ "reason": reason });
        self.audit(actor, "lake.hold_set", &place(tenant, class), &detail).await;
        self.keeper.publish_holds().await?;
        Ok(LegalHold { tenant: tenant.clone(), class, reason, since })
    }

    /// Ends a legal hold.
    ///
    /// # Errors
    /// There is no such hold, or the catalog or the lake cannot be written.
    pub async fn remove_hold(
        &self,
        tenant: &TenantId,
        class: Option<Class>,
        actor: &str,
    ) -> Result<(), EngineError> {
        let name = setting(HOLDS, tenant, class);
        if !self.services.catalog.remove_setting(&name).await? {
            return Err(missing("legal hold", tenant, class));
        }
        self.audit(actor, "lake.hold_removed", &place(tenant, class), &Value::Null).await;
        self.keeper.publish_holds().await
    }
}

/// What a rule or a hold is about, for people and the audit log: `acme/email_activity`.
pub(crate) fn place(tenant: &TenantId, class: Option<Class>) -> String {
    format!("{tenant}/{}", class.map_or(ALL_TABLES, Class::name))
}

fn setting(prefix: &str, tenant: &TenantId, class: Option<Class>) -> String {
    format!("{prefix}{tenant}.{}", class.map_or(ALL_TABLES, Class::name))
}

/// The owner and the table in the name of a setting.
fn owner(place: &str) -> Result<(TenantId, Option<Class>), EngineError> {
    let parts = place.split_once('.').and_then(|(tenant, class)| {
        let class = match class {
            ALL_TABLES => None,
            name => Some(Class::from_name(name)?),
        };
        Some((TenantId::new(tenant).ok()?, class))
    });
    parts.ok_or_else(|| unreadable(place))
}

fn stored<T: for<'de> Deserialize<'de>>(
    prefix: &str,
    place: &str,
    value: Value,
) -> Result<T, EngineError> {
    serde_json::from_value(value).map_err(|_| unreadable(&format!("{prefix}{place}")))
}

fn unreadable(setting: &str) -> EngineError {
    EngineError::Invalid {
        problem: format!("the stored setting `{setting}` cannot be understood"),
        hint: "nothing is removed until it is set again, or a newer version runs".to_owned(),
    }
}

fn missing(kind: &'static str, tenant: &TenantId, class: Option<Class>) -> EngineError {
    let name = class.map_or(ALL_TABLES, Class::name).to_owned();
    EngineError::NotFound { kind, name, tenant: tenant.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tenant: &str, class: Option<Class>, days: u32) -> RetentionRule {
        RetentionRule { tenant: TenantId::new(tenant).unwrap(), class, days }
    }

    fn expiries(policy: &Policy) -> Vec<(String, String)> {
        let now = Timestamp::parse("2026-03-12T08:00:00Z").unwrap();
        let found = policy.expiries(now).into_iter();
        found
            .map(|expiry| (place(&expiry.tenant, Some(expiry.class)), expiry.before.to_string()))
            .collect()
    }

    #[test]
    fn the_narrower_rule_counts_and_a_day_goes_when_all_of_it_is_past() {
        let policy = Policy {
            rules: vec![rule("a", None, 10), rule("a", Some(Class::BaseEvent), 3)],
            holds: Vec::new(),
        };
        let found = expiries(&policy);
        assert_eq!(found.len(), Class::ALL.len());
        for (place, before) in found {
            let expected = if place == "a/base_event" { "2026-03-09" } else { "2026-03-02" };
            assert_eq!(before, expected, "{place}");
        }
        assert!(expiries(&Policy::default()).is_empty(), "without a rule all is kept");
    }

    #[test]
    fn a_hold_takes_its_tables_out_of_every_rule() {
        let hold = |tenant: &str, class| LegalHold {
            tenant: TenantId::new(tenant).unwrap(),
            class,
            reason: None,
            since: Timestamp::EPOCH,
        };
        let rules = vec![rule("a", None, 10), rule("b", None, 10)];
        let holds = vec![hold("a", None), hold("b", Some(Class::EmailActivity))];
        let found = expiries(&Policy { rules, holds });
        assert_eq!(found.len(), Class::ALL.len() - 1);
        assert!(
            found.iter().all(|(place, _)| place.starts_with("b/") && place != "b/email_activity")
        );
    }

    #[test]
    fn names_of_settings_lead_back_to_their_owner() {
        let tenant = TenantId::new("a-b_c").unwrap();
        for class in [None, Some(Class::FileHosting)] {
            let name = setting(RULES, &tenant, class);
            assert_eq!(owner(&name[RULES.len()..]).unwrap(), (tenant.clone(), class));
        }
        assert!(owner("a.brain_activity").is_err() && owner("a").is_err());
    }
}
