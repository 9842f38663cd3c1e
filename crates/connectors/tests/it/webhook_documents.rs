//! Documents of responders: what they may say, what is told of a wrong one, and how secrets are kept.

use connectors::Registry;
use connectors::webhook::{ResponderDocument, load, run_tests, templates};
use model::hint::Hint;
use model::secret::MASK;
use serde_json::{Value, json};

use crate::webhook::document;

const FILE: &str = "
name: 隔離 (東京)
tenant: all
template: trend vision one isolate endpoint
request: { host: api.xdr.trendmicro.co.jp }
auth: { token: s3cret-1 }
";

fn read(value: &Value) -> Result<ResponderDocument, String> {
    ResponderDocument::from_value(value.clone(), &templates()).map_err(|error| error.to_string())
}

fn simple(change: impl Fn(&mut Value)) -> Value {
    let mut value = json!({
        "name": "x", "effect": "writes", "auth": { "type": "bearer", "token": "s3cret-1" },
        "request": { "host": "api.vendor.example", "path": "/v1", "body": {} },
    });
    change(&mut value);
    value
}

#[test]
fn a_template_needs_a_host_a_secret_and_nothing_else() {
    let document = ResponderDocument::read(FILE, &templates()).unwrap();
    assert_eq!(document.name.as_str(), "隔離 (東京)");
    assert_eq!(document.request.path, "/v3.0/response/endpoints/isolate");
    assert_eq!(document.title.ja, "エンドポイントを隔離");
    assert_eq!(document.request.host, "api.xdr.trendmicro.co.jp");
    assert_eq!(document.secrets()["auth.token"].expose(), "s3cret-1");
    let masked = document.masked();
    assert_eq!(masked["auth"], json!({ "type": "bearer", "token": MASK }));
    // What is shown can be applied again, and keeps the secret.
    let again = ResponderDocument::from_value(masked, &templates()).unwrap();
    let kept = again.keeping(Some(&document)).unwrap();
    assert_eq!(kept.secrets()["auth.token"].expose(), "s3cret-1");
}

#[test]
fn a_kept_secret_does_not_go_to_another_host() {
    let stored = document(simple(|_| {}));
    let masked = |host: &str| {
        document(simple(|value| {
            value["auth"]["token"] = MASK.into();
            value["request"]["host"] = host.into();
        }))
    };
    assert!(masked("API.vendor.example").keeping(Some(&stored)).is_ok());
    let error = masked("evil.example").keeping(Some(&stored)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`auth.token` is masked while the place that it is sent to changes"
    );
    assert!(masked("api.vendor.example").keeping(None).is_err());
}

#[test]
fn what_a_document_cannot_say_is_named() {
    let table: [(Value, &str); 12] = [
        (
            simple(|d| d["request"]["host"] = "https://api.vendor.example".into()),
            "`request.host` is no host name: `https://api.vendor.example`",
        ),
        (
            simple(|d| d["request"]["host"] = "api.vendor.example/v1".into()),
            "`request.host` is no host name: `api.vendor.example/v1`",
        ),
        (simple(|d| d["request"]["path"] = "v1?x=y".into()), "`request.path` is no path"),
        (
            simple(|d| d["request"]["body"] = "{ not json".into()),
            "`request.body` is no JSON: key must be a string at line 1 column 3",
        ),
        (
            simple(|d| d["request"]["headers"] = json!({ "Host": "x" })),
            "`request.headers.Host` is no header that can be set",
        ),
        (simple(|d| d["tenant"] = "No Tenant".into()), "`tenant` is no tenant: `No Tenant`"),
        (
            simple(|d| d["request"]["method"] = "GET".into()),
            "`effect` says that something changes, and `request.method` only asks",
        ),
        (
            simple(|d| d["target"] = json!({ "type": "tree", "value": "x" })),
            "`target.type` is no kind of entity: `tree`",
        ),
        (simple(|d| d["template"] = "No Template".into()), "`template` `No Template` is not known"),
        (
            simple(|d| {
                d["auth"] =
                    json!({ "type": "header", "name": "X", "secret": "s", "value": "fixed" })
            }),
            "`auth.value` must be made of `{{ secret }}` and fixed text",
        ),
        (
            simple(
                |d| d["auth"] = json!({ "type": "hmac", "header": "X", "secret": "s", "signed": "timestamp_body" }),
            ),
            "`auth.timestamp_header` is missing, and the time is signed",
        ),
        (
            simple(|d| d["retries"] = json!({ "attempts": 0 })),
            "`retries.attempts` is not from 1 to 20",
        ),
    ];
    for (value, expected) in table {
        assert_eq!(read(&value).unwrap_err(), expected);
    }
    for value in [
        simple(|d| d["colour"] = 1.into()),
        simple(|d| d["auth"]["colour"] = 1.into()),
        simple(|d| d["request"]["colour"] = 1.into()),
    ] {
        assert!(read(&value).unwrap_err().contains("colour"));
    }
    let error =
        ResponderDocument::from_value(simple(|d| d["request"]["host"] = "https://x".into()), &[])
            .unwrap_err();
    assert!(
        error.hint().unwrap().contains("`api.xdr.trendmicro.com`") && !error.remedy.ja.is_empty()
    );
}

#[test]
fn every_field_is_checked_against_what_records_have() {
    let sources = Registry::new().sources();
    let body = |text: &str| {
        document(simple(|value| {
            value["sources"] = json!(["trend_vision_one.alerts"]);
            value["request"]["body"] = json!({ "v": text });
            value["parameters"] = json!([{ "name": "reason", "title": { "en": "R", "ja": "R" }, "type": "text", "help": { "en": "r", "ja": "r" } }]);
        }))
        .check(&sources)
    };
    for text in [
        "{{ tmv1.host_guid }}",
        "{{ finding_info.uid }}",
        "{{ tenant_uid }}",
        "{{ trendmicro_visionone.any.thing }}",
        "{{ parameters.reason }}",
        "{{ msg_origin.vendor }}",
        "{{ unmapped.caseId }}",
        "{{ resources[0].name }}",
        "{{ target }}",
    ] {
        assert_eq!(body(text), Ok(()), "{text}");
    }
    for (text, field, near) in [
        ("{{ tmv1.host_gid }}", "tmv1.host_gid", "tmv1.host_guid"),
        ("{{ finding_info.titel }}", "finding_info.titel", "finding_info.title"),
        ("{{ parameters.reasons }}", "parameters.reasons", "parameters.reason"),
        ("{{ trendmicro_visionon.id }}", "trendmicro_visionon.id", "trendmicro_visionone"),
    ] {
        let errors = body(text).unwrap_err();
        assert_eq!(errors[0].to_string(), format!("field `{field}` is not known"));
        assert!(
            errors[0].hint().unwrap().contains(&format!("`{near}`")),
            "{text}: {:?}",
            errors[0].hint()
        );
    }
    for text in ["{{ outputs.x }}", "{{ response.status }}", "{{ secret }}", "{{ mimecast.x }}"] {
        assert!(body(text).is_err(), "{text}");
    }
}

#[test]
fn a_users_own_templates_are_read_and_tested() {
    let folder = std::env::temp_dir().join(format!("tarn-responders-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let template = "
template: Page somebody
title: { en: Page, ja: 呼び出し }
help: { en: Pages., ja: 呼び出す。 }
responder:
  effect: writes
  request: { host: pager.example, path: /v1/page, query: { who: \"{{ actor.user.name }}\" }, body: '{\"t\": \"{{ finding_info.title }}\"}' }
  tests:
    - { name: pages, event: { actor: { user: { name: y tanabe } }, finding_info: { title: T } }, expect: { path: '/v1/page?who=y%20tanabe', body: { t: T } } }
    - { name: wrong, event: { actor: { user: { name: y } }, finding_info: { title: T } }, expect: { body: { t: U } } }
    - { name: empty, event: { actor: { user: { name: y } } }, error: field `finding_info.title` is empty in this record }
";
    std::fs::write(folder.join("page.yaml"), template).unwrap();
    std::fs::write(folder.join("notes.txt"), "no template").unwrap();
    let loaded = load(&folder).unwrap();
    let report = run_tests(&loaded[0].sample().unwrap(), &Registry::new().sources());
    assert!(!report.is_passed());
    let differences: Vec<_> = report.tests.iter().map(|test| test.difference.as_deref()).collect();
    assert_eq!(differences, [None, Some("body is {\"t\":\"T\"} instead of {\"t\":\"U\"}"), None]);
    std::fs::write(folder.join("broken.yml"), "template: [").unwrap();
    assert!(load(&folder).unwrap_err().to_string().contains("broken.yml"));
    std::fs::remove_dir_all(&folder).unwrap();
}
