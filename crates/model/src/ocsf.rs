//! Provisional until generated.
use serde::{Deserialize, Serialize};
/// A class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 4009
    EmailActivity,
    /// 6006
    FileHosting,
    /// 2006
    DataSecurityFinding,
    /// 0
    BaseEvent,
}
/// An event.
#[derive(Debug, Clone)]
pub struct Event<'a>(&'a str);
