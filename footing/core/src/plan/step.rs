//! A step: whether it can start, its log and its limits, its end and its outputs.

use super::Runner;
use super::event::{Console, event};
use super::reason::{Failure, Reason};
use super::settings::settings;
use super::world::Root;
use crate::errno::E2BIG;
use crate::tree::NodeId;
use formats::hex::Digest;
use formats::log::Marker;
use formats::plan::Step;
use formats::say::{LineBuf, Text};

/// What came of a step.
pub(super) enum Outcome {
    /// All its outputs stand.
    Built,
    /// It has none.
    Failed,
    /// It was not started.
    Skipped,
}

impl Runner<'_> {
    /// Builds a step and says what came of it.
    pub(super) fn step(&mut self, step: &Step<'_>, entropy: &Digest) -> Outcome {
        let name = step.name;
        if let Some(missing) = self.missing(step) {
            event!(self.home, "skipped ", name, " it needs ", Text(missing));
            return Outcome::Skipped;
        }
        event!(self.home, "step ", name);
        self.kernel.tree().begin();
        let (mut time, mut wrong) = (0, LineBuf::new());
        let result = self.build(step, entropy, &mut time).and_then(|store| {
            self.collect(step, store, &mut wrong);
            if wrong.is_empty() { Ok(()) } else { Err(Reason::Output(&wrong)) }
        });
        // With what the step left beside its outputs.
        self.sweep();
        match result {
            Ok(()) => {
                event!(self.home, "built ", name, " ", time);
                Outcome::Built
            }
            Err(reason) => {
                self.forget_outputs(name.as_bytes());
                event!(self.home, "failed ", name, " ", time, " ", reason);
                Outcome::Failed
            }
        }
    }

    /// Makes a step's world and runs its builder, for so many milliseconds of the step's own time. Returns the store.
    fn build<'p>(
        &mut self,
        step: &Step<'p>,
        entropy: &Digest,
        time: &mut u64,
    ) -> Result<Option<NodeId>, Reason<'p>> {
        let too_long = || Reason::RootfsEntry(Failure::of("arguments and environment")(E2BIG));
        let settings = settings(step, entropy, &self.resources).ok_or_else(too_long)?;
        let Root { node, store, .. } = self.world(step).map_err(Reason::RootfsEntry)?;
        let (mut marker, mut left, mut full) = (Marker::default(), step.log_limit, false);
        let home = &mut *self.home;
        let outcome = self.kernel.run_step(node, settings, &mut |bytes| {
            let allowed = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            marker.feed(bytes.get(..allowed).unwrap_or_default(), &mut Console(home));
            left -= allowed as u64;
            full |= allowed < bytes.len();
        });
        marker.finish(&mut Console(home));
        *time = outcome.time / 1_000_000;
        self.home.traced(step.name.as_bytes(), outcome.calls, outcome.trace);
        for call in outcome.unknown {
            event!(self.home, "unknown ", step.name, " ", call);
        }
        if full {
            return Err(Reason::Log(step.log_limit));
        }
        Reason::of(outcome.end, step).map_or(Ok(store), Err)
    }

    /// Drops all that a step made and that is not kept, and its file systems.
    fn sweep(&mut self) {
        for id in self.kernel.tree().sweep() {
            self.kernel.forget(id);
        }
        self.kernel.tree().keep_volumes(self.volumes.count);
    }

    /// Frees the memory that a step's outputs take.
    pub(super) fn forget_outputs(&mut self, step: &[u8]) {
        let start = [step, b"/"].concat();
        loop {
            let behind = self.outputs.after(&*start);
            let Some((name, &root)) = behind.filter(|(name, _)| name.starts_with(&start)) else {
                return;
            };
            let name = name.clone();
            self.outputs.remove(&name);
            self.drop_tree(NodeId(root));
        }
    }
}
