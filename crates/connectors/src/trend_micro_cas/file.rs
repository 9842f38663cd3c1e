//! Records of drives and sites: File Hosting Activity. The vendor reports a scan, for which the class
//! has no id, so the activity is Other, `Scan`.

use std::borrow::Cow;

use model::ocsf::Event;
use model::ocsf::objects::{File, NetworkEndpoint};
use model::ocsf::values::{file_hosting, observable_type};

use super::decode::Fields;
use super::identify::Levels;
use super::normalise::{Common, SCAN, actor, event, named_file, time_ms};
use super::words;

/// The service where the record does not name one.
const PRODUCT: &str = "Cloud App Security";

/// Whether the class's demands can be met: a file and somebody who acted.
pub(super) fn fits(message: &Fields<'_>) -> bool {
    message.peek("file_name").is_some() && message.peek("affected_user").is_some()
}

/// The event of a file record that [`fits`].
pub(super) fn event<'a>(mut record: Levels<'a>, mut common: Common<'a>) -> Event<'a> {
    let message = &mut record.message;
    let actor = message.text("affected_user").map(|name| actor(name, &mut common.observables));
    let file = stored_file(message);
    if let Some(file) = &file {
        common.observables.add_file("file.name", "file.hashes.value", file);
        if let Some(path) = &file.path {
            common.observables.add("file.path", observable_type::FILE_PATH, path.clone());
        }
    }
    if let Some(link) = common.control.risk_details.as_ref().filter(|text| words::is_link(text)) {
        common.observables.add("risk_details", observable_type::URL_STRING, link.clone());
    }
    let source = endpoint(common.service.clone());
    event!(FileHosting, record, common, {
        activity_id: Some(file_hosting::OTHER),
        activity_name: Some(Cow::Borrowed(SCAN)),
        actor: actor,
        file: file.map(Into::into),
        src_endpoint: Some(source.into()),
    })
}

/// The file that the message names, with its place.
pub(super) fn stored_file<'a>(message: &mut Fields<'a>) -> Option<File<'a>> {
    let name = message.text("file_name")?;
    let mut file = named_file(name, message);
    file.modified_time = time_ms(message, "file_upload_time");
    if let Some(location) = message.text("location") {
        // A folder, or the whole path: the formats differ by service.
        let is_path = file.name.as_ref().is_some_and(|name| location.ends_with(name.as_ref()));
        if is_path {
            file.path = Some(location);
        } else {
            file.parent_folder = Some(location);
        }
    }
    Some(file)
}

/// The service as the place that an activity came from: the vendor names no other.
pub(super) fn endpoint(service: Option<Cow<'_, str>>) -> NetworkEndpoint<'_> {
    let svc_name = service.or(Some(Cow::Borrowed(PRODUCT)));
    NetworkEndpoint { svc_name, ..NetworkEndpoint::default() }
}
