//! Who made the same: the one place where outputs of several parties are put together. Pure.

use super::read::Output;
use std::cmp::Reverse;

/// Parties that made the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// By their place in the list of parties, ascending.
    pub parties: Vec<usize>,
    /// All that they say of it.
    pub output: Output,
}

/// Joins parties that agree in something and contradict each other in nothing, until none are left: the largest group first,
/// among equals the one with the first party. What a group says grows by that: who hashed the NAR and who hashed the file meet
/// in whoever hashed both.
pub fn groups(said: impl IntoIterator<Item = (usize, Output)>) -> Vec<Group> {
    let alone = |(party, output)| Group { parties: vec![party], output };
    let mut groups: Vec<Group> = said.into_iter().map(alone).collect();
    let mut number = 0;
    while number < groups.len() {
        let output = &groups[number].output;
        let found = groups[..number].iter().position(|before| before.output.agrees(output) == Some(true));
        let Some(into) = found else {
            number += 1;
            continue;
        };
        let group = groups.remove(number);
        groups[into].parties.extend(group.parties);
        groups[into].parties.sort_unstable();
        groups[into].output.digests.extend(group.output.digests);
        // What the group says now may agree with one that was passed.
        number = into;
    }
    groups
        .sort_by(|a, b| (Reverse(a.parties.len()), &a.parties).cmp(&(Reverse(b.parties.len()), &b.parties)));
    groups
}
