//! Asks the host about the work that it took on, until each piece of it has ended or the time is over.

use model::action::journal::{Ending, ShownAnswer, Step};
use model::action::{Call, Halt, ItemState};
use serde_json::{Map, Value};

use super::answer::{response, words};
use super::expression::Found;
use super::masking::Masks;
use super::plan::{PollPlan, title};
use super::request::Rendered;
use super::responder::shown;
use super::run::{Run, Work, show};
use super::send::{budget, shown_answer};
use super::values::{self, Scope};
use super::wording;
use crate::action::{Board, SHORTEST_WAIT};
use crate::client::webhook::Lost;

/// How often in a row the host may refuse to say how far it is.
const REFUSALS: u32 = 5;

/// What one question came to.
enum Told {
    /// It has ended, or goes on in these words.
    State(ItemState, String),
    /// The host did not say, and may later.
    Later,
    /// The host refuses to say, in these words.
    Refused(String),
}

impl Run {
    /// Asks until nothing is accepted any more, and writes down how each piece of work ended.
    pub(crate) async fn follow(
        &self,
        call: &Call<'_>,
        names: &Scope,
        works: &mut [Work],
        board: &mut Board,
        masks: &mut Masks,
    ) -> Result<(), Halt> {
        let Some(plan) = &self.responder.plan.poll else { return Ok(()) };
        let mut refusals = vec![0_u32; works.len()];
        let poll = call.journal.patience().poll.max(SHORTEST_WAIT);
        while works.iter().any(|work| work.part.state == ItemState::Accepted) {
            // The last look is taken when the time is over: it may have ended while nobody asked.
            let is_over = !call.journal.wait(poll).await?;
            let mut is_news = false;
            for (index, work) in works.iter_mut().enumerate() {
                if work.part.state != ItemState::Accepted {
                    continue;
                }
                let names = with_outputs(names, &work.part.outputs);
                let told = match plan.request.rendered(&names) {
                    Ok(request) => self.asked(call, plan, &names, index, &request, masks).await?,
                    Err(error) => Told::State(ItemState::Unknown, error.to_string()),
                };
                match told {
                    Told::State(state, words) => {
                        refusals[index] = 0;
                        is_news |= state != work.part.state || words != work.part.words;
                        work.part.state = state;
                        if state != ItemState::Accepted || !words.is_empty() {
                            work.part.words = words;
                        }
                    }
                    Told::Later => {}
                    Told::Refused(words) => {
                        refusals[index] += 1;
                        if refusals[index] >= REFUSALS {
                            is_news = true;
                            work.part.state = ItemState::Unknown;
                            work.part.words = words;
                        }
                    }
                }
            }
            if is_news {
                show(board, works, masks);
                let message =
                    wording::message(&title(&self.responder.document), board.items(), false);
                call.journal.progress(board.items(), &message).await?;
            }
            if is_over {
                for work in works.iter_mut().filter(|work| work.part.state == ItemState::Accepted) {
                    work.part.state = ItemState::Expired;
                }
            }
        }
        show(board, works, masks);
        Ok(())
    }

    /// Asks once about one piece of work.
    async fn asked(
        &self,
        call: &Call<'_>,
        plan: &PollPlan,
        names: &Scope,
        index: usize,
        request: &Rendered,
        masks: &mut Masks,
    ) -> Result<Told, Halt> {
        let name = format!("poll/{index}");
        let outgoing = self.responder.signed(call, request, masks).await?;
        let document = &self.responder.document;
        let shown_request = shown(document, request, masks);
        let step = Step { name: &name, is_change: false, targets: &[], request: shown_request };
        call.journal.sending(&step).await?;
        let incoming = match self.responder.client.exchange(budget(call)?, outgoing).await {
            Ok(incoming) => incoming,
            Err(lost) => {
                let detail = masks.text(&lost.detail());
                let ending = Ending::NotTaken { detail: detail.clone(), answer: None };
                call.journal.ended(&name, &ending).await?;
                let is_final = matches!(lost, Lost::Refused(_) | Lost::Unsendable(_));
                return Ok(if is_final {
                    Told::State(ItemState::Unknown, detail)
                } else {
                    Told::Later
                });
            }
        };
        let answer = shown_answer(&incoming, masks);
        call.journal.ended(&name, &Ending::Answered { answer: answer.clone() }).await?;
        let passes = answer.status == 429 || answer.status >= 500 || incoming.body.is_none();
        if passes {
            if let Some(wait) = incoming.retry_after
                && !call.journal.wait(wait).await?
            {
                return Ok(Told::State(ItemState::Expired, String::new()));
            }
            return Ok(Told::Later);
        }
        if answer.status == 401 {
            self.responder.token.forget().await;
        }
        Ok(told(plan, names, &answer))
    }
}

fn told(plan: &PollPlan, names: &Scope, answer: &ShownAnswer) -> Told {
    let mut names = names.clone();
    names.extend(response(answer));
    if !(200..300).contains(&answer.status) {
        let said = words(None, &names, &answer.body);
        return Told::Refused(format!("{} {said}", answer.status).trim().to_owned());
    }
    let detail = plan.detail.as_ref().and_then(|detail| match detail.find(&names) {
        Ok(Found::Value(value)) => values::text(&value),
        Ok(Found::Nothing) | Err(_) => None,
    });
    let detail = detail.unwrap_or_default();
    match (plan.failed.holds(&names), plan.until.holds(&names)) {
        (Ok(true), _) => Told::State(ItemState::Failed, detail),
        (Ok(false), Ok(true)) => Told::State(ItemState::Succeeded, String::new()),
        (Ok(false), Ok(false)) => Told::State(ItemState::Accepted, detail),
        (Err(error), _) | (_, Err(error)) => Told::Refused(error.to_string()),
    }
}

fn with_outputs(names: &Scope, outputs: &Map<String, Value>) -> Scope {
    let mut names = names.clone();
    names.insert("outputs".to_owned(), Value::Object(outputs.clone()));
    names
}
