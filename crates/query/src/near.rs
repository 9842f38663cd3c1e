//! Names that are nearly the one written: for hints, and to tell a slip from a foreign name.

/// At most this many names are offered.
const OFFERED: usize = 5;

/// Names that differ from the one written by so little that it is likely a slip of it, nearest first.
pub(crate) fn slips<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = match name.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        8..=15 => 2,
        _ => 3,
    };
    nearest(name, known, allowed)
}

/// Names worth offering when the one written is unknown: slips of it, else looser likenesses, else
/// names that have a word in common with it.
pub(crate) fn similar<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let slips = slips(name, known.iter().copied());
    if !slips.is_empty() {
        return slips;
    }
    let loose = nearest(name, known.iter().copied(), name.chars().count() / 3);
    if !loose.is_empty() {
        return loose;
    }
    let words = words(name);
    let shares_word = |other: &&&str| self::words(other).iter().any(|word| words.contains(word));
    known.iter().filter(shares_word).take(OFFERED).copied().collect()
}

/// The words of a name that are long enough to tell something.
fn words(name: &str) -> Vec<String> {
    name.split(['_', '.']).filter(|word| word.len() >= 3).map(str::to_ascii_lowercase).collect()
}

fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    allowed: usize,
) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|other| {
            let letters: Vec<char> = other.chars().flat_map(char::to_lowercase).collect();
            let is_near = letters.len().abs_diff(wanted.len()) <= allowed;
            let distance = is_near.then(|| distance(&wanted, &letters))?;
            (distance <= allowed).then_some((distance, other))
        })
        .collect();
    found.sort_by_key(|(distance, other)| (*distance, other.len()));
    found.dedup_by_key(|(_, other)| *other);
    found.into_iter().map(|(_, other)| other).take(OFFERED).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in to.iter().enumerate() {
            let replace = last[column] + usize::from(left != right);
            let mut best = replace.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && from[row - 1] == *right && to[column - 1] == *left;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_a_gap_and_a_wrong_letter_are_slips_and_another_word_is_none() {
        let known = ["subject", "status", "email.subject", "device"];
        assert_eq!(slips("sujbect", known), ["subject"]);
        assert_eq!(slips("statu", known), ["status"]);
        assert_eq!(slips("emial.sujbect", known), ["email.subject"]);
        assert!(slips("service", known).is_empty());
        assert!(slips("url", known).is_empty());
    }

    #[test]
    fn without_a_slip_names_with_a_common_word_are_offered() {
        let known = ["from_email_address", "subject", "uri_host"];
        assert_eq!(similar("from_adress", &known), ["from_email_address"]);
        assert!(similar("zzz", &known).is_empty());
    }
}
