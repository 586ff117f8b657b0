//! Variations: a step changed in exactly one thing, to see whether its outputs depend on it.
//!
//! Most change what a plan says of a step (`world`); some are carried out by the probe, a program that stands between the
//! step and its builder (crate `init`); some belong to the machine, and are only named here. All of them, and the subject
//! each is about, are in [`VARIATIONS`].

mod table;
mod world;

use crate::plan::{Bind, From, Step, World};
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
    Step(fn(&mut Step, &Own<'_>) -> bool),
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

/// What a derivation pins itself: such a variable is its business and is not varied.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
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

/// The step with these variations at once, run by the probe. `None` if one of them has no hold on it.
pub fn varied(step: &Step, set: &[&Variation], own: &Own<'_>, seed: u64) -> Option<Step> {
    let mut step = step.clone();
    // What the probe pins where nothing is varied.
    let pinned = ["random=1", "stack=1000", "cpus=1"].into_iter();
    let mut words: Vec<(&str, String)> =
        pinned.filter_map(|word| Some((word.split_once('=')?.0, word.to_owned()))).collect();
    for variation in set {
        match variation.change {
            Change::Step(change) => {
                let before = step.clone();
                if !change(&mut step, own) || step == before {
                    return None;
                }
            }
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
    step.world.push(World::Bind(Bind { path: path.to_owned(), from, inside: None }));
    let builder = std::mem::replace(&mut step.builder, path.to_owned());
    words.insert(0, ("clock", format!("clock={:x}", step.clock)));
    let words = words.into_iter().map(|(_, word)| word);
    let head = std::iter::once("probe".to_owned()).chain(words).chain(["--".to_owned(), builder]);
    step.args = head.chain(std::mem::take(&mut step.args)).collect();
    Some(step)
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
    fn each_changes_something_and_no_two_the_same() {
        let (step, own) = (step(""), BTreeSet::new());
        let own = Own { env: &own };
        let mut seen = vec![varied(&step, &[], &own, 7).unwrap()];
        for variation in VARIATIONS {
            assert!(SUBJECTS.contains(&variation.subject), "{}", variation.name);
            assert_eq!(find(variation.name).map(|found| found.about), Some(variation.about));
            let changed = varied(&step, &[variation], &own, 7).unwrap();
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
        let try_one = |name: &str| varied(&step, &[find(name).unwrap()], &Own { env: &own }, 7);
        assert!(try_one("time-zone").is_none());
        assert!(try_one("date").is_some());
    }

    #[test]
    fn what_changes_nothing_is_not_varied() {
        let (step, own) = (Step { uid: 2345, ..step("") }, BTreeSet::new());
        let mut step = step;
        step.world.clear();
        let try_one = |name: &str| varied(&step, &[find(name).unwrap()], &Own { env: &own }, 7);
        assert!(try_one("user-id").is_none());
        assert!(try_one("undeclared-files").is_none());
        assert!(try_one("group-id").is_some());
    }

    #[test]
    fn a_variation_changes_its_own_lines_only() {
        let (step, own) = (step(""), BTreeSet::new());
        let own = Own { env: &own };
        let control = varied(&step, &[], &own, 7).unwrap();
        let date = varied(&step, &[find("date").unwrap()], &own, 7).unwrap();
        assert_eq!((&*control.args[1], &*date.args[1]), ("clock=5e0be100", "clock=6018fb87"));
        assert_eq!(Step { clock: control.clock, args: control.args.clone(), ..date }, control);
        let order = varied(&step, &[find("entries-shuffled").unwrap()], &own, 7).unwrap();
        let pinned = ["probe", "clock=5e0be100", "random=1", "stack=1000", "cpus=1", "dents=7", "--"];
        assert_eq!(order.args[..pinned.len()], pinned);
        assert_eq!(Step { args: control.args.clone(), ..order }, control);
    }
}
