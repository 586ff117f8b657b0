//! What a trial of a step came to.

use formats::digest::Sha256;
use std::collections::BTreeMap;

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildOutcome {
    /// It made these.
    Built(Built),
    /// It failed, for this reason.
    Failed(String),
}

impl BuildOutcome {
    /// The hashes of its outputs.
    pub fn outputs(&self) -> Option<&BTreeMap<String, Sha256>> {
        if let BuildOutcome::Built(built) = self { Some(&built.outputs) } else { None }
    }
}

/// What a step made. The outputs' bytes alone make a difference.
#[derive(Clone, Debug, Eq)]
pub struct Built {
    /// The sha256 of each output's NAR, by the output's name.
    pub outputs: BTreeMap<String, Sha256>,
    /// The base names that each output refers to itself, where that matters.
    pub references: BTreeMap<String, Vec<String>>,
    /// Whether a program ran of which the probe can't vary what it sees.
    pub left_alone: bool,
    /// How long that took by the machine's clock.
    pub milliseconds: u64,
}
