//! Who agrees with whom, output by output. Pure.

use super::groups::{Group, groups};
use super::read::{Claims, Output};
use std::collections::{BTreeMap, BTreeSet};

/// Whoever vouches for outputs.
#[derive(Clone, Debug)]
pub struct Party {
    /// As it is called in reports.
    pub name: String,
    /// All that it said, file by file.
    pub claims: Vec<Claims>,
}

/// What the records show of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Two or more parties made it, and all that can be compared is equal.
    Identical,
    /// Two parties made different things.
    Differs,
    /// Fewer than two parties made it, or by their records it can not be compared.
    Inconclusive,
}

impl Verdict {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Identical => "identical",
            Verdict::Differs => "differs",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its store path or name.
    pub name: String,
    /// What the records show.
    pub verdict: Verdict,
    /// The largest first.
    pub groups: Vec<Group>,
    /// Parties that say nothing of it, or why they do not have it.
    pub missing: BTreeMap<usize, Option<String>>,
    /// Parties that contradict themselves. They count for nothing.
    pub contradictory: Vec<usize>,
    /// Whether as many parties agree as are required, and not as many on something else.
    pub met: bool,
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each counts the verdict of its name")]
pub struct Counts {
    pub identical: usize,
    pub differs: usize,
    pub inconclusive: usize,
}

impl Counts {
    /// Of all outputs.
    pub fn of(outputs: &[Compared]) -> Counts {
        let count = |verdict| outputs.iter().filter(|output| output.verdict == verdict).count();
        Counts {
            identical: count(Verdict::Identical),
            differs: count(Verdict::Differs),
            inconclusive: count(Verdict::Inconclusive),
        }
    }

    /// Of how many outputs.
    pub fn total(&self) -> usize {
        self.identical + self.differs + self.inconclusive
    }
}

/// Whether an output is meant by a name: its own, or what its path in a store ends with.
pub fn is_meant(output: &str, name: &str) -> bool {
    output == name || output.starts_with('/') && output.rsplit('/').next() == Some(name)
}

/// Compares every output that more than one party can have, or those that are meant by names in `only`. So many parties are
/// required to agree on each; where all are, all that can have it.
pub fn compare(parties: &[Party], only: &BTreeSet<String>, require: usize) -> Vec<Compared> {
    let names: BTreeSet<&String> = match only.is_empty() {
        false => named(parties).filter(|output| only.iter().any(|name| is_meant(output, name))).collect(),
        true => {
            let alone: BTreeSet<&str> = alone(parties).into_iter().collect();
            named(parties).filter(|name| !alone.contains(name.as_str())).collect()
        }
    };
    names.into_iter().map(|name| one(parties, name, require)).collect()
}

/// The outputs that no other party can have than the one that has it: the other paths of a store, or what a list of files inside
/// an output is silent of. Where nothing else is claimed there are none: then nothing would be compared.
pub fn alone(parties: &[Party]) -> Vec<&str> {
    let names: BTreeSet<&String> = named(parties).collect();
    let is_alone = |name: &&&String| {
        let specific = is_specific(parties, name);
        parties.iter().filter(|party| can_have(party, name, specific)).count() < 2
    };
    let alone: Vec<&str> = names.iter().filter(is_alone).map(|name| name.as_str()).collect();
    if alone.len() < names.len() { alone } else { vec![] }
}

fn named(parties: &[Party]) -> impl Iterator<Item = &String> {
    parties.iter().flat_map(|party| &party.claims).flat_map(|claims| claims.outputs.keys())
}

/// What an output is, as far as it says who can have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A file inside an output.
    Inside,
    /// Some party says that it built it.
    Built,
    /// Stores hold it.
    Held,
}

fn is_specific(parties: &[Party], name: &str) -> Kind {
    let mut claimed =
        parties.iter().flat_map(|party| &party.claims).filter(|claims| claims.outputs.contains_key(name));
    let (mut inside, mut built) = (false, false);
    claimed.by_ref().for_each(|claims| {
        inside |= claims.inside;
        built |= !claims.inside && !claims.form.is_of_store();
    });
    match (built, inside) {
        (true, _) => Kind::Built,
        (_, true) => Kind::Inside,
        _ => Kind::Held,
    }
}

fn can_have(party: &Party, name: &str, kind: Kind) -> bool {
    let any = |is: fn(&Claims) -> bool| party.claims.iter().any(is);
    party.claims.iter().any(|claims| claims.outputs.contains_key(name))
        || match kind {
            Kind::Inside => any(|claims| claims.inside),
            Kind::Built => any(|claims| !claims.inside),
            Kind::Held => false,
        }
}

fn one(parties: &[Party], name: &str, require: usize) -> Compared {
    let mut made = Vec::new();
    let (mut missing, mut contradictory) = (BTreeMap::new(), Vec::new());
    let kind = is_specific(parties, name);
    let mut able = 0;
    for (number, party) in parties.iter().enumerate() {
        let can = can_have(party, name, kind);
        able += usize::from(can);
        match said(party, name) {
            Said::Nothing if !can => {}
            Said::Nothing => drop(missing.insert(number, failure(party, name))),
            Said::Contradictory => contradictory.push(number),
            Said::Output(output) => made.push((number, output)),
        }
    }
    let groups = groups(made);
    let apart = groups.iter().enumerate().any(|(number, group)| {
        groups[number + 1..].iter().any(|other| group.output.agrees(&other.output) == Some(false))
    });
    let verdict = match groups.first() {
        _ if apart => Verdict::Differs,
        Some(largest) if largest.parties.len() > 1 => Verdict::Identical,
        _ => Verdict::Inconclusive,
    };
    // All that can have it are all that can be asked for.
    let require = if require == parties.len() { able.max(2).min(require) } else { require };
    let enough = groups.iter().filter(|group| group.parties.len() >= require).count();
    Compared { name: name.into(), verdict, groups, missing, contradictory, met: enough == 1 }
}

enum Said {
    Nothing,
    Contradictory,
    Output(Output),
}

/// All that a party says of an output, in however many files.
fn said(party: &Party, name: &str) -> Said {
    let mut outputs = party.claims.iter().filter_map(|claims| claims.outputs.get(name));
    let Some(first) = outputs.next() else { return Said::Nothing };
    let mut all = first.clone();
    for output in outputs {
        if all.agrees(output) == Some(false) {
            return Said::Contradictory;
        }
        all.digests.extend(output.digests.clone());
    }
    Said::Output(all)
}

/// Why a party does not have an output: its step, which has the same name or the name up to a hyphen, has failed, or all has.
fn failure(party: &Party, name: &str) -> Option<String> {
    let of = |step: &str| name == step || name.strip_prefix(step).is_some_and(|rest| rest.starts_with('-'));
    let failures = || party.claims.iter().flat_map(|claims| &claims.failures);
    let own = failures().filter(|(step, _)| of(step)).max_by_key(|(step, _)| step.len());
    let all = || failures().find(|(step, _)| *step == "machine");
    own.or_else(all).map(|(_, reason)| reason.clone())
}

/// The plans that parties name, each with who built by it; ascending.
pub fn plans(parties: &[Party]) -> BTreeMap<&str, Vec<usize>> {
    let mut plans: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, party) in parties.iter().enumerate() {
        let claimed: BTreeSet<_> = party.claims.iter().filter_map(|claims| claims.plan.as_deref()).collect();
        claimed.into_iter().for_each(|plan| plans.entry(plan).or_default().push(number));
    }
    plans
}

/// Inputs and parts of machines that parties have in common by name and not by hash: what tells their builds apart.
pub fn told_apart(parties: &[Party]) -> BTreeMap<&str, BTreeMap<&str, Vec<usize>>> {
    let mut inputs: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (number, party) in parties.iter().enumerate() {
        for (name, hash) in party.claims.iter().flat_map(|claims| &claims.inputs) {
            let with = inputs.entry(name).or_default().entry(hash).or_default();
            if with.last() != Some(&number) {
                with.push(number);
            }
        }
    }
    inputs.retain(|_, hashes| hashes.len() > 1);
    inputs
}

#[cfg(test)]
mod tests;
