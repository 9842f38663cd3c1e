//! AWS CloudTrail: the mapping against samples and arbitrary data, and the connection against a stand-in for AWS.

mod events;
mod golden;
mod properties;
mod pull;

use std::sync::Arc;

use connectors::Registry;
use model::mapping::Mapping;
use model::vendor::Integration;

const NAME: &str = "aws_cloudtrail";
const RECORDS: &str = "records";

fn integration() -> Arc<dyn Integration> {
    Registry::new().get(NAME).unwrap().clone()
}

fn mapping() -> Arc<dyn Mapping> {
    integration().mapping(RECORDS).unwrap()
}
