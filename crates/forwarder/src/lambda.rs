//! As a Lambda function: what it is invoked with, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::batch::{self, Message};
use crate::client::Client;
use crate::deadline::{Deadline, since_epoch};
use crate::heartbeat;
use crate::pause::Mapping;
use crate::service::Home;

/// What is left of an invocation for its answer.
const RESERVE: Duration = Duration::from_secs(3);
/// How long a heartbeat tries: the next one comes in a minute.
const BEAT: Duration = Duration::from_secs(45);

/// What the function may be invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Invocation {
    /// The schedule's input.
    Beat {
        /// What is wanted: `heartbeat`.
        tarn: String,
        /// The event source mapping's id.
        mapping: String,
    },
    /// A batch of the queue.
    Batch(SqsEvent),
}

/// Answers invocations until the runtime ends the process.
///
/// # Errors
/// The runtime's API cannot be used.
pub async fn run(client: Client, aws: &aws_config::SdkConfig) -> Result<(), Error> {
    let client = Arc::new(client);
    let lambda = aws_sdk_lambda::Client::new(aws);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (client, lambda) = (client.clone(), lambda.clone());
        async move { Box::pin(answer(&client, lambda, event)).await }
    }))
    .await
}

async fn answer(
    client: &Client,
    lambda: aws_sdk_lambda::Client,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    if let Some(home) = home(&event.context.invoked_function_arn) {
        client.at_home(home);
    }
    let left = left(&event.context);
    match serde_json::from_value(event.payload) {
        Ok(Invocation::Batch(event)) => {
            let messages: Vec<Message> = event.records.into_iter().map(message).collect();
            let outcome = batch::forward(client, &messages, Deadline::after(left)).await;
            let mut answer = SqsBatchResponse::default();
            answer.set_failures(outcome.failed);
            Ok(serde_json::to_value(answer)?)
        }
        Ok(Invocation::Beat { tarn, mapping }) if tarn == "heartbeat" => {
            let mapping = Mapping::new(lambda, mapping);
            let deadline = Deadline::after(left.min(BEAT));
            let standing = heartbeat::beat(client, &mapping, deadline).await;
            // Never an error: the schedule would invoke again at once, and it comes in a minute anyway.
            Ok(json!({ "accepted": standing.is_some() }))
        }
        Ok(Invocation::Beat { tarn, .. }) => Err(format!("nobody knows how to `{tarn}`").into()),
        Err(_) => Err("the event is neither a batch of SQS nor the schedule's".into()),
    }
}

fn message(message: aws_lambda_events::event::sqs::SqsMessage) -> Message {
    Message { id: message.message_id.unwrap_or_default(), body: message.body.unwrap_or_default() }
}

fn left(context: &Context) -> Duration {
    let end = Duration::from_millis(context.deadline);
    end.saturating_sub(since_epoch()).saturating_sub(RESERVE)
}

/// Account and region of a function: `arn:aws:lambda:eu-west-1:111122223333:function:name`.
pub(crate) fn home(arn: &str) -> Option<Home> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, _, region, account, ..] = parts[..] else { return None };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| Home { account_id: account.to_owned(), region: region.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_told_from_a_beat_and_both_from_anything_else() {
        let read = |value: Value| serde_json::from_value::<Invocation>(value);
        let beat = read(json!({"tarn": "heartbeat", "mapping": "id"}));
        assert!(matches!(beat, Ok(Invocation::Beat { .. })));
        let batch = read(json!({"Records": [{
            "messageId": "m", "body": "b", "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs", "new": 1
        }]}));
        let Ok(Invocation::Batch(event)) = batch else { panic!("{batch:?}") };
        let expected = Message { id: "m".to_owned(), body: "b".to_owned() };
        assert_eq!(event.records.into_iter().map(message).collect::<Vec<_>>(), [expected]);
        assert!(read(json!({"other": 1})).is_err());
    }

    #[test]
    fn the_account_stands_in_the_functions_name() {
        let home = home("arn:aws-cn:lambda:cn-north-1:111122223333:function:f:v").unwrap();
        assert_eq!(
            (home.account_id.as_str(), home.region.as_str()),
            ("111122223333", "cn-north-1")
        );
        assert_eq!(super::home("No header lambda-runtime-invoked-function-arn found."), None);
    }
}
