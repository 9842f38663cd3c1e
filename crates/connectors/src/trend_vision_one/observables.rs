//! The values of an event that are worth searching for, each with the attribute that holds it.

use model::ocsf::objects::Observable;

/// The observables of an event in the making; each value at each attribute once.
#[derive(Debug, Default)]
pub(super) struct Observables(pub(super) Vec<Observable<'static>>);

impl Observables {
    /// Adds the value that stands at an attribute.
    pub(super) fn add(&mut self, name: &'static str, type_id: i32, value: &str) {
        let is_known = self.0.iter().any(|known| {
            known.name.as_deref() == Some(name) && known.value.as_deref() == Some(value)
        });
        if value.trim().is_empty() || is_known {
            return;
        }
        self.0.push(Observable {
            name: Some(name.into()),
            type_id: Some(type_id),
            value: Some(value.to_owned().into()),
            ..Observable::default()
        });
    }
}
