//! Onboarding an AWS account: the CloudFormation template, where it is published, and the link that opens it.
//!
//! Start at [`Variant`], which says what a stack is made of; [`template()`] renders it from the parts in `parts/`, which
//! is where to change it. [`publish()`] puts templates and code where CloudFormation can read them, [`create_stack_url`]
//! makes the link, [`click_path()`] says what to do where no link helps. No stack is made here: whoever owns the
//! account does that.

mod click_path;
mod link;
mod partition;
mod publish;
mod template;
mod variant;

pub use click_path::{Locale, Task, TemplateSource, click_path, update_command};
pub use link::{Details, LinkError, LinkRequest, create_stack_url};
pub use partition::Partition;
pub use publish::{AccessKeys, Code, PublishError, PublishSettings, publish};
pub use template::{parameters, template};
pub use variant::{Architecture, Delivery, Placement, UnknownWord, Variant};

use serde::{Deserialize, Serialize};

/// Where templates and code were published: one for each AWS region, because Lambda takes code from its own region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The bucket.
    pub bucket: String,
    /// The region that it lies in.
    pub region: String,
    /// The version of what was published.
    pub version: String,
}

impl Publication {
    /// The key of a variant's template.
    pub fn template_key(&self, variant: Variant) -> String {
        format!("tarn/cloudtrail/{}/{}.json", self.version, variant.name())
    }

    /// The key of the client's code.
    pub fn code_key(&self, architecture: Architecture) -> String {
        format!("tarn/forwarder/{}/{architecture}/bootstrap.zip", self.version)
    }

    /// The URL of a variant's template as CloudFormation wants it: of S3 itself, over HTTPS.
    pub fn template_url(&self, variant: Variant) -> String {
        let Self { bucket, region, .. } = self;
        let suffix = Partition::of(region).url_suffix();
        let key = self.template_key(variant);
        // A certificate for *.s3 does not cover a name with dots in it.
        if bucket.contains('.') {
            format!("https://s3.{region}.{suffix}/{bucket}/{key}")
        } else {
            format!("https://{bucket}.s3.{region}.{suffix}/{key}")
        }
    }
}
