//! A predicate made ready to be asked of many values: positive, two-valued, texts without regard to case.

use std::net::IpAddr;

use ::query::plan::{Predicate, Value};
use model::time::Timestamp;
use regex::{Regex, RegexBuilder};

/// Compiled patterns may grow to this.
const PATTERN_BYTES: usize = 64 << 20;

/// A predicate, compiled.
#[derive(Debug)]
pub(crate) enum Matcher {
    /// Equal to any of the values.
    In(Vec<Operand>),
    /// Ordered against one.
    Order(Order, Operand),
    /// Ordered against two.
    Between([(Order, Operand); 2]),
    /// The pattern matches somewhere in the text.
    Pattern(Regex),
    /// The address lies in the network.
    Network(Network),
    /// The address lies between two of one family.
    Addresses(IpAddr, IpAddr),
    /// Any value will do.
    Exists,
}

/// A relation that needs an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A literal with what comparing it needs.
#[derive(Debug)]
pub(crate) struct Operand {
    value: Value,
    /// The text in lower case.
    folded: String,
}

/// A value as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stored<'v> {
    Text(&'v str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time(Timestamp),
    /// An object: it is there, and that is all.
    Object,
}

impl Matcher {
    /// Compiles a predicate. Fails only for a pattern that the language should have refused.
    pub(crate) fn new(predicate: &Predicate) -> Result<Self, regex::Error> {
        Ok(match predicate {
            Predicate::Equals(value) => Self::In(vec![Operand::new(value)]),
            Predicate::In(values) => Self::In(values.iter().map(Operand::new).collect()),
            Predicate::Greater(value) => Self::Order(Order::Greater, Operand::new(value)),
            Predicate::GreaterOrEqual(value) => {
                Self::Order(Order::GreaterOrEqual, Operand::new(value))
            }
            Predicate::Less(value) => Self::Order(Order::Less, Operand::new(value)),
            Predicate::LessOrEqual(value) => Self::Order(Order::LessOrEqual, Operand::new(value)),
            Predicate::Between(from, to) => Self::Between([
                (
                    if from.inclusive { Order::GreaterOrEqual } else { Order::Greater },
                    Operand::new(&from.value),
                ),
                (
                    if to.inclusive { Order::LessOrEqual } else { Order::Less },
                    Operand::new(&to.value),
                ),
            ]),
            Predicate::Contains(text) => Self::Pattern(pattern(&regex::escape(text))?),
            Predicate::Glob(glob) => Self::Pattern(pattern(&glob_pattern(glob))?),
            Predicate::Regex(text) => Self::Pattern(pattern(text)?),
            Predicate::Network(text) => {
                Network::parse(text).map_or(Self::In(Vec::new()), Self::Network)
            }
            Predicate::Addresses(first, last) => Self::Addresses(*first, *last),
            Predicate::Exists => Self::Exists,
        })
    }

    /// Whether the predicate holds for a value.
    pub(crate) fn holds(&self, stored: Stored<'_>) -> bool {
        match self {
            Self::In(operands) => operands.iter().any(|operand| operand.equals(stored)),
            Self::Order(order, operand) => order.holds(operand, stored),
            Self::Between(ends) => ends.iter().all(|(order, operand)| order.holds(operand, stored)),
            Self::Pattern(regex) => stored.with_text(|text| regex.is_match(text)),
            Self::Network(network) => stored.with_text(|text| network.contains(text)),
            Self::Addresses(first, last) => stored.with_text(|text| {
                // Families do not mix in this order: every IPv4 address comes before every IPv6 one.
                let address = text.trim().parse::<IpAddr>();
                address.is_ok_and(|address| *first <= address && address <= *last)
            }),
            Self::Exists => true,
        }
    }
}

impl Order {
    /// Whether a stored value lies so to an operand.
    fn holds(self, operand: &Operand, stored: Stored<'_>) -> bool {
        operand.compare(stored).is_some_and(|found| match self {
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
        })
    }
}

impl Stored<'_> {
    fn with_text(self, test: impl FnOnce(&str) -> bool) -> bool {
        match self {
            Self::Text(text) => test(text),
            Self::Integer(number) => test(&number.to_string()),
            Self::Float(number) => test(&number.to_string()),
            Self::Boolean(truth) => test(if truth { "true" } else { "false" }),
            Self::Time(time) => test(&time.to_string()),
            Self::Object => false,
        }
    }
}

impl Operand {
    fn new(value: &Value) -> Self {
        let folded = match value {
            Value::Text(text) => text.to_lowercase(),
            _ => String::new(),
        };
        Self { value: value.clone(), folded }
    }

    fn equals(&self, stored: Stored<'_>) -> bool {
        match (&self.value, stored) {
            (Value::Text(wanted), Stored::Text(text)) => {
                wanted.eq_ignore_ascii_case(text)
                    || (!(wanted.is_ascii() && text.is_ascii())
                        && text.to_lowercase() == self.folded)
            }
            (Value::Text(wanted), Stored::Integer(_) | Stored::Float(_) | Stored::Boolean(_)) => {
                stored.with_text(|text| text.eq_ignore_ascii_case(wanted))
            }
            (Value::Boolean(wanted), Stored::Boolean(truth)) => *wanted == truth,
            (Value::Boolean(wanted), Stored::Text(text)) => {
                text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" })
            }
            _ => self.compare(stored).is_some_and(std::cmp::Ordering::is_eq),
        }
    }

    /// How a stored value lies to this one; `None` when they cannot be compared.
    fn compare(&self, stored: Stored<'_>) -> Option<std::cmp::Ordering> {
        match (stored, &self.value) {
            (Stored::Integer(found), Value::Integer(wanted)) => Some(found.cmp(wanted)),
            (Stored::Time(found), Value::Time(wanted)) => Some(found.cmp(wanted)),
            (Stored::Time(found), Value::Integer(wanted)) => {
                Some(found.cmp(&Timestamp::from_millis(*wanted)))
            }
            (Stored::Time(found), Value::Text(wanted)) => {
                Timestamp::parse(wanted).ok().map(|wanted| found.cmp(&wanted))
            }
            (Stored::Text(found), Value::Time(wanted)) => {
                Timestamp::parse(found).ok().map(|found| found.cmp(wanted))
            }
            (Stored::Text(found), Value::Text(_)) => Some(found.to_lowercase().cmp(&self.folded)),
            (stored, value) => number(stored)?.partial_cmp(&literal_number(value)?),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "mixed numbers compare as doubles")]
fn number(stored: Stored<'_>) -> Option<f64> {
    match stored {
        Stored::Integer(number) => Some(number as f64),
        Stored::Float(number) => Some(number),
        Stored::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "mixed numbers compare as doubles")]
fn literal_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Boolean(_) | Value::Time(_) => None,
    }
}

fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).case_insensitive(true).size_limit(PATTERN_BYTES).build()
}

/// A pattern of `*` and `?` over the whole value as a regular expression.
fn glob_pattern(glob: &str) -> String {
    let mut text = String::from(r"(?s)\A");
    for letter in glob.chars() {
        match letter {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            other => text.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push_str(r"\z");
    text
}

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/')?;
        Some(Self { base: base.parse().ok()?, bits: bits.parse().ok()? })
    }

    fn contains(self, text: &str) -> bool {
        match (self.base, text.trim().parse()) {
            (IpAddr::V4(base), Ok(IpAddr::V4(address))) => {
                let mask = u32::MAX.checked_shl(32 - self.bits.min(32)).unwrap_or(0);
                u32::from(base) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(base), Ok(IpAddr::V6(address))) => {
                let mask = u128::MAX.checked_shl(128 - self.bits.min(128)).unwrap_or(0);
                u128::from(base) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ::query::plan::Limit;

    use super::*;

    fn holds(predicate: Predicate, text: &str) -> bool {
        Matcher::new(&predicate).unwrap().holds(Stored::Text(text))
    }

    #[test]
    fn texts_match_without_regard_to_case() {
        let equals = |text: &str| Predicate::Equals(Value::Text(text.to_owned()));
        assert!(holds(equals("Straße ÄÖ"), "straße äö"));
        assert!(!holds(equals("a"), "ab"));
        assert!(holds(Predicate::Contains("ÜBER".into()), "Vorüber"));
        assert!(holds(Predicate::Contains("a.c*".into()), "xa.C*x"));
        assert!(!holds(Predicate::Contains("a.c".into()), "abc"));
        assert!(holds(Predicate::Glob("*@b?d.example".into()), "x@BAD.example"));
        assert!(!holds(Predicate::Glob("bad".into()), "bad."));
        assert!(holds(Predicate::Regex("invoice|wire$".into()), "A WIRE"));
    }

    #[test]
    fn addresses_lie_in_networks() {
        assert!(holds(Predicate::Network("10.0.0.0/8".into()), "10.255.0.1"));
        assert!(!holds(Predicate::Network("10.0.0.0/8".into()), "11.0.0.1"));
        assert!(holds(Predicate::Network("0.0.0.0/0".into()), "203.0.113.1"));
        assert!(holds(Predicate::Network("2001:db8::/32".into()), "2001:db8:1::5"));
        assert!(!holds(Predicate::Network("10.0.0.0/8".into()), "not an address"));
    }

    #[test]
    fn addresses_lie_between_others_of_their_family() {
        let between = |first: &str, last: &str| {
            Predicate::Addresses(first.parse().unwrap(), last.parse().unwrap())
        };
        assert!(holds(between("10.0.0.9", "10.0.1.0"), "10.0.0.100"));
        assert!(holds(between("10.0.0.9", "10.0.1.0"), "10.0.0.9"));
        assert!(holds(between("10.0.0.9", "10.0.1.0"), "10.0.1.0"));
        assert!(!holds(between("10.0.0.9", "10.0.1.0"), "10.0.1.1"));
        assert!(!holds(between("0.0.0.0", "255.255.255.255"), "::1"));
        assert!(!holds(between("::", "2001:db8::"), "10.0.0.1"));
        assert!(!holds(between("10.0.0.9", "10.0.1.0"), "not an address"));
    }

    #[test]
    fn a_range_holds_its_ends_as_it_says() {
        let limit = |value, inclusive| Limit { value: Value::Integer(value), inclusive };
        let between = |from, to| Predicate::Between(limit(5, from), limit(7, to));
        let holds = |predicate: &Predicate, number| Matcher::new(predicate).unwrap().holds(number);
        let found = |predicate: Predicate| {
            (4..=8).filter(|number| holds(&predicate, Stored::Integer(*number))).collect::<Vec<_>>()
        };
        assert_eq!(found(between(true, true)), [5, 6, 7]);
        assert_eq!(found(between(false, true)), [6, 7]);
        assert_eq!(found(between(true, false)), [5, 6]);
        assert!(holds(&between(true, false), Stored::Text("6.5")));
        assert!(!holds(&between(true, false), Stored::Boolean(true)));
    }

    #[test]
    fn numbers_compare_across_their_forms() {
        let greater = Matcher::new(&Predicate::Greater(Value::Integer(5))).unwrap();
        assert!(greater.holds(Stored::Float(5.5)) && greater.holds(Stored::Text("6")));
        assert!(!greater.holds(Stored::Integer(5)) && !greater.holds(Stored::Text("x")));
        let equal = Matcher::new(&Predicate::Equals(Value::Text("7".into()))).unwrap();
        assert!(equal.holds(Stored::Integer(7)));
    }
}
