//! What keeps entities from actions: protected ones, and caps for the hour. Both are per tenant.

pub use catalog::{Cap, EntityProperty, ProtectedEntity};
use model::action::journal::Verdict;
use model::action::{Entity, EntityKind, Text};
use model::ids::TenantId;
use serde_json::json;

use crate::app::App;
use crate::error::EngineError;

impl App {
    /// Protects every entity of a kind whose value fits a pattern: `*` stands for any characters.
    ///
    /// # Errors
    /// The pattern is empty, the tenant does not exist, or the catalog cannot be written.
    pub async fn protect(
        &self,
        tenant: &TenantId,
        kind: EntityKind,
        pattern: &str,
        reason: &str,
        actor: &str,
    ) -> Result<(), EngineError> {
        let pattern = pattern.trim().to_lowercase();
        if pattern.is_empty() {
            return Err(EngineError::Invalid {
                problem: "an empty pattern protects nothing".to_owned(),
                hint: "write a value, or a pattern such as `*@board.example`".to_owned(),
            });
        }
        let at = self.services.clock.now();
        let entity = ProtectedEntity {
            tenant: tenant.clone(),
            kind,
            pattern: pattern.clone(),
            reason: reason.to_owned(),
            actor: actor.to_owned(),
            at,
        };
        self.services.catalog.protect(&entity).await?;
        let detail = json!({ "tenant": tenant, "reason": reason });
        self.audit(actor, "action.protect", &format!("{kind} {pattern}"), &detail).await;
        Ok(())
    }

    /// Ends the protection of a pattern.
    ///
    /// # Errors
    /// There is none, or the catalog cannot be written.
    pub async fn unprotect(
        &self,
        tenant: &TenantId,
        entity: &Entity,
        actor: &str,
    ) -> Result<(), EngineError> {
        if !self.services.catalog.unprotect(tenant, entity).await? {
            return Err(EngineError::NotFound {
                kind: "protected entity",
                name: entity.to_string(),
                tenant: tenant.to_string(),
            });
        }
        let detail = json!({ "tenant": tenant });
        self.audit(actor, "action.unprotect", &entity.to_string(), &detail).await;
        Ok(())
    }

    /// The protected entities of a tenant.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn protected(&self, tenant: &TenantId) -> Result<Vec<ProtectedEntity>, EngineError> {
        Ok(self.services.catalog.protected(tenant).await?)
    }

    /// Lets an action take away at most so many things in an hour; `None` lifts the cap.
    ///
    /// # Errors
    /// There is no such action, or no cap to lift, or the catalog cannot be written.
    pub async fn set_cap(
        &self,
        tenant: &TenantId,
        action: &str,
        per_hour: Option<u32>,
        actor: &str,
    ) -> Result<(), EngineError> {
        let at = self.services.clock.now();
        let not_found = |kind: &'static str| EngineError::NotFound {
            kind,
            name: action.to_owned(),
            tenant: tenant.to_string(),
        };
        match per_hour {
            Some(per_hour) => {
                let (integration, name) = action.split_once('.').unwrap_or((action, ""));
                let known = self.registry.get(integration);
                let is_known = known.is_some_and(|known| known.manifest().action(name).is_some());
                if !is_known && integration != super::RESPONDER {
                    return Err(not_found("action"));
                }
                let cap = Cap {
                    tenant: tenant.clone(),
                    action: action.to_owned(),
                    per_hour,
                    actor: actor.to_owned(),
                    at,
                };
                self.services.catalog.set_cap(&cap).await?;
            }
            None => {
                if !self.services.catalog.lift_cap(tenant, action).await? {
                    return Err(not_found("cap"));
                }
            }
        }
        let detail = json!({ "tenant": tenant, "per_hour": per_hour });
        self.audit(actor, "action.cap", action, &detail).await;
        Ok(())
    }

    /// What actions learned about an entity.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn entity_properties(
        &self,
        tenant: &TenantId,
        entity: &Entity,
    ) -> Result<Vec<EntityProperty>, EngineError> {
        Ok(self.services.catalog.entity_properties(tenant, entity).await?)
    }

    /// The caps of a tenant.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn caps(&self, tenant: &TenantId) -> Result<Vec<Cap>, EngineError> {
        Ok(self.services.catalog.caps(tenant).await?)
    }
}

/// The verdict on an entity that somebody protected; `None` for all others.
pub(super) fn protection(protected: &[ProtectedEntity], entity: &Entity) -> Option<Verdict> {
    let value = entity.value.to_lowercase();
    let found = protected
        .iter()
        .find(|known| is_kin(known.kind, entity.kind) && fits(&known.pattern, &value))?;
    let why = if found.reason.is_empty() {
        Text::new(
            format!("protected by {}", found.actor),
            format!("{} により保護されています", found.actor),
        )
    } else {
        Text::new(
            format!("protected by {}: {}", found.actor, found.reason),
            format!("{} により保護されています: {}", found.actor, found.reason),
        )
    };
    Some(Verdict::Protected(why))
}

/// The verdict on what is over a cap.
pub(super) fn over_cap(per_hour: u32) -> Verdict {
    Verdict::OverCap(Text::new(
        format!("the cap of {per_hour} per hour is reached"),
        format!("1 時間あたりの上限 {per_hour} 件に達しました"),
    ))
}

/// Whether two kinds name the same sort of thing: an account is known by its address.
fn is_kin(left: EntityKind, right: EntityKind) -> bool {
    let is_person = |kind| matches!(kind, EntityKind::User | EntityKind::EmailAddress);
    left == right || is_person(left) && is_person(right)
}

/// Whether a text fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("ceo@corp.example", "ceo@corp.example", true),
            ("ceo@corp.example", "ceo@corp.example2", false),
            ("*@board.example", "a@board.example", true),
            ("*@board.example", "a@board.example.org", false),
            ("dc-*-01", "dc-tokyo-01", true),
            ("dc-*-01", "dc-01", false),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_in_a_stars_place_does_not_matter(
            left in "[a-z@.]{0,6}", between in ".{0,12}", right in "[a-z@.]{0,6}",
        ) {
            let pattern = format!("{left}*{right}");
            let text = format!("{left}{between}{right}");
            prop_assert!(fits(&pattern, &text));
        }
    }
}
