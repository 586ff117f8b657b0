//! A closure with all that is known of it before a plan is made.

use super::obtain::Obtained;
use crate::prepare::Input;
use graphs::drv::Closure;
use graphs::plan::Failure as OnFailure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What stays the same however much of a closure is built already.
pub struct ResolvedClosure {
    /// All derivations.
    pub(super) closure: Arc<Closure>,
    /// Everything that is not built, by path.
    pub(super) obtained: BTreeMap<String, Obtained>,
    /// The derivations whose outputs are available, by path.
    pub(super) stopped: BTreeSet<String>,
    /// `/bin/sh`.
    pub(super) shell: Option<Input>,
    /// In bytes: what each of a step's two file systems may take.
    pub(super) space: u64,
    /// What happens to the steps that do not need a failed one.
    pub(super) on_failure: OnFailure,
    /// Where unpacked inputs are.
    pub(super) _kept: tempfile::TempDir,
}
