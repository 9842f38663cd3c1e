//! The check of a document when it is saved: its shape, and every name that its expressions read.

use model::action::EntityKind;
use model::ids::TenantId;
use model::source::Sources;
use url::Url;

use super::auth::{Auth, Signed};
use super::document::{Method, ResponderDocument};
use super::error::WebhookError;
use super::fields::Fields;
use super::plan::{Plan, Stage};

/// The tenant of a responder that every tenant may use.
const ALL: &str = "all";

/// Checks what can be checked without knowing the sources; every expression is read.
pub(crate) fn shape(document: &ResponderDocument) -> Result<(), WebhookError> {
    Plan::new(document)?;
    if document.tenant != ALL && TenantId::new(&document.tenant).is_err() {
        return Err(WebhookError::at(
            "tenant",
            (
                &format!("is no tenant: `{}`", document.tenant),
                &format!("はテナントではありません: `{}`", document.tenant),
            ),
            ("write a tenant's id, or `all`", "テナント ID または `all` を書いてください"),
        ));
    }
    if document.effect.changes() && document.request.method == Method::Get {
        return Err(WebhookError::at(
            "effect",
            (
                "says that something changes, and `request.method` only asks",
                "は変更ですが、`request.method` は照会だけです",
            ),
            (
                "use another method, or `effect: reads`",
                "別のメソッドか `effect: reads` を使ってください",
            ),
        ));
    }
    if let Some(target) = &document.target
        && !target.kind.contains("{{")
        && target.kind.parse::<EntityKind>().is_err()
    {
        return Err(WebhookError::at(
            "target.type",
            (
                &format!("is no kind of entity: `{}`", target.kind),
                &format!("はエンティティの種類ではありません: `{}`", target.kind),
            ),
            (
                "write for example `host`, `url` or `email_address`",
                "例: `host`、`url`、`email_address`",
            ),
        ));
    }
    auth(&document.auth)?;
    if document.retries.attempts == 0 || document.retries.attempts > 20 {
        return Err(WebhookError::at(
            "retries.attempts",
            ("is not from 1 to 20", "は 1 から 20 までです"),
            ("write 1 to send once", "1 回だけ送るには 1 を書いてください"),
        ));
    }
    Ok(())
}

fn auth(auth: &Auth) -> Result<(), WebhookError> {
    match auth {
        Auth::Oauth2ClientCredentials { token_url, .. } => {
            let is_web = Url::parse(token_url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !is_web {
                return Err(WebhookError::at(
                    "auth.token_url",
                    ("is no URL", "は URL ではありません"),
                    (
                        "write the whole URL with `https://`",
                        "`https://` から始まる URL を書いてください",
                    ),
                ));
            }
        }
        Auth::Hmac { signed: Signed::TimestampBody, timestamp_header: None, .. } => {
            return Err(WebhookError::at(
                "auth.timestamp_header",
                ("is missing, and the time is signed", "がありませんが、時刻に署名します"),
                (
                    "name the header that carries the time",
                    "時刻を送るヘッダーの名前を書いてください",
                ),
            ));
        }
        _ => {}
    }
    Ok(())
}

impl ResponderDocument {
    /// Checks that every name in its expressions can be there: in records of its sources, among its
    /// parameters, or in what comes before. Answers every problem.
    ///
    /// # Errors
    /// Names each field that cannot be there, with the one that was probably meant.
    pub fn check(&self, sources: &Sources) -> Result<(), Vec<WebhookError>> {
        let mut problems = Vec::new();
        for id in self.sources.iter().filter(|id| sources.get(id).is_none()) {
            problems.push(WebhookError::at(
                "sources",
                (
                    &format!("has `{id}`, which is not known"),
                    &format!("の `{id}` は見つかりません"),
                ),
                ("write for example `trend_vision_one.alerts`", "例: `trend_vision_one.alerts`"),
            ));
        }
        let plan = match Plan::new(self) {
            Ok(plan) => plan,
            Err(error) => return Err(vec![error]),
        };
        let fields = Fields::of(&self.sources, sources);
        plan.visit(&mut |expression, stage, bound| {
            for path in expression.paths() {
                if !self.knows(path, stage, bound, &fields) {
                    let problem = unknown(path, fields.near(path, &self.own_names()));
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        });
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn knows(&self, path: &str, stage: Stage, bound: &[&str], fields: &Fields) -> bool {
        let (top, rest) = path.split_once('.').unwrap_or((path, ""));
        if bound.contains(&top) {
            return true;
        }
        let is_parameter = |name: &str| self.parameters.iter().any(|known| known.name == name);
        match top {
            "parameters" => is_parameter(rest.split('.').next().unwrap_or_default()),
            "target" | "targets" => stage != Stage::Target,
            "response" | "item" => matches!(stage, Stage::Answer | Stage::Poll),
            "outputs" => {
                let name = rest.split('.').next().unwrap_or_default();
                stage == Stage::Poll && self.outputs.contains_key(name)
            }
            _ => fields.has(path),
        }
    }

    fn own_names(&self) -> Vec<String> {
        let parameters = self.parameters.iter().map(|known| format!("parameters.{}", known.name));
        parameters.chain(self.outputs.keys().map(|name| format!("outputs.{name}"))).collect()
    }
}

fn unknown(path: &str, near: Option<String>) -> WebhookError {
    let said =
        (format!("field `{path}` is not known"), format!("フィールド `{path}` は見つかりません"));
    match near {
        Some(near) => WebhookError::new(
            said,
            (&format!("did you mean `{near}`?"), &format!("`{near}` ではありませんか?")),
        ),
        None => WebhookError::new(
            said,
            (
                "use an OCSF attribute, a column, or the raw record behind its prefix: `trendmicro_visionone.id`",
                "OCSF 属性、列、または接頭辞付きの元レコード (`trendmicro_visionone.id`) を使ってください",
            ),
        ),
    }
}
