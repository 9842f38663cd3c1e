//! What a stack is made of. Each choice has one word, in links, settings and file names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where the trail writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// The stack makes a trail of the account, and its bucket.
    NewBucket,
    /// There is a trail and its bucket.
    ExistingBucket,
    /// The stack makes a trail of the whole organization, and its bucket.
    Organization,
}

/// How records come to Tarn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// A client in the account sends them.
    Client,
    /// Tarn comes and reads them, as a role of the account.
    PullOnly,
}

/// The processors that a client's code is built for, by Lambda's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// Intel's and AMD's.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

/// A word that names no choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {choices}")]
pub struct UnknownWord {
    word: String,
    choices: String,
}

/// Words both ways, from one table.
macro_rules! words {
    ($choice:ident: $($variant:ident = $word:literal),+) => {
        impl $choice {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $choice {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $choice {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                let known = Self::ALL.iter().find(|choice| choice.as_str() == word);
                known.copied().ok_or_else(|| UnknownWord {
                    word: word.to_owned(),
                    choices: [$($word),+].join(", "),
                })
            }
        }
    };
}

words!(Placement: NewBucket = "new-bucket", ExistingBucket = "existing-bucket", Organization = "organization");
words!(Delivery: Client = "client", PullOnly = "pull-only");
words!(Architecture: X86_64 = "x86_64", Arm64 = "arm64");

/// One kind of stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Variant {
    /// Where the trail writes.
    pub placement: Placement,
    /// Whether the bucket is encrypted with a key of KMS: a new one with a new bucket, else the one that is named.
    pub kms: bool,
    /// How records come to Tarn.
    pub delivery: Delivery,
    /// What the client runs on. Means nothing where there is none.
    pub architecture: Architecture,
}

impl Variant {
    /// Every kind of stack. Without a client there is one kind for all processors.
    pub fn all() -> impl Iterator<Item = Self> {
        let clients =
            Architecture::ALL.iter().map(|architecture| (Delivery::Client, *architecture));
        let deliveries: Vec<_> =
            clients.chain([(Delivery::PullOnly, Architecture::X86_64)]).collect();
        let places = Placement::ALL.iter().flat_map(|place| [(*place, false), (*place, true)]);
        places.flat_map(move |(placement, kms)| {
            let kinds = deliveries.clone().into_iter();
            kinds.map(move |(delivery, architecture)| Self {
                placement,
                kms,
                delivery,
                architecture,
            })
        })
    }

    /// Its name, which is also its file's: `new-bucket-kms-arm64`, `existing-bucket-pull-only`.
    pub fn name(self) -> String {
        let key = if self.kms { "-kms" } else { "" };
        let reader = match self.delivery {
            Delivery::Client => self.architecture.as_str(),
            Delivery::PullOnly => Delivery::PullOnly.as_str(),
        };
        format!("{}{key}-{reader}", self.placement)
    }
}
