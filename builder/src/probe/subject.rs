//! A step that is asked about.

use graphs::plan::Step;
use std::collections::BTreeSet;

/// A step that is probed.
pub struct Subject {
    /// As the plan has it.
    pub step: Step,
    /// Variables that its derivation sets.
    pub own: BTreeSet<String>,
}
