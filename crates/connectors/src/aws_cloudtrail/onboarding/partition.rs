//! AWS's partitions: regions that share accounts, and the names of their hosts.

/// One of AWS's separate worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// The regions in China.
    China,
    /// The regions of the US government.
    GovCloud,
}

impl Partition {
    /// The partition of a region, told by its name.
    pub fn of(region: &str) -> Self {
        if region.starts_with("cn-") {
            Self::China
        } else if region.starts_with("us-gov-") {
            Self::GovCloud
        } else {
            Self::Aws
        }
    }

    /// What the names of its services end in: CloudFormation's `AWS::URLSuffix`.
    pub fn url_suffix(self) -> &'static str {
        match self {
            Self::China => "amazonaws.com.cn",
            Self::Aws | Self::GovCloud => "amazonaws.com",
        }
    }

    /// The host of the console for a region. The guide of quick-create links names the region in it; outside the
    /// commercial regions the host without it is the one that is documented.
    pub(super) fn console_host(self, region: &str) -> String {
        match self {
            Self::Aws => format!("{region}.console.aws.amazon.com"),
            Self::China => "console.amazonaws.cn".to_owned(),
            Self::GovCloud => "console.amazonaws-us-gov.com".to_owned(),
        }
    }
}
