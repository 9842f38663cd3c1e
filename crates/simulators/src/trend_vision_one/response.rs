//! The actions: every item of a request becomes a task or is refused, and the answer tells both item by item.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;

use super::VisionOne;
use super::accounts;
use super::action::{Action, Kind};
use super::books::Books;
use super::errors::Refused;
use super::inventory::machines;
use super::item::{ItemRefused, Selector, Wanted, endpoint};
use super::paging::base;
use super::requests::Moment;
use super::targets::Target;
use super::tasks::{Course, Part, Task};

const SCOPE: &str = "Access denied. The target is not in the user's management scope.";

impl VisionOne {
    /// Answers an action with 207 and one result for each item, in the order of the request.
    pub(super) fn act(&self, moment: &Moment<'_>, action: Action) -> Result<Answer, Refused> {
        whole_failure(moment)?;
        let items = items(moment)?;
        let mut books = self.books(moment.now_ms, &moment.knobs.response);
        let results: Vec<Value> = items
            .iter()
            .map(|item| {
                let wanted = Wanted::read(action, item);
                let begun =
                    wanted.and_then(|wanted| self.begin(&mut books, moment, action, wanted));
                result(moment, begun)
            })
            .collect();
        Ok(Answer::json(StatusCode::MULTI_STATUS, Value::from(results).to_string()))
    }

    /// Starts a malware scan: one task for all endpoints, answered 202 with a header of its own.
    pub(super) fn scan(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        whole_failure(moment)?;
        let body: Value = serde_json::from_slice(&moment.asked.body).unwrap_or_default();
        let list = body.get("endpoints").and_then(Value::as_array).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| refused(&ItemRefused::Required("endpoints".to_owned())))?;
        let mut books = self.books(moment.now_ms, &moment.knobs.response);
        let mut targets = Vec::new();
        for item in list {
            let fields = item.as_object().ok_or(ItemRefused::Format("endpoints".to_owned()));
            let selector = fields.and_then(endpoint).map_err(|why| refused(&why))?;
            let found = self.targets(&books, moment, Action::MalwareScan, &selector, &Map::new());
            targets.extend(found.map_err(|why| refused(&why))?);
        }
        let wanted = (Action::MalwareScan, None, Map::new());
        let id = self.open(&mut books, moment, wanted, targets);
        let mut answer = Answer::json(StatusCode::ACCEPTED, "");
        answer.headers.push(("operation-location", location(moment, &id)));
        Ok(answer)
    }

    /// Cancels scans, the only tasks that can be.
    pub(super) fn cancel(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        whole_failure(moment)?;
        let items = items(moment)?;
        let mut books = self.books(moment.now_ms, &moment.knobs.response);
        let mut cancel = |item: &Value| {
            let id = item.get("id").ok_or(ItemRefused::Required("id".to_owned()))?;
            let id = id.as_str().ok_or(ItemRefused::Format("id".to_owned()))?;
            let task = books.tasks.iter_mut().find(|task| task.id == id);
            let task = task.ok_or(ItemRefused::NotFound)?;
            if task.action != Action::MalwareScan || task.course.is_final(moment.now_ms) {
                return Err(ItemRefused::NotSupported);
            }
            task.course.cancel(moment.now_ms);
            Ok(id.to_owned())
        };
        let results: Vec<Value> = items.iter().map(|item| result(moment, cancel(item))).collect();
        Ok(Answer::json(StatusCode::MULTI_STATUS, Value::from(results).to_string()))
    }

    /// Makes a task of an item, or says why not.
    fn begin(
        &self,
        books: &mut Books,
        moment: &Moment<'_>,
        action: Action,
        wanted: Wanted,
    ) -> Result<String, ItemRefused> {
        let targets = self.targets(books, moment, action, &wanted.selector, &wanted.details)?;
        Ok(self.open(books, moment, (action, wanted.description, wanted.details), targets))
    }

    /// What an action is to be done to, if it may be.
    fn targets(
        &self,
        books: &Books,
        moment: &Moment<'_>,
        action: Action,
        selector: &Selector,
        details: &Map<String, Value>,
    ) -> Result<Vec<Target>, ItemRefused> {
        let knobs = &moment.knobs.response;
        if let Some(refused) = &knobs.refuse_items {
            return Err(refused.clone());
        }
        let mut targets =
            Target::named(selector, &machines(self.seed), |mail| books.is_deleted(mail));
        if targets.is_empty() {
            return Err(ItemRefused::TargetNotFound);
        }
        if action == Action::ForceSignOut {
            let is_cloud = |target: &Target| matches!(target, Target::Account { directory, .. } if *directory == accounts::CLOUD);
            targets.retain(is_cloud);
        }
        let takes_one = action.kind() == Kind::Endpoint
            && action.name_for_many().is_none()
            && action != Action::MalwareScan;
        if takes_one {
            targets.truncate(1);
        }
        let is_any = |names: &[String]| targets.iter().any(|target| target.is_among(names));
        if targets.is_empty() || is_any(&knobs.unsupported) {
            return Err(ItemRefused::NotSupported);
        }
        if is_any(&knobs.out_of_scope) {
            return Err(ItemRefused::Denied(SCOPE));
        }
        let is_same = |task: &&Task| {
            !task.course.is_final(moment.now_ms) && task.covers(action, &targets, details)
        };
        match books.tasks.iter().find(is_same) {
            Some(task) => Err(ItemRefused::Duplicate(task.id.clone())),
            None => Ok(targets),
        }
    }

    /// Opens a task and gives its id.
    fn open(
        &self,
        books: &mut Books,
        moment: &Moment<'_>,
        (action, description, details): (Action, Option<String>, Map<String, Value>),
        targets: Vec<Target>,
    ) -> String {
        let knobs = &moment.knobs.response;
        let part = |target: Target| Part {
            is_doomed: target.is_among(&knobs.fail_targets),
            failure: None,
            target,
        };
        let id = books.next_id(action, moment.now_ms);
        books.tasks.push(Task {
            id: id.clone(),
            action,
            description,
            account: moment.account(),
            created_ms: moment.now_ms,
            course: Course::begin(moment.now_ms, knobs),
            parts: targets.into_iter().map(part).collect(),
            details,
            is_settled: false,
        });
        id
    }
}

/// The refusal of a whole request that the fault asks for.
pub(super) fn whole_failure(moment: &Moment<'_>) -> Result<(), Refused> {
    moment.knobs.response.whole_failure.map_or(Ok(()), |status| Err(Refused::whole(status)))
}

/// The items of a request, of which there must be some.
pub(super) fn items(moment: &Moment<'_>) -> Result<Vec<Value>, Refused> {
    let items: Option<Vec<Value>> = serde_json::from_slice(&moment.asked.body).ok();
    let items = items.filter(|items| !items.is_empty());
    items.ok_or_else(|| Refused::parameter("Invalid request - The body is not a list of items."))
}

/// An item's reason as the refusal of a whole request.
fn refused(why: &ItemRefused) -> Refused {
    let (status, code, message) = why.parts();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Refused::coded(status, code, &message)
}

/// The result of one item.
fn result(moment: &Moment<'_>, begun: Result<String, ItemRefused>) -> Value {
    match begun {
        Ok(id) => json!({ "status": 202, "headers": headers(moment, &location(moment, &id)) }),
        Err(why) => {
            let mut result = json!({ "status": why.parts().0 });
            if let ItemRefused::Duplicate(id) = &why {
                result["headers"] = headers(moment, &location(moment, id));
            }
            result["body"] = why.body();
            result
        }
    }
}

/// The headers of an item, in the form that the faults ask for.
pub(super) fn headers(moment: &Moment<'_>, location: &str) -> Value {
    let knobs = &moment.knobs.response;
    let name = knobs.location_case.location();
    if knobs.headers_as_object {
        json!({ name: location })
    } else {
        json!([{ "name": name, "value": location }])
    }
}

/// Where a task is said to be: with a segment that the route lacks, but for scans.
fn location(moment: &Moment<'_>, id: &str) -> String {
    let is_plain = moment.knobs.response.plain_location || id.starts_with("RM-");
    let segment = if is_plain { "" } else { "/xdr" };
    format!("{}/v3.0{segment}/response/tasks/{id}", base(moment.knobs, &moment.asked.host))
}

impl Moment<'_> {
    /// The name under which the key's actions appear.
    fn account(&self) -> String {
        let key = self.asked.key.as_deref();
        let place = self.knobs.keys.iter().position(|known| Some(known.as_str()) == key);
        match place {
            None | Some(0) => "soc-api".to_owned(),
            Some(place) => format!("soc-api-{}", place + 1),
        }
    }
}
