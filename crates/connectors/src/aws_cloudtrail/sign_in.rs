//! A sign-in, or a role that was taken on, as Authentication.

use std::borrow::Cow;

use model::ocsf::Event;
use model::ocsf::objects::{NetworkEndpoint, Service, Session, User};
use model::ocsf::values::{authentication, user_type};

use super::call::{Call, event};
use super::fields::{Fields, known};
use super::kinds::SignIn;
use super::outcome::Outcome;
use super::principal::account;
use super::record::Top;
use super::unmapped::Unmapped;
use super::{api_call, arn};

known!(
    /// `additionalEventData` of a sign-in.
    Additional {
        LoginTo = "LoginTo",
        MfaUsed = "MFAUsed",
    }
);

known!(
    /// `requestParameters` of `AssumeRole` and its kin.
    RoleRequest {
        Role = "roleArn",
        Session = "roleSessionName",
    }
);

known!(
    /// `responseElements` of `AssumeRole` and its kin.
    RoleResponse {
        User = "assumedRoleUser",
        Credentials = "credentials",
    }
);

known!(
    /// `credentials`.
    Credentials {
        AccessKeyId = "accessKeyId",
    }
);

known!(
    /// `assumedRoleUser`.
    AssumedUser {
        Arn = "arn",
    }
);

/// The event of a sign-in; that of the call alone when nobody can be named who signed in.
pub(super) fn event<'a>(
    mut fields: Fields<'a, Top>,
    mut call: Call<'a>,
    sign_in: SignIn,
) -> Event<'a> {
    let assumed = if sign_in.assumes_role { Assumed::read(&call) } else { Assumed::default() };
    let Some(user) = assumed.user.or_else(|| call.actor.user.as_deref().cloned()) else {
        return api_call::event(fields, call);
    };
    let details = fields.json(Top::ServiceEventDetails);
    if let Some(outcome) = Outcome::told(&call.operation, [call.response_elements, details]) {
        call.outcome = outcome;
    }
    let (mut has_factor, mut destination) = (None, None);
    let additional = fields.object::<Additional>(Top::AdditionalEventData).map(|mut additional| {
        has_factor = take_answer(&mut additional);
        destination = additional.text(Additional::LoginTo);
        Unmapped::rest(&additional)
    });
    let mut unmapped = Unmapped::rest(&fields);
    unmapped.put_object("additionalEventData", additional.unwrap_or_default());
    let is_other = sign_in.activity_id == authentication::OTHER;
    event!(Authentication, call, unmapped, {
        activity_id: Some(sign_in.activity_id),
        activity_name: is_other.then(|| call.operation.clone()),
        user: Some(user.into()),
        session: assumed.session,
        auth_protocol_id: sign_in.protocol_id,
        is_mfa: has_factor,
        service: Some(Service { name: Some(call.service.clone()), ..Service::default() }),
        dst_endpoint: destination.map(|svc_name| {
            NetworkEndpoint { svc_name: Some(svc_name), ..NetworkEndpoint::default() }.into()
        }),
    })
}

/// Takes `MFAUsed`, which is `Yes`, `No` or `YES`.
fn take_answer(additional: &mut Fields<'_, Additional>) -> Option<bool> {
    let text = additional.peek(Additional::MfaUsed)?;
    let answer = match text.to_ascii_lowercase().as_str() {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    additional.take(Additional::MfaUsed);
    Some(answer)
}

/// Who the caller became, and the session as that one.
#[derive(Default)]
struct Assumed<'a> {
    user: Option<User<'a>>,
    session: Option<Session<'a>>,
}

impl<'a> Assumed<'a> {
    fn read(call: &Call<'a>) -> Self {
        let request: Fields<'_, RoleRequest> = Fields::optional(call.request_parameters);
        let response: Fields<'_, RoleResponse> = Fields::optional(call.response_elements);
        let assumed: Fields<'_, AssumedUser> = Fields::optional(response.json(RoleResponse::User));
        let credentials: Fields<'_, Credentials> =
            Fields::optional(response.json(RoleResponse::Credentials));
        let role = request.peek(RoleRequest::Role);
        let session = Session {
            uid: request.peek(RoleRequest::Session),
            issuer: role.clone(),
            credential_uid: credentials.peek(Credentials::AccessKeyId),
            ..Session::default()
        };
        Self {
            user: role.or_else(|| assumed.peek(AssumedUser::Arn)).map(role_user),
            session: (session != Session::default()).then_some(session),
        }
    }
}

fn role_user(arn: Cow<'_, str>) -> User<'_> {
    User {
        name: arn::name(&arn).map(|name| Cow::Owned(name.to_owned())),
        account: arn::account(&arn).map(|uid| account(Cow::Owned(uid.to_owned()))),
        type_id: Some(user_type::OTHER),
        r#type: Some(Cow::Borrowed("Role")),
        uid: Some(arn),
        ..User::default()
    }
}
