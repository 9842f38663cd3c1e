//! What certain records say, told apart from the samples: each test is a trap of CloudTrail's.

use serde_json::{Value, json};

use super::golden::event;
use super::{RECORDS, integration, mapping};

/// What stands at a path of an event: `api.response.error`.
fn at(event: &Value, path: &str) -> Value {
    event.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or_default()
}

#[test]
fn each_kind_of_record_has_its_class() {
    for (sample, class) in [
        ("create_bucket", 6003),
        ("network_activity", 6003),
        ("service_event_without_type", 6003),
        ("user_of_another_service", 6003),
        ("console_login_failed", 3002),
        ("identity_center_sign_in", 3002),
        ("assume_role", 3002),
        ("attach_user_policy", 3001),
        ("root_password_updated", 3001),
        ("insight_begins", 2004),
        ("aggregated", 0),
        ("without_name_is_base", 0),
        ("insight_without_type_is_base", 0),
    ] {
        assert_eq!(event(sample)["class_uid"], class, "{sample}");
    }
}

#[test]
fn how_it_ended_stands_in_different_places() {
    for (sample, status) in [
        ("create_bucket", "Success"),
        ("denied", "Failure"),
        ("code_200_is_success", "Success"),
        ("console_login", "Success"),
        ("console_login_failed", "Failure"),
        ("identity_center_sign_in", "Failure"),
        ("check_mfa_with_another_word", "Pending"),
        ("assume_role_denied", "Failure"),
        ("root_password_updated", "Success"),
    ] {
        assert_eq!(event(sample)["status"], status, "{sample}");
    }
    assert_eq!(event("denied")["status_code"], "Client.UnauthorizedOperation");
    assert_eq!(event("console_login_failed")["status_detail"], "Failed authentication");
}

#[test]
fn an_address_is_an_ip_only_when_it_is_one() {
    for (sample, path, value) in [
        ("create_bucket", "src_endpoint.ip", "203.0.113.24"),
        ("address_of_version_6", "src_endpoint.ip", "2001:db8:40::7"),
        ("two_addresses", "src_endpoint.ip", "198.51.100.7"),
        ("two_addresses", "src_endpoint.intermediate_ips.0", "203.0.113.80"),
        ("address_with_leading_zeros", "src_endpoint.name", "198.051.100.07"),
        ("from_a_service", "src_endpoint.domain", "secretsmanager.amazonaws.com"),
        ("from_inside_aws", "src_endpoint.name", "AWS Internal"),
        ("without_address", "src_endpoint.svc_name", "autoscaling.amazonaws.com"),
        ("network_activity", "src_endpoint.uid", "vpce-0abc0000000000001"),
    ] {
        assert_eq!(at(&event(sample), path), value, "{sample}");
    }
}

#[test]
fn whoever_acts_is_named_in_every_variant() {
    for (sample, path, value) in [
        ("create_bucket", "actor.user.uid", "arn:aws:iam::111122223333:user/mina"),
        ("create_bucket", "actor.user.programmatic_credentials.0.uid", "AKIAEXAMPLEKEY000001"),
        ("get_object_by_role", "actor.user.name", "Deployer"),
        ("get_object_by_role", "actor.session.uid", "deploy-7"),
        (
            "get_object_by_role",
            "actor.session.issuer",
            "arn:aws:iam::111122223333:role/ci/Deployer",
        ),
        (
            "web_identity_session",
            "actor.idp.name",
            "arn:aws:iam::111122223333:oidc-provider/token.ci.example",
        ),
        ("from_a_service", "actor.user.name", "secretsmanager.amazonaws.com"),
        ("from_a_service", "actor.app_name", "secretsmanager.amazonaws.com"),
        ("network_activity", "actor.user.account.uid", "444455556666"),
        ("identity_center_user", "actor.user.uid_alt", "93448470-4011-7000-aaaa-000000000001"),
        (
            "identity_center_user",
            "actor.idp.uid",
            "arn:aws:identitystore::111122223333:identitystore/d-0000000001",
        ),
        ("service_event_without_type", "actor.app_name", "AWS Internal"),
        ("identity_names_nobody", "actor.app_name", "health.amazonaws.com"),
        ("types_nobody_promised", "actor.app_name", "ec2.amazonaws.com"),
        ("root", "actor.user.type", "Root"),
    ] {
        assert_eq!(at(&event(sample), path), value, "{sample} {path}");
    }
    let session = at(&event("web_identity_session"), "actor.session");
    assert_eq!(
        (&session["is_mfa"], &session["created_time"]),
        (&json!(true), &json!(1_790_841_301_000_i64))
    );
    assert_eq!(at(&event("get_object_by_role"), "actor.session.is_mfa"), false);
}

#[test]
fn who_signs_in_and_whose_account_changes_is_told_from_who_acts() {
    for (sample, path, value) in [
        ("console_login", "user.name", "mina"),
        ("assume_role", "user.uid", "arn:aws:iam::444455556666:role/audit/Reader"),
        ("assume_role", "user.account.uid", "444455556666"),
        ("assume_role", "session.credential_uid", "ASIAEXAMPLEKEY000003"),
        ("assume_role", "actor.user.name", "mina"),
        (
            "assume_role_with_web_identity",
            "user.uid",
            "arn:aws:sts::111122223333:assumed-role/Deployer/build-12",
        ),
        ("assume_role_denied", "user.name", "mina"),
        ("create_user", "user.uid", "arn:aws:iam::111122223333:user/backup-admin"),
        ("create_access_key", "user.programmatic_credentials.0.uid", "AKIAEXAMPLEKEY000009"),
        ("create_own_access_key", "user.name", "mina"),
        ("change_own_password", "user.name", "mina"),
        ("attach_user_policy", "policies.0.name", "AdministratorAccess"),
        ("create_linked_role", "user.name", "AWSServiceRoleForECS"),
        ("add_user_to_group", "user.groups.0.name", "admins"),
        ("password_policy", "user.account.uid", "111122223333"),
        ("root_password_updated", "user.type", "Root"),
    ] {
        assert_eq!(at(&event(sample), path), value, "{sample} {path}");
    }
    assert_eq!(event("console_login")["is_mfa"], true);
    assert_eq!(event("console_login_failed")["is_mfa"], false);
    assert_eq!(event("check_mfa_with_another_word").get("is_mfa"), None);
}

#[test]
fn a_version_is_a_text_and_what_has_no_place_keeps_its_form() {
    let event = event("no_request_id_keeps_parameters");
    assert_eq!(at(&event, "metadata.product.version"), "1.10");
    assert_eq!(at(&event, "unmapped.requestParameters.alarmName"), "cpu high");
    assert_eq!(at(&event, "unmapped.readOnly"), false);
}

#[test]
fn start_and_end_of_an_insight_are_one_finding() {
    let (start, end) = (event("insight_begins"), event("insight_ends"));
    assert_eq!(at(&start, "finding_info.uid"), at(&end, "finding_info.uid"));
    assert_eq!((&start["activity_name"], &start["is_alert"]), (&json!("Create"), &json!(true)));
    assert_eq!((&end["activity_name"], &end["is_alert"]), (&json!("Close"), &json!(false)));
    assert_eq!(
        at(&start, "finding_info.title"),
        "ApiCallRateInsight: RunInstances of ec2.amazonaws.com"
    );
    assert_eq!(start.get("actor"), None);
}

#[test]
fn a_correction_is_a_record_of_its_own() {
    let key = |id: &str| {
        let record = json!({"eventID": id, "recipientAccountId": "111122223333", "eventTime": "2026-10-01T08:00:00Z", "addendum": {"originalEventID": "e-1"}});
        mapping().identify(record.to_string().as_bytes()).unwrap().key
    };
    assert_ne!(key("e-1"), key("e-2"));
}

#[test]
fn digests_are_foreign_and_logs_are_not() {
    let is_foreign = integration().foreign(RECORDS).unwrap();
    let digest = json!({"awsAccountId": "111122223333", "digestStartTime": "2026-10-01T08:00:00Z", "digestEndTime": "2026-10-01T09:00:00Z", "logFiles": []});
    assert!(is_foreign(digest.to_string().as_bytes()));
    assert!(!is_foreign(br#"{"Records":[]}"#));
}
