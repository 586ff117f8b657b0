//! Boots: any number of steps, each with its inputs as they were built once, on a machine that may be altered.

use super::scratch::Scratch;
use crate::args::{MachineName, Probe};
use crate::boot::Boot;
use crate::failure::Failure;
use crate::lane::Machinery;
use crate::prepare::Prepared;
use crate::results::{Outcome, Results};
use crate::{cancel, lane};
use graphs::plan::{From, Step, World};
use graphs::vary::{Alteration, PROBE};
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

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It made these.
    Built(Built),
    /// It failed, for this reason.
    Failed(String),
}

/// What a step made. How long it took makes no difference.
#[derive(Clone, Debug, Eq)]
pub struct Built {
    /// The sha256 of each output's NAR, by the output's name.
    pub outputs: BTreeMap<String, String>,
    /// How long that took by the machine's clock.
    pub milliseconds: u64,
}

impl PartialEq for Built {
    fn eq(&self, other: &Built) -> bool {
        self.outputs == other.outputs
    }
}

impl Came {
    /// The hashes of its outputs.
    pub fn outputs(&self) -> Option<&BTreeMap<String, String>> {
        if let Came::Built(built) = self { Some(&built.outputs) } else { None }
    }
}

/// What all boots have in common.
pub struct Lab<'a> {
    /// What was asked for.
    pub args: &'a Probe,
    /// The graph's inputs.
    pub prepared: &'a Prepared,
    /// QEMU and kernel.
    pub machinery: &'a Machinery,
    /// Outputs, by hash.
    pub scratch: &'a Scratch,
    /// The cache folder.
    pub cache: &'a Path,
    /// Whether to stop.
    pub cancel: &'a AtomicBool,
    /// The NAR hash of each output that was built once, by its base name.
    pub given: BTreeMap<String, String>,
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
    /// Runs steps of distinct names in one boot, and says what came of each. `each` is told which one begins.
    pub fn boot(
        &self,
        steps: &[Step],
        altered: &BTreeSet<Alteration>,
        stop: &AtomicBool,
        each: &dyn Fn(&str),
    ) -> Result<Vec<Came>, Failure> {
        let mut steps = steps.to_vec();
        let prepared = self.other.filter(|_| altered.contains(&Alteration::Seeds)).unwrap_or(self.prepared);
        let inputs = self.inputs(&mut steps, prepared)?;
        let resolved = inputs.iter().map(|(name, input)| (name.clone(), input.resolved.clone())).collect();
        let entropy = match altered.contains(&Alteration::Entropy) {
            true => crate::hash(format!("probe {}", self.args.seed).as_bytes()),
            false => graphs::plan::ENTROPY.to_owned(),
        };
        let plan = graphs::plan::script(&steps, &resolved, graphs::Failure::Continue, &entropy)
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
        let results = self.run(&machine, stop, each)?;
        steps.iter().map(|step| self.came(&machine, &results, &step.name)).collect()
    }

    fn run(
        &self,
        machine: &qemu::Machine,
        stop: &AtomicBool,
        each: &dyn Fn(&str),
    ) -> Result<Results, Failure> {
        let mut results = Results::default();
        let mut line = |line: Line| {
            if let Line::Event(event) = &line {
                if let qemu::Event::Step { name } = event {
                    each(name);
                }
                results.add(event);
            }
        };
        match qemu::run(machine, &mut line, stop) {
            Ok(_) => Ok(results),
            Err(qemu::Error::Cancelled) => Err(Failure::machine(cancel::SAID)),
            Err(error) => Err(Failure::machine(error)),
        }
    }

    /// More than any image takes: all inputs, all outputs that are given, the plan. The same for every boot, since a step can
    /// see how much memory there is.
    fn size(&self) -> u64 {
        let size =
            |prepared: &Prepared| prepared.inputs.values().map(|input| input.obtained.size).sum::<u64>();
        let inputs = size(self.prepared).max(self.other.map_or(0, size));
        let given: u64 = self.given.values().map(|sha256| self.scratch.size(sha256)).sum();
        inputs + given + 16 * MIB
    }

    /// Everything that the steps bind, with outputs of other steps turned into inputs.
    fn inputs(&self, steps: &mut [Step], prepared: &Prepared) -> Result<BTreeMap<String, Packed>, Failure> {
        let mut inputs = BTreeMap::new();
        for world in steps.iter_mut().flat_map(|step| &mut step.world) {
            let World::Bind(bind) = world else { continue };
            let name = match &bind.from {
                From::Input(name) => name.clone(),
                From::Output { base, .. } => format!("given+{base}"),
            };
            if !inputs.contains_key(&name) {
                let packed = match &bind.from {
                    From::Input(name) if name == PROBE.0 => self.probe()?,
                    From::Input(name) => prepared.inputs.get(name).map(|input| Packed {
                        resolved: Resolved::from(&input.obtained),
                        kind: match input.obtained.kind {
                            Kind::File => images::Kind::File,
                            Kind::Exec => images::Kind::Exec,
                            Kind::Tree => images::Kind::Tree,
                        },
                        path: input.obtained.path.clone(),
                    }),
                    From::Output { base, .. } => match self.given.get(base) {
                        Some(sha256) => Some(self.output(sha256)?),
                        None => None,
                    },
                };
                let missing =
                    || Failure::input(format!("`{name}` was not built, so nothing that needs it can be"));
                inputs.insert(name.clone(), packed.ok_or_else(missing)?);
            }
            bind.from = From::Input(name);
        }
        Ok(inputs)
    }

    /// Whether an input has another hash in the other versions.
    pub fn is_other(&self, input: &str) -> bool {
        let hash = |prepared: &Prepared| Some(prepared.inputs.get(input)?.obtained.sha256.clone());
        self.other.is_some_and(|other| hash(other) != hash(self.prepared))
    }

    fn probe(&self) -> Result<Option<Packed>, Failure> {
        let path = self.scratch.file("probe", images::PROBE)?;
        let sha256 = crate::hash(images::PROBE);
        Ok(Some(Packed { resolved: Resolved { kind: Kind::Exec, sha256 }, kind: images::Kind::Exec, path }))
    }

    fn output(&self, sha256: &str) -> Result<Packed, Failure> {
        let resolved = Resolved { kind: Kind::Tree, sha256: sha256.to_owned() };
        Ok(Packed { resolved, kind: images::Kind::Output, path: self.scratch.tree(sha256)? })
    }

    fn machine(&self, boot: &Boot, altered: &BTreeSet<Alteration>) -> Result<qemu::Machine, Failure> {
        let has = |alteration| altered.contains(&alteration);
        let kernel = self.machinery.kernel.as_ref().map(|kernel| &*kernel.path);
        let kernel = if has(Alteration::Kernel) { self.other_kernel } else { kernel };
        let (program, profile) = match self.args.machine {
            MachineName::Host => ("/proc/self/exe".into(), Profile::Host { perturbed: false }),
            _ => (self.args.tools.qemu.clone(), Profile::Strict),
        };
        let mut machine = boot.machine(kernel.unwrap_or(Path::new("")), profile)?;
        machine.program = program;
        let memory = self.args.memory.map_or_else(|| lane::memory(self.prepared, self.size()), Ok)?;
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

    fn came(&self, machine: &qemu::Machine, results: &Results, name: &str) -> Result<Came, Failure> {
        let step = results.steps.iter().find(|step| step.name == name);
        match step.map(|step| &step.outcome) {
            Some(Outcome::Built | Outcome::Given) => {}
            Some(Outcome::Failed(reason) | Outcome::Skipped(reason)) => {
                return Ok(Came::Failed(reason.clone()));
            }
            None => return Ok(Came::Failed("the machine ended before it".into())),
        }
        let mut outputs = BTreeMap::new();
        for output in results.outputs.iter().filter(|output| output.step == name) {
            if let (Place::At(offset), Some(region)) = (output.place, &machine.region) {
                self.scratch
                    .keep(&output.sha256, region.read(offset, output.size).map_err(Failure::machine)?)?;
            }
            outputs.insert(output.name.clone(), output.sha256.clone());
        }
        let milliseconds = step.and_then(|step| step.milliseconds).unwrap_or_default();
        Ok(Came::Built(Built { outputs, milliseconds }))
    }
}
