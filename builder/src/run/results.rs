//! What came of a run, by PID 1's events. Pure.

use crate::run::prebuilt;
use formats::digest::Sha256;
use qemu::{Event, Place};
use records::record;
use std::collections::{BTreeMap, BTreeSet};

/// All that PID 1 reported, in the plan's order.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The sha256 of the plan that it read.
    pub plan: Option<Sha256>,
    /// Inputs that were not what the plan says, and why.
    pub bad_inputs: Vec<(String, String)>,
    /// Inputs whose hashes nobody asked for.
    pub unverified: Vec<String>,
    /// Each step that was tried or skipped.
    pub steps: Vec<Step>,
    /// How many system calls a step made, and their fingerprint, by its name; where the machine says so.
    pub traces: BTreeMap<String, (u64, String)>,
    /// System calls that a step asked for and footing does not have, by the step's name.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// What is known of the log of a step that was run, by its name.
    pub logs: BTreeMap<String, record::Log>,
    /// What the output of the next event refers to.
    references: Vec<String>,
    /// Each output that was made, also one that is not as expected.
    pub outputs: Vec<Output>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took by the machine's clock; nothing for a skipped one.
    pub milliseconds: Option<u64>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All its outputs stand.
    Built,
    /// It has none, for this reason.
    Failed(String),
    /// It was not tried, for this reason.
    Skipped(String),
    /// Its outputs were there already.
    Prebuilt,
    /// Its outputs are those of the same unit, built earlier, out of the cache.
    Taken,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Of its NAR.
    pub sha256: Sha256,
    /// Bytes of its NAR.
    pub size: u64,
    /// Where the NAR was left for the host.
    pub place: Place,
    /// The step that made it.
    pub step: String,
    /// The machine that ran that step, if it was not this one.
    pub machine: Option<String>,
    /// The base names of what it refers to in the store, where that was looked for.
    pub references: Vec<String>,
}

impl Results {
    /// Takes in the next event.
    pub fn add(&mut self, event: &Event) {
        let step = |name: &String, outcome, milliseconds| Step { name: name.clone(), outcome, milliseconds };
        match event {
            Event::Started { plan } => self.plan = Some(*plan),
            Event::BadInput { name, reason } => self.bad_inputs.push((name.clone(), reason.clone())),
            Event::Unverified { name } => self.unverified.push(name.clone()),
            Event::Built { name, milliseconds } => {
                self.steps.push(step(name, Outcome::Built, Some(*milliseconds)));
            }
            Event::Failed { name, milliseconds, reason } => {
                self.steps.push(step(name, Outcome::Failed(reason.clone()), Some(*milliseconds)));
            }
            Event::Skipped { name, reason } => {
                self.steps.push(step(name, Outcome::Skipped(reason.clone()), None));
            }
            Event::Output { name, sha256, size, place } => self.outputs.push(Output {
                name: name.clone(),
                sha256: *sha256,
                size: *size,
                place: *place,
                step: String::new(),
                machine: None,
                references: std::mem::take(&mut self.references),
            }),
            Event::Trace { step, calls, trace } => {
                self.traces.insert(step.clone(), (*calls, trace.clone()));
            }
            Event::Unknown { step, call } => {
                self.unknown.entry(step.clone()).or_default().push(call.clone());
            }
            Event::Reference { name, .. } => {
                self.references.push(name.clone());
                self.references.sort_unstable();
            }
            Event::Input { .. } | Event::Step { .. } | Event::End { .. } | Event::Fatal { .. } => {}
        }
        // An output is reported before the end of its step is.
        if let Event::Built { name, .. } | Event::Failed { name, .. } = event {
            for output in self.outputs.iter_mut().rev().take_while(|output| output.step.is_empty()) {
                output.step.clone_from(name);
            }
        }
    }

    /// What came of each step, as a record and `--json` say it.
    pub fn steps_of_record(&self) -> Vec<record::Step> {
        let earlier = "built earlier by another run, and not by this one".to_owned();
        let one = |step: &Step| {
            let (outcome, reason) = match &step.outcome {
                Outcome::Built => ("built", None),
                Outcome::Failed(reason) => ("failed", Some(reason)),
                Outcome::Skipped(reason) => ("skipped", Some(reason)),
                Outcome::Prebuilt => ("given", None),
                Outcome::Taken => ("taken", Some(&earlier)),
            };
            let trace = self.traces.get(&step.name);
            record::Step {
                name: step.name.clone(),
                outcome: outcome.into(),
                reason: reason.cloned(),
                milliseconds: step.milliseconds,
                calls: trace.map(|(calls, _)| *calls),
                trace: trace.map(|(_, trace)| trace.clone()),
                unknown_calls: self.unknown.get(&step.name).cloned().unwrap_or_default(),
                log: self.logs.get(&step.name).copied(),
            }
        };
        self.steps.iter().map(one).collect()
    }

    /// Adds what was there already, so that everything stands in the order of these steps.
    pub fn take_over(&mut self, prebuilt: &prebuilt::All, order: &[String]) {
        let done: BTreeSet<String> = self.steps.iter().map(|step| step.name.clone()).collect();
        let steps: BTreeSet<&String> = prebuilt.values().map(|prebuilt| &prebuilt.step).collect();
        for name in steps.into_iter().filter(|name| !done.contains(*name)) {
            self.steps.push(Step { name: name.clone(), outcome: Outcome::Prebuilt, milliseconds: None });
        }
        for one in prebuilt.values() {
            if let Some(trace) = &one.trace {
                self.traces.entry(one.step.clone()).or_insert_with(|| trace.clone());
            }
        }
        self.outputs.extend(prebuilt.iter().map(|(name, prebuilt)| Output {
            name: name.clone(),
            sha256: prebuilt.sha256,
            size: prebuilt.size,
            place: Place::None,
            step: prebuilt.step.clone(),
            machine: Some(prebuilt.machine.clone()),
            references: prebuilt.references.clone(),
        }));
        let number: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
        self.steps.sort_by_key(|step| number.get(step.name.as_str()));
        self.outputs.sort_by_key(|output| number.get(output.step.as_str()));
    }

    /// The steps that failed, and why.
    pub fn failures(&self) -> Vec<(String, String)> {
        let failure = |step: &Step| match &step.outcome {
            Outcome::Failed(reason) => Some((step.name.clone(), reason.clone())),
            _ => None,
        };
        self.steps.iter().filter_map(failure).collect()
    }

    /// The outputs that stand: those of steps that were built, or that were there already.
    pub fn good(&self) -> impl Iterator<Item = &Output> {
        let bad = self.failed();
        self.outputs.iter().filter(move |output| !bad.contains(output.step.as_str()))
    }

    /// What steps that failed had made all the same.
    pub fn bad(&self) -> impl Iterator<Item = &Output> {
        let bad = self.failed();
        self.outputs.iter().filter(move |output| bad.contains(output.step.as_str()))
    }

    fn failed(&self) -> BTreeSet<&str> {
        let failed = self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_)));
        failed.map(|step| step.name.as_str()).collect()
    }

    /// Makes the step of an output one that failed, for a demand that PID 1 knows nothing of.
    pub fn refuse(&mut self, output: &str, reason: &str) {
        let of = self.outputs.iter().find(|other| other.name == output).map(|output| &output.step);
        let step = self.steps.iter_mut().find(|step| Some(&step.name) == of);
        if let Some(step) = step.filter(|step| step.outcome == Outcome::Built) {
            step.outcome = Outcome::Failed(reason.to_owned());
        }
    }

    /// Whether every one of these steps was built, now or earlier.
    pub fn is_good(&self, steps: &[String]) -> bool {
        let ends: BTreeMap<_, _> = self.steps.iter().map(|step| (&step.name, &step.outcome)).collect();
        steps.iter().all(|name| matches!(ends.get(name), Some(Outcome::Built | Outcome::Taken)))
    }

    /// Adds what came of a unit: of this step, and not of what it needed.
    pub fn add_unit(&mut self, step: &str, unit: Results) {
        self.bad_inputs.extend(unit.bad_inputs);
        self.unverified.extend(unit.unverified);
        self.steps.extend(unit.steps.into_iter().filter(|one| one.name == step));
        self.traces.extend(unit.traces);
        self.unknown.extend(unit.unknown);
        self.logs.extend(unit.logs);
        self.outputs.extend(unit.outputs.into_iter().filter(|output| output.step == step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_belong_to_the_step_that_ends_next() {
        let output = |name: &str| Event::Output {
            name: name.into(),
            sha256: Sha256::of(""),
            size: 1,
            place: Place::None,
        };
        let mut results = Results::default();
        results.add(&output("a"));
        results.add(&output("a-lib"));
        results.add(&Event::Built { name: "a".into(), milliseconds: 1 });
        results.add(&output("b"));
        results.add(&Event::Failed { name: "b".into(), milliseconds: 1, reason: "x".into() });
        let steps: Vec<_> = results.outputs.iter().map(|output| output.step.as_str()).collect();
        assert_eq!(steps, ["a", "a", "b"]);
        assert!(results.is_good(&["a".into()]));
        assert!(!results.is_good(&["a".into(), "b".into()]));
        assert!(!results.is_good(&["never".into()]));
        let names =
            |outputs: Vec<&Output>| outputs.iter().map(|output| output.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(results.good().collect()), ["a", "a-lib"]);
        assert_eq!(names(results.bad().collect()), ["b"]);
        results.refuse("a-lib", "output a-lib: too large");
        assert_eq!(names(results.good().collect()), [""; 0]);
        assert_eq!(results.failures()[0], ("a".to_owned(), "output a-lib: too large".to_owned()));
    }
}
