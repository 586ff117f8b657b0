//! Boots what is asked of steps, side by side, and gathers the answers.

use super::lab::Lab;
use super::outcome::BuildOutcome;
use super::select::{Set, name};
use super::subject::Subject;
use crate::args::MachineName;
use crate::failure::Failure;
use crate::run::budget::{Budget, side_by_side};
use crate::run::executor;
use graphs::plan::Step;
use graphs::vary::{AWAY, Alteration, Carrier, Change, PinnedEnv, Variation, varied};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Boots that what changes no machine is split into at most, and builds that a boot is worth. The same on every host, as a step
/// may be able to see what was built before it.
const BOOTS: usize = 8;
const WORTH: usize = 16;
/// The same where the first difference ends it.
const FEW: usize = 6;
/// A step that takes so many times as long as when nothing is varied, and so many seconds more, hangs.
const LONGER: u64 = 20;
const MORE: u64 = 10;

/// One build in a boot.
#[derive(Clone)]
pub struct Trial {
    /// The number of the step.
    pub subject: usize,
    /// What is varied.
    pub set: Set,
    /// What is drawn is drawn from this.
    pub seed: u64,
}

/// An answer, or why there is none.
pub type Answer = Result<BuildOutcome, String>;

/// What was asked of each step, and its answers.
pub type Answers = Vec<Vec<(Trial, Answer)>>;

/// Whether an answer leaves no question about its step.
pub type IsEnough<'a> = dyn Fn(&Trial, &Answer) -> bool + Sync + 'a;

/// Who asks.
pub struct Prober<'a> {
    /// What the boots have in common.
    pub lab: &'a Lab<'a>,
    /// The steps.
    pub subjects: &'a [Subject],
    /// Is called with what is being varied.
    pub say: &'a (dyn Fn(&str) + Sync),
    /// How long each step takes when nothing is varied, in milliseconds, once that is known.
    pub usual: Vec<Option<u64>>,
    /// Builds and boots so far.
    pub counts: &'a Counts,
}

/// What it took.
#[derive(Default)]
pub struct Counts {
    /// Builds.
    pub builds: AtomicUsize,
    /// Boots of a machine.
    pub boots: AtomicUsize,
}

impl Prober<'_> {
    /// As many as can be in a boot.
    pub fn grouped(&self, asks: Vec<Trial>) -> Vec<Vec<Trial>> {
        let mut groups: BTreeMap<BTreeSet<Alteration>, Vec<Trial>> = BTreeMap::new();
        for ask in asks {
            let altered = ask.set.iter().filter_map(|variation| variation.alteration()).collect();
            groups.entry(altered).or_default().push(ask);
        }
        let mut boots = Vec::new();
        for (altered, group) in groups {
            let share = match altered.is_empty() {
                true if self.lab.args.first => FEW * self.subjects.len(),
                true => group.len().div_ceil(BOOTS).max(WORTH),
                false => group.len(),
            };
            let mut boot: Vec<Trial> = Vec::new();
            for ask in group {
                if boot.len() >= share {
                    boots.push(std::mem::take(&mut boot));
                }
                boot.push(ask);
            }
            boots.push(boot);
        }
        boots
    }

    /// The answers by subject, in the order of the boots. Once every step is among those that the answers so far leave no
    /// question about, as `is_enough` has it, the boots after that are cancelled and what they found does not count: which
    /// those are does not depend on how fast each was.
    pub fn answer(
        &self,
        boots: Vec<Vec<Trial>>,
        is_enough: Option<&IsEnough<'_>>,
    ) -> Result<Answers, Failure> {
        let mut room = Budget::of_host();
        room.lanes = self.lab.args.jobs.map_or(room.lanes, usize::from);
        let sizes = self.lab.prepared.inputs.values().map(|input| input.obtained.size).sum();
        let memory = self.lab.args.memory.unwrap_or_else(|| executor::memory(self.lab.prepared, sizes));
        let needs = vec![memory; boots.len()];
        let stop: Vec<AtomicBool> = boots.iter().map(|_| AtomicBool::new(false)).collect();
        let done: Mutex<Done> = Mutex::default();
        let last = AtomicUsize::new(boots.len());
        let over = AtomicBool::new(false);
        let job = |number: usize| {
            let came = self.boot(&boots[number], &stop[number]);
            let mut done = done.lock().unwrap_or_else(|poison| poison.into_inner());
            done.insert(number, came);
            let Some(is_enough) = is_enough else { return };
            if let Some(enough) = decided(&done, &boots, self.subjects.len(), is_enough) {
                last.fetch_min(enough + 1, Ordering::SeqCst);
                stop[enough + 1..].iter().for_each(|stop| stop.store(true, Ordering::SeqCst));
            }
        };
        thread::scope(|scope| {
            // A signal stops all of them.
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    if self.lab.cancel.load(Ordering::Relaxed) {
                        stop.iter().for_each(|stop| stop.store(true, Ordering::SeqCst));
                    }
                    thread::sleep(Duration::from_millis(10));
                }
            });
            let ended = Over(&over);
            side_by_side(&needs, room, job);
            drop(ended);
        });
        let done = done.into_inner().unwrap_or_else(|poison| poison.into_inner());
        let mut answers: Answers = self.subjects.iter().map(|_| vec![]).collect();
        for ((_, came), boot) in done.into_iter().zip(boots).take(last.into_inner()) {
            let (came, builds) = came?;
            self.counts.builds.fetch_add(builds, Ordering::SeqCst);
            self.counts.boots.fetch_add(usize::from(builds > 0), Ordering::SeqCst);
            for (ask, came) in boot.into_iter().zip(came) {
                answers[ask.subject].push((ask, came));
            }
        }
        Ok(answers)
    }

    /// One boot: its answers, and how many builds these took.
    pub fn boot(&self, asks: &[Trial], stop: &AtomicBool) -> Result<(Vec<Answer>, usize), Failure> {
        if stop.load(Ordering::SeqCst) {
            return Err(Failure::machine(crate::failure::CANCELLED));
        }
        let altered: BTreeSet<_> =
            asks.iter().flat_map(|ask| &ask.set).filter_map(|variation| variation.alteration()).collect();
        let mut steps = Vec::new();
        let mut answers: Vec<Result<usize, String>> = Vec::new();
        for (number, ask) in asks.iter().enumerate() {
            answers.push(self.step(number, ask).map(|step| {
                steps.push(step);
                steps.len() - 1
            }));
        }
        let came = match steps.is_empty() {
            true => Ok(vec![]),
            false => self.lab.boot(&steps, &altered, stop, &|step| (self.say)(step)),
        };
        let came = match came {
            Ok(came) => came,
            // A machine that can't be had is no answer; one that nobody altered must be there.
            Err(Failure::Machine(why) | Failure::Host(why))
                if !altered.is_empty() && why != crate::failure::CANCELLED =>
            {
                let why = why.lines().next().unwrap_or_default().to_owned();
                return Ok((
                    asks.iter().map(|_| Err(format!("the machine does not run: {why}"))).collect(),
                    0,
                ));
            }
            Err(failure) => return Err(failure),
        };
        let answer = |at: usize| came.get(at).cloned().ok_or_else(|| "not run".to_owned());
        Ok((answers.into_iter().map(|at| at.and_then(answer)).collect(), steps.len()))
    }

    /// The step that is asked for, or why it can't be had.
    pub(super) fn step(&self, number: usize, ask: &Trial) -> Result<Step, String> {
        if let Some(why) = ask.set.iter().find_map(|variation| self.refusal(variation, ask.subject)) {
            return Err(why);
        }
        let subject = &self.subjects[ask.subject];
        let own = PinnedEnv { env: &subject.own };
        let carrier = if self.lab.has_footing() { Carrier::Footing } else { Carrier::Shim };
        let step = varied(&subject.step, &ask.set, &own, drawn(ask.seed), carrier);
        let mut step =
            step.ok_or_else(|| "the derivation itself says what it is, or has nothing of it".to_owned())?;
        let what = if ask.set.len() > 2 { "together".to_owned() } else { name(&ask.set) };
        if carrier == Carrier::Shim {
            step.clock += AWAY;
        }
        step.name = format!("{number}.{}", what.replace(['/', ' '], "_"));
        // An expected hash would turn a difference into a failure.
        step.outputs.iter_mut().for_each(|output| output.expect = None);
        if let Some(usual) = self.usual[ask.subject] {
            step.time_limit = step.time_limit.min(usual.div_ceil(1000) * LONGER + MORE);
        }
        Ok(step)
    }

    /// Why something can't be varied for this step in this machine.
    fn refusal(&self, variation: &Variation, subject: usize) -> Option<String> {
        let machine = self.lab.args.machine;
        let (host, native) = (machine == MachineName::Host, machine == MachineName::Native);
        match variation.change {
            Change::Machine(Alteration::Seeds) if self.lab.other.is_none() => {
                Some("no other versions were named with --other-lock".into())
            }
            Change::Machine(Alteration::Seeds) => {
                let inputs = self.subjects[subject].step.inputs();
                let same = |name: &&str| !self.lab.is_other(name);
                inputs
                    .into_iter()
                    .all(|name| same(&name))
                    .then(|| "it has no seed whose version differs".into())
            }
            Change::Machine(Alteration::Kernel) if native => {
                Some("not in native, whose kernel is footing".into())
            }
            Change::Machine(Alteration::Board | Alteration::Cpu) if native => {
                Some("not in native, which runs on this processor".into())
            }
            Change::Machine(Alteration::Kernel) if self.lab.other_kernel.is_none() && !host => {
                Some("there is no other kernel: `groundup kernel debian` or `minimal` obtains one".into())
            }
            Change::Machine(Alteration::Layout) if host && !draws_addresses() => {
                Some("not in host, whose kernel draws no addresses at random".into())
            }
            Change::Machine(Alteration::Layout | Alteration::Tick) if host => None,
            Change::Machine(_) if host => Some("not in host, which is this machine".into()),
            _ => None,
        }
    }
}

/// Whether the host's kernel lays out programs at random where that is asked for. Source: proc_sys_kernel(5).
fn draws_addresses() -> bool {
    std::fs::read_to_string("/proc/sys/kernel/randomize_va_space").is_ok_and(|text| text.trim() != "0")
}

/// What came of boots, by number.
type Done = BTreeMap<usize, Result<(Vec<Answer>, usize), Failure>>;

/// Ends what watches, also where a lane panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The first boot with which all before it leave no question about any step.
fn decided(done: &Done, boots: &[Vec<Trial>], subjects: usize, is_enough: &IsEnough<'_>) -> Option<usize> {
    let mut open: BTreeSet<usize> = (0..subjects).collect();
    for (number, boot) in boots.iter().enumerate() {
        let Some(Ok((answers, _))) = done.get(&number) else { return None };
        for (ask, answer) in boot.iter().zip(answers) {
            if is_enough(ask, answer) {
                open.remove(&ask.subject);
            }
        }
        if open.is_empty() {
            return Some(number);
        }
    }
    None
}

/// A number for the probe that is not the one it has where nothing is varied.
fn drawn(seed: u64) -> u64 {
    (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63
}
