//! The link that opens CloudFormation's console with a template and its parameters filled in.
//!
//! Its form is that of AWS's guide "Create CloudFormation stacks with quick-create links". What stands in it is seen
//! by many, so a code in it must be worth little: it works once.

use url::Url;

use super::Publication;
use super::partition::Partition;
use super::template::parameters;
use super::variant::Variant;

/// The longest name of a stack that is taken. AWS allows 128 characters; the names that CloudFormation makes for the
/// trail have to begin with the whole of it.
const LONGEST_NAME: usize = 64;

/// What a link is made of. It does not print, because of the code in it.
#[derive(Clone)]
pub struct LinkRequest<'a> {
    /// Where the template lies, and with that the region of the stack.
    pub publication: &'a Publication,
    /// The kind of stack.
    pub variant: Variant,
    /// Its name.
    pub stack_name: &'a str,
    /// Where the account reaches Tarn. Not needed without a client.
    pub service_url: &'a str,
    /// The code that its client enrols with. Not needed without a client.
    pub enrolment_code: &'a str,
    /// What is known beyond that.
    pub details: Details<'a>,
}

/// Parameters that may be known before; the others are filled in by whoever follows the link.
#[derive(Clone, Copy, Default)]
pub struct Details<'a> {
    /// The bucket that a trail writes to already.
    pub trail_bucket: Option<&'a str>,
    /// The trail's prefix in it.
    pub trail_prefix: Option<&'a str>,
    /// The trail's own SNS topic.
    pub trail_topic_arn: Option<&'a str>,
    /// The key that the bucket is encrypted with.
    pub trail_key_arn: Option<&'a str>,
    /// The organization.
    pub organization_id: Option<&'a str>,
    /// The account that Tarn runs in, where it pulls.
    pub operator_account: Option<&'a str>,
    /// The word that it shows there.
    pub external_id: Option<&'a str>,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// CloudFormation would refuse the stack's name.
    #[error(
        "the stack's name `{0}` is no letter followed by up to {most} letters, digits and hyphens",
        most = LONGEST_NAME - 1
    )]
    StackName(String),
    /// The publication's region cannot be part of a host's name.
    #[error("`{0}` is no region of AWS")]
    Region(String),
}

impl<'a> LinkRequest<'a> {
    /// The parameters that are known and that the variant's template asks for, by their names there.
    pub fn parameters(&self) -> Vec<(&'static str, &'a str)> {
        let asked = parameters(self.variant);
        let details = &self.details;
        let known = [
            ("ServiceUrl", Some(self.service_url)),
            ("EnrolmentCode", Some(self.enrolment_code)),
            ("CodeBucket", Some(self.publication.bucket.as_str())),
            ("TrailBucket", details.trail_bucket),
            ("TrailPrefix", details.trail_prefix),
            ("TrailTopicArn", details.trail_topic_arn),
            ("TrailKeyArn", details.trail_key_arn),
            ("OrganizationId", details.organization_id),
            ("OperatorAccount", details.operator_account),
            ("ExternalId", details.external_id),
        ];
        let wanted = known.into_iter().filter(|(name, _)| asked.iter().any(|asked| asked == name));
        wanted.filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The link. Whoever follows it still has to tick that IAM resources may be made.
///
/// # Errors
/// The stack's name or the region is none.
pub fn create_stack_url(request: &LinkRequest<'_>) -> Result<Url, LinkError> {
    if !is_stack_name(request.stack_name) {
        return Err(LinkError::StackName(request.stack_name.to_owned()));
    }
    let publication = request.publication;
    let region = publication.region.as_str();
    let no_region = || LinkError::Region(region.to_owned());
    let is_region_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_region_byte) {
        return Err(no_region());
    }
    let host = Partition::of(region).console_host(region);
    let home = format!("https://{host}/cloudformation/home?region={region}");
    let mut url = Url::parse(&home).map_err(|_| no_region())?;
    let template = encoded(&publication.template_url(request.variant));
    let stack = request.stack_name;
    let mut fragment = format!("/stacks/create/review?templateURL={template}&stackName={stack}");
    for (name, value) in request.parameters() {
        fragment.push_str(&format!("&param_{name}={}", encoded(value)));
    }
    url.set_fragment(Some(&fragment));
    Ok(url)
}

/// Whether CloudFormation takes a name for a stack: letters, digits and hyphens behind a letter.
fn is_stack_name(name: &str) -> bool {
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(is_rest)
}

/// A value for behind the `#`, where a plus is a plus.
fn encoded(value: &str) -> String {
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    form.replace('+', "%20")
}
