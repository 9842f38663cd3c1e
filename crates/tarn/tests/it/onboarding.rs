//! `tarn cloudtrail` on both roads: templates, publishing to S3, links, and what is wrong with each.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::moto::Moto;
use crate::support::process::Server;

fn tarn(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tarn"))
        .args(arguments)
        .current_dir(place)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", told(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_is_published_is_what_links_lead_to_on_both_roads() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let moto = Moto::start(place);
    moto.bucket("published", "eu-west-1");
    let missing = tarn(place, &["cloudtrail", "publish", "--bucket", "published"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(told(&missing).contains("--client-dir"), "{}", told(&missing));

    std::fs::create_dir_all(place.join("client/x86_64")).unwrap();
    std::fs::write(place.join("client/x86_64/bootstrap.zip"), b"zip").unwrap();
    let (endpoint, server) = (moto.url(), Server::start(place, &[], ""));
    let publish = ["cloudtrail", "publish", "--bucket", "published", "--client-dir", "client"];
    let at = ["--endpoint-url", endpoint.as_str(), "--format", "json"];
    let on_server = ["--server", server.url(), "--token", server.token()];
    let elsewhere = [&publish[..], &["--region", "eu-west-2"], &at, &on_server].concat();
    assert!(told(&tarn(place, &elsewhere)).contains("eu-west-1"), "where the bucket lies");
    let here = [&publish[..], &["--region", "eu-west-1"], &at];
    for road in [&on_server[..], &["--data-dir", "other"]] {
        let published = tarn(place, &[&here.concat(), road].concat());
        assert!(told(&published).contains("arm64"), "one zip is missing: {}", told(&published));
        let published = json(&published);
        assert_eq!(published["region"], "eu-west-1");
        let link = ["cloudtrail", "link", "--format", "json"];
        let url: &[&str] =
            if road == on_server { &[] } else { &["--public-url", "https://tarn.example"] };
        let offer = json(&tarn(place, &[&link[..], url, road].concat()));
        let link = offer["createStackURL"].as_str().unwrap();
        assert!(link.starts_with("https://eu-west-1.console.aws.amazon.com/"), "{link}");
        let shown = tarn(place, &[&["cloudtrail", "list"], road].concat());
        assert!(told(&shown).contains("pending"), "{}", told(&shown));
        let id = offer["id"].as_str().unwrap();
        let revoked = tarn(place, &[&["cloudtrail", "revoke", id], road].concat());
        assert!(told(&revoked).contains("revoked"), "{}", told(&revoked));
        let show = ["cloudtrail", "show", id, "--format", "json"];
        assert_eq!(json(&tarn(place, &[&show, road].concat()))["status"], "revoked");
        let renew = ["cloudtrail", "renew", id, "--expires-days", "30", "--format", "json"];
        let renewed = json(&tarn(place, &[&renew[..], url, road].concat()));
        assert_eq!(
            (renewed["status"].as_str(), renewed["expires_in_days"].as_u64()),
            (Some("pending"), Some(30))
        );
    }
}

#[test]
fn templates_are_printed_and_a_link_needs_to_know_where_the_server_is() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let variants = told(&tarn(place, &["cloudtrail", "template", "--variants"]));
    let template = |kind: &str| json(&tarn(place, &["cloudtrail", "template", "--variant", kind]));
    for kind in variants.lines() {
        assert!(template(kind)["Resources"].is_object(), "{kind}");
    }
    let unknown = tarn(place, &["cloudtrail", "template", "--variant", "x"]);
    assert_eq!(unknown.status.code(), Some(2));
    let lost = tarn(place, &["cloudtrail", "link"]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(told(&lost).contains("--public-url"), "{}", told(&lost));
    let by_hand = tarn(place, &["cloudtrail", "link", "--public-url", "https://tarn.example"]);
    let text: Value = serde_json::from_slice(&by_hand.stdout).unwrap();
    assert_eq!(text, template("new-bucket-x86_64"));
    assert!(told(&by_hand).contains("CloudFormation"), "the steps");
}
