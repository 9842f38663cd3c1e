//! What is asked of a queue: messages, more time for those at work, and their deletion.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, QueueAttributeName,
};
use model::vendor::FetchError;

use super::address::Queue;
use super::failure;
use super::session::Session;

/// Messages in one answer, and entries in one batch: the service's limit.
const AT_ONCE: usize = 10;
/// The longest wait for a message that the service offers.
pub(super) const LONGEST_WAIT: i32 = 20;
/// Text that cannot be a receipt.
const NO_RECEIPT: &str = "tarn-permission-check";

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it says.
    pub body: String,
    /// Who it is, however often it comes.
    pub id: String,
    /// By which it is deleted.
    pub receipt: String,
}

/// Asks for messages; waits for the first one up to `wait` seconds. They are hidden from others for `visibility`
/// seconds.
///
/// # Errors
/// The queue refuses or does not answer.
pub(super) async fn receive(
    session: &Session,
    queue: &Queue,
    wait: i32,
    visibility: i32,
) -> Result<Vec<Message>, FetchError> {
    let client = session.sqs(&queue.region).await;
    let ask = client.receive_message().queue_url(&queue.url).wait_time_seconds(wait);
    let ask = ask.max_number_of_messages(10).visibility_timeout(visibility);
    let answer = ask.send().await;
    let answer = answer.map_err(|error| failure::of("sqs:ReceiveMessage", &queue.url, error))?;
    let messages = answer.messages.unwrap_or_default().into_iter();
    let message = |message: aws_sdk_sqs::types::Message| {
        Some(Message {
            body: message.body.unwrap_or_default(),
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle?,
        })
    };
    Ok(messages.filter_map(message).collect())
}

/// Deletes messages. One that cannot be deleted comes again, and its records are found to be stored.
pub(super) async fn delete(session: &Session, queue: &Queue, receipts: &[String]) {
    let client = session.sqs(&queue.region).await;
    for receipts in receipts.chunks(AT_ONCE) {
        let entries = receipts.iter().enumerate().filter_map(|(id, receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
            entry.receipt_handle(receipt).build().ok()
        });
        let ask = client.delete_message_batch().queue_url(&queue.url);
        match ask.set_entries(Some(entries.collect())).send().await {
            Ok(answer) => {
                for failed in answer.failed() {
                    tracing::warn!(
                        queue = queue.name,
                        code = failed.code(),
                        "a message was not deleted"
                    );
                }
            }
            Err(error) => {
                let error = failure::of("sqs:DeleteMessage", &queue.url, error);
                tracing::warn!(queue = queue.name, %error, "messages were not deleted; they come again");
            }
        }
    }
}

/// Hides messages for `seconds` from now on; 0 shows them at once.
pub(super) async fn hide(session: &Session, queue: &Queue, receipts: &[String], seconds: i32) {
    let client = session.sqs(&queue.region).await;
    for receipts in receipts.chunks(AT_ONCE) {
        let entries = receipts.iter().enumerate().filter_map(|(id, receipt)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id.to_string());
            entry.receipt_handle(receipt).visibility_timeout(seconds).build().ok()
        });
        let ask = client.change_message_visibility_batch().queue_url(&queue.url);
        if let Err(error) = ask.set_entries(Some(entries.collect())).send().await {
            let error = failure::of("sqs:ChangeMessageVisibility", &queue.url, error);
            tracing::warn!(queue = queue.name, %error, "messages at work may come a second time");
        }
    }
}

/// How many messages wait in a queue, roughly.
///
/// # Errors
/// The queue refuses or does not answer.
pub(super) async fn waiting(session: &Session, queue: &Queue) -> Result<u64, FetchError> {
    let client = session.sqs(&queue.region).await;
    let count = QueueAttributeName::ApproximateNumberOfMessages;
    let ask = client.get_queue_attributes().queue_url(&queue.url).attribute_names(count.clone());
    let answer = ask.send().await;
    let answer =
        answer.map_err(|error| failure::of("sqs:GetQueueAttributes", &queue.url, error))?;
    Ok(answer.attributes().and_then(|all| all.get(&count)?.parse().ok()).unwrap_or(0))
}

/// Tries everything that is asked of a queue without taking a message away. Answers a message, if there is one,
/// and how many wait.
///
/// # Errors
/// Names the action that is refused.
pub(super) async fn probe(
    session: &Session,
    queue: &Queue,
) -> Result<(Option<Message>, u64), FetchError> {
    let client = session.sqs(&queue.region).await;
    let waiting = waiting(session, queue).await?;
    // Hidden for no time at all: whoever works on the queue gets it all the same.
    let message = receive(session, queue, 0, 0).await?.into_iter().next();
    // A refusal comes before the receipt is looked at.
    let delete =
        client.delete_message().queue_url(&queue.url).receipt_handle(NO_RECEIPT).send().await;
    denied("sqs:DeleteMessage", queue, delete.err())?;
    let hide = client.change_message_visibility().queue_url(&queue.url).receipt_handle(NO_RECEIPT);
    denied("sqs:ChangeMessageVisibility", queue, hide.visibility_timeout(0).send().await.err())?;
    Ok((message, waiting))
}

/// Only a missing right counts: that the receipt is none, the service says too.
fn denied<E>(
    action: &str,
    queue: &Queue,
    error: Option<aws_sdk_sqs::error::SdkError<E, aws_sdk_sqs::config::http::HttpResponse>>,
) -> Result<(), FetchError>
where
    E: aws_sdk_sqs::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Some(error) = error else { return Ok(()) };
    let error = failure::of(action, &queue.url, error);
    if error.fault == model::vendor::Fault::MissingScope { Err(error) } else { Ok(()) }
}
