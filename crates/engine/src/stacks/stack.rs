//! A stack as people know it: made, listed, renewed, revoked.

use ::connectors::onboarding::{Delivery, Variant};
use catalog::{OfferedStack, StackRow, WantedStack};
use model::ids::{ConnectorId, TenantId};
use model::ledger::Counts;
use model::time::Timestamp;
use serde_json::json;

use super::publication::{CODE_LIFETIME, DEFAULT_VARIANT, Road};
use super::standing::{Status, expires_in_days, lives, problem};
use crate::app::App;
use crate::error::EngineError;

/// Days that a stack may be made to live at most.
const MOST_DAYS: u32 = 3_650;

/// A stack and how it is doing.
#[derive(Debug, Clone)]
pub struct Stack {
    /// What is stored of it.
    pub row: StackRow,
    /// What it is doing.
    pub status: Status,
    /// Whether its client gave a sign of life not long ago.
    pub is_alive: bool,
    /// Days until it expires, where it does.
    pub expires_in_days: Option<u64>,
    /// What somebody should do something about.
    pub problem: Option<String>,
    /// Its totals in the ledger.
    pub counts: Counts,
}

/// What somebody wants a stack for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The AWS account, where it is known.
    pub account: Option<String>,
    /// The region; where something was published last when there is none.
    pub region: Option<String>,
    /// The kind of stack, by its name.
    pub variant: Option<String>,
    /// Days that it lives; for as long as nobody revokes it when there is none.
    pub expires_in_days: Option<u32>,
}

/// A stack that may be put up now.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The stack.
    pub stack: Stack,
    /// How to put it up; `None` when it was renewed and stands already.
    pub road: Option<Road>,
    /// When the road's code dies.
    pub link_expires_at: Option<Timestamp>,
    /// Whether it was made just now.
    pub is_new: bool,
}

impl App {
    /// The stack of an account and a region with a new link; made unless it is there. `service_url` is where the
    /// account reaches this server.
    ///
    /// # Errors
    /// The wish names no account, region or kind of stack, or the catalog cannot be written.
    pub async fn offer_stack(
        &self,
        tenant: &TenantId,
        wish: &Wish,
        service_url: &str,
        actor: &str,
    ) -> Result<Offer, EngineError> {
        let account = wish.account.clone();
        account.as_deref().map(check_account).transpose()?;
        let region = match &wish.region {
            Some(region) => region.clone(),
            None => self.default_region().await?,
        };
        check_region(&region)?;
        let variant = variant_of(wish.variant.as_deref())?;
        check_days(wish.expires_in_days)?;
        let now = self.services.clock.now();
        self.services.catalog.ensure_tenant(tenant, now).await?;
        let wanted = WantedStack {
            tenant: tenant.clone(),
            name: name_of(account.as_deref(), &region),
            account,
            region,
            variant: variant.name(),
            code_expires_at: now + CODE_LIFETIME,
            lifetime_days: wish.expires_in_days,
        };
        let offered = self.services.catalog.offer_stack(&wanted, now).await?;
        let action = if offered.is_new { "stacks.create" } else { "stacks.link" };
        let object = offered.stack.id.to_string();
        self.audit(actor, action, &object, &json!({ "account": wanted.account })).await;
        self.offer_of(offered, wish.variant.as_ref().map(|_| variant), service_url).await
    }

    /// Gives a stack a new lease: its days count from now, and a revocation is lifted. One that never enrolled
    /// gets a new link.
    ///
    /// # Errors
    /// There is no such stack in the tenant, another has taken its place, or the catalog cannot be written.
    pub async fn renew_stack(
        &self,
        tenant: &TenantId,
        id: ConnectorId,
        expires_in_days: Option<u32>,
        service_url: &str,
        actor: &str,
    ) -> Result<Offer, EngineError> {
        check_days(expires_in_days)?;
        self.stack_row(tenant, id).await?;
        let now = self.services.clock.now();
        let end = now + CODE_LIFETIME;
        let offered = self.services.catalog.renew_stack(id, expires_in_days, end, now).await?;
        self.audit(actor, "stacks.renew", &id.to_string(), &json!(expires_in_days)).await;
        self.offer_of(offered, None, service_url).await
    }

    /// Takes a stack back: its client is refused from the answer on.
    ///
    /// # Errors
    /// There is no such stack in the tenant, or the catalog cannot be written.
    pub async fn revoke_stack(
        &self,
        tenant: &TenantId,
        id: ConnectorId,
        actor: &str,
    ) -> Result<(), EngineError> {
        self.stack_row(tenant, id).await?;
        self.services.catalog.revoke_stack(id, self.services.clock.now()).await?;
        self.audit(actor, "stacks.revoke", &id.to_string(), &json!(null)).await;
        Ok(())
    }

    /// The stacks of a tenant, or of all, the oldest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn stacks(&self, tenant: Option<&TenantId>) -> Result<Vec<Stack>, EngineError> {
        let mut stacks = Vec::new();
        for row in self.services.catalog.stacks(tenant).await? {
            stacks.push(self.stack_of(row).await?);
        }
        Ok(stacks)
    }

    /// A stack of a tenant.
    ///
    /// # Errors
    /// There is no such stack in the tenant, or the catalog cannot be read.
    pub async fn stack(&self, tenant: &TenantId, id: ConnectorId) -> Result<Stack, EngineError> {
        let row = self.stack_row(tenant, id).await?;
        self.stack_of(row).await
    }

    async fn stack_row(&self, tenant: &TenantId, id: ConnectorId) -> Result<StackRow, EngineError> {
        let row = self.services.catalog.stack(id).await?.filter(|row| row.tenant == *tenant);
        row.ok_or_else(|| EngineError::NotFound {
            kind: "stack",
            name: id.to_string(),
            tenant: tenant.to_string(),
        })
    }

    async fn stack_of(&self, row: StackRow) -> Result<Stack, EngineError> {
        let now = self.services.clock.now();
        Ok(Stack {
            status: Status::of(&row, now),
            is_alive: lives(&row, now),
            expires_in_days: expires_in_days(&row, now),
            problem: problem(&row, now),
            counts: self.ledger(Some(&row.tenant), Some(row.id)).await?,
            row,
        })
    }

    async fn offer_of(
        &self,
        offered: OfferedStack,
        variant: Option<Variant>,
        service_url: &str,
    ) -> Result<Offer, EngineError> {
        let OfferedStack { stack: row, code, is_new } = offered;
        let link_expires_at = row.code_expires_at.filter(|_| code.is_some());
        let road = match code {
            Some(code) => {
                let variant = variant.or_else(|| known_variant(&row.variant));
                let variant = variant.unwrap_or(DEFAULT_VARIANT);
                Some(self.road(&row.region, variant, service_url, &code).await?)
            }
            None => None,
        };
        Ok(Offer { stack: self.stack_of(row).await?, road, link_expires_at, is_new })
    }
}

/// What people call a stack, and the connector name of its records.
pub(super) fn name_of(account: Option<&str>, region: &str) -> String {
    match account {
        Some(account) => format!("CloudTrail {account} {region}"),
        None => format!("CloudTrail {region}"),
    }
}

/// The kind of stack that a name means.
///
/// # Errors
/// It means none that has a client.
pub fn variant_of(name: Option<&str>) -> Result<Variant, EngineError> {
    let Some(name) = name else { return Ok(DEFAULT_VARIANT) };
    let with_client = |variant: &Variant| variant.delivery == Delivery::Client;
    known_variant(name).filter(with_client).ok_or_else(|| {
        let names: Vec<_> = Variant::all().filter(with_client).map(Variant::name).collect();
        EngineError::Invalid {
            problem: format!("`variant`: `{name}` is no kind of stack with a client"),
            hint: format!("write one of: {}", names.join(", ")),
        }
    })
}

fn known_variant(name: &str) -> Option<Variant> {
    Variant::all().find(|variant| variant.name() == name)
}

pub(super) fn check_account(account: &str) -> Result<(), EngineError> {
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(EngineError::Invalid {
        problem: "the AWS account is no number of 12 digits".to_owned(),
        hint: "`aws sts get-caller-identity` prints it".to_owned(),
    })
}

pub(super) fn check_region(region: &str) -> Result<(), EngineError> {
    let is_word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let parts: Vec<&str> = region.split('-').collect();
    if region.len() <= 32 && parts.len() >= 3 && parts.into_iter().all(is_word) {
        return Ok(());
    }
    Err(EngineError::Invalid {
        problem: "the AWS region cannot be one".to_owned(),
        hint: "write it as AWS does, for instance ap-northeast-1".to_owned(),
    })
}

fn check_days(days: Option<u32>) -> Result<(), EngineError> {
    if days.is_none_or(|days| (1..=MOST_DAYS).contains(&days)) {
        return Ok(());
    }
    Err(EngineError::Invalid {
        problem: format!("the days until it expires are not between 1 and {MOST_DAYS}"),
        hint: "leave them out for a stack that lives until it is revoked".to_owned(),
    })
}
