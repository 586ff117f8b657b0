//! From a record back to a run: what has to be built again, and whether the same came of it.

use crate::args;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::executor::Ended;
use crate::run::record;
use crate::ui::term;
use formats::digest::Sha256;
use records::read::envelope::{decode, statement_of};
use records::read::{self, Claims};
use records::record::{Record, Text};
use records::verdict::{Party, Verdict, compare};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a record says that is needed to build again, and to tell whether the same came of it.
pub struct Replay {
    /// The graph and its lock, out of the record; files beside the graph are looked for in the folder that was named.
    pub source: Source,
    /// The choices that were made, and what happens after a failure.
    pub choices: args::Choices,
    claims: Claims,
    image: Option<Sha256>,
    init: Option<Sha256>,
    /// The run took outputs over from another, and its plan and image are of the rest.
    rest: bool,
}

impl Replay {
    /// Reads a record of ours, in an envelope or plain. Whether it is signed is for `verify` to say.
    pub fn read(path: &Path, folder: Option<&Path>, drv: &args::Drv) -> Result<Replay, Failure> {
        let shown = path.display();
        let wrong = |what: &dyn std::fmt::Display| {
            Failure::help(
                format!("--from {shown}: {what}"),
                "name a record that `groundup run --record FILE` wrote",
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let claims = read::read(text.as_bytes()).map_err(|error| wrong(&error))?;
        if claims.form != read::Form::Record {
            return Err(wrong(&format_args!("this is no record of a run ({})", claims.form.word())));
        }
        let statement = statement_of(&text).map_err(|error| wrong(&error))?;
        let record = Record::read(&statement).map_err(|error| wrong(&error))?;
        let external = &record.predicate.build_definition.external_parameters;
        let graph =
            content(&external.graph).map_err(|what| wrong(&format_args!("the graph in it {what}")))?;
        let lock = external.lock.as_ref().map(content).transpose();
        let lock = lock.map_err(|what| wrong(&format_args!("the lock file in it {what}")))?;
        let folder = folder.unwrap_or_else(|| crate::run::preflight::folder(path));
        // Its name must not lead out of the folder.
        let base = Path::new(&external.graph.name)
            .file_name()
            .ok_or_else(|| wrong(&"the graph in it has no name"))?;
        // A record says all: a lock file that lies beside it by chance is none of it.
        let lock = lock.unwrap_or_else(|| inputs::Lock::default().to_text());
        let at = folder.join(base);
        // What a derivation needs is in the folder, or where it is told.
        let loaded = match at.extension().is_some_and(|ending| ending == "drv") {
            true => Some(nix::read(&at, graph.clone().into_bytes(), drv)?.0),
            false => None,
        };
        let source = Source {
            name: base.to_string_lossy().into_owned(),
            text: graph,
            path: Some(at),
            lock: Some(lock),
            drv: loaded,
        };
        let choices = args::Choices {
            choose: external.choices.clone().into_iter().collect(),
            keep_going: external.failure.as_deref() == Some("continue"),
        };
        let (image, init, rest) =
            (record.byproduct("image"), record.component("init"), record.has_prebuilt());
        Ok(Replay { source, choices, claims, image, init, rest })
    }

    /// That the plan is the record's; if not, what is another.
    pub fn same_plan(&self, prepared: &Prepared) -> Result<(), Failure> {
        let plan = crate::hash(prepared.plan.as_bytes());
        if self.claims.plan.as_ref() == Some(&plan) {
            return Ok(());
        }
        let mut others = Vec::new();
        for (name, input) in &prepared.inputs {
            match self.claims.inputs.get(name) {
                Some(recorded) if *recorded == input.obtained.sha256.to_string() => {}
                Some(recorded) => {
                    others.push(format!("{name} was {recorded}, and now is {}", input.obtained.sha256));
                }
                None if self.rest => {}
                None => others.push(format!("{name} was not there")),
            }
        }
        if self.rest && others.is_empty() {
            term::note("the record's run took outputs over: its plan was of the rest, and all is built now");
            return Ok(());
        }
        let why = match others.is_empty() {
            true => {
                "its inputs are the same, so the record was altered, or another version of groundup wrote that plan".into()
            }
            false => others.join("; "),
        };
        let recorded = self.claims.plan.as_deref().unwrap_or("none");
        Err(Failure::Differs(format!("the plan is {plan}, and not the record's {recorded}: {why}")))
    }

    /// Says whether the image and the outputs are the record's, and why the image may be another.
    pub fn same_results(&self, ended: &Ended, init: Sha256) -> Result<(), Failure> {
        if self.init.is_some_and(|recorded| recorded != init) {
            term::note("PID 1 is another than the record's, and so the image is, too");
        }
        let image = match (self.image, ended.image) {
            (_, None) => "an image for each step",
            (Some(recorded), Some(image)) if recorded == image => "the same image",
            (Some(_), Some(_)) if !self.rest => "another image",
            _ => "an image of all",
        };
        let here = read::read(record::json(&ended.record).to_string().as_bytes()).map_err(Failure::input)?;
        let party = |name: &str, claims: &Claims| Party { name: name.into(), claims: vec![claims.clone()] };
        let parties = [party("record", &self.claims), party("here", &here)];
        let mut counts: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
        for output in compare(&parties, &BTreeSet::new(), 2) {
            counts.entry(output.verdict).or_default().push(output.name);
        }
        let of = |verdict| counts.get(&verdict).map_or(&[][..], Vec::as_slice);
        let same = of(Verdict::Identical).len();
        term::note(&format!("as the record says: {} identical, {image}", term::count(same, "output")));
        let not = [of(Verdict::Differs), of(Verdict::Inconclusive)].concat();
        if not.is_empty() {
            Ok(())
        } else {
            Err(Failure::Differs(format!("not as the record says: {}", not.join(", "))))
        }
    }
}

/// The text in a record; the hash that it has must be that of the text.
fn content(text: &Text) -> Result<String, &'static str> {
    let bytes = decode(&text.content).ok_or("is no base64")?;
    if text.digest.sha256 != Sha256::of(&bytes) {
        return Err("does not have the hash that it should have");
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8")
}
