//! What several lanes that built one graph show together: a verdict for every output, and who stands apart. Pure.

use records::groups;
use records::read::{Method, Output};
use std::collections::{BTreeMap, BTreeSet};

/// A lane as far as agreement goes.
pub struct Party {
    /// Its name.
    pub name: String,
    /// The derivations that it was to build, in the plan's order.
    pub steps: Vec<String>,
    /// The sha256 of each output that it made, by the output's name.
    pub outputs: BTreeMap<String, String>,
}

/// An output that lanes were to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The derivation.
    pub step: String,
    /// Whether the derivation is a target of the graph.
    pub target: bool,
    /// Whether the derivation itself has what is varied among its declared inputs.
    pub varied: bool,
}

/// What the lanes show of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All lanes made the same: each of them vouches for it.
    Agrees,
    /// They differ, as they may: the derivation itself has what is varied among its inputs.
    Expected,
    /// They differ and should not.
    Differs,
    /// Those that made it agree, but not every lane made it.
    Inconclusive,
    /// Only one lane was to make it, on its way to its own alternative.
    Single,
}

impl Verdict {
    /// As the table and the JSON spell it.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Agrees => "agrees",
            Verdict::Expected => "expected to differ",
            Verdict::Differs => "differs",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Single => "one lane only",
        }
    }
}

/// Lanes that made the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Of the output's NAR.
    pub sha256: String,
    /// The lanes, by number.
    pub lanes: Vec<usize>,
}

/// An output, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The output.
    pub wanted: Wanted,
    /// What the lanes show.
    pub verdict: Verdict,
    /// Who made what: the largest group first, among equals the one with the first lane.
    pub groups: Vec<Group>,
    /// The lanes that should have made it and did not.
    pub missing: Vec<usize>,
}

/// Lanes that are outvoted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissent {
    /// The lanes.
    pub lanes: Vec<usize>,
    /// The outputs in which they agree with each other, and not with the majority; in the plan's order.
    pub outputs: Vec<String>,
}

impl Judged {
    /// The group that is larger than every other.
    pub fn majority(&self) -> Option<&Group> {
        let first = self.groups.first()?;
        let second = self.groups.get(1).map_or(0, |group| group.lanes.len());
        (first.lanes.len() > second).then_some(first)
    }
}

/// Every output, judged.
pub fn judge(wanted: &[Wanted], parties: &[Party]) -> Vec<Judged> {
    let steps: Vec<BTreeSet<_>> = parties.iter().map(|party| party.steps.iter().collect()).collect();
    let one = |wanted: &Wanted| {
        let (mut made, mut missing) = (Vec::new(), Vec::new());
        let planned: Vec<_> = (0..parties.len()).filter(|lane| steps[*lane].contains(&wanted.step)).collect();
        for &lane in &planned {
            match parties[lane].outputs.get(&wanted.name) {
                Some(sha256) => made.push((lane, Output::new(Method::nar(), sha256.clone(), None))),
                None => missing.push(lane),
            }
        }
        let group = |group: groups::Group| Group {
            sha256: group.output.digests.into_values().next().unwrap_or_default(),
            lanes: group.parties,
        };
        let groups: Vec<_> = groups::groups(made).into_iter().map(group).collect();
        let verdict = match groups.len() {
            0 | 1 if !missing.is_empty() || groups.is_empty() => Verdict::Inconclusive,
            1 if planned.len() == 1 => Verdict::Single,
            1 => Verdict::Agrees,
            _ if wanted.varied => Verdict::Expected,
            _ => Verdict::Differs,
        };
        Judged { wanted: wanted.clone(), verdict, groups, missing }
    };
    wanted.iter().map(one).collect()
}

/// Who is outvoted: for every set of lanes that made something of their own where others should have made the same.
pub fn dissents(judged: &[Judged]) -> Vec<Dissent> {
    let mut apart: Vec<Dissent> = Vec::new();
    for judged in judged.iter().filter(|judged| judged.verdict == Verdict::Differs) {
        let Some(majority) = judged.majority() else { continue };
        for group in judged.groups.iter().filter(|group| *group != majority) {
            let name = judged.wanted.name.clone();
            match apart.iter_mut().find(|apart| apart.lanes == group.lanes) {
                Some(known) => known.outputs.push(name),
                None => apart.push(Dissent { lanes: group.lanes.clone(), outputs: vec![name] }),
            }
        }
    }
    apart
}

/// Whether every output of every target is the same in all of so many lanes.
pub fn all_agree(judged: &[Judged], lanes: usize) -> bool {
    let same = |judged: &Judged| {
        judged.verdict == Verdict::Agrees && judged.groups.iter().all(|group| group.lanes.len() == lanes)
    };
    judged.iter().filter(|judged| judged.wanted.target).all(same)
}

#[cfg(test)]
#[path = "agreement/tests.rs"]
mod tests;
