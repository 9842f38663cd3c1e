//! Queues and buckets as people name them: a queue by its URL or ARN, a bucket by an `s3://` URL.

use url::Url;

/// A queue, and where it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    /// As the service takes it.
    pub(super) url: String,
    /// Its region.
    pub(super) region: String,
    /// Account and name, for people: `111122223333/trail`.
    pub(super) name: String,
}

impl Queue {
    /// Reads a URL or an ARN. A URL that does not tell its region lies in `region`; an ARN's URL is below
    /// `endpoint` where one is set.
    pub(super) fn read(text: &str, region: &str, endpoint: Option<&str>) -> Option<Self> {
        if text.starts_with("arn:") {
            return Self::of_arn(text, endpoint);
        }
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
        let name = url.path().trim_matches('/');
        let is_queue = name.split_once('/').is_some_and(|(account, name)| {
            !account.is_empty() && !name.is_empty() && !name.contains('/')
        });
        let region = region_of(url.host_str()?).unwrap_or(region).to_owned();
        is_queue.then(|| Self { url: text.to_owned(), region, name: name.to_owned() })
    }

    fn of_arn(arn: &str, endpoint: Option<&str>) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sqs", region, account, name] = parts[..] else { return None };
        if [region, account, name].contains(&"") {
            return None;
        }
        let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let base = endpoint.map_or_else(
            || format!("https://sqs.{region}.{domain}"),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        );
        let name = format!("{account}/{name}");
        Some(Self { url: format!("{base}/{name}"), region: region.to_owned(), name })
    }
}

/// The region in a queue's host: `sqs.eu-west-1.amazonaws.com`, or its older and its private forms.
fn region_of(host: &str) -> Option<&str> {
    if !host.contains(".amazonaws.com") {
        return None;
    }
    let parts: Vec<&str> = host.split('.').collect();
    let place = parts.iter().position(|part| *part == "sqs" || *part == "queue")?;
    match parts[place] {
        "sqs" => parts.get(place + 1).copied(),
        _ if place == 0 => Some("us-east-1"),
        _ => Some(parts[place - 1]),
    }
}

/// A bucket, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Its name.
    pub(super) name: String,
    /// The beginning of the keys, possibly empty.
    pub(super) prefix: String,
}

impl Bucket {
    /// Reads `s3://bucket`, `s3://bucket/prefix`, or a bare name.
    pub(super) fn read(text: &str) -> Option<Self> {
        let path = text.strip_prefix("s3://").unwrap_or(text);
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_name = (3..=63).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
        is_name.then(|| Self { name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, prefix } = self;
        write!(out, "s3://{name}/{prefix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_by_url_or_arn_and_its_region_is_found() {
        let read =
            |text: &str| Queue::read(text, "us-east-2", None).map(|q| (q.url, q.region, q.name));
        let name = "111122223333/trail".to_owned();
        for (url, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", "eu-west-1"),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail", "cn-north-1"),
            ("https://eu-west-1.queue.amazonaws.com/111122223333/trail", "eu-west-1"),
            ("https://queue.amazonaws.com/111122223333/trail", "us-east-1"),
            ("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/111122223333/trail", "eu-west-1"),
            ("http://127.0.0.1:5000/111122223333/trail", "us-east-2"),
        ] {
            assert_eq!(read(url), Some((url.to_owned(), region.to_owned(), name.clone())), "{url}");
        }
        assert_eq!(
            read("arn:aws:sqs:eu-west-1:111122223333:trail").unwrap(),
            (
                "https://sqs.eu-west-1.amazonaws.com/111122223333/trail".to_owned(),
                "eu-west-1".to_owned(),
                name
            )
        );
        let local = Queue::read("arn:aws:sqs:eu-west-1:1:t", "x", Some("http://127.0.0.1:5000/"));
        assert_eq!(local.unwrap().url, "http://127.0.0.1:5000/1/t");
        for bad in [
            "trail",
            "arn:aws:sns:eu-west-1:1:t",
            "https://sqs.eu-west-1.amazonaws.com/trail",
            "s3://b",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bucket_is_named_with_or_without_a_prefix() {
        let read = |text: &str| Bucket::read(text).map(|bucket| (bucket.name, bucket.prefix));
        let own = |name: &str, prefix: &str| Some((name.to_owned(), prefix.to_owned()));
        assert_eq!(read("s3://trail-bucket"), own("trail-bucket", ""));
        assert_eq!(read("s3://trail-bucket/a/b"), own("trail-bucket", "a/b"));
        assert_eq!(read("trail-bucket"), own("trail-bucket", ""));
        for bad in ["s3://", "s3:///a", "https://trail-bucket", "Trail", "x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
