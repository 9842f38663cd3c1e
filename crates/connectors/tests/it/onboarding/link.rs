//! The link, taken apart as a browser and CloudFormation's console take it apart.

use std::collections::BTreeMap;

use connectors::onboarding::{
    Delivery, Details, LinkError, LinkRequest, Placement, Publication, Variant, create_stack_url,
};
use url::Url;

use super::{USUAL, VERSION, parsed};

fn publication(bucket: &str, region: &str) -> Publication {
    Publication {
        bucket: bucket.to_owned(),
        region: region.to_owned(),
        version: VERSION.to_owned(),
    }
}

fn request(publication: &Publication, variant: Variant) -> LinkRequest<'_> {
    LinkRequest {
        publication,
        variant,
        stack_name: "tarn-cloudtrail",
        service_url: "https://tarn.example.org:8443/a b?c=d&e=f+g#h%20",
        enrolment_code: "tnr_AB+/=&%25",
        details: Details {
            trail_bucket: Some("trail-bucket"),
            trail_prefix: Some("logs & more/"),
            trail_topic_arn: Some("arn:aws:sns:eu-west-1:111122223333:trail"),
            trail_key_arn: Some("arn:aws:kms:eu-west-1:111122223333:key/k"),
            organization_id: Some("o-exampleorg1"),
            operator_account: Some("444455556666"),
            external_id: Some("word:of/two"),
        },
    }
}

/// The query behind the `#`, each value as it stands there.
fn raw_query(url: &Url) -> BTreeMap<String, String> {
    let (path, query) = url.fragment().unwrap().split_once('?').unwrap();
    assert_eq!(path, "/stacks/create/review");
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Decodes once, as `decodeURIComponent` does: a plus stays a plus.
fn decoded(value: &str) -> String {
    let shielded = value.replace('+', "%2B");
    let pair = format!("v={shielded}");
    url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
}

#[test]
fn every_part_stands_where_the_console_reads_it() {
    let publication = publication("published", "eu-west-1");
    let url = create_stack_url(&request(&publication, USUAL)).unwrap();
    assert_eq!(url.scheme(), "https");
    assert_eq!(url.host_str(), Some("eu-west-1.console.aws.amazon.com"));
    assert_eq!((url.path(), url.query()), ("/cloudformation/home", Some("region=eu-west-1")));
    let query = raw_query(&url);
    assert_eq!(query["stackName"], "tarn-cloudtrail");
    assert_eq!(
        decoded(&query["templateURL"]),
        "https://published.s3.eu-west-1.amazonaws.com/tarn/cloudtrail/1.4.2/new-bucket-arm64.json"
    );
    let request = request(&publication, USUAL);
    assert_eq!(decoded(&query["param_ServiceUrl"]), request.service_url);
    assert_eq!(decoded(&query["param_EnrolmentCode"]), request.enrolment_code);
    assert_eq!(decoded(&query["param_CodeBucket"]), "published");
    assert_eq!(query.len(), 5, "{query:?}");
}

#[test]
fn values_are_encoded_once_and_no_sign_ends_one_early() {
    let publication = publication("published", "eu-west-1");
    for variant in Variant::all() {
        let url = create_stack_url(&request(&publication, variant)).unwrap();
        // What a browser hands on is what was written.
        assert_eq!(Url::parse(url.as_str()).unwrap(), url);
        for (name, value) in raw_query(&url) {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*%".contains(&byte);
            assert!(value.bytes().all(is_plain), "{}: {name}={value}", variant.name());
        }
        assert_eq!(url.as_str().matches('#').count(), 1);
    }
}

#[test]
fn only_parameters_that_the_template_asks_for_are_filled_in() {
    let publication = publication("published", "eu-west-1");
    for variant in Variant::all() {
        let template = parsed(variant);
        let asked = template["Parameters"].as_object().unwrap();
        let query = raw_query(&create_stack_url(&request(&publication, variant)).unwrap());
        let given: Vec<_> = query.keys().filter_map(|name| name.strip_prefix("param_")).collect();
        for name in &given {
            // One that is not known or is hidden would be dropped without a word.
            assert!(asked.get(*name).is_some_and(|asked| asked.get("NoEcho").is_none()), "{name}");
        }
        for (name, parameter) in asked {
            let is_given = given.contains(&name.as_str());
            assert!(is_given || parameter.get("Default").is_some(), "{}: {name}", variant.name());
        }
    }
}

#[test]
fn what_is_not_known_is_left_to_whoever_follows_the_link() {
    let publication = publication("published", "eu-west-1");
    let (placement, delivery) = (Placement::ExistingBucket, Delivery::PullOnly);
    let mut request = request(&publication, Variant { placement, delivery, ..USUAL });
    request.details = Details::default();
    let query = raw_query(&create_stack_url(&request).unwrap());
    assert_eq!(query.keys().collect::<Vec<_>>(), ["stackName", "templateURL"]);
}

#[test]
fn other_partitions_have_consoles_and_hosts_of_their_own() {
    for (region, console, s3) in [
        ("cn-north-1", "console.amazonaws.cn", "published.s3.cn-north-1.amazonaws.com.cn"),
        (
            "us-gov-west-1",
            "console.amazonaws-us-gov.com",
            "published.s3.us-gov-west-1.amazonaws.com",
        ),
    ] {
        let publication = publication("published", region);
        let url = create_stack_url(&request(&publication, USUAL)).unwrap();
        assert_eq!(url.host_str(), Some(console));
        assert_eq!(url.query(), Some(format!("region={region}").as_str()));
        let template = decoded(&raw_query(&url)["templateURL"]);
        assert_eq!(Url::parse(&template).unwrap().host_str(), Some(s3));
    }
}

#[test]
fn a_bucket_with_dots_is_named_in_the_path() {
    let publication = publication("published.example.org", "eu-west-1");
    let url = create_stack_url(&request(&publication, USUAL)).unwrap();
    let template = Url::parse(&decoded(&raw_query(&url)["templateURL"])).unwrap();
    assert_eq!(template.host_str(), Some("s3.eu-west-1.amazonaws.com"));
    assert!(template.path().starts_with("/published.example.org/tarn/"), "{template}");
}

#[test]
fn names_that_cloudformation_refuses_are_refused_before() {
    let publication = publication("published", "eu-west-1");
    let named = |name: &str| {
        create_stack_url(&LinkRequest { stack_name: name, ..request(&publication, USUAL) })
            .map(drop)
    };
    let longest = "a".repeat(64);
    for good in ["a", "Tarn-2", longest.as_str()] {
        assert_eq!(named(good), Ok(()), "{good}");
    }
    let too_long = "a".repeat(65);
    for bad in ["", "2tarn", "-tarn", "tarn_trail", "tarn trail", "tärn", too_long.as_str()] {
        assert_eq!(named(bad), Err(LinkError::StackName(bad.to_owned())));
    }
}

#[test]
fn a_region_cannot_bring_another_host() {
    for region in ["", "evil.example/", "eu-west-1#", "EU-WEST-1"] {
        let publication = publication("published", region);
        let error = create_stack_url(&request(&publication, USUAL)).unwrap_err();
        assert_eq!(error, LinkError::Region(region.to_owned()));
    }
}
