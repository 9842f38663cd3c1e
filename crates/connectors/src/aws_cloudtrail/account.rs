//! A change of an account as Account Change: whose it is, and which policies it got or lost.

use std::borrow::Cow;

use model::ocsf::Event;
use model::ocsf::objects::{Group, Policy, ProgrammaticCredential, User};
use model::ocsf::values::{account_change, user_type};

use super::call::{Call, event};
use super::fields::{Fields, known};
use super::kinds::{Change, Target};
use super::outcome::Outcome;
use super::record::Top;
use super::unmapped::Unmapped;
use super::{api_call, arn};

known!(
    /// `requestParameters` of IAM.
    Request {
        UserName = "userName",
        RoleName = "roleName",
        GroupName = "groupName",
        InstanceProfileName = "instanceProfileName",
        PolicyArn = "policyArn",
        PolicyName = "policyName",
        Boundary = "permissionsBoundary",
        AccessKeyId = "accessKeyId",
    }
);

known!(
    /// `responseElements` of IAM: the thing that was made.
    Response {
        User = "user",
        Role = "role",
        Group = "group",
        InstanceProfile = "instanceProfile",
        AccessKey = "accessKey",
    }
);

known!(
    /// What was made.
    Made {
        Arn = "arn",
        UserName = "userName",
        RoleName = "roleName",
        UserId = "userId",
        RoleId = "roleId",
        GroupId = "groupId",
        InstanceProfileId = "instanceProfileId",
        AccessKeyId = "accessKeyId",
    }
);

/// The event of a change; that of the call alone when nobody can be named who was changed.
pub(super) fn event<'a>(fields: Fields<'a, Top>, mut call: Call<'a>, change: Change) -> Event<'a> {
    let request: Fields<'_, Request> = Fields::optional(call.request_parameters);
    let response: Fields<'_, Response> = Fields::optional(call.response_elements);
    let Some(user) = changed(&call, change.target, &request, &response) else {
        return api_call::event(fields, call);
    };
    let details = fields.json(Top::ServiceEventDetails);
    if let Some(outcome) = Outcome::told(&call.operation, [call.response_elements, details]) {
        call.outcome = outcome;
    }
    let is_other = change.activity_id == account_change::OTHER;
    let unmapped = Unmapped::rest(&fields);
    event!(AccountChange, call, unmapped, {
        activity_id: Some(change.activity_id),
        activity_name: is_other.then(|| call.operation.clone()),
        user: Some(user.into()),
        policies: policies(&request),
    })
}

/// Whose account was changed.
fn changed<'a>(
    call: &Call<'a>,
    target: Target,
    request: &Fields<'a, Request>,
    response: &Fields<'a, Response>,
) -> Option<User<'a>> {
    let caller = || call.actor.user.as_deref().cloned();
    let (named, made, kind) = match target {
        Target::Caller => return caller(),
        Target::Account => {
            let account = call.cloud.account.clone()?;
            let user = User { account: Some(account), ..User::default() };
            return Some(of_kind(user, "Account"));
        }
        Target::User => (Request::UserName, Response::User, "User"),
        Target::Role => (Request::RoleName, Response::Role, "Role"),
        Target::Group => (Request::GroupName, Response::Group, "Group"),
        Target::InstanceProfile => {
            (Request::InstanceProfileName, Response::InstanceProfile, "InstanceProfile")
        }
    };
    let made: Fields<'_, Made> = Fields::optional(response.json(made));
    let key: Fields<'_, Made> = Fields::optional(response.json(Response::AccessKey));
    let name = request
        .peek(named)
        .or_else(|| key.peek(Made::UserName))
        .or_else(|| made.peek(Made::RoleName));
    // Without a name the request is about the caller.
    let Some(name) = name else { return if target == Target::User { caller() } else { None } };
    let ids = [Made::UserId, Made::RoleId, Made::GroupId, Made::InstanceProfileId];
    let key = request.peek(Request::AccessKeyId).or_else(|| key.peek(Made::AccessKeyId));
    let group = request.peek(Request::GroupName).filter(|_| target == Target::User);
    let user = User {
        name: Some(name),
        uid: made.peek(Made::Arn),
        uid_alt: ids.into_iter().find_map(|id| made.peek(id)),
        account: call.cloud.account.clone(),
        groups: group
            .map(|name| Group { name: Some(name), ..Group::default() })
            .into_iter()
            .collect(),
        programmatic_credentials: key
            .map(|uid| ProgrammaticCredential { uid: Some(uid) })
            .into_iter()
            .collect(),
        ..User::default()
    };
    Some(of_kind(user, kind))
}

fn of_kind<'a>(user: User<'a>, kind: &'static str) -> User<'a> {
    User { type_id: Some(user_type::OTHER), r#type: Some(Cow::Borrowed(kind)), ..user }
}

/// The policy that the request names, by its ARN or, inside the account, by its name.
fn policies<'a>(request: &Fields<'a, Request>) -> Vec<Policy<'a>> {
    let uid = request.peek(Request::PolicyArn).or_else(|| request.peek(Request::Boundary));
    let of_arn = || uid.as_deref().and_then(arn::name).map(|name| Cow::Owned(name.to_owned()));
    let name = request.peek(Request::PolicyName).or_else(of_arn);
    let policy = Policy { name, uid, ..Policy::default() };
    if policy == Policy::default() { Vec::new() } else { vec![policy] }
}
