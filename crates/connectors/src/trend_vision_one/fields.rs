//! A record's fields as values of any type. Mappings take what they can use; what nobody took is what `unmapped` is
//! made of.
//!
//! The vendor's records are nested and typed loosely (a value may be a text here and an object there), so they are
//! read whole. Half a surrogate pair becomes U+FFFD; the bytes themselves are kept elsewhere.

use chrono::NaiveDateTime;
use model::identity::Identity;
use model::mapping::Unusable;
use model::ocsf::objects::{Feature, Metadata, Product};
use model::ocsf::{BaseEvent, Event, Json};
use model::time::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::content::Content;

/// Numbers below are seconds since 1970, from here on milliseconds: 5138-11-16 and 1973-03-03.
const FIRST_MILLIS: f64 = 1e11;

/// Deepest nesting of a record; readers of events take 128 levels, and events put some around it.
const DEEPEST: usize = 100;

/// The members of an object that nobody took yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

/// Identifies a record.
pub(super) fn identify(
    raw: &[u8],
    of: fn(&Fields, &[u8]) -> Identity,
) -> Result<Identity, Unusable> {
    let json = std::str::from_utf8(raw)
        .map_err(|_| Unusable("the record is not valid UTF-8".to_owned()))?;
    let not_an_object = || Unusable("the record is not a JSON object".to_owned());
    let fields = Fields::read(json).ok_or_else(not_an_object)?;
    Ok(of(&fields, raw))
}

/// The event of a record, whatever it is.
pub(super) fn normalise(raw: &[u8], content: &Content) -> Event<'static> {
    let json = String::from_utf8_lossy(raw);
    let Some(mut fields) = Fields::read(&json) else {
        return base(Fields(Map::from_iter([("record".to_owned(), Value::from(json))])), content);
    };
    if let Some(event) = (content.event)(&mut fields, raw) {
        return event;
    }
    base(fields, content)
}

/// The product as every event names it.
pub(super) fn product(feature: &'static str) -> Product<'static> {
    Product {
        name: Some("Vision One".into()),
        vendor_name: Some("Trend Micro".into()),
        feature: Some(Feature { name: Some(feature.into()), ..Feature::default() }),
        ..Product::default()
    }
}

/// The event of a record that is none of its content type.
fn base(fields: Fields, content: &Content) -> Event<'static> {
    let time = (content.identify)(&fields, b"").time.and_then(Timestamp::plausible);
    let metadata = Metadata { product: Some(product(content.feature)), ..Metadata::default() };
    Event::from(BaseEvent {
        time: Some(time.unwrap_or(Timestamp::EPOCH).as_millis()),
        metadata: Some(metadata.into()),
        unmapped: fields.unmapped(),
        ..BaseEvent::default()
    })
}

impl Fields {
    /// Reads an object; `None` when the text is none, or nested beyond reason.
    pub(super) fn read(json: &str) -> Option<Self> {
        // The readers below have no floor of their own.
        if depth(json) > DEEPEST {
            return None;
        }
        // Nothing may follow the object; the second reader does not look.
        let _: IgnoredAny = sonic_rs::from_str(json).ok()?;
        let mut reader = sonic_rs::Deserializer::from_str(json).utf8_lossy();
        match reader.deserialize().ok()? {
            Value::Object(members) => Some(Self(members)),
            _ => None,
        }
    }

    /// Takes a field as text: a text, a number or a truth value. Blank, null and other values give nothing and stay.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let text = self.peek(name)?;
        self.0.shift_remove(name);
        Some(text)
    }

    /// The text of a field, which stays.
    pub(super) fn peek(&self, name: &str) -> Option<String> {
        scalar(self.0.get(name)?)
    }

    /// Takes a field as a list of texts: one, or a list whose items all are.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let found = self.0.get(name).and_then(texts);
        if found.is_some() {
            self.0.shift_remove(name);
        }
        found.unwrap_or_default()
    }

    /// Takes a field that is a list of objects; other items stay.
    pub(super) fn objects(&mut self, name: &str) -> Vec<Fields> {
        let Some(Value::Array(items)) = self.0.get_mut(name) else { return Vec::new() };
        let mut found = Vec::new();
        items.retain_mut(|item| match item {
            Value::Object(members) => {
                found.push(Self(std::mem::take(members)));
                false
            }
            _ => true,
        });
        found
    }

    /// Takes a field that is an object.
    pub(super) fn take_object(&mut self, name: &str) -> Option<Fields> {
        match self.0.get_mut(name)? {
            Value::Object(members) => {
                let taken = Self(std::mem::take(members));
                self.0.shift_remove(name);
                Some(taken)
            }
            _ => None,
        }
    }

    /// A copy of a field that is an object, which stays.
    pub(super) fn object(&self, name: &str) -> Option<Fields> {
        self.0.get(name)?.as_object().map(|members| Self(members.clone()))
    }

    /// Puts something back that was taken and not used up; items join those of a list that stayed.
    pub(super) fn put_back(&mut self, name: &str, value: impl Into<Value>) {
        match (self.0.get_mut(name), value.into()) {
            (Some(Value::Array(stayed)), Value::Array(items)) => stayed.extend(items),
            (_, value) => {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    /// Takes a field that holds a likely time; another stays.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let time = time(self.0.get(name)?)?.plausible()?;
        self.0.shift_remove(name);
        Some(time)
    }

    /// The first of these fields that can be read as a time, and its name. They stay.
    pub(super) fn first_time(&self, names: &[&'static str]) -> Option<(Timestamp, &'static str)> {
        names.iter().find_map(|name| Some((time(self.0.get(*name)?)?, *name)))
    }

    /// What nobody took and says something.
    pub(super) fn unmapped(self) -> Option<Json<'static>> {
        let rest = pruned(Value::Object(self.0))?;
        Some(Json::from(rest))
    }

    /// All of it as JSON.
    pub(super) fn whole(&self) -> Json<'static> {
        Json::from(json!(self.0))
    }
}

/// The deepest nesting of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A text, a number or a truth value as text, unless it is blank.
pub(super) fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The texts of a scalar or of a list of scalars, blanks left out.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            Some(items.iter().filter_map(scalar).collect())
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            Some(scalar(value).into_iter().collect())
        }
        _ => None,
    }
}

/// A point in time in any of the forms that the vendor uses: RFC 3339 with and without fraction, a space instead of
/// `T`, no zone (UTC), seconds or milliseconds since 1970 as a number or as text.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(number) => return epoch(number.as_f64()?),
        _ => return None,
    };
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return Some(Timestamp::from_micros(time.and_utc().timestamp_micros()));
        }
    }
    epoch(text.parse().ok()?)
}

fn epoch(number: f64) -> Option<Timestamp> {
    if !number.is_finite() {
        return None;
    }
    let millis = if number.abs() < FIRST_MILLIS { number * 1_000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "casts from float saturate")]
    let millis = millis as i64;
    Some(Timestamp::from_millis(millis))
}

/// The value without null, blank and empty parts; `None` when nothing is left.
fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(members) => {
            let members: Map<String, Value> = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, pruned(value)?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form_are_the_same_point() {
        for value in [
            json!("2026-03-02T08:01:12Z"),
            json!("2026-03-02T08:01:12.000Z"),
            json!("2026-03-02T08:01:12.000000+00:00"),
            json!("2026-03-02 08:01:12"),
            json!("1772438472000"),
            json!(1_772_438_472_000_i64),
            json!(1_772_438_472),
        ] {
            let found = time(&value).map(|time| time.to_string());
            assert_eq!(found.as_deref(), Some("2026-03-02T08:01:12Z"), "{value}");
        }
        for value in [json!("soon"), json!(""), json!(null), json!([1]), json!("NaN")] {
            assert_eq!(time(&value), None, "{value}");
        }
    }

    #[test]
    fn fields_are_taken_or_stay() {
        let json = r#"{"s":"a","n":1.5,"e":"","o":{"x":1},"l":["a",null,7],"m":[{"a":1},2],"t":"soon","h":"x\ud83d"}"#;
        let mut fields = Fields::read(json).unwrap();
        assert_eq!(fields.text("s").as_deref(), Some("a"));
        assert_eq!(fields.text("n").as_deref(), Some("1.5"));
        assert_eq!((fields.text("e"), fields.text("o"), fields.text("l")), (None, None, None));
        assert_eq!(fields.texts("l"), ["a", "7"]);
        assert_eq!(fields.objects("m").len(), 1);
        assert_eq!(fields.time("t"), None);
        assert_eq!(fields.peek("h").as_deref(), Some("x\u{fffd}"));
        assert!(fields.take_object("o").is_some());
        let rest = fields.unmapped().unwrap();
        assert_eq!(rest.to_value(), json!({"m": [2], "t": "soon", "h": "x\u{fffd}"}));
    }

    #[test]
    fn only_objects_are_records() {
        for json in ["", "[]", "7", "{", r#"{"a":}"#, "null", "{}{}", "{} x"] {
            assert!(Fields::read(json).is_none(), "{json}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(Fields::read(&deep).is_none());
        let brackets_in_text = format!(r#"{{"a":"\"{}"}}"#, "[".repeat(1_000));
        assert!(Fields::read(&brackets_in_text).is_some());
    }
}
