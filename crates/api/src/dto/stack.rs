//! Stacks as people ask for them and see them.

use std::collections::BTreeMap;

use engine::stacks::stack::{Offer as EngineOffer, Stack as EngineStack, Wish};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::counts::Counts;

/// What a stack is wanted for. Everything may be left out, and so may the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStack {
    /// The AWS account. Left out, the account is known when the client enrols.
    #[serde(rename = "providerAccountID")]
    #[schema(example = "111122223333")]
    provider_account_id: Option<String>,
    /// The AWS region. Left out, it is where templates were published last.
    #[serde(rename = "awsRegion")]
    #[schema(example = "ap-northeast-1")]
    aws_region: Option<String>,
    /// The kind of stack; `new-bucket-x86_64` when it is left out.
    variant: Option<String>,
    /// Days until the stack is refused; never when it is left out.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// A new lease.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renewal {
    /// Days from now until the stack is refused; as many as it had before when it is left out.
    #[schema(minimum = 1, maximum = 3650)]
    pub(crate) expires_in_days: Option<u32>,
}

/// A client in an AWS account and how it is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stack {
    /// The stack, and the connector id of its events.
    id: String,
    /// The owner.
    tenant: String,
    /// What it is called; the connector name of its events.
    name: String,
    /// `pending`, `connecting`, `connected`, `expired` or `revoked`.
    #[schema(example = "connected")]
    status: &'static str,
    /// What somebody should do something about.
    problem: Option<String>,
    /// The AWS account, once it is known.
    account_id: Option<String>,
    /// The AWS region.
    region: String,
    /// The kind of stack.
    variant: String,
    /// Its client's version.
    client_version: Option<String>,
    /// Its template's version.
    template_version: Option<String>,
    /// Whether its client gave a sign of life in the last three minutes.
    alive: bool,
    /// Whether its client says that it does not forward now.
    paused: bool,
    /// Messages that wait in its queue, as its client says.
    queue_visible: Option<u64>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its client exchanged the code of its link.
    #[schema(value_type = Option<String>, format = DateTime)]
    enrolled_at: Option<Timestamp>,
    /// When its first object was in the lake.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_object_at: Option<Timestamp>,
    /// When its client last gave a sign of life.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_heartbeat_at: Option<Timestamp>,
    /// When records of it last came.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_record_at: Option<Timestamp>,
    /// From when on it is refused; null when never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Days until then; one that has begun counts.
    expires_in_days: Option<u64>,
    /// When somebody took it back.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// Its totals.
    counts: Counts,
}

/// A stack with the way to put it up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StackOffer {
    /// The stack.
    #[serde(flatten)]
    stack: Stack,
    /// The link that opens CloudFormation with everything filled in; null where nothing was published for the region,
    /// and for a stack that was renewed and stands already.
    #[serde(rename = "createStackURL")]
    create_stack_url: Option<String>,
    /// The same link.
    #[serde(rename = "deploymentURL")]
    deployment_url: Option<String>,
    /// When the enrolment code in the link dies.
    #[schema(value_type = Option<String>, format = DateTime)]
    link_expires_at: Option<Timestamp>,
    /// What to fill in. The enrolment code is shown here and never again.
    parameters: BTreeMap<String, String>,
    /// The text of the template, where there is no link.
    template: Option<String>,
    /// What the template's file is called.
    template_name: Option<String>,
    /// What to do in the console, step by step.
    steps: Vec<String>,
}

/// Where templates and the client's code were published.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    /// The bucket.
    pub(crate) bucket: String,
    /// The region that it lies in.
    #[schema(example = "ap-northeast-1")]
    pub(crate) region: String,
    /// The version of what was published.
    pub(crate) version: String,
}

impl From<NewStack> for Wish {
    fn from(wanted: NewStack) -> Self {
        let NewStack { provider_account_id, aws_region, variant, expires_in_days } = wanted;
        Self { account: provider_account_id, region: aws_region, variant, expires_in_days }
    }
}

impl From<EngineStack> for Stack {
    fn from(stack: EngineStack) -> Self {
        let row = stack.row;
        Self {
            id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            name: row.name,
            status: stack.status.as_str(),
            problem: stack.problem,
            account_id: row.account,
            region: row.region,
            variant: row.variant,
            client_version: row.client_version,
            template_version: row.template_version,
            alive: stack.is_alive,
            paused: row.is_paused,
            queue_visible: row.queue_visible,
            created_at: row.created_at,
            enrolled_at: row.enrolled_at,
            first_object_at: row.first_object_at,
            last_heartbeat_at: row.last_heartbeat_at,
            last_record_at: row.last_record_at,
            expires_at: row.expires_at,
            expires_in_days: stack.expires_in_days,
            revoked_at: row.revoked_at,
            counts: stack.counts.into(),
        }
    }
}

impl From<EngineOffer> for StackOffer {
    fn from(offer: EngineOffer) -> Self {
        let name = offer.road.as_ref().map(|road| road.template_name.clone());
        let road = offer.road.unwrap_or_default();
        Self {
            stack: offer.stack.into(),
            create_stack_url: road.link.clone(),
            deployment_url: road.link,
            link_expires_at: offer.link_expires_at,
            parameters: road.parameters.into_iter().collect(),
            template: road.template,
            template_name: name,
            steps: road.steps,
        }
    }
}
