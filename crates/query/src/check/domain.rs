//! Logical types. `@domain` is special: in a mail address only the part behind the `@` counts.

use super::{Checker, any, predicate};
use crate::fields::{Field, Logical, Reads};
use crate::language::QueryError;
use crate::plan::{Filter, Predicate, Value};
use crate::syntax::{Comparison, Literal, Test};

impl Checker<'_, '_> {
    /// The positive condition of a test on a logical type: any covered field passes it.
    pub(super) fn logical(&self, test: &Test) -> Result<Filter, QueryError> {
        let name = test.field.text();
        let logical = match name.to_ascii_lowercase().as_str() {
            "@ip" => Logical::Ip,
            "@domain" => Logical::Domain,
            "@hash" => Logical::Hash,
            "@host" => Logical::Host,
            "@user" => Logical::User,
            _ => {
                let message = format!("unknown logical type `{name}`");
                return Err(QueryError::new(message, test.field.span.clone())
                    .with_hint("the logical types are @ip, @domain, @hash, @host and @user"));
            }
        };
        let field = self.scope.logical(&name, logical);
        let filter = self.asked(test).of(&field)?;
        if logical != Logical::Domain {
            return Ok(filter);
        }
        let addresses = self.scope.logical(&name, Logical::MailDomain);
        Ok(any(vec![filter, of_addresses(&addresses, test)]))
    }
}

/// The test, put to the domains of mail addresses.
fn of_addresses(addresses: &Field, test: &Test) -> Filter {
    if addresses.reads == Reads::Columns(Vec::new()) {
        return Filter::None;
    }
    let predicate = match &test.comparison {
        Comparison::IsNull => Predicate::Exists,
        Comparison::Relation(_, literal) => has_domain(literal),
        Comparison::In(literals) | Comparison::AnyOf(literals) => {
            let of = |literal| Filter::Test(addresses.clone(), has_domain(literal));
            return any(literals.iter().map(of).collect());
        }
        Comparison::Contains(literal) => {
            Predicate::Regex(format!("@[^@]*{}[^@]*$", regex::escape(&literal.text)))
        }
        Comparison::Matches(literal) => Predicate::Glob(format!("*@{}", literal.text)),
        Comparison::MatchesRegex(literal) => Predicate::Regex(behind_at(&literal.text)),
        Comparison::WholeRegex(literal) => Predicate::Regex(format!("@(?:{})$", literal.text)),
        // Texts have no ranges; that was refused.
        Comparison::Between(_, _) => return Filter::None,
    };
    Filter::Test(addresses.clone(), predicate)
}

/// The address ends in `@` and this domain.
fn has_domain(literal: &Literal) -> Predicate {
    let domain = &literal.text;
    if domain.contains(['*', '?']) {
        // Under `=` these stand for themselves.
        return Predicate::Regex(format!("@{}$", regex::escape(domain)));
    }
    if domain.contains('@') {
        return Predicate::Equals(Value::Text(domain.clone()));
    }
    Predicate::Glob(format!("*@{domain}"))
}

/// An expression for domains, made one for addresses. Where that cannot be done it is put to the
/// whole address.
fn behind_at(pattern: &str) -> String {
    let anchored = pattern.strip_prefix('^').filter(|_| !pattern.contains('|'));
    let moved = match anchored {
        Some(rest) => format!("@(?:{rest})"),
        None => format!("@[^@]*(?:{pattern})"),
    };
    match predicate::compiles(&moved) {
        Ok(()) => moved,
        Err(_) => pattern.to_owned(),
    }
}
