//! What is legal and probably not meant.

use crate::syntax::{Comparison, Condition, Negation, Tree};

/// One sentence for each thing that the author should look at again.
pub(super) fn warnings(tree: &Tree) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(condition) = &tree.condition {
        look(condition, &mut warnings);
    }
    warnings
}

fn look(condition: &Condition, warnings: &mut Vec<String>) {
    match condition {
        Condition::All(parts) => parts.iter().for_each(|part| look(part, warnings)),
        Condition::Any(parts) => {
            if parts.iter().any(|part| matches!(part, Condition::All(_))) {
                add(
                    "AND binds tighter than OR: put parentheses around what belongs together",
                    warnings,
                );
            }
            parts.iter().for_each(|part| look(part, warnings));
        }
        Condition::Group(inner) => look(inner, warnings),
        Condition::Not(inner) => {
            add(
                "NOT before a condition is not Taegis: it has only !=, !IN, !CONTAINS, !MATCHES, \
                 !MATCHES_REGEX and IS NOT NULL",
                warnings,
            );
            look(inner, warnings);
        }
        Condition::Test(test) if test.negation == Negation::Word => {
            let operator = match test.comparison {
                Comparison::In(_) => "IN",
                Comparison::Contains(_) => "CONTAINS",
                Comparison::Matches(_) => "MATCHES",
                _ => "MATCHES_REGEX",
            };
            add(&format!("NOT {operator} is not Taegis: write !{operator}"), warnings);
        }
        Condition::Test(_) | Condition::Setting(_) | Condition::Everything => {}
    }
}

/// Says a thing once.
fn add(warning: &str, warnings: &mut Vec<String>) {
    if warnings.iter().all(|said| said != warning) {
        warnings.push(warning.to_owned());
    }
}
