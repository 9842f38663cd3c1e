//! The token's life: a crash before or after each step of enrolling and rotating costs a repetition and nothing else,
//! and of several at once all end with the same token.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use forwarder::deadline::Deadline;
use forwarder::enrolment::{Enrolment, TokenError};
use forwarder::refusal::Refusal;
use forwarder::rotation::rotate;
use forwarder::secret::{Content, Kept, Vault, VaultError};
use forwarder::service::{Home, Service};
use model::secret::Secret;

use crate::support::tarn::{CODE, State, Tarn};

/// A secret in memory with the rule of Secrets Manager, and a process that dies at one of its steps.
#[derive(Default)]
struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    text: String,
    version: u64,
    /// Steps until the crash.
    left: Option<u32>,
}

impl Memory {
    fn crash_after(&self, steps: Option<u32>) {
        self.0.lock().unwrap().left = steps;
    }

    fn content(&self) -> Content {
        Content::read(&self.0.lock().unwrap().text)
    }

    /// One step nearer to the crash.
    fn step(&self) -> Result<(), VaultError> {
        let mut inner = self.0.lock().unwrap();
        match &mut inner.left {
            Some(0) => Err(VaultError { what: "go on", detail: "the process ended".to_owned() }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Vault for Memory {
    async fn read(&self) -> Result<Kept, VaultError> {
        self.step()?;
        // Lets others read the same version.
        tokio::task::yield_now().await;
        let inner = self.0.lock().unwrap();
        Ok(Kept { version: inner.version.to_string(), content: Content::read(&inner.text) })
    }

    async fn replace(&self, over: &Kept, content: &Content) -> Result<bool, VaultError> {
        self.step()?;
        let won = {
            let mut inner = self.0.lock().unwrap();
            let won = inner.version.to_string() == over.version;
            if won {
                inner.version += 1;
                inner.text = content.text();
            }
            won
        };
        // Written, and nobody hears of it.
        self.step()?;
        Ok(won)
    }
}

struct World {
    vault: Memory,
    service: Service,
    tarn: Tarn,
    home: Home,
}

impl World {
    async fn new(state: State) -> Self {
        let tarn = Tarn::start(state).await;
        let service = Service::new(&tarn.url().parse().unwrap()).unwrap();
        let home = Home { account_id: "1".repeat(12), region: "eu-west-1".to_owned() };
        Self { vault: Memory::default(), service, tarn, home }
    }

    async fn enrol(&self, code: &str) -> Result<Secret, TokenError> {
        let code = Secret::new(code);
        let enrolment = Enrolment { code: Some(&code), home: &self.home, template_version: "1.0" };
        enrolment.token(&self.vault, &self.service, deadline()).await
    }

    async fn rotate(&self) -> Result<bool, TokenError> {
        rotate(&self.vault, &self.service, 0, deadline()).await
    }

    /// Says a heartbeat with what is kept.
    async fn beat(&self) -> Result<(), Refusal> {
        let token = self.vault.content().token.unwrap();
        self.service.heartbeat(&token, "1.0", None, false, deadline()).await.map(drop)
    }
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

#[tokio::test]
async fn a_crash_at_any_step_of_enrolling_costs_a_repetition() {
    let mut crashes = 0;
    for steps in 0.. {
        let world = World::new(State::calm()).await;
        world.vault.crash_after(Some(steps));
        let is_through = world.enrol(CODE).await.is_ok();
        crashes += u32::from(!is_through);
        world.vault.crash_after(None);
        let token = world.enrol(CODE).await.unwrap();
        assert_eq!(token.expose(), world.vault.content().token.unwrap().expose());
        assert_eq!(token.expose().len(), 64);
        world.beat().await.unwrap();
        assert_eq!(world.tarn.state().told.len(), 1, "another token after {steps} steps");
        if is_through {
            break;
        }
    }
    // Three readings, and two writings with an end before and after each.
    assert_eq!(crashes, 7);
}

#[tokio::test]
async fn a_crash_at_any_step_of_rotating_costs_a_repetition() {
    let mut crashes = 0;
    for steps in 0.. {
        let world = World::new(State::calm()).await;
        let first = world.enrol(CODE).await.unwrap();
        world.vault.crash_after(Some(steps));
        let is_through = world.rotate().await.is_ok();
        crashes += u32::from(!is_through);
        world.vault.crash_after(None);
        // Whatever is kept now is taken, and so is what comes after it.
        world.beat().await.unwrap();
        world.rotate().await.unwrap();
        world.beat().await.unwrap();
        let content = world.vault.content();
        let token = content.token.unwrap();
        assert_ne!(token.expose(), first.expose());
        assert!(content.next.is_none());
        assert!(!world.tarn.state().takes(first.expose()), "the first token lives on");
        assert_eq!(world.tarn.state().violations, [""; 0]);
        if is_through {
            break;
        }
    }
    assert_eq!(crashes, 7);
}

#[tokio::test]
async fn several_at_once_agree_on_one_token() {
    let world = World::new(State { fails_every: 3, ..State::calm() }).await;
    let all = futures::future::join_all((0..5).map(|_| world.enrol(CODE))).await;
    let tokens: std::collections::BTreeSet<String> =
        all.into_iter().map(|token| token.unwrap().expose().to_owned()).collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(world.tarn.state().told.len(), 1);
    for _ in 0..3 {
        let all = futures::future::join_all((0..4).map(|_| world.rotate())).await;
        for done in all {
            // Who comes too late for one rotation may begin the next, for here every token is old.
            done.unwrap();
        }
        world.beat().await.unwrap();
    }
    assert!(world.tarn.state().rotations >= 3);
    assert_eq!(world.tarn.state().violations, [""; 0]);
}

#[tokio::test]
async fn a_young_token_stays() {
    let world = World::new(State::calm()).await;
    world.enrol(CODE).await.unwrap();
    assert!(!rotate(&world.vault, &world.service, 604_800, deadline()).await.unwrap());
    assert_eq!(world.tarn.state().rotations, 0);
}

#[tokio::test]
async fn a_wrong_code_is_told_and_a_right_one_later_enrols() {
    let world = World::new(State::calm()).await;
    let error = world.enrol("another").await.unwrap_err();
    assert!(matches!(error, TokenError::Refusal(Refusal::Enrolment(_))), "{error}");
    world.enrol(CODE).await.unwrap();
    world.beat().await.unwrap();
}
