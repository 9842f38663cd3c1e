//! One fetch of a page of files: what it has so far, and what is left when the page has to be listed again.
//!
//! No file of a listing vanishes without a word: it is done, it is left, it comes with the next page, or a dead
//! letter names it.

use model::vendor::{Fault, FetchError};

use super::files::{self, Failure, Lines};
use super::place::Place;
use super::siem::{Listed, Listing};

/// Bytes of events after which a fetch leaves the other files of its page to the next one.
const STEP_BYTES: usize = 32 * 1024 * 1024;
/// Files of a step that may fail for the network's sake, each after its timeout, before it ends.
const MOST_DOUBTS: usize = 2;

/// What a fetch has of a page of files so far.
pub(super) struct Step {
    pub(super) place: Place,
    pub(super) listing: Listing,
    pub(super) lines: Lines,
    pub(super) done: Vec<String>,
    /// The first failure of a file that is to be tried again.
    pub(super) missed: Option<FetchError>,
    /// Failures that may be the network's.
    doubts: usize,
    /// Whether the listing was made again in this fetch for fresh links.
    pub(super) is_relisted: bool,
    /// Files that are not in it any more.
    pub(super) unlisted: Vec<String>,
}

impl Step {
    /// Nothing yet of a page.
    pub(super) fn new(place: Place, listing: Listing) -> Self {
        Self {
            place,
            listing,
            lines: Lines::default(),
            done: Vec::new(),
            missed: None,
            doubts: 0,
            is_relisted: false,
            unlisted: Vec::new(),
        }
    }

    /// Whether the other files are left to the next fetch.
    pub(super) fn is_enough(&self) -> bool {
        self.lines.bytes >= STEP_BYTES || self.doubts >= MOST_DOUBTS
    }

    /// Takes the lines of a file, which is done with them.
    pub(super) fn take(&mut self, object: String, lines: Lines) {
        self.done.push(object);
        self.lines.bytes += lines.bytes;
        self.lines.records.extend(lines.records);
        self.lines.unusable.extend(lines.unusable);
    }

    /// Notes a file that is to be tried again.
    pub(super) fn miss(&mut self, failure: Failure) {
        let is_slow = matches!(failure.error.fault, Fault::Timeout | Fault::Outage);
        self.doubts += usize::from(is_slow);
        self.missed.get_or_insert(failure.error);
    }

    /// Whether a file needs no fetching any more.
    pub(super) fn is_done(&self, file: &Listed) -> bool {
        self.place.done.contains(&file.object) || self.done.contains(&file.object)
    }

    /// The files that are still to be fetched, the first one last.
    pub(super) fn left(&self) -> Vec<Listed> {
        let left = self.listing.files.iter().rev().filter(|file| !self.is_done(file));
        left.cloned().collect()
    }

    /// Goes on with a listing that was made again: all its links are fresh, but the page may be cut
    /// elsewhere. Files that are listed no more are tried by their old links; of `stale`, whose old
    /// link was refused, nothing is left. Answers the files that are still to be fetched.
    pub(super) fn relist(&mut self, stale: &Listed, again: Listing) -> Vec<Listed> {
        let mut gone = self.left();
        gone.reverse();
        gone.retain(|file| is_gone(file, &self.listing, &again));
        if gone.contains(stale) {
            gone.retain(|file| file != stale);
            self.take(stale.object.clone(), unlisted(stale));
        }
        self.unlisted = gone.iter().map(|file| file.object.clone()).collect();
        self.listing = again;
        self.listing.files.splice(..0, gone);
        self.left()
    }
}

/// Whether a file that was listed is listed no more. One that stands behind the end of a shorter page
/// comes with the next one.
fn is_gone(file: &Listed, before: &Listing, again: &Listing) -> bool {
    let is_listed = |file: &Listed| again.files.iter().any(|other| other.object == file.object);
    let mut behind = before.files.iter().skip_while(|other| other.object != file.object);
    !is_listed(file) && (again.next.is_caught_up || behind.any(is_listed))
}

/// What stands for a file whose old link is refused and that no new listing names.
pub(super) fn unlisted(file: &Listed) -> Lines {
    Lines::lost(files::lost(file, "is not listed any more"))
}
