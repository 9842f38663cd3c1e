//! What the classes say alike: who called what from where, how it ended, and where the record comes from.

use std::borrow::Cow;

use model::ocsf::Json;
use model::ocsf::objects::{
    Actor, Api, Cloud, Feature, HttpRequest, Metadata, NetworkEndpoint, Product, Request, Response,
    Service,
};
use model::time::Timestamp;

use super::fields::Fields;
use super::identify;
use super::origin;
use super::outcome::Outcome;
use super::principal::{Principal, account};
use super::record::Top;
use super::unmapped::Unmapped;

/// A call, taken out of the fields.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) time_ms: i64,
    pub(super) metadata: Metadata<'a>,
    pub(super) cloud: Cloud<'a>,
    pub(super) operation: Cow<'a, str>,
    pub(super) service: Cow<'a, str>,
    /// As it stands in the record, for those who look into it; `None` when it says nothing.
    pub(super) request_parameters: Option<&'a str>,
    /// Likewise.
    pub(super) response_elements: Option<&'a str>,
    pub(super) api: Api<'a>,
    pub(super) actor: Actor<'a>,
    pub(super) src_endpoint: NetworkEndpoint<'a>,
    pub(super) http_request: Option<HttpRequest<'a>>,
    pub(super) outcome: Outcome<'a>,
    pub(super) status_code: Option<Cow<'a, str>>,
    pub(super) status_detail: Option<Cow<'a, str>>,
    /// What of `userIdentity` has no place.
    pub(super) identity: Unmapped,
}

impl<'a> Call<'a> {
    /// Takes a call; `None`, with nothing taken, when the record names no operation of a service.
    pub(super) fn take(fields: &mut Fields<'a, Top>) -> Option<Self> {
        let operation = fields.peek(Top::EventName)?;
        let service = fields.peek(Top::EventSource)?;
        fields.take(Top::EventName);
        fields.take(Top::EventSource);
        let principal = Principal::take(fields, &service);
        let (status_code, status_detail) =
            (fields.text(Top::ErrorCode), fields.text(Top::ErrorMessage));
        Some(Self {
            request_parameters: fields.json(Top::RequestParameters),
            response_elements: fields.json(Top::ResponseElements),
            time_ms: time(fields).as_millis(),
            metadata: metadata(fields, Top::EventId),
            cloud: cloud(fields, Top::RecipientAccountId),
            src_endpoint: origin::endpoint(fields, &service),
            http_request: fields.text(Top::UserAgent).map(|user_agent| HttpRequest {
                user_agent: Some(user_agent),
                ..HttpRequest::default()
            }),
            api: Api {
                operation: Some(operation.clone()),
                version: fields.text(Top::ApiVersion),
                request: request(fields),
                response: response(fields, status_code.clone(), status_detail.clone()),
                service: Some(Service { name: Some(service.clone()), ..Service::default() }),
            },
            operation,
            service,
            actor: principal.actor,
            outcome: Outcome::of_code(status_code.as_deref()),
            status_code,
            status_detail,
            identity: principal.rest,
        })
    }
}

/// Builds the event of a class from its own attributes and those of the call.
macro_rules! event {
    ($class:ident, $call:ident, $unmapped:ident, { $($name:ident: $value:expr),* $(,)? }) => {{
        $(let $name = $value;)*
        let mut unmapped = $unmapped;
        unmapped.put_object("userIdentity", $call.identity);
        model::ocsf::Event::from(model::ocsf::$class {
            severity_id: Some(model::ocsf::values::severity::INFORMATIONAL),
            status_id: Some($call.outcome.status_id),
            status: $call.outcome.status,
            status_code: $call.status_code,
            status_detail: $call.status_detail,
            time: Some($call.time_ms),
            metadata: Some($call.metadata.into()),
            cloud: Some($call.cloud.into()),
            api: Some($call.api.into()),
            actor: Some($call.actor),
            src_endpoint: Some($call.src_endpoint.into()),
            http_request: $call.http_request.map(Into::into),
            unmapped: unmapped.json(),
            $($name,)*
            ..model::ocsf::$class::default()
        })
    }};
}
pub(super) use event;

/// Takes the time; the epoch stands for none.
pub(super) fn time(fields: &mut Fields<'_, Top>) -> Timestamp {
    let found = identify::time(fields).and_then(|(time, field)| Some((time.plausible()?, field)));
    if let Some((_, Top::EventTime)) = found {
        fields.take(Top::EventTime);
    }
    found.map_or(Timestamp::EPOCH, |(time, _)| time)
}

/// Takes what says which record it is, and of which kind.
pub(super) fn metadata<'a>(fields: &mut Fields<'a, Top>, id: Top) -> Metadata<'a> {
    let category = fields.text(Top::EventCategory);
    // Says the same as the category, where there is one.
    let is_management = fields.peek(Top::ManagementEvent);
    match (category.as_deref(), is_management.as_deref()) {
        (Some("Management"), Some("true"))
        | (Some("Data" | "NetworkActivity" | "Insight"), Some("false")) => {
            fields.take(Top::ManagementEvent);
        }
        _ => {}
    }
    Metadata {
        uid: fields.text(id),
        event_code: fields.text(Top::EventType),
        product: Some(Product {
            name: Some(Cow::Borrowed("CloudTrail")),
            vendor_name: Some(Cow::Borrowed("AWS")),
            version: fields.text(Top::EventVersion),
            feature: category.map(|name| Feature { name: Some(name), ..Feature::default() }),
            ..Product::default()
        }),
        ..Metadata::default()
    }
}

/// Takes the account that got this copy, and the region.
pub(super) fn cloud<'a>(fields: &mut Fields<'a, Top>, recipient: Top) -> Cloud<'a> {
    Cloud {
        provider: Some(Cow::Borrowed("AWS")),
        region: fields.text(Top::AwsRegion),
        account: fields.text(recipient).map(account),
        ..Cloud::default()
    }
}

/// The request, which OCSF takes only with its id; without one the parameters stay where they are.
fn request<'a>(fields: &mut Fields<'a, Top>) -> Option<Request<'a>> {
    let uid = fields.text(Top::RequestId)?;
    let data = fields.take_json(Top::RequestParameters).map(Json::new);
    Some(Request { uid: Some(uid), data, ..Request::default() })
}

fn response<'a>(
    fields: &mut Fields<'a, Top>,
    error: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
) -> Option<Response<'a>> {
    let data = fields.take_json(Top::ResponseElements).map(Json::new);
    let response = Response { error, message, data, ..Response::default() };
    (response != Response::default()).then_some(response)
}
