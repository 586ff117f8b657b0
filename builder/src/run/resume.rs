//! `run --resume`: what an interrupted or failed run has left, by its record, as far as it still belongs to the graph.
//!
//! A step is taken over if its key is the recorded one, so that nothing it was made of has changed, and if all its outputs are
//! still there with their recorded hashes. Whatever else the graph says now is built.

use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::run::prebuilt::{self, Given};
use formats::digest::Sha256;
use formats::store_path::base;
use records::read::json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// What can be taken over, and what could not, each with its reason.
#[derive(Default)]
pub struct Resumed {
    /// By name.
    pub given: prebuilt::All,
    /// Why others are built again.
    pub lost: Vec<String>,
}

/// One output of a record.
struct Recorded {
    name: String,
    sha256: Sha256,
    size: u64,
    step: String,
    key: String,
    machine: String,
    references: Vec<String>,
}

/// Looks for the outputs of a record. No record means that there is nothing yet.
pub fn resume(record: &Path, out: &Path, prepared: &Prepared, scratch: &Path) -> Result<Resumed, Failure> {
    let text = match std::fs::read_to_string(record) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Resumed::default()),
        Err(error) => return Err(Failure::input(format!("--record {}: {error}", record.display()))),
    };
    let recorded = read(&text).ok_or_else(|| {
        let help = "name the record that the interrupted run wrote, or take that file away to begin anew";
        Failure::help(format!("--record {}: this is no record of a run to resume", record.display()), help)
    })?;
    let mut by_step: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
    recorded.iter().for_each(|output| by_step.entry(&output.step).or_default().push(output));
    let mut resumed = Resumed::default();
    for (step, outputs) in by_step {
        if prepared.keys.get(step).map(ToString::to_string).as_ref() != Some(&outputs[0].key) {
            resumed
                .lost
                .push(format!("{step}: the graph says something else of it, or of what it needs, now"));
            continue;
        }
        let found: Result<Vec<_>, String> = outputs
            .iter()
            .map(|output| {
                prebuilt::find(out, &output.name, output.sha256, scratch).map(|path| (output, path))
            })
            .collect();
        match found {
            Err(why) => resumed.lost.push(why),
            Ok(found) => resumed.given.extend(found.into_iter().map(|(output, path)| {
                let given = Given {
                    sha256: output.sha256,
                    size: output.size,
                    step: output.step.clone(),
                    machine: output.machine.clone(),
                    references: output.references.clone(),
                    path,
                };
                (output.name.clone(), given)
            })),
        }
    }
    Ok(resumed)
}

/// The outputs of the steps that were built.
fn read(text: &str) -> Option<Vec<Recorded>> {
    let record = json::parse(text).ok()?;
    let fallback = record.pointer("/predicate/buildDefinition/internalParameters/machine")?.as_str()?;
    let report = record.pointer("/predicate/runDetails/byproducts")?.as_array()?;
    let steps = report.iter().find_map(|part| part.pointer("/annotations/steps")?.as_array())?;
    let built = |name: &str| {
        let this = |step: &&Value| step["name"] == name;
        steps.iter().find(this).is_some_and(|step| step["outcome"] == "built" || step["outcome"] == "given")
    };
    let output = |subject: &Value| {
        let annotations = &subject["annotations"];
        let machine = annotations["machine"].as_str().unwrap_or(fallback);
        let references = annotations["references"].as_array().into_iter().flatten();
        Some(Recorded {
            name: subject["name"].as_str()?.to_owned(),
            sha256: Sha256::from_hex(subject["digest"]["sha256"].as_str()?)?,
            size: annotations["size"].as_u64()?,
            step: annotations["step"].as_str()?.to_owned(),
            key: annotations["stepKey"].as_str()?.to_owned(),
            machine: machine.to_owned(),
            references: references.filter_map(|path| Some(base(path.as_str()?).to_owned())).collect(),
        })
    };
    let outputs = record["subject"].as_array()?.iter().map(output).collect::<Option<Vec<_>>>()?;
    let safe = |output: &Recorded| formats::plan::is_name(output.name.as_bytes());
    outputs.iter().all(safe).then(|| outputs.into_iter().filter(|output| built(&output.step)).collect())
}
