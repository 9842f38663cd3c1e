//! `tarn cloudtrail template`: the text of a template, for whoever puts a stack up by hand.

use anyhow::Result;
use clap::Args;
use connectors::onboarding::{Variant, template};
use engine::stacks::publication::{DEFAULT_VARIANT, VERSION};

use crate::error::Outcome;
use crate::output;

/// Flags of `template`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The kind of stack, such as existing-bucket-kms-arm64 [default: new-bucket-x86_64]
    #[arg(long, value_name = "KIND", value_parser = variant)]
    variant: Option<Variant>,
    /// Print the names of all kinds
    #[arg(long, conflicts_with = "variant")]
    variants: bool,
}

fn variant(name: &str) -> Result<Variant, String> {
    let names = || Variant::all().map(Variant::name).collect::<Vec<_>>().join(", ");
    Variant::all()
        .find(|variant| variant.name() == name)
        .ok_or_else(|| format!("the kinds are {}", names()))
}

pub(super) fn run(arguments: Arguments) -> Result<Outcome> {
    if arguments.variants {
        Variant::all().try_for_each(|variant| output::line(variant.name()))?;
        return Ok(Outcome::Done);
    }
    output::line(template(arguments.variant.unwrap_or(DEFAULT_VARIANT), VERSION))?;
    Ok(Outcome::Done)
}
