//! From a record back to a run: what has to be built again, and whether the same came of it.

use crate::args;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::executor::Ended;
use crate::ui::term;
use records::read::envelope::decode;
use records::read::{self, Claims, envelope::Envelope, json};
use records::verdict::{Party, Verdict, compare};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a record says that is needed to build again, and to tell whether the same came of it.
pub struct Again {
    /// The graph and its lock, out of the record; files beside the graph are looked for in the folder that was named.
    pub source: Source,
    /// The choices that were made, and what happens after a failure.
    pub choices: args::Choices,
    claims: Claims,
    image: Option<String>,
    init: Option<String>,
    /// The run took outputs over from another, and its plan and image are of the rest.
    rest: bool,
}

impl Again {
    /// Reads a record of ours, in an envelope or plain. Whether it is signed is for `verify` to say.
    pub fn read(path: &Path, folder: Option<&Path>, given: &args::Drv) -> Result<Again, Failure> {
        let shown = path.display();
        let wrong = |what: &dyn std::fmt::Display| {
            Failure::help(
                format!("--from {shown}: {what}"),
                "name a record that `groundup run --record FILE` wrote",
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let claims = read::read(text.as_bytes()).map_err(|error| wrong(&error))?;
        let value = json::parse(&text).map_err(|error| wrong(&error))?;
        let statement: Value = if value.get("payloadType").is_some() {
            let statement = Envelope::read(&text).and_then(|envelope| envelope.statement());
            let statement = statement.map_err(|error| wrong(&error))?;
            json::parse(&statement).map_err(|error| wrong(&error))?
        } else {
            value
        };
        if claims.form != read::Form::Record {
            return Err(wrong(&format_args!("this is no record of a run ({})", claims.form.word())));
        }
        let external = &statement["predicate"]["buildDefinition"]["externalParameters"];
        let graph =
            content(&external["graph"]).map_err(|what| wrong(&format_args!("the graph in it {what}")))?;
        let Some((name, graph)) = graph else { return Err(wrong(&"there is no graph in it")) };
        let lock =
            content(&external["lock"]).map_err(|what| wrong(&format_args!("the lock file in it {what}")))?;
        let folder = folder.unwrap_or_else(|| crate::run::preflight::folder(path));
        // Its name must not lead out of the folder.
        let base = Path::new(&name).file_name().ok_or_else(|| wrong(&"the graph in it has no name"))?;
        // A record says all: a lock file that lies beside it by chance is none of it.
        let lock = lock.map_or_else(|| inputs::Lock::default().to_text(), |(_, text)| text);
        let at = folder.join(base);
        // What a derivation needs is in the folder, or where it is told.
        let loaded = match at.extension().is_some_and(|ending| ending == "drv") {
            true => Some(nix::read(&at, graph.clone().into_bytes(), given)?.0),
            false => None,
        };
        let source = Source {
            name: base.to_string_lossy().into_owned(),
            text: graph,
            path: Some(at),
            lock: Some(lock),
            drv: loaded,
        };
        let taken = external["choices"].as_object().into_iter().flatten();
        let choose = taken.filter_map(|(choice, taken)| Some((choice.clone(), taken.as_str()?.to_owned())));
        let choices =
            args::Choices { choose: choose.collect(), keep_going: external["failure"] == "continue" };
        let digest = |list: &Value, name: &str| {
            let found = list.as_array().into_iter().flatten().find(|part| part["name"] == name);
            found.and_then(|part| part["digest"]["sha256"].as_str()).map(str::to_owned)
        };
        let details = &statement["predicate"]["runDetails"];
        let image = digest(&details["byproducts"], "image");
        let init = digest(&details["builder"]["builderDependencies"], "init");
        let inputs = &statement["predicate"]["buildDefinition"]["resolvedDependencies"];
        let mut inputs = inputs.as_array().into_iter().flatten();
        let rest = inputs.any(|input| input["annotations"]["role"] == "given");
        Ok(Again { source, choices, claims, image, init, rest })
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
        Err(Failure::Build(format!("the plan is {plan}, and not the record's {recorded}: {why}")))
    }

    /// Says whether the image and the outputs are the record's, and why the image may be another.
    pub fn same_results(&self, ended: &Ended, init: &str) -> Result<(), Failure> {
        if self.init.as_deref().is_some_and(|recorded| recorded != init) {
            term::note("PID 1 is another than the record's, and so the image is, too");
        }
        let image = match self.image.as_ref() == Some(&ended.image) {
            true => "the same image",
            false if self.rest => "an image of all",
            false => "another image",
        };
        let here = read::read(ended.record.to_string().as_bytes()).map_err(Failure::input)?;
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
            Err(Failure::Build(format!("not as the record says: {}", not.join(", "))))
        }
    }
}

/// Name and text of a resource descriptor with content; the hash that it has must be that of the text.
fn content(descriptor: &Value) -> Result<Option<(String, String)>, &'static str> {
    let Some(content) = descriptor["content"].as_str() else { return Ok(None) };
    let bytes = decode(content).ok_or("is no base64")?;
    if descriptor["digest"]["sha256"].as_str() != Some(&crate::hash(&bytes)) {
        return Err("does not have the hash that it should have");
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    Ok(Some((descriptor["name"].as_str().unwrap_or_default().to_owned(), text)))
}
