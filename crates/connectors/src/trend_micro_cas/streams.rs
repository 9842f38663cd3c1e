//! The streams: one for each service and event type, for the vendor answers one pair at a time.

use model::connector::SettingsError;
use model::ids::StreamId;
use model::vendor::Stream;

use super::SECURITY_EVENTS;
use crate::parameters::Parameters;

/// The streams that the settings select, in the manifest's order.
pub(super) fn selected(parameters: &Parameters<'_>) -> Result<Vec<Stream>, SettingsError> {
    let services = parameters.choices("services")?;
    let events = parameters.choices("events")?;
    let pairs =
        services.iter().flat_map(|service| events.iter().map(move |event| (service, event)));
    Ok(pairs.map(|(service, event)| stream(service, event)).collect())
}

fn stream(service: &str, event: &str) -> Stream {
    let id = StreamId::new(format!("{service}/{event}"))
        .expect("the manifest's words are short and printable");
    Stream { id, content_type: SECURITY_EVENTS.to_owned() }
}

/// Service and event type of a stream.
pub(super) fn pair(stream: &Stream) -> Option<(&str, &str)> {
    stream.id.as_str().split_once('/')
}
