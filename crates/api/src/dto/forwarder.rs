//! What a stack's client sends and gets. It may be newer than this server, so what it says beyond this is passed
//! over.

use engine::stacks::SignOfLife;
use engine::stacks::enrolment::Exchange;
use engine::stacks::standing::Standing as EngineStanding;
use model::secret::Secret;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A code for a token.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct EnrolmentRequest {
    /// The code of the link.
    #[schema(value_type = String)]
    enrolment_code: Secret,
    /// The token that the client made: 32 random bytes as text.
    #[schema(value_type = String, min_length = 32, max_length = 256)]
    token: Secret,
    /// The AWS account that it runs in.
    account_id: String,
    /// The region that it runs in.
    region: String,
    /// Its version.
    client_version: Option<String>,
    /// Its template's version.
    template_version: Option<String>,
}

/// The next token.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NextToken {
    /// The token: 32 random bytes as text.
    #[schema(value_type = String, min_length = 32, max_length = 256)]
    pub(crate) token: Secret,
}

/// A sign of life.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Heartbeat {
    /// The client's version.
    client_version: Option<String>,
    /// Its template's version.
    template_version: Option<String>,
    /// Messages that wait in its queue.
    queue_visible: Option<u64>,
    /// Whether it does not forward now.
    #[serde(default)]
    paused: bool,
}

/// How a stack stands with this server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    /// The stack.
    stack_id: String,
    /// Seconds between heartbeats.
    heartbeat_seconds: u64,
    /// Seconds after which a token is to be changed.
    rotate_after_seconds: u64,
    /// From when on the stack is refused; left out when never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<EnrolmentRequest> for Exchange {
    fn from(asked: EnrolmentRequest) -> Self {
        Self {
            code: asked.enrolment_code,
            token: asked.token,
            account: asked.account_id,
            region: asked.region,
            client_version: asked.client_version,
            template_version: asked.template_version,
        }
    }
}

impl From<Heartbeat> for SignOfLife {
    fn from(beat: Heartbeat) -> Self {
        Self {
            client_version: beat.client_version,
            template_version: beat.template_version,
            queue_visible: beat.queue_visible,
            is_paused: beat.paused,
        }
    }
}

impl From<EngineStanding> for Standing {
    fn from(standing: EngineStanding) -> Self {
        Self {
            stack_id: standing.stack_id,
            heartbeat_seconds: standing.heartbeat_seconds,
            rotate_after_seconds: standing.rotate_after_seconds,
            expires_at: standing.expires_at,
        }
    }
}
