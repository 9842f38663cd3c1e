//! Who called: `userIdentity` in all its variants, as OCSF's actor.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use model::ocsf::objects::{Account, Actor, Idp, ProgrammaticCredential, Session, User};
use model::ocsf::values::{account_type, user_type};
use model::time::Timestamp;

use super::fields::{Fields, known};
use super::record::Top;
use super::unmapped::Unmapped;

known!(
    /// `userIdentity`.
    UserIdentity {
        Type = "type",
        PrincipalId = "principalId",
        Arn = "arn",
        AccountId = "accountId",
        AccessKeyId = "accessKeyId",
        UserName = "userName",
        SessionContext = "sessionContext",
        InvokedBy = "invokedBy",
        Provider = "identityProvider",
        CredentialId = "credentialId",
        OnBehalfOf = "onBehalfOf",
    }
);

known!(
    /// `sessionContext`.
    Context {
        Attributes = "attributes",
        Issuer = "sessionIssuer",
        Federation = "webIdFederationData",
    }
);

known!(
    /// `sessionContext.attributes`.
    Attributes {
        CreationDate = "creationDate",
        Mfa = "mfaAuthenticated",
    }
);

known!(
    /// `sessionContext.sessionIssuer`.
    Issuer {
        Type = "type",
        UserName = "userName",
        PrincipalId = "principalId",
        Arn = "arn",
        AccountId = "accountId",
    }
);

known!(
    /// `sessionContext.webIdFederationData`.
    Federation {
        Provider = "federatedProvider",
    }
);

known!(
    /// `onBehalfOf` of a user of the UserIdentity Center.
    Behalf {
        UserId = "userId",
        Store = "identityStoreArn",
    }
);

/// Who called, and what of `userIdentity` has no place in it.
#[derive(Debug, Default)]
pub(super) struct Principal<'a> {
    pub(super) actor: Actor<'a>,
    pub(super) rest: Unmapped,
}

impl<'a> Principal<'a> {
    /// Takes `userIdentity`. Where it names nobody, the service that tells of the event acted.
    pub(super) fn take(fields: &mut Fields<'a, Top>, service: &Cow<'a, str>) -> Self {
        let mut principal =
            fields.object::<UserIdentity>(Top::UserIdentity).map(Self::read).unwrap_or_default();
        if principal.actor.user.is_none() && principal.actor.app_name.is_none() {
            principal.actor.app_name = Some(service.clone());
        }
        principal
    }

    fn read(mut identity: Fields<'a, UserIdentity>) -> Self {
        let mut session = SessionContext::take(&mut identity);
        let kind = identity.peek(UserIdentity::Type);
        let invoked_by = identity.text(UserIdentity::InvokedBy);
        let mut user = User {
            name: identity.text(UserIdentity::UserName).or_else(|| session.role.take()),
            uid: identity.text(UserIdentity::Arn),
            uid_alt: identity.text(UserIdentity::PrincipalId),
            account: identity.text(UserIdentity::AccountId).map(account),
            ..User::default()
        };
        for field in [UserIdentity::AccessKeyId, UserIdentity::CredentialId] {
            let uid = identity.text(field);
            user.programmatic_credentials
                .extend(uid.map(|uid| ProgrammaticCredential { uid: Some(uid) }));
        }
        let mut idp = Idp {
            name: identity.text(UserIdentity::Provider).or_else(|| session.provider.take()),
            uid: None,
        };
        on_behalf_of(&mut identity, &mut user, &mut idp);
        // A service that acts for itself has no name but the one that it is invoked by.
        if user.name.is_none() && kind.as_deref() == Some("AWSService") {
            user.name.clone_from(&invoked_by);
        }
        if user.name.is_none() && user.uid.is_none() && user.account.is_none() {
            user.name = user.uid_alt.clone().or_else(|| credential(&user));
        }
        let is_named = user.name.is_some() || user.uid.is_some() || user.account.is_some();
        if is_named && kind.is_some() {
            identity.take(UserIdentity::Type);
            user.type_id = Some(user_type::OTHER);
            user.r#type = kind;
        }
        session.name(&user);
        let mut rest = Unmapped::rest(&identity);
        rest.put_object("sessionContext", session.rest);
        let actor = Actor {
            user: is_named.then(|| user.into()),
            session: session.session,
            app_name: invoked_by,
            idp: (idp != Idp::default()).then_some(idp),
            ..Actor::default()
        };
        Self { actor, rest }
    }
}

/// An AWS account by its number.
pub(super) fn account(uid: Cow<'_, str>) -> Account<'_> {
    Account { uid: Some(uid), type_id: Some(account_type::AWS_ACCOUNT), ..Account::default() }
}

fn credential<'a>(user: &User<'a>) -> Option<Cow<'a, str>> {
    user.programmatic_credentials.first()?.uid.clone()
}

/// The user of the UserIdentity Center behind a role, and the store that knows the user.
fn on_behalf_of<'a>(
    identity: &mut Fields<'a, UserIdentity>,
    user: &mut User<'a>,
    idp: &mut Idp<'a>,
) {
    let Some(json) = identity.json(UserIdentity::OnBehalfOf) else { return };
    let Ok(mut behalf) = Fields::<Behalf>::read(json) else { return };
    idp.uid = behalf.text(Behalf::Store);
    if user.uid_alt.is_none() {
        user.uid_alt = behalf.text(Behalf::UserId);
    }
    if behalf.rest().next().is_none() {
        identity.take(UserIdentity::OnBehalfOf);
    }
}

/// `sessionContext`, taken apart.
#[derive(Default)]
struct SessionContext<'a> {
    session: Option<Session<'a>>,
    /// The name of the role that was taken on.
    role: Option<Cow<'a, str>>,
    /// Who vouched for the user.
    provider: Option<Cow<'a, str>>,
    rest: Unmapped,
}

impl<'a> SessionContext<'a> {
    fn take(identity: &mut Fields<'a, UserIdentity>) -> Self {
        let Some(mut context) = identity.object::<Context>(UserIdentity::SessionContext) else {
            return Self::default();
        };
        let mut session = Session::default();
        let mut found = Self::default();
        let attributes = context.object::<Attributes>(Context::Attributes).map(|mut attributes| {
            session.created_time = take_date(&mut attributes);
            session.is_mfa = take_truth(&mut attributes);
            Unmapped::rest(&attributes)
        });
        let issuer = context.object::<Issuer>(Context::Issuer).map(|mut issuer| {
            session.issuer = issuer.text(Issuer::Arn);
            found.role = issuer.text(Issuer::UserName);
            drop_what_is_said(&mut issuer, identity, session.issuer.as_deref());
            Unmapped::rest(&issuer)
        });
        let federation = context.object::<Federation>(Context::Federation).map(|mut federation| {
            found.provider = federation.text(Federation::Provider);
            Unmapped::rest(&federation)
        });
        found.rest = Unmapped::rest(&context);
        found.rest.put_object("attributes", attributes.unwrap_or_default());
        found.rest.put_object("sessionIssuer", issuer.unwrap_or_default());
        found.rest.put_object("webIdFederationData", federation.unwrap_or_default());
        found.session = (session != Session::default()).then_some(session);
        found
    }

    /// Names the session by what stands behind the role's id: `AROAEXAMPLE:name`.
    fn name(&mut self, user: &User<'a>) {
        if let Some(session) = &mut self.session
            && session.issuer.is_some()
            && let Some(Cow::Borrowed(principal)) = &user.uid_alt
            && let Some((_, name)) = principal.split_once(':')
            && !name.is_empty()
        {
            session.uid = Some(Cow::Borrowed(name));
        }
    }
}

/// The issuer says again what the principal and the ARN say: its id before the colon, its account and that
/// it is a role. What says something of its own stays.
fn drop_what_is_said(
    issuer: &mut Fields<'_, Issuer>,
    identity: &Fields<'_, UserIdentity>,
    arn: Option<&str>,
) {
    let principal = identity.peek(UserIdentity::PrincipalId);
    let role = principal.as_deref().and_then(|id| id.split_once(':')).map(|(role, _)| role);
    if role.is_some() && issuer.peek(Issuer::PrincipalId).as_deref() == role {
        issuer.take(Issuer::PrincipalId);
    }
    let account = identity.peek(UserIdentity::AccountId);
    if account.is_some() && issuer.peek(Issuer::AccountId) == account {
        issuer.take(Issuer::AccountId);
    }
    let is_role = issuer.peek(Issuer::Type).as_deref() == Some("Role");
    if is_role && arn.is_some_and(|arn| arn.contains(":role/")) {
        issuer.take(Issuer::Type);
    }
}

/// `creationDate`, as RFC 3339 or in the basic form without dashes and colons.
fn take_date(attributes: &mut Fields<'_, Attributes>) -> Option<i64> {
    let text = attributes.peek(Attributes::CreationDate)?;
    let basic = || {
        let time = NaiveDateTime::parse_from_str(&text, "%Y%m%dT%H%M%SZ").ok()?;
        Some(Timestamp::from_millis(time.and_utc().timestamp_millis()))
    };
    let time = Timestamp::parse(&text).ok().or_else(basic)?.plausible()?;
    attributes.take(Attributes::CreationDate);
    Some(time.as_millis())
}

/// `mfaAuthenticated`, which is the text `"true"` or `"false"`.
fn take_truth(attributes: &mut Fields<'_, Attributes>) -> Option<bool> {
    let text = attributes.peek(Attributes::Mfa)?;
    let truth = match text.to_ascii_lowercase().as_str() {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    attributes.take(Attributes::Mfa);
    Some(truth)
}
