//! A responder's document with every expression read, once.

use std::collections::BTreeMap;

use model::action::{EntityKind, Text};

use super::auth::{Auth, SECRET, TOKEN};
use super::document::ResponderDocument;
use super::error::WebhookError;
use super::expression::{Expression, Template};
use super::request::{RequestPlan, header_name};

/// The expressions of a responder.
pub(crate) struct Plan {
    pub(crate) request: RequestPlan,
    pub(crate) target: Option<TargetPlan>,
    pub(crate) when: Option<Template>,
    pub(crate) message: Option<Template>,
    pub(crate) outputs: BTreeMap<String, Template>,
    pub(crate) poll: Option<PollPlan>,
    pub(crate) auth_value: Option<Template>,
}

/// What the responder works on.
pub(crate) struct TargetPlan {
    pub(crate) kind: Template,
    pub(crate) value: Template,
    pub(crate) known_as: Vec<(EntityKind, Template)>,
}

/// How the vendor is asked whether it is done.
pub(crate) struct PollPlan {
    pub(crate) request: RequestPlan,
    pub(crate) until: Template,
    pub(crate) failed: Template,
    pub(crate) detail: Option<Template>,
}

/// Which names an expression may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before the request: the record and the parameters.
    Target,
    /// The request: also `target` and `targets`.
    Request,
    /// The answer: also `response` and `item`.
    Answer,
    /// The poll: also `outputs`.
    Poll,
}

impl Plan {
    /// Reads every expression of a document.
    pub(crate) fn new(document: &ResponderDocument) -> Result<Self, WebhookError> {
        let template = |text: &Option<String>, place: &str| {
            text.as_ref().map(|text| Template::new(text, place)).transpose()
        };
        let target = document.target.as_ref().map(|target| {
            let known_as = target.known_as.iter().map(|alias| {
                Ok((alias.kind, Template::new(&alias.value, "target.known_as.value")?))
            });
            Ok(TargetPlan {
                kind: Template::new(&target.kind, "target.type")?,
                value: Template::new(&target.value, "target.value")?,
                known_as: known_as.collect::<Result<_, WebhookError>>()?,
            })
        });
        let poll = document.poll.as_ref().map(|poll| {
            Ok(PollPlan {
                request: RequestPlan::of_poll(poll, &document.request)?,
                until: Template::new(&poll.until, "poll.until")?,
                failed: Template::new(&poll.failed, "poll.failed")?,
                detail: template(&poll.detail, "poll.detail")?,
            })
        });
        let outputs = document.outputs.iter().map(|(name, text)| {
            Ok((name.clone(), Template::new(text, &format!("outputs.{name}"))?))
        });
        Ok(Self {
            request: RequestPlan::new(&document.request)?,
            target: target.transpose()?,
            when: template(&document.success.when, "success.when")?,
            message: template(&document.success.message, "success.message")?,
            outputs: outputs.collect::<Result<_, WebhookError>>()?,
            poll: poll.transpose()?,
            auth_value: auth_value(&document.auth)?,
        })
    }

    /// Calls `visit` with every expression, its stage and the names that are bound around it.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Expression, Stage, &[&str])) {
        if let Some(target) = &self.target {
            let known_as = target.known_as.iter().map(|(_, template)| template);
            for template in [&target.kind, &target.value].into_iter().chain(known_as) {
                template.expressions().for_each(|found| visit(found, Stage::Target, &[]));
            }
        }
        self.request.visit(&mut |found, bound| visit(found, Stage::Request, bound));
        for template in self.when.iter().chain(&self.message).chain(self.outputs.values()) {
            template.expressions().for_each(|found| visit(found, Stage::Answer, &[]));
        }
        if let Some(poll) = &self.poll {
            poll.request.visit(&mut |found, bound| visit(found, Stage::Poll, bound));
            for template in [&poll.until, &poll.failed].into_iter().chain(&poll.detail) {
                template.expressions().for_each(|found| visit(found, Stage::Poll, &[]));
            }
        }
    }

    /// Whether the request is made of the permitted targets alone.
    pub(crate) fn names_targets(&self) -> bool {
        let mut is_named = false;
        self.request.visit(&mut |found, _| {
            is_named |= found
                .paths()
                .iter()
                .any(|path| path == "targets" || path == "target" || path.starts_with("target."));
        });
        is_named
    }
}

/// The value of the header that proves who sends, where it is written as a template.
fn auth_value(auth: &Auth) -> Result<Option<Template>, WebhookError> {
    let (name, value, allowed) = match auth {
        Auth::Header { name, value, .. } => (name, value, SECRET),
        Auth::Oauth2ClientCredentials { header, value, .. } => (header, value, TOKEN),
        Auth::Hmac { header, timestamp_header, .. } => {
            header_name(header, "auth.header")?;
            if let Some(name) = timestamp_header {
                header_name(name, "auth.timestamp_header")?;
            }
            return Ok(None);
        }
        Auth::None | Auth::Basic { .. } | Auth::Bearer { .. } => return Ok(None),
    };
    header_name(name, "auth.header")?;
    let template = Template::new(value, "auth.value")?;
    let paths: Vec<_> =
        template.expressions().flat_map(|found| found.paths().iter().cloned()).collect();
    if paths.is_empty() || paths.iter().any(|path| path != allowed) {
        return Err(WebhookError::at(
            "auth.value",
            (
                &format!("must be made of `{{{{ {allowed} }}}}` and fixed text"),
                &format!("には `{{{{ {allowed} }}}}` と固定の文字だけを使えます"),
            ),
            ("write for example `Bearer {{ secret }}`", "例: `Bearer {{ secret }}`"),
        ));
    }
    Ok(Some(template))
}

/// What a title says in every language; the name where there is none.
pub(crate) fn title(document: &ResponderDocument) -> Text {
    match document.title.is_empty() {
        true => Text::same(document.name.as_str()),
        false => document.title.clone(),
    }
}
