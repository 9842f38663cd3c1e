//! MITRE ATT&CK® ids as vendors write them, and the techniques and tactics that they stand for.
//!
//! Vendors name techniques alone, techniques and tactics side by side, old ids and ids with a version in
//! front. Here they become OCSF's pairs. An id that is not in the table is kept as it is.

mod table;

use std::borrow::Cow;

use model::ocsf::objects::{Attack, SubTechnique, Tactic, Technique};

/// The techniques of a list of ids, each with the tactics that it serves according to the table.
pub(crate) fn attacks<'a>(techniques: impl IntoIterator<Item = &'a str>) -> Vec<Attack<'static>> {
    let ids = distinct(techniques);
    ids.iter().flat_map(|id| paired(id, tactics_of(id))).collect()
}

/// Techniques and tactics that a vendor lists side by side: those that belong together are paired, a
/// tactic that no technique of the list serves stands alone.
pub(crate) fn pairs<'a>(
    tactics: impl IntoIterator<Item = &'a str>,
    techniques: impl IntoIterator<Item = &'a str>,
) -> Vec<Attack<'static>> {
    let tactics = distinct(tactics);
    let techniques = distinct(techniques);
    let mut attacks = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for id in &techniques {
        let known = tactics_of(id);
        let mut own: Vec<&str> =
            tactics.iter().map(String::as_str).filter(|tactic| known.contains(tactic)).collect();
        // One tactic for all that is listed needs no table.
        if let (true, [only]) = (own.is_empty(), tactics.as_slice()) {
            own.push(only);
        }
        attacks.extend(paired(id, &own));
        used.extend(own);
    }
    let alone = tactics.iter().filter(|tactic| !used.contains(&tactic.as_str()));
    attacks.extend(alone.map(|id| Attack { tactic: Some(tactic(id)), ..Attack::default() }));
    attacks
}

/// `V9.T1566.002` → `T1566.002`; blank ids and repeats are left out.
fn distinct<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for id in ids {
        let id = without_version(id.trim());
        if !id.is_empty() && !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

fn without_version(id: &str) -> &str {
    let Some((version, rest)) = id.split_once('.') else { return id };
    let digits = version.strip_prefix(['V', 'v']).unwrap_or_default();
    let is_version = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_version { rest } else { id }
}

/// One attack for each tactic, or one without.
fn paired(id: &str, tactics: &[&str]) -> Vec<Attack<'static>> {
    let bare = bare(id);
    if tactics.is_empty() {
        return vec![bare];
    }
    tactics.iter().map(|id| Attack { tactic: Some(tactic(id)), ..bare.clone() }).collect()
}

/// A technique without tactic; a sub-technique with its parent.
fn bare(id: &str) -> Attack<'static> {
    let parent = id.split_once('.').map_or(id, |(parent, _)| parent);
    let technique = Technique {
        name: name(parent).map(Cow::Borrowed),
        uid: Some(Cow::Owned(parent.to_owned())),
        ..Technique::default()
    };
    let sub_technique = (parent != id).then(|| SubTechnique {
        name: name(id).map(Cow::Borrowed),
        uid: Some(Cow::Owned(id.to_owned())),
        ..SubTechnique::default()
    });
    Attack { technique: Some(technique), sub_technique, ..Attack::default() }
}

fn tactic(id: &str) -> Tactic<'static> {
    let known = table::TACTICS.iter().find(|(known, _)| *known == id);
    Tactic {
        name: known.map(|(_, name)| Cow::Borrowed(*name)),
        uid: Some(Cow::Owned(id.to_owned())),
        ..Tactic::default()
    }
}

fn name(id: &str) -> Option<&'static str> {
    row(id).map(|(_, name, _)| *name)
}

fn tactics_of(id: &str) -> &'static [&'static str] {
    // A sub-technique that is newer than the table has its technique's tactics.
    let parent = || row(id.split_once('.')?.0);
    row(id).or_else(parent).map_or(&[], |(_, _, tactics)| tactics)
}

/// The row of an id; a retired one has its successor's.
fn row(id: &str) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
    let retired = table::RETIRED.iter().find(|(old, _)| *old == id).map(|(_, new)| *new);
    let id = retired.unwrap_or(id);
    let place = table::TECHNIQUES.binary_search_by(|(known, _, _)| (*known).cmp(id)).ok()?;
    table::TECHNIQUES.get(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tactic, technique and sub-technique of each attack.
    fn shown(attacks: &[Attack<'_>]) -> Vec<String> {
        let text = |uid: Option<&Cow<'_, str>>| uid.map_or("-", |uid| uid.as_ref()).to_owned();
        attacks
            .iter()
            .map(|attack| {
                let tactic = attack.tactic.as_ref().and_then(|found| found.uid.as_ref());
                let technique = attack.technique.as_ref().and_then(|found| found.uid.as_ref());
                let sub = attack.sub_technique.as_ref().and_then(|found| found.uid.as_ref());
                format!("{} {} {}", text(tactic), text(technique), text(sub))
            })
            .collect()
    }

    #[test]
    fn tables_are_sorted_and_name_only_what_exists() {
        assert!(table::TECHNIQUES.is_sorted_by_key(|(id, _, _)| *id));
        assert!(table::TECHNIQUES.len() > 600);
        for (id, _, tactics) in table::TECHNIQUES {
            assert!(!tactics.is_empty(), "{id}");
            for tactic in *tactics {
                assert!(table::TACTICS.iter().any(|(known, _)| known == tactic), "{id} {tactic}");
            }
        }
        for (old, new) in table::RETIRED {
            assert!(row(new).is_some() && row(old) == row(new), "{old}");
        }
    }

    #[test]
    fn versions_blanks_and_repeats_do_not_matter() {
        let found = attacks(["T1566.002", "V9.T1566.002", "", " ", "v15.T1566.002"]);
        assert_eq!(shown(&found), ["TA0001 T1566 T1566.002"]);
        let sub = found[0].sub_technique.as_ref().unwrap();
        assert_eq!(sub.name.as_deref(), Some("Spearphishing Link"));
        assert_eq!(found[0].tactic.as_ref().unwrap().name.as_deref(), Some("Initial Access"));
    }

    #[test]
    fn a_technique_of_several_tactics_is_shown_with_each() {
        assert_eq!(
            shown(&attacks(["T1053.005"])),
            ["TA0002 T1053 T1053.005", "TA0003 T1053 T1053.005", "TA0004 T1053 T1053.005"]
        );
    }

    #[test]
    fn retired_and_unknown_ids_are_kept_as_they_are() {
        let found = attacks(["T1088", "T9999", "Vx.T1"]);
        assert_eq!(shown(&found), ["TA0004 T1088 -", "TA0005 T1088 -", "- T9999 -", "- Vx Vx.T1"]);
        assert_eq!(shown(&attacks(["T1059.999"])), ["TA0002 T1059 T1059.999"]);
    }

    #[test]
    fn listed_tactics_are_paired_where_they_belong() {
        let found = pairs(["TA0002", "TA0011", "TA0040"], ["T1059.001", "T1105"]);
        assert_eq!(shown(&found), ["TA0002 T1059 T1059.001", "TA0011 T1105 -", "TA0040 - -"]);
        assert_eq!(shown(&pairs(["TA0007"], ["T9999"])), ["TA0007 T9999 -"]);
        assert_eq!(shown(&pairs([], ["T1105"])), ["- T1105 -"]);
        assert_eq!(shown(&pairs(["TA0001"], [""])), ["TA0001 - -"]);
    }
}
