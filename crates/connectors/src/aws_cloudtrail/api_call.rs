//! A call as API Activity.

use std::borrow::Cow;

use model::ocsf::Event;
use model::ocsf::objects::{ResourceDetails, User};
use model::ocsf::values::api_activity;

use super::call::{Call, event};
use super::fields::{Fields, known};
use super::principal::account;
use super::record::Top;
use super::unmapped::Unmapped;
use super::verbs;

known!(
    /// An item of `resources`.
    Resource {
        Arn = "ARN",
        ArnPrefix = "ARNPrefix",
        AccountId = "accountId",
        Type = "type",
    }
);

/// The event of a call.
pub(super) fn event<'a>(mut fields: Fields<'a, Top>, call: Call<'a>) -> Event<'a> {
    let is_read_only = fields.peek(Top::ReadOnly).as_deref() == Some("true");
    let activity_id = verbs::activity(&call.operation, is_read_only);
    let touched = resources(&mut fields);
    let unmapped = Unmapped::rest(&fields);
    let is_other = activity_id == api_activity::OTHER;
    event!(ApiActivity, call, unmapped, {
        activity_id: Some(activity_id),
        activity_name: is_other.then(|| call.operation.clone()),
        resources: touched,
    })
}

/// Takes the resources when every item is one.
fn resources<'a>(fields: &mut Fields<'a, Top>) -> Vec<ResourceDetails<'a>> {
    let Some(json) = fields.json(Top::Resources).filter(|json| json.starts_with('[')) else {
        return Vec::new();
    };
    let items = sonic_rs::to_array_iter(json).map(|item| {
        let Cow::Borrowed(json) = item.ok()?.as_raw_cow() else { return None };
        resource(json)
    });
    let Some(resources) = items.collect::<Option<Vec<_>>>() else { return Vec::new() };
    fields.take(Top::Resources);
    resources
}

fn resource(json: &str) -> Option<ResourceDetails<'_>> {
    let mut fields = Fields::<Resource>::read(json).ok()?;
    let uid = fields.text(Resource::Arn).or_else(|| fields.text(Resource::ArnPrefix))?;
    let owner = fields.text(Resource::AccountId);
    Some(ResourceDetails {
        uid: Some(uid),
        r#type: fields.text(Resource::Type),
        owner: owner.map(|uid| User { account: Some(account(uid)), ..User::default() }.into()),
        data: Unmapped::rest(&fields).json(),
        ..ResourceDetails::default()
    })
}
