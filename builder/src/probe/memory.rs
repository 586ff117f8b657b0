//! What is remembered from one probe to the next: the question that a command asks, and what its answers are kept as.

use super::history::{self, Known, Question};
use super::outcome::BuildOutcome;
use super::select::{self, Set};
use super::study::{Study, TrialResult};
use crate::args;
use crate::failure::Failure;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What is known, and which of it answers the command.
pub struct Memory<'a> {
    cache: &'a Path,
    others: Vec<Known>,
    question: Question,
    /// Whether what is known may be an answer at all.
    counts: bool,
}

impl Memory<'_> {
    /// For a command that asks for these sets. What it asks for by name is built, whatever is known.
    pub fn new<'a>(args: &args::Probe, sets: &[Set], cache: &'a Path, others: Vec<Known>) -> Memory<'a> {
        let question = Question {
            machine: args.machine,
            settings: settings(args),
            sets: sets.iter().map(|set| select::name(set)).collect(),
            partly: args.known,
        };
        let counts = (args.known || args.vary == [select::ALL]) && !args.again;
        Memory { cache, others, question, counts }
    }

    /// What is known of the step with this key and answers the command.
    pub fn recall(&self, key: &str) -> Option<Known> {
        let here = history::all(self.cache, key);
        let others = self.others.iter().filter(|known| known.key == key);
        history::best(&self.question, here.iter().chain(others)).filter(|_| self.counts).cloned()
    }

    /// What was found out about a step, if it holds for others too.
    pub fn found(&self, study: &Study, key: &str) -> Option<Known> {
        if !matches!(study.control, BuildOutcome::Built(_)) || study.unsteady {
            return None;
        }
        let subjects = study.causes.iter().flat_map(|(set, ..)| select::subjects(set));
        let subjects: BTreeSet<&str> = subjects.collect();
        let is_had = |cell: &TrialResult| !matches!(cell, TrialResult::Not(_) | TrialResult::Needless);
        let sets = |had: bool| {
            let cells = study.cells.iter().filter(|(_, cell)| is_had(cell) == had);
            cells.map(|(name, _)| name.clone()).collect()
        };
        Some(Known {
            step: study.step.clone(),
            key: key.to_owned(),
            machine: self.question.machine.word().to_owned(),
            settings: self.question.settings.clone(),
            variations: history::version(),
            varied: sets(true),
            not_varied: sets(false),
            causes: study.causes.iter().map(|(set, ..)| select::name(set)).collect(),
            subjects: subjects.into_iter().map(str::to_owned).collect(),
            by: vec![],
        })
    }

    /// Keeps it.
    pub fn keep(&self, known: &Known) -> Result<(), Failure> {
        history::keep(self.cache, known)
    }
}

/// What a command asks for, beside graph, machine and variations, that may change what comes of it; files by what is in them.
fn settings(args: &args::Probe) -> String {
    let file =
        |path: &Path| fs::read(path).map_or_else(|_| path.display().to_string(), |bytes| crate::hash(&bytes));
    let kernel = args.tools.kernel.as_deref().map(|kernel| file(Path::new(kernel)));
    let asked = [
        kernel,
        Some(args.tools.qemu.display().to_string()),
        args.other_kernel.as_deref().map(file),
        args.other_lock.as_deref().map(file),
        args.memory.map(|memory| memory.to_string()),
        Some(args.seed.to_string()),
        Some(args.repeat.to_string()),
    ];
    crate::hash(format!("{asked:?}").as_bytes())[..16].to_owned()
}
