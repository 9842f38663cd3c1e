//! The streams: one for each type of SIEM events and one for each kind of TTP logs.

use model::connector::SettingsError;
use model::ids::StreamId;
use model::vendor::Stream;

use super::Kind;
use crate::parameters::Parameters;

const PREFIX: &str = "siem/";

/// The streams that the settings select, in the manifest's order.
pub(super) fn selected(
    parameters: &Parameters<'_>,
    content_types: &[String],
) -> Result<Vec<Stream>, SettingsError> {
    let types = parameters.choices("siem_types")?;
    let mut streams = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| content_types.iter().any(|c| c == kind.name()))
    {
        if kind == Kind::Siem {
            streams.extend(types.iter().map(|name| stream(&format!("{PREFIX}{name}"), kind)));
        } else {
            streams.push(stream(kind.name(), kind));
        }
    }
    Ok(streams)
}

fn stream(id: &str, kind: Kind) -> Stream {
    let id = StreamId::new(id).expect("the manifest's words are short and printable");
    Stream { id, content_type: kind.name().to_owned() }
}

/// The type of SIEM events of a stream as the vendor spells it: `url protect`.
pub(super) fn siem_type(stream: &Stream) -> Option<String> {
    Some(stream.id.as_str().strip_prefix(PREFIX)?.replace('_', " "))
}
