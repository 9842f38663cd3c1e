//! `tarn cloudtrail publish`: templates and the client's code into a bucket, and the server told of it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use connectors::onboarding::{
    Architecture, Code, Publication, PublishSettings, publish as publish_to,
};
use engine::stacks::publication::VERSION;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::{self, Format, column};
use crate::target::{ACTOR, Target};

const DEFAULT_REGION: &str = "us-east-1";

/// Flags of `publish`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bucket, in the region of the stacks
    #[arg(long, value_name = "NAME")]
    bucket: String,
    /// The region of the bucket and of the stacks
    #[arg(long, value_name = "REGION", default_value = DEFAULT_REGION)]
    region: String,
    /// Where the client's zips lie, as PROCESSOR/bootstrap.zip [default: beside this program]
    #[arg(long, value_name = "DIR")]
    client_dir: Option<PathBuf>,
    /// Another S3 than AWS's
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let Arguments { bucket, region, client_dir, endpoint_url, format } = arguments;
    let codes = codes(client_dir.as_deref())?;
    // First, so that nothing is published that nobody would know of.
    let target = Target::open(config).await?;
    let settings = PublishSettings { keys: None, endpoint_url };
    let done = match publish_to(&settings, &bucket, &region, VERSION, &codes).await {
        Ok(publication) => tell(&target, &publication).await.map(|()| publication),
        Err(error) => {
            let remedy = error.remedy();
            Err(Failure::new("failed to publish").hint(remedy).cause(error).into())
        }
    };
    target.close().await;
    let Publication { bucket, region, version } = done?;
    let columns =
        [column("BUCKET", "bucket"), column("REGION", "region"), column("VERSION", "version")];
    let published = json!({ "bucket": bucket, "region": region, "version": version });
    output::object(format, &columns, &published)?;
    Ok(Outcome::Done)
}

async fn tell(target: &Target, publication: &Publication) -> Result<()> {
    match target {
        Target::Local(local) => local.app.remember_publication(publication, ACTOR).await?,
        Target::Remote(remote) => {
            let body: Value = serde_json::to_value(publication)?;
            remote.post(&["stacks", "publications"], &[], &body).await?;
        }
    }
    Ok(())
}

/// The client's code for every processor.
fn codes(named: Option<&Path>) -> Result<Vec<Code>> {
    let directories = match named {
        Some(directory) => vec![directory.to_owned()],
        None => usual_places(),
    };
    let zip = |directory: &Path, architecture: Architecture| {
        directory.join(architecture.as_str()).join("bootstrap.zip")
    };
    let is_complete = |directory: &&PathBuf| {
        Architecture::ALL.iter().all(|architecture| zip(directory, *architecture).is_file())
    };
    let Some(directory) = directories.iter().find(is_complete) else {
        let looked: Vec<_> = directories
            .iter()
            .map(|directory| {
                format!("`{}`", directory.join("{arm64,x86_64}/bootstrap.zip").display())
            })
            .collect();
        return Err(Failure::new(
            "the client's code is missing: there are no zips for both processors",
        )
        .hint(format!(
            "looked for {}; name the directory that holds them with `--client-dir DIR`",
            looked.join(" and ")
        ))
        .into());
    };
    let mut codes = Vec::new();
    for architecture in Architecture::ALL {
        let path = zip(directory, *architecture);
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::new(format!("failed to read `{}`", path.display())).cause(error)
        })?;
        codes.push(Code { architecture: *architecture, zip: bytes.into() });
    }
    Ok(codes)
}

/// Beside this program, and where a build puts them.
fn usual_places() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let mut places: Vec<PathBuf> =
        beside.into_iter().map(|directory| directory.join("forwarder").join(VERSION)).collect();
    places.push(Path::new("target/forwarder").join(VERSION));
    places
}
