//! What was found out, for people and for programs.

mod html;
mod replay;
mod tell;
mod text;

use super::detail::Detail;
use super::history::Known;
use super::outcome::BuildOutcome;
use super::study::TrialResult;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub use html::html;
pub use tell::tell;
pub use text::text;

/// A report.
pub struct Report {
    /// The graph's name, as in the replay commands.
    pub graph: String,
    /// The machine.
    pub machine: String,
    /// The seed.
    pub seed: u64,
    /// The steps, in the plan's order.
    pub steps: Vec<StepReport>,
    /// Which step needs which, by number.
    pub edges: Vec<(usize, usize)>,
    /// The sets that were asked for by name.
    pub named: Vec<String>,
    /// Whether other versions of seeds were named.
    pub versions: bool,
    /// How many builds it took, without those that are only for others,
    pub builds: usize,
    /// in how many boots.
    pub boots: usize,
}

/// What the report says of a step.
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub state: State,
    /// What it makes when nothing is varied.
    pub control: Option<BuildOutcome>,
    /// What each variation did.
    pub cells: Vec<(String, TrialResult)>,
    /// Why it differs.
    pub causes: Vec<Cause>,
    /// The step that it inherits a difference from.
    pub inherits_from: Option<String>,
    /// Whether it differs from build to build although nothing is varied.
    pub noisy: bool,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// How many builds it took.
    pub builds: usize,
    /// What was known before, if it was not probed.
    pub known: Option<Known>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything there is was varied, and nothing changed it.
    Reproducible,
    /// Nothing that was varied changed it, and not everything was.
    Same,
    /// Something did.
    Differs,
    /// It differs where its inputs do.
    Inherits,
    /// It could not be built at all.
    Fails,
    /// It is not built where something is varied, and the same where something else is.
    Breaks,
    /// It was built once, for others.
    NotProbed,
}

/// Why a step differs.
pub struct Cause {
    /// The smallest set of variations.
    pub set: String,
    /// Their subjects.
    pub subjects: Vec<&'static str>,
    /// What is changed by them.
    pub about: Vec<&'static str>,
    /// The command that shows it.
    pub replay: String,
    /// Where.
    pub details: Vec<Detail>,
}

impl State {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            State::Reproducible => "reproducible",
            State::Same => "same in what was varied",
            State::Differs => "not reproducible",
            State::Inherits => "inherits a difference",
            State::Fails => "fails",
            State::Breaks => "fails where something is varied",
            State::NotProbed => "not probed",
        }
    }
}

impl TrialResult {
    /// In a word, and more about it.
    pub fn words(&self) -> (&'static str, &str) {
        match self {
            TrialResult::Same => ("same", ""),
            TrialResult::Differs => ("differs", ""),
            TrialResult::Failed(why) => ("failed", why),
            TrialResult::Follows(from) => ("follows", from),
            TrialResult::Not(why) => ("not varied", why),
            TrialResult::Once(how) => ("not shown again", how),
            TrialResult::Needless => ("not varied", "the first difference was asked for"),
        }
    }
}

impl Report {
    /// What the exit status must say: why not everything is as it was asked for. Empty if it is.
    pub fn failed(&self) -> String {
        let is_good =
            |step: &StepReport| matches!(step.state, State::Reproducible | State::Same | State::NotProbed);
        if !self.steps.iter().all(is_good) {
            return "not every step is reproducible".to_owned();
        }
        let open = self.unanswered();
        let names: BTreeSet<_> = open.iter().map(|(_, set, _)| *set).collect();
        let names: Vec<_> = names.into_iter().collect();
        match open.is_empty() {
            true => String::new(),
            false => format!("asked for by name, and not varied in every step: {}", names.join(", ")),
        }
    }

    /// What was asked for by name and could not be varied: step, set and reason.
    fn unanswered(&self) -> Vec<(&str, &str, &str)> {
        let cells = self.steps.iter().flat_map(|step| step.cells.iter().map(move |cell| (step, cell)));
        let named = cells.filter(|(_, (set, _))| self.named.contains(set));
        named
            .filter_map(|(step, (set, cell))| match cell {
                TrialResult::Not(why) => Some((step.name.as_str(), set.as_str(), why.as_str())),
                _ => None,
            })
            .collect()
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let detail = |detail: &Detail| {
            let bytes = detail.bytes.as_ref().map(|(offset, one, other)| {
                json!({ "offset": offset, "control": formats::hex::text(one), "varied": formats::hex::text(other) })
            });
            json!({
                "output": detail.output, "place": detail.place, "what": detail.what, "bytes": bytes, "found": detail.found,
            })
        };
        let cause = |cause: &Cause| {
            json!({
                "vary": cause.set, "subjects": cause.subjects, "about": cause.about, "replay": cause.replay,
                "differences": cause.details.iter().map(detail).collect::<Vec<_>>(),
            })
        };
        let step = |step: &StepReport| {
            let cells: serde_json::Map<_, _> = step
                .cells
                .iter()
                .map(|(name, cell)| {
                    let (word, more) = cell.words();
                    (name.clone(), json!({ "result": word, "more": more }))
                })
                .collect();
            let outputs = match &step.control {
                Some(BuildOutcome::Built(built)) => json!(built.outputs),
                Some(BuildOutcome::Failed(reason)) => json!({ "failed": reason }),
                None => Value::Null,
            };
            json!({
                "name": step.name, "state": step.state.words(), "outputs": outputs, "variations": cells,
                "causes": step.causes.iter().map(cause).collect::<Vec<_>>(), "inherits": step.inherits_from, "known": step.known,
                "noisy": step.noisy, "built": step.control.is_some(), "builds": step.builds, "notes": step.notes,
            })
        };
        json!({
            "graph": self.graph, "machine": self.machine, "seed": self.seed, "builds": self.builds, "boots": self.boots,
            "not_varied": self.unanswered().iter().map(|(step, set, why)| json!({ "step": step, "vary": set, "why": why })).collect::<Vec<_>>(),
            // In the machine: the image was packed for this question alone.
            "inputsVerified": false,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
        })
    }
}
