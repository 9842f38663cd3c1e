//! The CloudTrail client: hears of new objects in an account's bucket, reads them there, and sends their records to
//! Tarn. One code base runs as a Lambda function behind a queue and as a daemon that reads queues.
//!
//! # Settings
//!
//! Environment variables, for both; the daemon takes flags of the same meaning (`--help`).
//!
//! | variable | Lambda | daemon | meaning |
//! |---|---|---|---|
//! | `TARN_SERVICE_URL` | needed | needed | where Tarn is reached |
//! | `TARN_ENROLMENT_CODE` | until enrolled | until enrolled | the code from the stack's link |
//! | `TARN_SECRET_ARN` | needed | this or the next | the secret of Secrets Manager that holds the token |
//! | `TARN_TOKEN_FILE` | no | this or the last | a file that holds the token instead |
//! | `TARN_QUEUE_URL` | optional | needed | queues by URL or ARN, with commas; a function tells with it how much waits |
//! | `TARN_TEMPLATE_VERSION` | optional | optional | the template's version, told with every heartbeat |
//! | `TARN_VISIBILITY_SECONDS` | no | optional, 300 | how long a message is hidden at a time |
//! | `TARN_LOG` | optional, `info` | optional, `info` | what is logged |
//!
//! An empty code, secret, file or queue counts as none. Proxies are honoured as usual (`HTTPS_PROXY`, `NO_PROXY`), as are the AWS SDK's own
//! variables. A function gets two kinds of events: batches of its queue, and every minute from its schedule
//! `{"tarn": "heartbeat", "mapping": "<id of the event source mapping>"}`.

//!
//! # The code
//!
//! Start at [`lambda`] or [`daemon`]; both give messages to [`batch`], which sends every [`object`] in [`chunks`] to
//! the [`service`], and both have a [`heartbeat`], which opens and shuts the intake ([`pause`]). [`secret`] keeps the
//! token, [`enrolment`] and [`rotation`] make it. Why it is like this: `docs/decisions/0011-stacks-and-their-client.md`.

pub mod batch;
pub mod chunks;
pub mod client;
pub mod daemon;
pub mod deadline;
pub mod enrolment;
pub mod heartbeat;
pub mod lambda;
pub mod object;
pub mod pause;
pub mod refusal;
pub mod rotation;
pub mod secret;
pub mod service;
pub mod settings;
pub mod token_file;
