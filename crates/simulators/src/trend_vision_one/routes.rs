//! The vendor's routes: paths, methods, permissions and the endpoints that the quota is counted by.

use super::access::Area;
use super::action::Action;

/// What a path stands for; ids are slices of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'p> {
    Health,
    ApiKeys,
    Alerts,
    Alert(&'p str),
    Notes(&'p str),
    NotesDelete(&'p str),
    Note(&'p str, &'p str),
    Audit,
    Techniques,
    Pipelines,
    PipelinesDelete,
    Pipeline(&'p str),
    Packages(&'p str),
    Package(&'p str, &'p str),
    Endpoints,
    Endpoint(&'p str),
    EndpointQuery,
    Act(Action),
    Scan,
    CancelTasks,
    Tasks,
    Task(&'p str),
    SuspiciousObjects,
    MailSearch,
    SandboxFile,
    SandboxUrls,
    SandboxTask(&'p str),
    SandboxResult(&'p str),
}

impl<'p> Route<'p> {
    pub(super) fn of(path: &'p str) -> Option<Self> {
        let steps: Vec<&str> = path.strip_prefix("/v3.0/")?.split('/').collect();
        let route = match steps[..] {
            ["healthcheck", "connectivity"] => Self::Health,
            ["iam", "apiKeys"] => Self::ApiKeys,
            ["workbench", "alerts"] => Self::Alerts,
            ["workbench", "alerts", id] => Self::Alert(id),
            ["workbench", "alerts", id, "notes"] => Self::Notes(id),
            ["workbench", "alerts", id, "notes", "delete"] => Self::NotesDelete(id),
            ["workbench", "alerts", id, "notes", note] => Self::Note(id, note),
            ["audit", "logs"] => Self::Audit,
            // The singular is what the vendor's own links have been seen to say.
            ["oat", "detections" | "detection"] => Self::Techniques,
            ["oat", "dataPipelines"] => Self::Pipelines,
            ["oat", "dataPipelines", "delete"] => Self::PipelinesDelete,
            ["oat", "dataPipelines", id] => Self::Pipeline(id),
            ["oat", "dataPipelines", id, "packages"] => Self::Packages(id),
            ["oat", "dataPipelines", id, "packages", package] => Self::Package(id, package),
            ["endpointSecurity", "endpoints"] => Self::Endpoints,
            ["endpointSecurity", "endpoints", id] => Self::Endpoint(id),
            ["eiqs", "endpoints"] => Self::EndpointQuery,
            ["response", "tasks"] => Self::Tasks,
            ["response", "tasks", "cancel"] => Self::CancelTasks,
            ["response", "tasks", id] => Self::Task(id),
            ["response", family] => Self::Act(Action::of(family, None)?),
            ["response", family, step] => match Action::of(family, Some(step))? {
                Action::MalwareScan => Self::Scan,
                action => Self::Act(action),
            },
            ["threatintel", "suspiciousObjects"] => Self::SuspiciousObjects,
            ["search", "emailActivities"] => Self::MailSearch,
            ["sandbox", "files", "analyze"] => Self::SandboxFile,
            ["sandbox", "urls", "analyze"] => Self::SandboxUrls,
            ["sandbox", "tasks", id] => Self::SandboxTask(id),
            ["sandbox", "analysisResults", id] => Self::SandboxResult(id),
            _ => return None,
        };
        Some(route)
    }

    /// The methods that it takes.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Alert(_) | Self::Note(..) | Self::Pipeline(_) => "GET, PATCH",
            Self::Notes(_) | Self::Pipelines => "GET, POST",
            Self::NotesDelete(_) | Self::PipelinesDelete => "POST",
            Self::Act(_) | Self::Scan | Self::CancelTasks => "POST",
            Self::SandboxFile | Self::SandboxUrls => "POST",
            _ => "GET",
        }
    }

    /// The permissions that it needs, all of them.
    pub(super) fn areas(&self) -> &'static [Area] {
        match self {
            Self::Health => &[],
            Self::ApiKeys => &[Area::ApiKeys],
            Self::Alerts
            | Self::Alert(_)
            | Self::Notes(_)
            | Self::NotesDelete(_)
            | Self::Note(..) => &[Area::Alerts],
            Self::Audit => &[Area::AuditLogs],
            Self::Techniques
            | Self::Pipelines
            | Self::PipelinesDelete
            | Self::Pipeline(_)
            | Self::Packages(_)
            | Self::Package(..) => &[Area::Techniques],
            Self::Endpoints | Self::Endpoint(_) | Self::EndpointQuery => &[Area::Endpoints],
            Self::Act(action) => action.areas(),
            Self::Scan | Self::CancelTasks => Action::MalwareScan.areas(),
            Self::Tasks => &[Area::Response],
            Self::Task(_) => &[Area::Response, Area::TaskResults],
            Self::SuspiciousObjects => &[Area::SuspiciousObjects],
            Self::MailSearch => &[Area::Search],
            Self::SandboxFile
            | Self::SandboxUrls
            | Self::SandboxTask(_)
            | Self::SandboxResult(_) => &[Area::Sandbox],
        }
    }

    /// Whether it is of the response side, whose answers are no pages of a stream's records.
    pub(super) fn is_of_response(&self) -> bool {
        self.acts()
            || matches!(
                self,
                Self::Tasks
                    | Self::Task(_)
                    | Self::SuspiciousObjects
                    | Self::MailSearch
                    | Self::SandboxTask(_)
                    | Self::SandboxResult(_)
            )
    }

    /// Whether it does something to the outside, when it is posted to.
    pub(super) fn acts(&self) -> bool {
        matches!(
            self,
            Self::Act(_) | Self::Scan | Self::CancelTasks | Self::SandboxFile | Self::SandboxUrls
        )
    }

    /// The endpoint that the quota is counted by: the path without ids.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::ApiKeys => "keys",
            Self::Alerts => "alerts",
            Self::Alert(_) => "alert",
            Self::Notes(_) | Self::NotesDelete(_) | Self::Note(..) => "notes",
            Self::Audit => "audit",
            Self::Techniques => "techniques",
            Self::Pipelines | Self::PipelinesDelete | Self::Pipeline(_) => "pipelines",
            Self::Packages(_) => "packages",
            Self::Package(..) => "package",
            Self::Endpoints | Self::Endpoint(_) => "endpoints",
            Self::EndpointQuery => "eiqs",
            Self::Act(action) => action.name(),
            Self::Scan => Action::MalwareScan.name(),
            Self::CancelTasks => "cancel",
            Self::Tasks => "tasks",
            Self::Task(_) => "task",
            Self::SuspiciousObjects => "suspicious objects",
            Self::MailSearch => "mail search",
            Self::SandboxFile => "sandbox files",
            Self::SandboxUrls => "sandbox urls",
            Self::SandboxTask(_) => "sandbox task",
            Self::SandboxResult(_) => "sandbox result",
        }
    }
}
