//! What the connector's settings leave out, as the vendor's filter language says it.

use model::connector::SettingsError;

use crate::parameters::Parameters;

/// The chosen values; `None` where all are wanted.
#[derive(Debug, Default)]
pub(super) struct Filters {
    pub(super) model_types: Option<Vec<String>>,
    pub(super) risk_levels: Option<Vec<String>>,
}

impl Filters {
    /// Reads the settings.
    pub(super) fn read(parameters: &Parameters<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            model_types: parameters.choices_short_of_all("model_types")?,
            risk_levels: parameters.choices_short_of_all("risk_levels")?,
        })
    }
}

/// `(field eq 'a') or (field eq 'b')`. The values are the manifest's words and need no escaping.
pub(super) fn any_of(field: &str, values: Option<&[String]>) -> Option<String> {
    let parts: Vec<_> = values?.iter().map(|value| format!("({field} eq '{value}')")).collect();
    Some(parts.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::any_of;

    #[test]
    fn values_are_joined_and_nothing_is_asked_for_all() {
        let values = ["low".to_owned(), "high".to_owned()];
        let text = any_of("riskLevel", Some(&values));
        assert_eq!(text.as_deref(), Some("(riskLevel eq 'low') or (riskLevel eq 'high')"));
        assert_eq!(any_of("riskLevel", None), None);
    }
}
