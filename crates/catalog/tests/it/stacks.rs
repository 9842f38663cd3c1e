//! Stacks in the catalog: codes, tokens, quotas and pushes.

use catalog::{
    Allowance, Enrolment, EnrolmentAsk, IntervalKind, KnownPush, PageCommit, PushKey, StackRow,
    WantedStack,
};
use model::ids::TenantId;
use model::secret::Secret;

use crate::support::{Scene, at, page};

const ACCOUNT: &str = "111122223333";

fn wanted(account: Option<&str>) -> WantedStack {
    WantedStack {
        tenant: TenantId::default(),
        name: "CloudTrail".to_owned(),
        account: account.map(str::to_owned),
        region: "eu-west-1".to_owned(),
        variant: "new-bucket-arm64".to_owned(),
        is_variant_chosen: false,
        code_expires_at: at(1_000),
        lifetime_days: None,
    }
}

fn ask(code: &Secret, token: &str) -> EnrolmentAsk {
    EnrolmentAsk {
        code: code.clone(),
        token: Secret::new(token),
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        client_version: None,
        template_version: None,
        name: "CloudTrail".to_owned(),
    }
}

async fn enrolled(scene: &Scene, token: &str) -> StackRow {
    let offered = scene.catalog.offer_stack(&wanted(Some(ACCOUNT)), at(0)).await.unwrap();
    let ask = ask(&offered.code.unwrap(), token);
    match scene.catalog.enrol(&ask, at(1)).await.unwrap() {
        Enrolment::Enrolled(stack) => stack,
        refused => panic!("{refused:?}"),
    }
}

#[tokio::test]
async fn asking_again_gives_the_same_stack_and_only_the_newest_code_is_good() {
    let scene = Scene::new().await;
    let first = scene.catalog.offer_stack(&wanted(None), at(0)).await.unwrap();
    let again = scene.catalog.offer_stack(&wanted(None), at(1)).await.unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.stack.id, again.stack.id);
    let old = scene.catalog.enrol(&ask(&first.code.unwrap(), "t"), at(2)).await.unwrap();
    assert_eq!(old, Enrolment::UnknownCode);
    let code = again.code.unwrap();
    let late = scene.catalog.enrol(&ask(&code, "t"), at(1_000)).await.unwrap();
    assert!(matches!(late, Enrolment::OldCode(..)), "{late:?}");
    let good = scene.catalog.enrol(&ask(&code, "t"), at(999)).await.unwrap();
    let Enrolment::Enrolled(stack) = good else { panic!("{good:?}") };
    assert_eq!(stack.account.as_deref(), Some(ACCOUNT));
    assert_ne!(scene.catalog.offer_stack(&wanted(None), at(3)).await.unwrap().stack.id, stack.id);
}

#[tokio::test]
async fn nothing_that_opens_a_stack_is_in_the_file() {
    let scene = Scene::new().await;
    let offered = scene.catalog.offer_stack(&wanted(Some(ACCOUNT)), at(0)).await.unwrap();
    let code = offered.code.unwrap();
    scene.catalog.enrol(&ask(&code, "marker-of-the-token"), at(1)).await.unwrap();
    let next = Secret::new("marker-of-the-next-one");
    scene.catalog.rotate_stack_token(offered.stack.id, &next).await.unwrap();
    scene.catalog.close().await;
    for file in std::fs::read_dir(scene.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [code.expose(), "marker-of-the-token", next.expose()] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn the_present_token_is_good_until_the_next_one_is_used() {
    let scene = Scene::new().await;
    let stack = enrolled(&scene, "one").await;
    let opens = async |token: &str| {
        scene.catalog.stack_of_token(&Secret::new(token)).await.unwrap().is_some()
    };
    scene.catalog.rotate_stack_token(stack.id, &Secret::new("two")).await.unwrap();
    assert!(opens("one").await && opens("one").await, "nobody has used the next one");
    assert!(opens("two").await);
    assert!(!opens("one").await, "the next one was used");
    scene.catalog.rotate_stack_token(stack.id, &Secret::new("two")).await.unwrap();
    assert!(opens("two").await, "the same token once more changes nothing");
}

#[tokio::test]
async fn another_stacks_token_can_neither_be_enrolled_with_nor_rotated_to() {
    let scene = Scene::new().await;
    let stack = enrolled(&scene, "one").await;
    let other = WantedStack { region: "us-east-1".to_owned(), ..wanted(None) };
    let code = scene.catalog.offer_stack(&other, at(2)).await.unwrap().code.unwrap();
    let found = scene.catalog.enrol(&ask(&code, "one"), at(3)).await.unwrap();
    assert!(matches!(found, Enrolment::Enrolled(known) if known.id == stack.id));
    let ask = EnrolmentAsk { region: "us-east-1".to_owned(), ..ask(&code, "two") };
    let Enrolment::Enrolled(second) = scene.catalog.enrol(&ask, at(3)).await.unwrap() else {
        panic!("the code is unused")
    };
    let error = scene.catalog.rotate_stack_token(second.id, &Secret::new("one")).await.unwrap_err();
    assert_eq!(error.kind(), catalog::ErrorKind::Conflict);
}

#[tokio::test]
async fn a_minute_that_is_used_up_stays_so_across_a_restart() {
    let mut scene = Scene::new().await;
    let stack = enrolled(&scene, "one").await.id;
    let most = Allowance { requests: 3, bytes: 100 };
    assert!(scene.catalog.charge(stack, at(0), 40, most).await.unwrap());
    assert!(!scene.catalog.charge(stack, at(0), 61, most).await.unwrap(), "bytes");
    assert!(scene.catalog.charge(stack, at(0), 60, most).await.unwrap());
    scene.reopen().await;
    assert!(!scene.catalog.charge(stack, at(0), 1, most).await.unwrap());
    assert!(scene.catalog.charge(stack, at(0), 0, most).await.unwrap());
    assert!(!scene.catalog.charge(stack, at(0), 0, most).await.unwrap(), "requests");
    assert!(scene.catalog.charge(stack, at(60), 100, most).await.unwrap(), "another minute");
}

#[tokio::test]
async fn a_push_is_remembered_with_its_page_or_not_at_all() {
    const POINT: &str = "catalog.apply_push.before_commit";
    let scene = Scene::new().await;
    let stack = enrolled(&scene, "one").await;
    let page = PageCommit { kind: IntervalKind::Push, cursor: None, ..page(stack.id) };
    let push = PushKey::new(stack.id, "key", b"body");
    let place = scene.file().display().to_string();
    fail::cfg(POINT, &format!("return({place})")).unwrap();
    assert!(scene.catalog.apply_push(page.clone(), &push).await.is_err());
    fail::remove(POINT);
    assert_eq!(scene.catalog.known_push(&push).await.unwrap(), KnownPush::Unknown);
    assert_eq!(scene.totals().await.served, 0);

    for _ in 0..2 {
        scene.catalog.apply_push(page.clone(), &push).await.unwrap();
        assert_eq!(scene.totals().await, page.counts);
    }
    assert_eq!(scene.catalog.known_push(&push).await.unwrap(), KnownPush::Answered(page.counts));
    let other = PushKey::new(stack.id, "key", b"another body");
    assert_eq!(scene.catalog.known_push(&other).await.unwrap(), KnownPush::OtherBody);
    let stack = scene.catalog.stack(stack.id).await.unwrap().unwrap();
    assert_eq!(stack.first_object_at, Some(page.at));
    assert_eq!(scene.catalog.forget_pushes(page.at).await.unwrap(), 0);
    assert_eq!(scene.catalog.forget_pushes(at(301)).await.unwrap(), 1);
}
