//! `run --each`: every step is a unit of its own, and as many are built side by side as cores and memory allow.
//!
//! The image of a unit holds one step and what it uses, outputs of other units among that, so PID 1 verifies by hash what is handed on.

use crate::args::MachineName;
use crate::failure::{CANCELLED, Failure};
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::prepare::units::Units;
use crate::run::auto;
use crate::run::budget::Budget;
use crate::run::executor::{self, Ended, Setting};
use crate::run::machinery;
use crate::run::outputs::{self, Out};
use crate::run::prebuilt::{self, Prebuilt};
use crate::run::record::Facts;
use crate::run::results::{Outcome, Output, Results, Step};
use crate::run::unit_cache::{Key, UnitCache};
use crate::ui::running::Running;
use formats::digest::Sha256;
use graphs::plan::Failure as OnFailure;
use records::record;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What all units are run with.
struct Job<'a> {
    source: &'a Source,
    prepared: &'a Prepared,
    units: Units,
    setting: &'a Setting<'a>,
    budget: Budget,
    /// None on a machine where results follow from more than a key can hold.
    key: Option<Key>,
    cache: Option<UnitCache>,
    cancel: &'a AtomicBool,
    scratch: &'a Path,
    keeping: Mutex<()>,
}

/// How far all of it is.
struct Progress<'a> {
    running: &'a mut Running,
    /// The outputs that there are.
    made: prebuilt::All,
    /// By their places in the list of units.
    waiting: BTreeSet<usize>,
    /// The steps that have ended, and whether each was built.
    ended: BTreeMap<String, bool>,
    /// How many units run, and the memory in MiB that they need.
    now: (usize, u64),
    about: BTreeMap<String, record::Unit>,
    /// What the machine, or this program, could not do: nothing more is begun.
    failure: Option<Failure>,
    /// A step has failed, and nothing more is to be begun then.
    stopped: bool,
    host: Option<record::Host>,
}

/// Builds a prepared graph. An error is one that leaves nothing to write down.
pub fn build(
    source: &Source,
    prepared: &Prepared,
    setting: &Setting<'_>,
    running: &mut Running,
    cancel: &AtomicBool,
    (jobs, take): (Option<u16>, bool),
) -> Result<Ended, Failure> {
    let scratch = prebuilt::scratch(setting.cache)?;
    let units = Units::of(prepared)?;
    let mut budget = Budget::of_host();
    budget.lanes = jobs.map_or(budget.lanes, usize::from);
    running.again(units.needs.len());
    let progress = Mutex::new(Progress {
        running,
        made: prepared.prebuilt.clone(),
        waiting: (0..units.needs.len()).collect(),
        ended: BTreeMap::new(),
        now: (0, 0),
        about: BTreeMap::new(),
        failure: None,
        stopped: false,
        host: None,
    });
    let lanes = budget.lanes.clamp(1, units.needs.len().max(1));
    let job = Job {
        source,
        prepared,
        units,
        setting,
        budget,
        key: setting.machine.is_deterministic().then(|| Key::new(setting)).transpose()?,
        cache: take.then(|| UnitCache::open(setting.cache)).transpose()?,
        cancel,
        scratch: scratch.path(),
        keeping: Mutex::new(()),
    };
    let changed = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| job.work(&progress, &changed));
        }
    });
    job.ended(progress.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn lock<'a, 'b>(progress: &'a Mutex<Progress<'b>>) -> MutexGuard<'a, Progress<'b>> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job<'_> {
    /// Takes unit after unit until there is none left.
    fn work(&self, progress: &Mutex<Progress<'_>>, changed: &Condvar) {
        let mut state = lock(progress);
        while let Some(number) = self.next(&mut state) {
            let Some(number) = number else {
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let name = &self.units.needs[number].0;
            state.running.unit_begins(name);
            let unit = self.units.prepare(self.prepared, name, &state.made);
            let needed = unit.as_ref().map_or(0, |unit| self.memory(unit));
            state.now = (state.now.0 + 1, state.now.1 + needed);
            drop(state);
            let mut log = Running::quiet();
            let folder = self.scratch.join(number.to_string());
            let result = unit.and_then(|unit| self.one(name, &unit, &folder, &mut log));
            state = lock(progress);
            state.now = (state.now.0 - 1, state.now.1 - needed);
            self.take_in(name, result, log, &mut state);
            changed.notify_all();
        }
    }

    /// The next unit that can be begun: the first one whose needs are built and for whose memory there is room. `Some(None)` means to
    /// wait, `None` that there is nothing left to wait for.
    fn next(&self, state: &mut Progress<'_>) -> Option<Option<usize>> {
        self.skip(state);
        if state.waiting.is_empty() || state.stopped || self.cancel.load(Ordering::Relaxed) {
            return None;
        }
        let ready = |number: &&usize| {
            self.units.needs[**number].1.iter().all(|name| state.ended.get(name) == Some(&true))
        };
        let fits = |number: &usize| state.now.0 == 0 || self.fits(*number, state);
        let number = state.waiting.iter().find(ready).copied().filter(fits);
        number.iter().for_each(|number| {
            state.waiting.remove(number);
        });
        Some(number)
    }

    /// Whether there is memory for one more.
    fn fits(&self, number: usize, state: &Progress<'_>) -> bool {
        let derivation = self.prepared.graph.derivations.get(&self.units.needs[number].0);
        let most = derivation.map_or(self.prepared.memory, |one| one.memory.saturating_add(one.space * 2));
        state.now.1.saturating_add(most >> 20) <= self.budget.memory
    }

    /// The memory in MiB that a unit needs.
    fn memory(&self, unit: &Prepared) -> u64 {
        let inputs = unit.inputs.values().map(|input| input.obtained.size).sum::<u64>();
        let made = unit.prebuilt.values().map(|output| output.size).sum::<u64>();
        self.setting.memory.unwrap_or_else(|| executor::memory(unit, inputs.saturating_add(made)))
    }

    /// What needs a step that was not built is not begun.
    fn skip(&self, state: &mut Progress<'_>) {
        loop {
            let missing = |&number: &usize| {
                let needs = &self.units.needs[number].1;
                needs.iter().find(|name| state.ended.get(*name) == Some(&false)).map(|name| (number, name))
            };
            let Some((number, missing)) = state.waiting.iter().find_map(missing) else { return };
            let name = self.units.needs[number].0.clone();
            let outcome = Outcome::Skipped(format!("it needs {missing}"));
            state.waiting.remove(&number);
            state.ended.insert(name.clone(), false);
            let mut results = Results::default();
            results.steps.push(Step { name: name.clone(), outcome, milliseconds: None });
            state.running.unit(&name, results, Running::quiet());
        }
    }

    /// Builds one unit, or takes it out of the cache.
    fn one(&self, name: &str, unit: &Prepared, folder: &Path, log: &mut Running) -> Result<One, Failure> {
        let key = self.key.as_ref().map(|key| key.of(unit));
        let unpacked = folder.join("unpacked");
        let fail = |error: std::io::Error| Failure::written(&unpacked, "outputs on their way", &error);
        std::fs::create_dir_all(&unpacked).map_err(fail)?;
        if let (Some(cache), Some(key)) = (&self.cache, key)
            && let Some((results, made)) = cache.find(key, name, &unpacked)
        {
            for output in &results.outputs {
                self.keep(output, &cache.archive(output.sha256))?;
            }
            let about = record::Unit { key: Some(key), plan: Sha256::of(&unit.plan), taken: true };
            return Ok(One { results, made, verdict: Ok(()), about, host: None });
        }
        // What a step makes is no larger than the space that it declares; names take some more.
        let most = unit.graph.derivations.values().map(|one| (one.space >> 20).saturating_mul(2) + 1).max();
        let export = self.setting.out.map_or(executor::EXPORT, |out| out.export);
        let export = most.map_or(export, |most| most.min(export));
        let out = Out { folder, nar: true, scratch: true, export };
        let setting = Setting { out: Some(out), console: None, record: None, ..*self.setting };
        let ended = match setting.machine {
            MachineName::Auto => auto::build(self.source, unit, &setting, log, self.cancel)?,
            _ => executor::unit(self.source, unit, &setting, log, self.cancel)?,
        };
        let mut made = prebuilt::All::new();
        for output in ended.results.good().filter(|output| output.step == name) {
            let archive = prebuilt::archive(folder, &output.name, output.sha256);
            self.keep(output, &archive)?;
            let path = prebuilt::find(folder, &output.name, output.sha256, &unpacked);
            let machine = output.machine.as_deref().unwrap_or(setting.machine.word());
            made.insert(
                output.name.clone(),
                Prebuilt {
                    sha256: output.sha256,
                    size: output.size,
                    step: name.to_owned(),
                    machine: machine.to_owned(),
                    // It stands in the record of its own unit's results.
                    trace: None,
                    references: output.references.clone(),
                    path: path.map_err(Failure::machine)?,
                },
            );
        }
        if let (Some(cache), Some(key), Ok(())) = (&self.cache, key, &ended.verdict) {
            cache.put(key, &made, folder)?;
        }
        let host = ended.record.predicate.build_definition.internal_parameters.host;
        let about = record::Unit { key, plan: ended.plan, taken: false };
        Ok(One { results: ended.results, made, verdict: ended.verdict, about, host })
    }

    /// Puts an output where outputs go, if they go anywhere.
    fn keep(&self, output: &Output, archive: &Path) -> Result<(), Failure> {
        let Some(out) = self.setting.out else { return Ok(()) };
        let fail = |error| Failure::machine(format!("output {}: {error}", output.name));
        let bytes = std::fs::read(archive).map_err(fail)?;
        // The list of what is there is read and written.
        let _one = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        outputs::keep(out, self.prepared, output, &bytes)
    }

    /// Notes what came of a unit.
    fn take_in(&self, name: &str, result: Result<One, Failure>, log: Running, state: &mut Progress<'_>) {
        let one = match result {
            Ok(one) => one,
            Err(failure) => {
                state.stopped = true;
                state.failure.get_or_insert(failure);
                return;
            }
        };
        let good = one.verdict.is_ok();
        state.ended.insert(name.to_owned(), good);
        state.made.extend(one.made);
        state.host = state.host.take().or(one.host);
        state.about.insert(name.to_owned(), one.about);
        state.running.unit(name, one.results, log);
        match one.verdict {
            Err(failure) if failure.is_of_machine() => {
                state.stopped = true;
                state.failure.get_or_insert(failure);
            }
            Err(_) => state.stopped |= self.prepared.on_failure == OnFailure::Stop,
            Ok(()) => {}
        }
    }

    /// All of it, as a run of the whole graph would say it.
    fn ended(&self, state: Progress<'_>) -> Result<Ended, Failure> {
        let Progress { running, waiting, about: units, failure, host, .. } = state;
        running.finish();
        let mut results = std::mem::take(&mut running.results);
        let plan = Sha256::of(&self.prepared.plan);
        results.plan = Some(plan);
        let interrupted = failure.is_some() || self.cancel.load(Ordering::Relaxed);
        for number in waiting.iter().filter(|_| !interrupted) {
            let outcome = Outcome::Skipped("an earlier step was not built".into());
            results.steps.push(Step {
                name: self.units.needs[*number].0.clone(),
                outcome,
                milliseconds: None,
            });
        }
        let steps = self.units.needs.iter().map(|(name, _)| name.clone()).collect();
        let whole = Prepared { steps, ..self.prepared.clone() };
        let verdict = match failure {
            Some(failure) => Err(failure),
            None if interrupted => Err(Failure::machine(CANCELLED)),
            None => executor::judge(&mut results, &whole),
        };
        let machine = self.setting.machine;
        let parts = self.setting.machinery.parts(machine)?;
        let lock = self.source.lock_text()?;
        let said = verdict.as_ref().err().filter(|why| why.is_of_machine()).map(ToString::to_string);
        let facts = Facts {
            graph: &self.source.text,
            graph_name: self.source.name.rsplit('/').next().unwrap_or_default(),
            lock: lock.as_deref(),
            prepared: &whole,
            image: None,
            units,
            machine,
            host,
            // Units in machines of their own see nothing of each other; those on the host share its kernel.
            carried_over: if machine == MachineName::Host {
                executor::carried_over(self.setting)
            } else {
                vec![]
            },
            arguments: vec![],
            qemu: machinery::version(&parts),
            parts: &parts,
            failure: said.as_deref(),
        };
        let (results, record) = executor::finish(&facts, results);
        Ok(Ended { plan, image: None, results, verdict, record })
    }
}

/// What came of one unit.
struct One {
    results: Results,
    /// Its outputs, if they stand.
    made: prebuilt::All,
    verdict: Result<(), Failure>,
    about: record::Unit,
    host: Option<record::Host>,
}
