//! One unit: a prepared graph or a part of it, built once on one machine, and what came of it.

use crate::args::{self, MachineName};
use crate::audit::tcb;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::boot::Boot;
use crate::run::logs::Logs;
use crate::run::machinery::{Machinery, version};
use crate::run::outputs;
use crate::run::outputs::Out;
use crate::run::record::{self, Facts, record};
use crate::run::results::{Outcome, Output, Results};
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use qemu::{Event, Line, Profile};
use records::record::{Host, Record};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;
/// Room for outputs on their way where nobody says how much, in MiB.
pub const EXPORT: u64 = 1024;
/// For the kernel, PID 1 and page tables, in MiB.
const MARGIN: u64 = 192;
/// Less than this, in MiB, and the kernel says nothing.
const LEAST: u64 = 96;
/// The record is kept up to date after every step, unless writing it takes longer than this: then that may take one part in so many
/// of a run's time.
const CHEAP: Duration = Duration::from_millis(20);
const SHARE: u32 = 10;
/// What a record says that was kept while the machine ran.
const UNFINISHED: &str = "the machine was still running when this was written";

/// How a lane is to be run.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// What runs the image.
    pub machine: MachineName,
    /// The programs that were asked for.
    pub tools: &'a args::Tools,
    /// What they turned out to be.
    pub machinery: &'a Machinery,
    /// CPUs of a fast machine.
    pub cpus: u32,
    /// The machine's memory in MiB, if it is not to be computed.
    pub memory: Option<u64>,
    /// In real time.
    pub time_limit: Duration,
    /// Where the console's bytes are kept.
    pub console: Option<&'a Path>,
    /// Where the outputs go.
    pub out: Option<Out<'a>>,
    /// Where the record is kept up to date while the machine runs, so that a run that is killed can be gone on with.
    pub record: Option<&'a Path>,
    /// The record beside which logs are kept.
    pub logs: Option<&'a Path>,
    /// The cache folder, which has room for the image and the outputs on their way.
    pub cache: &'a Path,
}

/// What came of a lane.
pub struct Ended {
    /// The plan's sha256.
    pub plan: Sha256,
    /// SHA-256 of the image; none where each step had an image of its own.
    pub image: Option<Sha256>,
    /// What PID 1 reported.
    pub results: Results,
    /// Whether every step was built, and why not.
    pub verdict: Result<(), Failure>,
    /// The record, which is there whatever came of it.
    pub record: Record,
}

/// The memory in MiB that a lane's machine needs where the image takes so many bytes of it, unless another is asked for.
pub fn memory(prepared: &Prepared, image: u64) -> u64 {
    image.saturating_add(prepared.memory).div_ceil(MIB).saturating_add(MARGIN)
}

/// The results with what was taken over, and the record of all.
pub(super) fn finish(facts: &Facts<'_>, mut results: Results) -> (Results, Record) {
    results.take_over(&facts.prepared.prebuilt, &facts.prepared.order);
    let record = record(facts, &results);
    (results, record)
}

/// Packs the image, runs it, takes the outputs, and writes down what came of it. An error is one that leaves nothing to
/// write down.
pub fn unit(
    source: &Source,
    prepared: &Prepared,
    setting: &Setting<'_>,
    running: &mut Running,
    cancel: &AtomicBool,
) -> Result<Ended, Failure> {
    let boot = Boot::pack(&prepared.image(), setting.cache, cancel)?;
    let image = &boot.written;
    let plan = Sha256::of(&prepared.plan);
    running.begin(&plan.to_string(), prepared, image);

    let machine = machine(setting, prepared, &boot)?;
    let parts = setting.machinery.parts(setting.machine)?;
    let with_script = prepared.script.as_ref().map(|script| tcb::with_script(&parts, script)).transpose()?;
    let parts = with_script.as_ref().unwrap_or(&parts);
    let version = version(parts);
    let lock = source.lock_text()?;
    let facts = |failure, notes: &str| Facts {
        graph: &source.text,
        graph_name: source.name.rsplit('/').next().unwrap_or_default(),
        lock: lock.as_deref(),
        prepared,
        image: Some(image.sha256),
        units: BTreeMap::new(),
        machine: setting.machine,
        host: host(setting.machine, notes),
        carried_over: carried_over(setting),
        arguments: arguments(&machine),
        qemu: version,
        parts,
        failure,
    };
    let mut taken = Ok(());
    let (mut kept, mut pause) = (Instant::now(), Duration::ZERO);
    let mut logs = Logs::beside(setting.logs);
    let mut each = |line: Line| {
        logs.line(&line, &mut running.results);
        running.line(&line);
        let Line::Event(Event::Built { name, .. } | Event::Failed { name, .. }) = &line else { return };
        let failed = matches!(line, Line::Event(Event::Failed { .. }));
        let result = take(setting.out, &machine, &mut running.results, prepared, (name, failed));
        if taken.is_ok() {
            taken = result;
        }
        if let Some(path) = setting.record
            && kept.elapsed() >= pause
        {
            let begun = Instant::now();
            // The last record, which tells everything, fails for the same reason, and then it is said.
            let (_, record) = finish(&facts(Some(UNFINISHED), ""), running.results.clone());
            let _ = record::keep(path, &record);
            kept = Instant::now();
            let cost = kept - begun;
            pause = if cost > CHEAP { cost * SHARE } else { Duration::ZERO };
        }
    };
    let ending = qemu::run(&machine, &mut each, cancel);
    running.finish();
    let mut results = std::mem::take(&mut running.results);
    let notes = ending.as_ref().map(|ending| ending.notes.clone()).unwrap_or_default();
    let verdict = match ending {
        Err(error) => Err(Failure::of_machine(error)),
        Ok(_) if results.plan.as_ref() != Some(&plan) => Err(Failure::machine(format!(
            "the machine ran another plan: {:?}",
            results.plan.map(|plan| plan.to_string())
        ))),
        Ok(_) => taken.and_then(|()| judge(&mut results, prepared)),
    };

    let said = verdict.as_ref().err().map(ToString::to_string);
    let failure = said.as_deref().filter(|_| verdict.as_ref().is_err_and(Failure::is_of_machine));
    let (results, record) = finish(&facts(failure, &notes), results);
    Ok(Ended { plan, image: Some(boot.written.sha256), results, verdict, record })
}

fn machine(setting: &Setting<'_>, prepared: &Prepared, boot: &Boot) -> Result<qemu::Machine, Failure> {
    let needed = memory(prepared, boot.footprint);
    let kernel = setting.machinery.kernel.as_ref().map(|kernel| kernel.path.clone()).unwrap_or_default();
    let (program, profile) = match setting.machine {
        // What `auto` is made of are the other two.
        MachineName::Strict | MachineName::Auto => (setting.tools.qemu.clone(), Profile::Strict),
        MachineName::Fast => {
            let kvm = setting.machinery.no_kvm.is_none();
            (setting.tools.qemu.clone(), Profile::Fast { kvm, cpus: setting.cpus })
        }
        MachineName::Host => {
            let held = setting.memory.is_some();
            ("/proc/self/exe".into(), Profile::Host { perturbed: false, held })
        }
        MachineName::Native => (footing_native::machine::program(), Profile::Native),
    };
    let mut machine = boot.machine(&kernel, profile)?;
    machine.program = program;
    machine.memory = setting.memory.unwrap_or(needed);
    let least = boot.footprint.div_ceil(MIB).saturating_add(LEAST);
    if machine.memory < least && setting.machine.has_qemu() {
        return Err(Failure::help(
            format!(
                "--memory {}: {} MiB too little to start: the kernel takes {LEAST} MiB, and the image {}",
                machine.memory,
                least - machine.memory,
                term::size(boot.footprint)
            ),
            &format!("the default, --memory {needed}, is enough for the image and the largest step"),
        ));
    }
    machine.time_limit = setting.time_limit;
    machine.transcript = setting.console.map(Path::to_owned);
    let judged = prepared.imported.iter().any(|imported| !imported.fixed.is_empty());
    if setting.out.is_some() || judged {
        let size = (setting.out.map_or(EXPORT, |out| out.export) * MIB).next_power_of_two();
        let region = qemu::Region::create(setting.cache, size).map_err(Failure::machine)?;
        if region.size() < size {
            let (folder, wanted) = (setting.cache.display(), term::size(size));
            let got = term::size(region.size());
            term::note(&format!("no room in {folder} for an export region of {wanted}: it has {got}"));
        }
        machine.region = Some(region);
    }
    Ok(machine)
}

/// What a step can see of what ran before it in the same boot.
pub(super) fn carried_over(setting: &Setting<'_>) -> Vec<&'static str> {
    if setting.machine == MachineName::Native {
        return vec![];
    }
    let mut all = qemu::machine::CARRIED_OVER.to_vec();
    let kernel = setting.machinery.kernel.as_ref().map_or("", |kernel| &kernel.about);
    if setting.machine != MachineName::Host && kernel == images::kernel::FOOTING {
        return vec![qemu::machine::CARRIED_OVER_FOOTING];
    }
    if setting.machine == MachineName::Host || !kernel.contains(" minimal,") {
        all.push(qemu::machine::CARRIED_OVER_RANDOM);
    }
    all
}

/// What a machine that is this program could not pin.
fn host(machine: MachineName, notes: &str) -> Option<Host> {
    let mut unpinned = match machine {
        MachineName::Host => host::UNPINNED.to_vec(),
        MachineName::Native => footing_native::machine::UNPINNED.to_vec(),
        _ => return None,
    };
    let more = [host::ONE_ID, host::SHARED_IDS, footing_native::machine::CPUID];
    unpinned.extend(more.into_iter().filter(|&note| notes.contains(note)));
    if machine == MachineName::Host {
        unpinned.extend((!notes.contains(host::HELD)).then_some(host::NOT_HELD));
    }
    let unpinned = unpinned.into_iter().map(str::to_owned).collect();
    Some(Host { kernel: host::kernel(), unpinned })
}

/// QEMU's arguments as a record may hold them: files stand in it by hash, not by where they were.
fn arguments(machine: &qemu::Machine) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let mut files = vec![(path(&machine.kernel), "KERNEL")];
    files.push((path(&machine.initrd), if machine.inputs.is_some() { "INITRD" } else { "IMAGE" }));
    // It stands in a list of options, where a comma is doubled.
    files.extend(machine.inputs.iter().map(|inputs| (path(&inputs.image).replace(',', ",,"), "IMAGE")));
    files.retain(|(path, _)| !path.is_empty());
    let word = |word: &std::ffi::OsString| {
        files.iter().fold(word.to_string_lossy().into_owned(), |word, (path, name)| word.replace(path, name))
    };
    machine.arguments().iter().map(word).collect()
}

/// Takes the outputs of a step out of the machine, those of one that failed to a place of their own. One that is not what its derivation
/// declares makes the step one that failed.
fn take(
    out: Option<Out<'_>>,
    machine: &qemu::Machine,
    results: &mut Results,
    prepared: &Prepared,
    (step, failed): (&str, bool),
) -> Result<(), Failure> {
    let Some(region) = &machine.region else { return Ok(()) };
    let outputs = results.outputs.iter().rev().take_while(|output| output.step == step);
    let fixed = |output: &Output| prepared.imported.as_ref()?.fixed.get(&output.name);
    let take = |output: &Output| {
        let fixed = fixed(output);
        if out.is_none() && fixed.is_none() {
            return Ok(());
        }
        let bytes = outputs::read(region, output)?;
        fixed.map_or(Ok(()), |fixed| nix::verdict::fixed(output, fixed, &bytes))?;
        out.map_or(Ok(()), |out| match failed {
            true => outputs::put(&bytes, &output.name, &out.folder.join(outputs::FAILED), out.nar),
            false => outputs::keep(out, prepared, output, &bytes),
        })
    };
    let taken: Vec<_> = outputs.map(|output| (output.name.clone(), take(output))).collect();
    for (output, result) in &taken {
        if let Err(Failure::Build(reason)) = result {
            results.refuse(output, reason);
        }
    }
    taken.into_iter().map(|(_, result)| result).fold(Ok(()), Result::and)
}

/// Whether every step was built, and every demand on the outputs is met.
pub(super) fn judge(results: &mut Results, prepared: &Prepared) -> Result<(), Failure> {
    let steps = &prepared.steps;
    let imported = prepared.imported.iter();
    let broken: Vec<_> = imported.flat_map(|imported| nix::verdict::broken(imported, results)).collect();
    if !broken.is_empty() {
        broken.iter().for_each(|(output, reason)| results.refuse(output, reason));
        let reasons: Vec<_> = broken.into_iter().map(|(_, reason)| reason).collect();
        return Err(Failure::Build(reasons.join("; ")));
    }
    if results.is_good(steps) {
        return Ok(());
    }
    let count = |is: fn(&Outcome) -> bool| results.steps.iter().filter(|step| is(&step.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let all = term::count(steps.len(), "step");
    Err(Failure::Build(format!("of {all}, {failed} failed, and {skipped} not tried")))
}
