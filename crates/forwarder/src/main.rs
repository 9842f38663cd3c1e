//! The binary: a Lambda function where the runtime's API is there, else a daemon.

use std::process::ExitCode;

use clap::Parser as _;
use forwarder::client::Client;
use forwarder::settings::Settings;
use forwarder::{daemon, lambda};
use model::causes::chain;
use tracing_subscriber::EnvFilter;

/// By this variable a function finds its runtime (AWS Lambda, "Using the Lambda runtime API").
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

fn main() -> ExitCode {
    let is_lambda = is_lambda();
    let settings =
        if is_lambda { Settings::try_parse_from(["bootstrap"]) } else { Settings::try_parse() };
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            // Where it goes is closed: then nobody wants to read it.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(settings, is_lambda) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(error.as_ref()), "the client ends");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(settings: Settings, is_lambda: bool) -> Result<(), lambda_runtime::Error> {
    start_log(&settings.log, is_lambda);
    settings.check(is_lambda)?;
    let aws = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = Client::new(settings, &aws)?;
    if is_lambda { lambda::run(client, &aws).await } else { Ok(daemon::run(client).await?) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "Lambda itself sets it; everything else is a setting"
)]
fn is_lambda() -> bool {
    std::env::var_os(RUNTIME_API).is_some_and(|address| !address.is_empty())
}

/// Lines for people, or JSON where CloudWatch searches it.
fn start_log(filter: &str, is_lambda: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if is_lambda { log.json().init() } else { log.with_ansi(false).init() }
}
