//! The names that AWS gives the fields of CloudTrail, as people know them from every other tool: those that a column
//! holds exactly as the record says it, by class, and the tops of the record that no other source has.
//!
//! A name that some column holds only most of the time (`userIdentity.userName`) is not here: it reads the record.

use super::{Alias, NOTHING, Names};

/// `msg_origin.source` of the records that these names belong to.
pub(crate) const ORIGIN: &str = "aws_cloudtrail";

/// Calls, sign-ins and changes of accounts.
const CALL: &[Alias] = &[
    ("eventname", &["api.operation"]),
    ("eventsource", &["api.service.name"]),
    ("apiversion", &["api.version"]),
    ("requestid", &["api.request.uid"]),
    ("requestparameters", &["api.request.data"]),
    ("responseelements", &["api.response.data"]),
    ("errorcode", &["api.response.error"]),
    ("errormessage", &["api.response.message"]),
    ("eventid", &["metadata.uid"]),
    ("eventtype", &["metadata.event_code"]),
    ("eventversion", &["metadata.product.version"]),
    ("eventcategory", &["metadata.product.feature.name"]),
    ("eventtime", &["time"]),
    ("awsregion", &["cloud.region"]),
    ("recipientaccountid", &["cloud.account.uid"]),
    (
        "sourceipaddress",
        &[
            "src_endpoint.ip",
            "src_endpoint.domain",
            "src_endpoint.name",
            "src_endpoint.intermediate_ips",
        ],
    ),
    ("vpcendpointid", &["src_endpoint.uid"]),
    ("useragent", &["http_request.user_agent"]),
    ("useridentity.arn", &["actor.user.uid"]),
    ("useridentity.principalid", &["actor.user.uid_alt"]),
    ("useridentity.accountid", &["actor.user.account.uid"]),
    ("useridentity.accesskeyid", &["actor.user.programmatic_credentials.uid"]),
    ("useridentity.type", &["actor.user.type", "unmapped.userIdentity.type"]),
    ("useridentity.sessioncontext.sessionissuer.arn", &["actor.session.issuer"]),
];

/// What every record says, whatever it becomes.
const ANY: &[Alias] = &[
    ("eventid", &["metadata.uid"]),
    ("eventversion", &["metadata.product.version"]),
    ("eventcategory", &["metadata.product.feature.name"]),
    ("eventtime", &["time"]),
    ("awsregion", &["cloud.region"]),
    ("recipientaccountid", &["cloud.account.uid"]),
];

static CALLS: Names = Names { aliases: CALL, ..NOTHING };
static OTHERS: Names = Names { aliases: ANY, ..NOTHING };
static NONE: Names = NOTHING;

/// The names in a class; none where CloudTrail's records never come to lie.
pub(super) fn of(class: &str) -> &'static Names {
    match class {
        "api_activity" | "authentication" | "account_change" => &CALLS,
        "detection_finding" | "base_event" => &OTHERS,
        _ => &NONE,
    }
}

/// Tops of a record that other vendors' records may have too, as AWS writes them.
pub(crate) const COMMON_TOPS: &[&str] = &[
    "eventID",
    "eventType",
    "eventVersion",
    "eventCategory",
    "eventTime",
    "awsRegion",
    "recipientAccountId",
];

/// Tops of a record that tell by themselves whose they are, as AWS writes them.
pub(crate) const TOPS: &[&str] = &[
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "insightDetails",
    "tlsDetails",
    "edgeDeviceDetails",
    "eventContext",
    "addendum",
    "readOnly",
    "managementEvent",
    "sharedEventID",
    "sessionCredentialFromConsole",
    "vpcEndpointAccountId",
    // Where no column holds them.
    "eventName",
    "eventSource",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestID",
    "apiVersion",
    "vpcEndpointId",
];
