//! The record: a statement of what was built from what, on what, with which hashes, complete enough to build again, and
//! written when a build fails too.
//!
//! An in-toto Statement v1 with SLSA provenance v1. It holds no date, user, path or host name: two runs that agree write
//! the same bytes, but for what tells their machines apart.
//! Sources: in-toto's `spec/v1/statement.md`, <https://slsa.dev/spec/v1.0/provenance>.

use crate::args::MachineName;
use crate::audit::tcb::{self, Part};
use crate::commands::image;
use crate::failure::Failure;
use crate::run::preflight::folder;
use crate::run::results::{Output, Results};
use records::read::envelope::encode;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;

/// What a record is made of, beside the results.
pub struct Facts<'a> {
    /// The graph's text.
    pub graph: &'a str,
    /// The graph's name: the last component of its path.
    pub graph_name: &'a str,
    /// The text of its lock file, if it has one.
    pub lock: Option<&'a str>,
    /// Everything that the image was made of.
    pub prepared: &'a crate::prepare::Prepared,
    /// The image's sha256.
    pub image: &'a str,
    /// The machine.
    pub machine: MachineName,
    /// What the host machine could not pin.
    pub host: Option<Value>,
    /// What a step can see of what ran before it.
    pub carried_over: Vec<&'static str>,
    /// The machine's arguments, without paths of the host.
    pub arguments: Value,
    /// What QEMU says it is.
    pub qemu: &'a str,
    /// Programs and firmware.
    pub parts: &'a [Part],
    /// Why the machine failed, if it did.
    pub failure: Option<&'a str>,
}

/// The statement.
pub fn record(facts: &Facts<'_>, results: &Results) -> Value {
    let subject: Vec<_> = results
        .outputs
        .iter()
        .map(|output| {
            json!({
                "name": output.name,
                "digest": { "sha256": output.sha256 },
                "mediaType": "application/x-nix-nar",
                "annotations": annotations(facts, output),
            })
        })
        .collect();
    let choices: serde_json::Map<_, _> =
        facts.prepared.choices.iter().map(|(choice, taken)| (choice.into(), taken.into())).collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:groundup:plan:1",
                "externalParameters": {
                    "graph": text(facts.graph_name, facts.graph),
                    "lock": facts.lock.map(|lock| text("lock", lock)),
                    "choices": choices,
                    "failure": failure_mode(&facts.prepared.plan),
                    "targets": facts.prepared.graph.targets,
                },
                "internalParameters": internal(facts),
                "resolvedDependencies": dependencies(facts),
            },
            "runDetails": {
                "builder": {
                    "id": format!("urn:groundup:machine:{}", facts.machine.word()),
                    "version": { "groundup": env!("CARGO_PKG_VERSION"), "qemu": facts.qemu },
                    "builderDependencies": tcb::descriptors(facts.parts),
                },
                "byproducts": byproducts(facts, results),
            },
        },
    })
}

/// Writes a record where an option says.
pub fn write(option: &str, path: &Path, record: &Value) -> Result<(), Failure> {
    keep(path, record).map_err(|error| Failure::input(format!("{option} {}: {error}", path.display())))
}

/// Writes a record, in one go if it becomes a file: who reads it finds the one of before or this one, and all of it.
pub fn keep(path: &Path, record: &Value) -> io::Result<()> {
    let text = format!("{record:#}\n");
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return std::fs::write(path, text);
    }
    // Where a link leads is where it is to be.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::Builder::new().permissions(image::mode()).tempfile_in(folder(&path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// A text, whole: who has the record needs no other copy.
fn text(name: &str, text: &str) -> Value {
    let (sha256, content) = (crate::hash(text.as_bytes()), encode(text.as_bytes()));
    json!({ "name": name, "digest": { "sha256": sha256 }, "mediaType": "text/plain", "content": content })
}

/// What the plan says of the steps after a failure, `stop` or `continue`.
fn failure_mode(plan: &str) -> Option<&str> {
    plan.lines().find_map(|line| line.strip_prefix("failure "))
}

fn internal(facts: &Facts<'_>) -> Value {
    let mut internal = json!({
        "machine": facts.machine.word(), "arguments": facts.arguments, "carriedOver": facts.carried_over,
    });
    if let Some(host) = &facts.host {
        internal["host"] = host.clone();
    }
    internal
}

fn annotations(facts: &Facts<'_>, output: &Output) -> Value {
    let mut annotations = json!({
        "size": output.size,
        "step": output.step,
        "stepKey": facts.prepared.keys.get(&output.step),
        "machine": output.machine.as_deref().unwrap_or(facts.machine.word()),
    });
    if let Some(imported) = &facts.prepared.imported {
        let path = |name: &String| format!("{}/{name}", imported.store);
        annotations["storePath"] = path(&output.name).into();
        annotations["narHash"] = format!("sha256:{}", output.sha256.nix32()).into();
        annotations["narSize"] = output.size.into();
        annotations["references"] = output.references.iter().map(path).collect();
    }
    annotations
}

fn dependencies(facts: &Facts<'_>) -> Vec<Value> {
    let plan = json!({ "name": "plan", "digest": { "sha256": crate::hash(facts.prepared.plan.as_bytes()) } });
    let inputs = facts.prepared.inputs.iter().map(|(name, input)| {
        let files: Vec<_> = input
            .obtained
            .files
            .iter()
            .map(|file| json!({ "name": file.name, "version": file.version, "sha256": file.sha256, "size": file.size }))
            .collect();
        json!({
            "name": name,
            "digest": { "sha256": input.obtained.sha256 },
            "annotations": {
                "role": tcb::role(input.role),
                "kind": input.obtained.kind.word(),
                "size": input.obtained.size,
                "storePath": input.store_path,
                "trust": input.trust,
                "files": files,
            },
        })
    });
    let given = facts.prepared.given.iter().map(|(name, given)| {
        let annotations =
            json!({ "role": "given", "size": given.size, "step": given.step, "machine": given.machine });
        json!({ "name": name, "digest": { "sha256": given.sha256 }, "annotations": annotations })
    });
    std::iter::once(plan).chain(inputs).chain(given).collect()
}

fn byproducts(facts: &Facts<'_>, results: &Results) -> Vec<Value> {
    let bad: Vec<_> =
        results.bad_inputs.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect();
    let mut report =
        json!({ "steps": results.steps_as_json(), "badInputs": bad, "machineFailure": facts.failure });
    if !results.unverified.is_empty() {
        report["unverifiedInputs"] = json!(results.unverified);
    }
    vec![
        json!({ "name": "image", "digest": { "sha256": facts.image } }),
        json!({
            "name": "report",
            "digest": { "sha256": crate::hash(report.to_string().as_bytes()) },
            "annotations": report,
        }),
    ]
}
