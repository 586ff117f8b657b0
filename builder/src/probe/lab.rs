//! Boots: any number of steps, each with its inputs as they were built once, on a machine that may be altered.

use super::outcome::{BuildOutcome, Built};
use super::scratch::Scratch;
use crate::args::{MachineName, Probe};
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::run::boot::Boot;
use crate::run::executor;
use crate::run::machinery::Machinery;
use crate::run::results::{Outcome, Results};
use formats::digest::Sha256;
use graphs::plan::{Bind, From, RootfsEntry, Step};
use graphs::vary::{Alteration, LEFT_ALONE, PROBE};
use graphs::{Kind, Resolved};
use qemu::{Altered, Line, Place, Profile, Region};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const MIB: u64 = 1 << 20;
/// Room for outputs on their way, and the memory that an altered machine has more, in MiB.
const EXPORT: u64 = 1024;
const MORE: u64 = 200;

impl PartialEq for Built {
    fn eq(&self, other: &Built) -> bool {
        self.outputs == other.outputs
    }
}

/// What all boots have in common.
pub struct Lab<'a> {
    /// What was asked for.
    pub args: &'a Probe,
    /// The graph's inputs.
    pub prepared: &'a Prepared,
    /// All steps, in the plan's order.
    pub steps: &'a [Step],
    /// QEMU and kernel.
    pub machinery: &'a Machinery,
    /// Outputs, by hash.
    pub scratch: &'a Scratch,
    /// The cache folder.
    pub cache: &'a Path,
    /// Whether to stop.
    pub cancel: &'a AtomicBool,
    /// The NAR hash of each output that was built once, by its base name.
    pub prebuilt: BTreeMap<String, Sha256>,
    /// The base names that each of these refers to itself.
    pub references: BTreeMap<String, Vec<String>>,
    /// The inputs in other versions, if there are any.
    pub other: Option<&'a Prepared>,
    /// Another kernel, if there is one.
    pub other_kernel: Option<&'a Path>,
}

/// An input of the image.
struct Packed {
    resolved: Resolved,
    kind: images::Kind,
    path: PathBuf,
}

impl Lab<'_> {
    /// The same where these outputs are prebuilt, too, or instead of others.
    pub fn with(&self, made: &Built) -> Self {
        let (mut prebuilt, mut references) = (self.prebuilt.clone(), self.references.clone());
        prebuilt.extend(made.outputs.clone());
        references.extend(made.references.clone());
        Lab { prebuilt, references, ..*self }
    }

    /// The same where nothing is prebuilt but what this step needs, as if it alone were probed: how much there is of that can be seen
    /// by how much memory a machine has.
    pub fn alone(&self, step: &Step) -> Self {
        let mut needed: BTreeSet<&str> = step.steps().into_iter().collect();
        // Each stands before those that need it.
        for other in self.steps.iter().rev() {
            if needed.contains(other.name.as_str()) {
                needed.extend(other.steps());
            }
        }
        let outputs = self.steps.iter().filter(|other| needed.contains(other.name.as_str()));
        let outputs: BTreeSet<&str> =
            outputs.flat_map(|other| &other.outputs).map(|output| output.name.as_str()).collect();
        let (mut prebuilt, mut references) = (self.prebuilt.clone(), self.references.clone());
        prebuilt.retain(|name, _| outputs.contains(name.as_str()));
        references.retain(|name, _| outputs.contains(name.as_str()));
        Lab { prebuilt, references, ..*self }
    }

    /// Whether footing answers the steps' calls, and so varies what they see.
    pub fn has_footing(&self) -> bool {
        let kernel = self.machinery.kernel.as_ref();
        self.args.machine == MachineName::Native
            || self.args.machine == MachineName::Strict
                && kernel.is_some_and(|kernel| kernel.about == images::kernel::FOOTING)
    }

    /// Runs steps of distinct names in one boot, and says what came of each. `each` is called with the one that begins.
    pub fn boot(
        &self,
        steps: &[Step],
        altered: &BTreeSet<Alteration>,
        stop: &AtomicBool,
        each: &dyn Fn(&str),
    ) -> Result<Vec<BuildOutcome>, Failure> {
        let mut steps = steps.to_vec();
        let prepared = self.other.filter(|_| altered.contains(&Alteration::Seeds)).unwrap_or(self.prepared);
        let inputs = self.inputs(&mut steps, prepared)?;
        let resolved = inputs.iter().map(|(name, input)| (name.clone(), input.resolved.clone())).collect();
        let refers = inputs.keys().map(|name| (name.clone(), self.referred(name)));
        let refers = refers.filter(|(_, others)| !others.is_empty()).collect();
        let entropy = match altered.contains(&Alteration::Entropy) {
            true => crate::hash(format!("probe {}", self.args.seed).as_bytes()),
            false => graphs::plan::ENTROPY.to_owned(),
        };
        // The image is packed right here, and what is asked is whether builds differ.
        let (failure, asked) = (graphs::Failure::Continue, graphs::plan::Inputs::Unverified);
        let plan = graphs::plan::script(&steps, &resolved, &refers, failure, &entropy, asked)
            .map_err(Failure::input)?;
        let input = |(name, input): (&String, &Packed)| images::Input {
            name: name.clone(),
            kind: input.kind,
            path: input.path.clone(),
        };
        let inputs = inputs.iter().map(input).collect();
        let image = images::Image { init: images::INIT, shell: None, plan: plan.as_bytes(), inputs };
        let boot = Boot::pack(&image, self.cache, stop)?;
        let machine = self.machine(&boot, altered)?;
        let (results, alone) = self.run(&machine, stop, each)?;
        let came = |step: &Step| self.came(&machine, &results, &step.name, alone.contains(&step.name));
        steps.iter().map(came).collect()
    }

    /// The results, and the steps in which a program was left alone.
    fn run(
        &self,
        machine: &qemu::Machine,
        stop: &AtomicBool,
        each: &dyn Fn(&str),
    ) -> Result<(Results, BTreeSet<String>), Failure> {
        let (mut results, mut alone, mut now) = (Results::default(), BTreeSet::new(), String::new());
        let mut line = |line: Line| {
            if matches!(&line, Line::Log(text) if text == LEFT_ALONE) {
                alone.insert(now.clone());
            }
            if let Line::Event(event) = &line {
                if let qemu::Event::Step { name } = event {
                    each(name);
                    now.clone_from(name);
                }
                results.add(event);
            }
        };
        match qemu::run(machine, &mut line, stop) {
            Ok(_) => Ok((results, alone)),
            Err(error) => Err(Failure::of_machine(error)),
        }
    }

    /// More than any image takes: all inputs, all prebuilt outputs, the plan. The same for every boot, since a step can
    /// see how much memory there is.
    fn size(&self) -> u64 {
        let size =
            |prepared: &Prepared| prepared.inputs.values().map(|input| input.obtained.size).sum::<u64>();
        let inputs = size(self.prepared).max(self.other.map_or(0, size));
        let prebuilt: u64 = self.prebuilt.values().map(|sha256| self.scratch.size(*sha256)).sum();
        inputs + prebuilt + 16 * MIB
    }

    /// Everything that the steps bind and what that refers to, with outputs of other steps turned into inputs.
    fn inputs(&self, steps: &mut [Step], prepared: &Prepared) -> Result<BTreeMap<String, Packed>, Failure> {
        let mut wanted = BTreeSet::new();
        for world in steps.iter_mut().flat_map(|step| &mut step.world) {
            let RootfsEntry::Bind(bind) = world else { continue };
            if let From::Output { base, .. } = &bind.from {
                bind.from = From::Input(base.clone());
            }
            let From::Input(name) = &bind.from else { continue };
            wanted.extend(self.referred(name));
            wanted.insert(name.clone());
        }
        wanted.into_iter().map(|name| Ok((name.clone(), self.input(name, prepared)?))).collect()
    }

    /// The base names of outputs that a step takes, with what these refer to.
    pub fn used(&self, step: &Step) -> BTreeSet<String> {
        let output = |world: &RootfsEntry| match world {
            RootfsEntry::Bind(Bind { from: From::Output { base, .. }, .. }) => Some(base.clone()),
            _ => None,
        };
        let bound: BTreeSet<String> = step.world.iter().filter_map(output).collect();
        let further: Vec<String> = bound.iter().flat_map(|base| self.referred(base)).collect();
        bound.into_iter().chain(further).collect()
    }

    fn input(&self, name: String, prepared: &Prepared) -> Result<Packed, Failure> {
        if name == PROBE.0 {
            return self.probe();
        }
        if let Some(sha256) = self.prebuilt.get(&name) {
            return self.output(*sha256);
        }
        let input = prepared.inputs.get(&name).ok_or_else(|| {
            Failure::input(format!("`{name}` was not built, so nothing that needs it can be"))
        })?;
        let resolved = Resolved::from(&input.obtained);
        Ok(Packed { resolved, kind: input.packed(), path: input.obtained.path.clone() })
    }

    /// The base names of all that something refers to, directly or not: nothing in a graph of our own.
    pub(super) fn referred(&self, name: &str) -> BTreeSet<String> {
        let Some(imported) = &self.prepared.imported else { return BTreeSet::new() };
        let (mut all, mut new) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(one) = new.pop() {
            let of_made = self.references.get(&one).into_iter().flatten();
            let of_given = imported.direct.get(&one).into_iter().flatten();
            for other in of_made.chain(of_given).filter(|other| *other != name) {
                if all.insert(other.clone()) {
                    new.push(other.clone());
                }
            }
        }
        all
    }

    /// Where an input, or an output that was built once, lies here.
    pub(super) fn place(&self, name: &str) -> Option<PathBuf> {
        if let Some(sha256) = self.prebuilt.get(name) {
            return self.scratch.tree(*sha256).ok();
        }
        Some(self.prepared.inputs.get(name)?.obtained.path.clone())
    }

    /// Whether an input has another hash in the other versions.
    pub fn is_other(&self, input: &str) -> bool {
        let hash = |prepared: &Prepared| Some(prepared.inputs.get(input)?.obtained.sha256);
        self.other.is_some_and(|other| hash(other) != hash(self.prepared))
    }

    fn probe(&self) -> Result<Packed, Failure> {
        let path = self.scratch.file("probe", images::PROBE)?;
        let sha256 = Sha256::of(images::PROBE);
        Ok(Packed { resolved: Resolved { kind: Kind::Exec, sha256 }, kind: images::Kind::Exec, path })
    }

    fn output(&self, sha256: Sha256) -> Result<Packed, Failure> {
        let resolved = Resolved { kind: Kind::Tree, sha256 };
        Ok(Packed { resolved, kind: images::Kind::Output, path: self.scratch.tree(sha256)? })
    }

    fn machine(&self, boot: &Boot, altered: &BTreeSet<Alteration>) -> Result<qemu::Machine, Failure> {
        let has = |alteration| altered.contains(&alteration);
        let kernel = self.machinery.kernel.as_ref().map(|kernel| &*kernel.path);
        let kernel = if has(Alteration::Kernel) { self.other_kernel } else { kernel };
        let (program, profile) = match self.args.machine {
            MachineName::Host => {
                let held = self.args.memory.is_some();
                ("/proc/self/exe".into(), Profile::Host { perturbed: false, held })
            }
            MachineName::Native => (footing_native::machine::program(), Profile::Native),
            _ => (self.args.tools.qemu.clone(), Profile::Strict),
        };
        let mut machine = boot.machine(kernel.unwrap_or(Path::new("")), profile)?;
        machine.program = program;
        let memory = self.args.memory.unwrap_or_else(|| executor::memory(self.prepared, self.size()));
        machine.memory = memory + if has(Alteration::Memory) { MORE } else { 0 };
        machine.shift += u8::from(has(Alteration::Tick));
        machine.altered = Altered {
            cpu: has(Alteration::Cpu),
            board: has(Alteration::Board),
            layout: has(Alteration::Layout),
        };
        machine.time_limit = Duration::from_secs(self.args.timeout);
        machine.region = Some(Region::create(self.cache, EXPORT * MIB).map_err(Failure::machine)?);
        Ok(machine)
    }

    fn came(
        &self,
        machine: &qemu::Machine,
        results: &Results,
        name: &str,
        left_alone: bool,
    ) -> Result<BuildOutcome, Failure> {
        let step = results.steps.iter().find(|step| step.name == name);
        match step.map(|step| &step.outcome) {
            Some(Outcome::Built | Outcome::Prebuilt) => {}
            Some(Outcome::Failed(reason) | Outcome::Skipped(reason)) => {
                return Ok(BuildOutcome::Failed(reason.clone()));
            }
            Some(Outcome::Taken) => return Ok(BuildOutcome::Failed("it was not built now".into())),
            None => return Ok(BuildOutcome::Failed("the machine ended before it".into())),
        }
        let (mut outputs, mut references) = (BTreeMap::new(), BTreeMap::new());
        for output in results.outputs.iter().filter(|output| output.step == name) {
            if let (Place::At(offset), Some(region)) = (output.place, &machine.region) {
                self.scratch
                    .keep(output.sha256, region.read(offset, output.size).map_err(Failure::machine)?)?;
            }
            outputs.insert(output.name.clone(), output.sha256);
            references.insert(output.name.clone(), output.references.clone());
        }
        let milliseconds = step.and_then(|step| step.milliseconds).unwrap_or_default();
        Ok(BuildOutcome::Built(Built { outputs, references, left_alone, milliseconds }))
    }
}
