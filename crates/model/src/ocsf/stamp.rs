//! Fills what follows from the rest of an event, so that no mapping can get it wrong.

use std::borrow::Cow;

use super::generated::class::VERSION;
use super::generated::event::Event;
use super::objects::Metadata;
use super::values;

/// The id that means: see the text beside it.
const OTHER: i32 = 99;

/// What stamping writes, borrowed from the struct of any class.
pub(crate) struct Header<'e, 'a> {
    pub(crate) activity_id: &'e mut Option<i32>,
    pub(crate) category_uid: &'e mut Option<i32>,
    pub(crate) category_name: &'e mut Option<Cow<'a, str>>,
    pub(crate) class_uid: &'e mut Option<i32>,
    pub(crate) class_name: &'e mut Option<Cow<'a, str>>,
    pub(crate) type_uid: &'e mut Option<i64>,
    pub(crate) type_name: &'e mut Option<Cow<'a, str>>,
    pub(crate) activity_name: &'e Option<Cow<'a, str>>,
    pub(crate) severity_id: &'e mut Option<i32>,
    pub(crate) metadata: &'e mut Option<Box<Metadata<'a>>>,
}

/// Borrows the header of a class's struct: the fields have the same names in all of them.
macro_rules! header {
    ($event:ident) => {
        Header {
            activity_id: &mut $event.activity_id,
            category_uid: &mut $event.category_uid,
            category_name: &mut $event.category_name,
            class_uid: &mut $event.class_uid,
            class_name: &mut $event.class_name,
            type_uid: &mut $event.type_uid,
            type_name: &mut $event.type_name,
            activity_name: &$event.activity_name,
            severity_id: &mut $event.severity_id,
            metadata: &mut $event.metadata,
        }
    };
}
pub(crate) use header;

impl Event<'_> {
    /// Writes all that follows from the rest: class, category and type; the text beside every id,
    /// in nested objects too; the version of the schema; the list of profiles, which is exactly
    /// those whose attributes are used. An activity or severity that is missing becomes 0, Unknown.
    /// Where an id is 99 (Other), the text beside it stays as the source said it.
    pub fn stamp(&mut self) {
        let class = self.class();
        {
            let header = self.header();
            header.activity_id.get_or_insert(0);
            header.severity_id.get_or_insert(values::severity::UNKNOWN);
        }
        self.stamp_texts();
        let used = self.used_profiles();
        let header = self.header();
        let activity_id = header.activity_id.unwrap_or_default();
        let activity = header.activity_name.as_deref().unwrap_or("Unknown");
        *header.type_uid = Some(i64::from(class.uid()) * 100 + i64::from(activity_id));
        *header.type_name = Some(Cow::Owned(format!("{}: {activity}", class.title())));
        *header.category_uid = Some(class.category_uid());
        *header.category_name = Some(Cow::Borrowed(class.category_name()));
        *header.class_uid = Some(class.uid());
        *header.class_name = Some(Cow::Borrowed(class.title()));
        let metadata = header.metadata.get_or_insert_default();
        metadata.version = Some(Cow::Borrowed(VERSION));
        metadata.profiles = used.into_iter().map(Cow::Borrowed).collect();
    }

    /// The event after [`Self::stamp`].
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamp();
        self
    }
}

/// Writes the caption of an id into the text beside it.
pub(crate) fn text(
    id: Option<i32>,
    text: &mut Option<Cow<'_, str>>,
    values: &'static [(i32, &str)],
) {
    let Some(id) = id else { return };
    let Some(caption) = caption(id, values) else { return };
    if id != OTHER || text.is_none() {
        *text = Some(Cow::Borrowed(caption));
    }
}

/// Writes the captions of a list of ids; when one of them is 99 and there are texts, these stay.
pub(crate) fn texts(ids: &[i32], texts: &mut Vec<Cow<'_, str>>, values: &'static [(i32, &str)]) {
    if ids.is_empty() || (ids.contains(&OTHER) && !texts.is_empty()) {
        return;
    }
    *texts = ids.iter().filter_map(|id| caption(*id, values)).map(Cow::Borrowed).collect();
}

fn caption(id: i32, values: &'static [(i32, &'static str)]) -> Option<&'static str> {
    values.iter().find(|(value, _)| *value == id).map(|(_, caption)| *caption)
}
