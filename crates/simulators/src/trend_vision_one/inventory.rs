//! The company's machines: their names are fixed, their GUIDs come from the seed.
//!
//! Alerts and techniques name the same GUIDs, so that what they show can be acted on.

use crate::draw::{mix, push_uuid};

use super::vocabulary as words;

/// A machine set up anew: the name of another one, and a GUID of its own. No record names it.
const REPLACEMENT: (&str, &str) = ("TARN-NB-1180", "192.0.2.181");

/// One machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// Its place in the list.
    pub(super) number: u64,
    /// Lower case, as the inventory writes it; alerts write it in upper case.
    pub(super) guid: String,
    pub(super) name: &'static str,
    pub(super) address: &'static str,
}

/// All machines.
pub(super) fn machines(seed: u64) -> Vec<Machine> {
    let all = words::HOSTS.iter().chain([&REPLACEMENT]);
    (0_u64..)
        .zip(all)
        .map(|(number, (name, address))| Machine {
            number,
            guid: guid(seed, number),
            name,
            address,
        })
        .collect()
}

/// The GUID of the first machine of this name, in lower case.
pub(super) fn guid_of(seed: u64, name: &str) -> String {
    let number = (0_u64..).zip(words::HOSTS).find(|(_, (known, _))| *known == name);
    number.map(|(number, _)| guid(seed, number)).unwrap_or_default()
}

fn guid(seed: u64, number: u64) -> String {
    let mut guid = String::with_capacity(36);
    push_uuid(&mut guid, mix(&[seed, number, 1]), mix(&[seed, number, 2]));
    guid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_stands_for_two_machines_and_guids_are_unique() {
        let machines = machines(7);
        let named = |name: &str| machines.iter().filter(|machine| machine.name == name).count();
        assert_eq!((named("TARN-NB-1180"), named("TARN-PC-0112")), (2, 1));
        let guids: std::collections::BTreeSet<_> =
            machines.iter().map(|machine| &machine.guid).collect();
        assert_eq!(guids.len(), machines.len());
        assert_eq!(guid_of(7, "TARN-DC-01"), machines[4].guid);
    }
}
