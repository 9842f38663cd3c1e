//! The beat: says that the client lives, keeps the token young, and opens or shuts the intake by what Tarn answers.
//!
//! A beat that is not answered shuts it as well: messages wait in their queue for days, but a few receipts of each are
//! all that lies between a longer outage and the dead-letter queue.

use crate::client::Client;
use crate::deadline::Deadline;
use crate::pause::Intake;
use crate::service::Standing;
use model::causes::chain;

/// One beat. Answers how the stack stands when Tarn accepts it.
pub async fn beat(client: &Client, intake: &dyn Intake, deadline: Deadline) -> Option<Standing> {
    let was_paused = intake.is_paused().await;
    let waiting = client.waiting().await;
    let (service, version) = (&client.service, client.settings.template_version.as_str());
    let act = |token| async move {
        let paused = was_paused == Some(true);
        service.heartbeat(&token, version, waiting, paused, deadline).await
    };
    let standing = match client.with_token(deadline, act).await {
        Ok(standing) => Some(standing),
        Err(error) => {
            tracing::warn!(error = chain(&error), "the heartbeat is not accepted");
            None
        }
    };
    let paused = standing.is_none();
    if was_paused != Some(paused) {
        intake.set_paused(paused).await;
    }
    if let Some(standing) = &standing
        && let Err(error) = client.rotate(standing.rotate_after_seconds, deadline).await
    {
        tracing::warn!(
            error = chain(&error),
            "the token was not replaced; the next beat tries again"
        );
    }
    standing
}
