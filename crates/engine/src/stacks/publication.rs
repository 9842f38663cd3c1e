//! Where templates and code were published, and the links that are made of it.

use std::time::Duration;

pub use ::connectors::onboarding::Publication;
use ::connectors::onboarding::{
    Architecture, Delivery, Details, LinkRequest, Locale, Placement, Task, TemplateSource, Variant,
    click_path, create_stack_url, template,
};
use model::secret::Secret;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::error::EngineError;

/// How long a link's code lives.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// The kind of stack when nobody says another.
pub const DEFAULT_VARIANT: Variant = Variant {
    placement: Placement::NewBucket,
    kms: false,
    delivery: Delivery::Client,
    // Its zip can be built on every machine that builds the server.
    architecture: Architecture::X86_64,
};
/// The region when nobody says one and nothing was published.
const DEFAULT_REGION: &str = "us-east-1";
/// What a stack is called in AWS.
const STACK_NAME: &str = "tarn-cloudtrail";
/// This version, which templates and code are published under.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
const SETTING: &str = "stacks.publication.";

/// A publication as it is remembered.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    publication: Publication,
    at: Timestamp,
}

/// How a stack is put up: by a link where something was published for its region, else by hand.
#[derive(Debug, Clone, Default)]
pub struct Road {
    /// The link.
    pub link: Option<String>,
    /// The name of the template's file.
    pub template_name: String,
    /// The template's text, where there is no link.
    pub template: Option<String>,
    /// What to fill in.
    pub parameters: Vec<(String, String)>,
    /// What to do in the console, step by step.
    pub steps: Vec<String>,
}

impl App {
    /// Remembers what was published for a region, in the place of what was published there before.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn remember_publication(
        &self,
        publication: &Publication,
        actor: &str,
    ) -> Result<(), EngineError> {
        super::stack::check_region(&publication.region)?;
        let name = format!("{SETTING}{}", publication.region);
        let at = self.services.clock.now();
        let value = json!(Remembered { publication: publication.clone(), at });
        self.services.catalog.put_setting(&name, &value).await?;
        self.audit(actor, "stacks.publish", &publication.region, &json!(publication)).await;
        Ok(())
    }

    /// What was published, the newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn publications(&self) -> Result<Vec<Publication>, EngineError> {
        let stored = self.services.catalog.settings(SETTING).await?;
        let mut known: Vec<Remembered> =
            stored.into_values().filter_map(|value| serde_json::from_value(value).ok()).collect();
        known.sort_by_key(|known| std::cmp::Reverse(known.at));
        Ok(known.into_iter().map(|known| known.publication).collect())
    }

    /// The region of a stack for which nobody named one: where something was published last.
    pub(super) async fn default_region(&self) -> Result<String, EngineError> {
        let newest = self.publications().await?.into_iter().next();
        Ok(newest.map_or_else(|| DEFAULT_REGION.to_owned(), |publication| publication.region))
    }

    /// How a stack is put up in a region with a code.
    pub(super) async fn road(
        &self,
        region: &str,
        variant: Variant,
        service_url: &str,
        code: &Secret,
    ) -> Result<Road, EngineError> {
        let known = self.publications().await?;
        let published = known.into_iter().find(|publication| publication.region == region);
        // Without a publication whoever puts it up names a bucket of theirs.
        let nowhere = || Publication {
            bucket: String::new(),
            region: region.to_owned(),
            version: VERSION.to_owned(),
        };
        let publication = published.clone().unwrap_or_else(nowhere);
        let request = LinkRequest {
            publication: &publication,
            variant,
            stack_name: STACK_NAME,
            service_url,
            enrolment_code: code.expose(),
            details: Details::default(),
        };
        let parameters: Vec<_> =
            request.parameters().into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let file = format!("{}.json", variant.name());
        let (link, source) = match &published {
            Some(published) => {
                let link = create_stack_url(&request).map_err(|error| EngineError::Invalid {
                    problem: error.to_string(),
                    hint: "name another region".to_owned(),
                })?;
                (Some(link.to_string()), TemplateSource::Published(published, variant))
            }
            None => (None, TemplateSource::File(file.as_str())),
        };
        let mut steps = Vec::new();
        if published.is_none() && variant.delivery == Delivery::Client {
            let key = publication.code_key(variant.architecture);
            let place = Task::PlaceCode { region, key: &key };
            steps.extend(click_path(Locale::English, &place));
        }
        let create = Task::Create {
            region,
            stack_name: STACK_NAME,
            template: source,
            parameters: &parameters,
        };
        steps.extend(click_path(Locale::English, &create));
        let parameters = parameters.into_iter();
        Ok(Road {
            template: link.is_none().then(|| template(variant, VERSION)),
            link,
            template_name: file.clone(),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            steps,
        })
    }
}
