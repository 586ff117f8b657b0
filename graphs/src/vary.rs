//! Variations: a step changed in exactly one thing, to see whether its outputs depend on it.
//!
//! Most change what a plan says of a step (`world`); some are carried out by the probe, a program that stands between the
//! step and its builder (crate `shim`), or by footing itself, where that runs the step; some belong to the machine, and are only
//! named here. All of them, and the subject each is about, are in [`VARIATIONS`].

mod table;
mod world;

use crate::plan::{Bind, From, RootfsEntry, Step};
use formats::plan::VARIED;
use std::collections::BTreeSet;
pub use table::{SUBJECTS, VARIATIONS};

/// The input that holds the probe, and where steps see it.
pub const PROBE: (&str, &str) = ("groundup-probe", "/groundup-probe");

/// What the probe writes to the log of a step in which a program for 32 bits runs: it can't vary what such a program sees.
pub const LEFT_ALONE: &str = "groundup-probe: a program for 32 bits is left alone";

/// So much later than the step's clock is that of a machine that has one for itself: whatever time a program sets a file to, it
/// is none that the kernel sets. Programs that the probe leaves alone see it. Ten years.
pub const AWAY: u64 = 3652 * 24 * 3600;
/// A look at the clock takes 1.1 seconds more.
const TICK: &str = "tick=4190ab00";
/// Bytes of memory that footing shows more, and how many times as large blocks and file systems are with it.
const MORE_MEMORY: u64 = 200 << 20;
const LARGER: u64 = 4;

/// One thing that can be varied.
#[derive(Debug)]
pub struct Variation {
    /// Its name on the command line.
    pub name: &'static str,
    /// The subject that it is about: one of [`SUBJECTS`].
    pub subject: &'static str,
    /// What is changed, from what to what.
    pub about: &'static str,
    /// How.
    pub change: Change,
}

/// By name.
impl PartialEq for Variation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Variation {
    /// Whether the probe alone carries it out; `shared` is a machine whose clock is the host's.
    pub fn is_probes(&self, shared: bool) -> bool {
        let of_clock = self.name == "date" || self.alteration() == Some(Alteration::Tick);
        matches!(self.change, Change::Probe(_)) || shared && of_clock
    }
}

/// How something is varied.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// By what the plan says. `false` if the step gives no hold for it.
    Step(fn(&mut Step, &PinnedEnv<'_>) -> bool),
    /// By the probe, told this word; `{}` stands for a seed in hex.
    Probe(&'static str),
    /// By the machine.
    Machine(Alteration),
}

/// What a machine can have otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alteration {
    /// Another model, with more features.
    Cpu,
    /// Another seed for the kernel's random numbers.
    Entropy,
    /// Another board and chip set.
    Board,
    /// More memory.
    Memory,
    /// Instructions that take longer, so that timers fire elsewhere.
    Tick,
    /// Addresses drawn at random.
    Layout,
    /// Another kernel.
    Kernel,
    /// Seeds that float, in the versions of another lock file.
    Seeds,
}

/// Who carries out what a plan has no other lines for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A program between the step and its builder.
    Shim,
    /// The kernel that answers the step's calls; it can also draw addresses, and say how much memory there is.
    Footing,
}

/// What a derivation pins itself: such a variable is its business and is not varied.
#[derive(Clone, Copy, Debug)]
pub struct PinnedEnv<'a> {
    /// Names of variables.
    pub env: &'a BTreeSet<String>,
}

/// The variation of a name.
pub fn find(name: &str) -> Option<&'static Variation> {
    VARIATIONS.iter().find(|variation| variation.name == name)
}

impl Variation {
    /// What two variations that can't be had at once have in common.
    pub fn slot(&self) -> &'static str {
        match (self.change, self.name) {
            (Change::Probe(word), _) => word.split_once('=').map_or(word, |(name, _)| name),
            (_, "umask-002" | "umask-077") => "umask",
            (_, "encoding" | "locale") => "locale",
            (_, name) => name,
        }
    }

    /// Whether builds often take another way with it, on which what else is varied can't be seen.
    pub fn hides(&self) -> bool {
        ["uname", "undeclared-files"].contains(&self.name)
    }

    /// What of the machine it alters.
    pub fn alteration(&self) -> Option<Alteration> {
        if let Change::Machine(alteration) = self.change { Some(alteration) } else { None }
    }
}

/// The step with what of these variations changes its own lines. `None` if one of them has no hold on it.
fn changed(step: &Step, set: &[&Variation], own: &PinnedEnv<'_>) -> Option<Step> {
    let mut step = step.clone();
    for variation in set {
        if let Change::Step(change) = variation.change {
            let before = step.clone();
            if !change(&mut step, own) || step == before {
                return None;
            }
        }
    }
    Some(step)
}

/// The step with these variations at once. `None` if one of them has no hold on it.
pub fn varied(
    step: &Step,
    set: &[&Variation],
    own: &PinnedEnv<'_>,
    seed: u64,
    carrier: Carrier,
) -> Option<Step> {
    let step = changed(step, set, own)?;
    Some(match carrier {
        Carrier::Shim => by_shim(step, set, seed),
        Carrier::Footing => by_footing(step, set, seed),
    })
}

/// The step whose other variations footing carries out.
fn by_footing(mut step: Step, set: &[&Variation], seed: u64) -> Step {
    // A plan's numbers have 63 bits, and an order drawn from 0 would be none.
    let seed = (seed & (u64::MAX >> 1)).max(1);
    let number = |value: &str| if value == "{}" { seed } else { u64::from_str_radix(value, 16).unwrap_or(0) };
    // As it is pinned by the shim: no variable of the environment moves it.
    step.vary.insert("stack", 0);
    // As the shim's clock: what moves the number of calls does not move the clock.
    step.vary.insert("look", 1000);
    for variation in set {
        let (name, value) = match variation.change {
            Change::Step(_) => continue,
            Change::Probe("dents=reversed") => ("entries", 0),
            Change::Probe(word) => match word.split_once('=').unwrap_or((word, "")) {
                ("dents", value) => ("entries", number(value)),
                ("schedule", value) => ("order", number(value)),
                ("sizes", _) => ("sizes", LARGER),
                (name, value) => (name, number(value)),
            },
            Change::Machine(Alteration::Layout) => ("layout", seed),
            Change::Machine(Alteration::Memory) => ("memory", MORE_MEMORY),
            Change::Machine(Alteration::Tick) => ("tick", number(TICK.trim_start_matches("tick="))),
            Change::Machine(_) => continue,
        };
        if let Some(name) = VARIED.iter().find(|known| **known == name) {
            step.vary.insert(name, value);
        }
    }
    step
}

/// The step whose other variations the shim carries out.
fn by_shim(mut step: Step, set: &[&Variation], seed: u64) -> Step {
    // What the probe pins where nothing is varied.
    let pinned = ["random=1", "stack=1000", "cpus=1"].into_iter();
    let mut words: Vec<(&str, String)> =
        pinned.filter_map(|word| Some((word.split_once('=')?.0, word.to_owned()))).collect();
    for variation in set {
        match variation.change {
            Change::Step(_) => {}
            Change::Probe(word) => {
                let name = word.split_once('=').map_or(word, |(name, _)| name);
                words.retain(|(known, _)| *known != name);
                words.push((name, word.replace("{}", &format!("{seed:x}"))));
            }
            Change::Machine(Alteration::Layout) => step.personality &= !world::NO_RANDOMIZE,
            // The step's clock is the probe's, also where instructions take longer.
            Change::Machine(Alteration::Tick) => words.push(("tick", TICK.to_owned())),
            Change::Machine(_) => {}
        }
    }
    let (input, path) = PROBE;
    let from = From::Input(input.to_owned());
    step.world.push(RootfsEntry::Bind(Bind { path: path.to_owned(), from, inside: None }));
    let builder = std::mem::replace(&mut step.builder, path.to_owned());
    words.insert(0, ("clock", format!("clock={:x}", step.clock)));
    let words = words.into_iter().map(|(_, word)| word);
    let head = std::iter::once("probe".to_owned()).chain(words).chain(["--".to_owned(), builder]);
    step.args = head.chain(std::mem::take(&mut step.args)).collect();
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Choices;

    fn step(env: &str) -> Step {
        let text =
            format!("(derivations: {{\"a\": (builder: \"/store/b/c\", env: {{{env}}})}}, targets: [\"a\"])");
        let graph = crate::read("x", &text).unwrap();
        crate::steps(&graph, &Choices::defaults(&graph)).unwrap().next().unwrap().unwrap()
    }

    #[test]
    fn footing_varies_all_but_the_machine() {
        let (step, own) = (step(""), BTreeSet::new());
        let own = PinnedEnv { env: &own };
        let varied = |set: &[&Variation]| varied(&step, set, &own, 1 << 63 | 7, Carrier::Footing).unwrap();
        let mut seen = vec![varied(&[])];
        assert_eq!(seen[0], Step { vary: [("stack", 0), ("look", 1000)].into(), ..step.clone() });
        for variation in VARIATIONS {
            use Alteration::{Board, Cpu, Entropy, Kernel, Seeds};
            if let Change::Machine(Board | Cpu | Entropy | Kernel | Seeds) = variation.change {
                continue;
            }
            let changed = varied(&[variation]);
            assert!(!seen.contains(&changed), "{}", variation.name);
            seen.push(changed);
        }
        // Each word has its name in the plan.
        let all: BTreeSet<&str> = seen.iter().flat_map(|step| step.vary.keys().copied()).collect();
        assert_eq!(all, VARIED.iter().copied().collect());
        assert!(seen.iter().flat_map(|step| step.vary.values()).all(|&value| value < 1 << 63));
    }

    #[test]
    fn each_changes_something_and_no_two_the_same() {
        let (step, own) = (step(""), BTreeSet::new());
        let own = PinnedEnv { env: &own };
        let mut seen = vec![varied(&step, &[], &own, 7, Carrier::Shim).unwrap()];
        for variation in VARIATIONS {
            assert!(SUBJECTS.contains(&variation.subject), "{}", variation.name);
            assert_eq!(find(variation.name).map(|found| found.about), Some(variation.about));
            let changed = varied(&step, &[variation], &own, 7, Carrier::Shim).unwrap();
            match variation.change {
                Change::Machine(alteration)
                    if !matches!(alteration, Alteration::Layout | Alteration::Tick) =>
                {
                    assert_eq!(changed, seen[0])
                }
                _ => {
                    assert!(!seen.contains(&changed), "{}", variation.name);
                    seen.push(changed);
                }
            }
        }
    }

    #[test]
    fn what_a_derivation_pins_is_not_varied() {
        let step = step("\"TZ\": \"UTC\"");
        let own = BTreeSet::from(["TZ".to_owned()]);
        let try_one =
            |name: &str| varied(&step, &[find(name).unwrap()], &PinnedEnv { env: &own }, 7, Carrier::Shim);
        assert!(try_one("time-zone").is_none());
        assert!(try_one("date").is_some());
    }

    #[test]
    fn what_changes_nothing_is_not_varied() {
        let (step, own) = (Step { uid: 2345, ..step("") }, BTreeSet::new());
        let mut step = step;
        step.world.clear();
        let try_one =
            |name: &str| varied(&step, &[find(name).unwrap()], &PinnedEnv { env: &own }, 7, Carrier::Shim);
        assert!(try_one("user-id").is_none());
        assert!(try_one("undeclared-files").is_none());
        assert!(try_one("group-id").is_some());
    }

    #[test]
    fn a_variation_changes_its_own_lines_only() {
        let (step, own) = (step(""), BTreeSet::new());
        let own = PinnedEnv { env: &own };
        let control = varied(&step, &[], &own, 7, Carrier::Shim).unwrap();
        let date = varied(&step, &[find("date").unwrap()], &own, 7, Carrier::Shim).unwrap();
        assert_eq!((&*control.args[1], &*date.args[1]), ("clock=5e0be100", "clock=6018fb87"));
        assert_eq!(Step { clock: control.clock, args: control.args.clone(), ..date }, control);
        let order = varied(&step, &[find("entries-shuffled").unwrap()], &own, 7, Carrier::Shim).unwrap();
        let pinned = ["probe", "clock=5e0be100", "random=1", "stack=1000", "cpus=1", "dents=7", "--"];
        assert_eq!(order.args[..pinned.len()], pinned);
        assert_eq!(Step { args: control.args.clone(), ..order }, control);
    }
}
