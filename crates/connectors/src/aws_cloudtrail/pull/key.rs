//! What a key says about its object: whether it is one of a trail's log files, and where a prefix stands in the
//! tree of accounts, kinds, regions and days.

/// The segment that every trail writes below, after whatever prefix its owner chose.
const ROOT: &str = "AWSLogs";
/// The kinds of log files begin like this; other services write beside them.
const KIND: &str = "CloudTrail";
/// Hourly proof of integrity, no records.
const DIGEST: &str = "CloudTrail-Digest";

/// Whether an object is a log file of a trail: not a digest, not another service's, not a folder's mark.
pub(super) fn is_log(key: &str) -> bool {
    let mut segments = key.split('/').skip_while(|segment| *segment != ROOT).skip(1);
    let kind = segments.find(|segment| segment.starts_with(KIND));
    kind.is_some_and(is_log_kind) && segments.next().is_some() && !key.ends_with('/')
}

fn is_log_kind(kind: &str) -> bool {
    let is_known =
        kind == KIND || kind.strip_prefix(KIND).is_some_and(|rest| rest.starts_with('-'));
    is_known && kind != DIGEST
}

/// Whether an object lies where services of AWS write their logs.
pub(super) fn is_of_a_service(key: &str) -> bool {
    key.split('/').any(|segment| segment == ROOT)
}

/// What lies directly below a prefix that ends with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Accounts and organizations, or kinds, or regions: to be asked for.
    Folders,
    /// Years, months and days.
    Days,
    /// Nothing of interest.
    Nothing,
}

/// Where a search begins for a prefix as people write it: of the trail, or any folder below it.
pub(super) fn root(prefix: &str) -> String {
    let prefix = prefix.trim_start_matches('/').trim_end_matches('/');
    let has_root = prefix.split('/').any(|segment| segment == ROOT);
    match (prefix.is_empty(), has_root) {
        (true, _) => format!("{ROOT}/"),
        (false, true) => format!("{prefix}/"),
        (false, false) => format!("{prefix}/{ROOT}/"),
    }
}

/// What lies below a folder.
pub(super) fn below(folder: &str) -> Below {
    let segments = folder.trim_end_matches('/').split('/');
    let mut segments = segments.skip_while(|segment| *segment != ROOT).skip(1).peekable();
    if segments.next_if(|segment| segment.starts_with("o-")).is_some() && segments.peek().is_none()
    {
        return Below::Folders;
    }
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (None, ..) => Below::Folders,
        (Some(account), ..) if !is_account(account) => Below::Nothing,
        (Some(_), None, ..) => Below::Folders,
        (Some(_), Some(kind), ..) if !is_log_kind(kind) => Below::Nothing,
        (Some(_), Some(_), None, _) => Below::Folders,
        (Some(_), Some(_), Some(_), None) => Below::Days,
        _ => Below::Nothing,
    }
}

fn is_account(segment: &str) -> bool {
    segment.len() == 12 && segment.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_files_are_told_from_digests_and_from_other_services() {
        for log in [
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02/x.json.gz",
            "a/CloudTrail-Digest/AWSLogs/o-abc/111122223333/CloudTrail/eu-west-1/2026/03/02/x.json.gz",
            "p/AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/03/02/x.json.gz",
            "p/AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/2026/03/02/x.json.gz",
            "p/AWSLogs/111122223333/CloudTrail-Aggregated/eu-west-1/2026/03/02/x.json.gz",
        ] {
            assert!(is_log(log), "{log}");
        }
        for other in [
            "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/x.json.gz",
            "AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/03/02/x.log.gz",
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/",
            "AWSLogs/111122223333/CloudTrail",
            "AWSLogs/111122223333/CloudTrailX/eu-west-1/x.json.gz",
            "CloudTrail/eu-west-1/2026/03/02/x.json.gz",
            "",
        ] {
            assert!(!is_log(other), "{other}");
        }
    }

    #[test]
    fn a_prefix_is_followed_from_wherever_it_begins() {
        assert_eq!(root(""), "AWSLogs/");
        assert_eq!(root("/trails/prod/"), "trails/prod/AWSLogs/");
        assert_eq!(root("p/AWSLogs/111122223333"), "p/AWSLogs/111122223333/");
        for folders in [
            "AWSLogs/",
            "p/AWSLogs/o-abc/",
            "p/AWSLogs/111122223333/",
            "p/AWSLogs/o-abc/111122223333/CloudTrail/",
        ] {
            assert_eq!(below(folders), Below::Folders, "{folders}");
        }
        assert_eq!(below("p/AWSLogs/111122223333/CloudTrail-Insight/us-east-1/"), Below::Days);
        assert_eq!(below("AWSLogs/o-abc/111122223333/CloudTrail/us-east-1/"), Below::Days);
        for nothing in
            ["AWSLogs/111122223333/CloudTrail-Digest/", "AWSLogs/111122223333/vpcflowlogs/"]
        {
            assert_eq!(below(nothing), Below::Nothing, "{nothing}");
        }
    }
}
