//! The record: a statement of what was built from what, on what, with which hashes, complete enough to build again, and
//! written when a build fails too.
//!
//! [`records::record`] is its model. It holds no date, user, path or host name: two runs that agree write the same bytes,
//! but for what tells their machines apart.

use crate::args::MachineName;
use crate::audit::tcb::{self, Component};
use crate::failure::Failure;
use crate::run::pack;
use crate::run::preflight::folder;
use crate::run::results::{Output, Results};
use formats::digest::Sha256;
use records::read::envelope::encode;
use records::record::{
    self, BadInput, BuildDefinition, Builder, Byproduct, Dependency, Digest, External, File, Host, Internal,
    Made, Origin, Predicate, Record, Report, RunDetails, StorePath, Subject, Text,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
    /// SHA-256 of the image, if there was one for all.
    pub image: Option<Sha256>,
    /// The steps that were run as units of their own, by name.
    pub units: BTreeMap<String, record::Unit>,
    /// The machine.
    pub machine: MachineName,
    /// What a machine that runs on the host's processor has of it.
    pub host: Option<Host>,
    /// What a step can see of what ran before it.
    pub carried_over: Vec<&'static str>,
    /// The machine's arguments, without paths of the host.
    pub arguments: Vec<String>,
    /// What QEMU says it is.
    pub qemu: &'a str,
    /// Programs and firmware.
    pub parts: &'a [Component],
    /// Why the machine failed, if it did.
    pub failure: Option<&'a str>,
}

/// The statement.
pub fn record(facts: &Facts<'_>, results: &Results) -> Record {
    Record {
        kind: record::TYPE.into(),
        subject: results.outputs.iter().map(|output| subject(facts, output)).collect(),
        predicate_type: record::PREDICATE.into(),
        predicate: Predicate {
            build_definition: BuildDefinition {
                build_type: record::BUILD_TYPE.into(),
                external_parameters: External {
                    graph: text(facts.graph_name, facts.graph),
                    lock: facts.lock.map(|lock| text("lock", lock)),
                    choices: facts
                        .prepared
                        .choices
                        .iter()
                        .map(|(choice, taken)| (choice.into(), taken.into()))
                        .collect(),
                    failure: failure_mode(&facts.prepared.plan).map(str::to_owned),
                    targets: facts.prepared.graph.targets.clone(),
                },
                internal_parameters: Internal {
                    machine: facts.machine.word().into(),
                    arguments: facts.arguments.clone(),
                    carried_over: facts.carried_over.iter().copied().map(str::to_owned).collect(),
                    host: facts.host.clone(),
                    auto: None,
                    units: facts.units.clone(),
                },
                resolved_dependencies: dependencies(facts),
            },
            run_details: RunDetails {
                builder: Builder {
                    id: format!("urn:groundup:machine:{}", facts.machine.word()),
                    version: BTreeMap::from([
                        ("groundup".into(), env!("CARGO_PKG_VERSION").into()),
                        ("qemu".into(), facts.qemu.into()),
                    ]),
                    builder_dependencies: tcb::descriptors(facts.parts),
                },
                byproducts: byproducts(facts, results),
            },
        },
    }
}

/// Writes a record where an option says.
pub fn write(option: &str, path: &Path, record: &Record) -> Result<(), Failure> {
    keep(path, record).map_err(|error| Failure::input(format!("{option} {}: {error}", path.display())))
}

/// Writes a record, in one go if it becomes a file: who reads it finds the one of before or this one, and all of it.
pub fn keep(path: &Path, record: &Record) -> io::Result<()> {
    let text = format!("{:#}\n", json(record));
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return std::fs::write(path, text);
    }
    // Where a link leads is where it is to be.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::Builder::new().permissions(pack::mode()).tempfile_in(folder(&path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The record as JSON, its keys in alphabetical order.
pub fn json(record: &Record) -> Value {
    serde_json::to_value(record)
        .expect("a record has nothing but text, numbers, lists and maps with text as keys")
}

/// A text, whole.
fn text(name: &str, text: &str) -> Text {
    Text {
        name: name.into(),
        digest: Digest { sha256: Sha256::of(text) },
        media_type: "text/plain".into(),
        content: encode(text.as_bytes()),
    }
}

/// What the plan says of the steps after a failure, `stop` or `continue`.
fn failure_mode(plan: &str) -> Option<&str> {
    plan.lines().find_map(|line| line.strip_prefix("failure "))
}

fn subject(facts: &Facts<'_>, output: &Output) -> Subject {
    let store = facts.prepared.imported.as_ref().map(|imported| {
        let path = |name: &String| format!("{}/{name}", imported.store);
        StorePath {
            store_path: path(&output.name),
            nar_hash: format!("sha256:{}", output.sha256.nix32()),
            nar_size: output.size,
            references: output.references.iter().map(path).collect(),
        }
    });
    Subject {
        name: output.name.clone(),
        digest: Digest { sha256: output.sha256 },
        media_type: record::NAR.into(),
        annotations: Made {
            size: output.size,
            step: output.step.clone(),
            step_key: facts.prepared.keys.get(&output.step).copied(),
            machine: output.machine.as_deref().unwrap_or(facts.machine.word()).into(),
            store,
        },
    }
}

fn dependencies(facts: &Facts<'_>) -> Vec<Dependency> {
    let one = |name: &str, sha256, annotations| Dependency {
        name: name.into(),
        digest: Digest { sha256 },
        annotations,
    };
    let plan = one("plan", Sha256::of(&facts.prepared.plan), None);
    let inputs = facts.prepared.inputs.iter().map(|(name, input)| {
        let obtained = &input.obtained;
        let origin = Origin::Input {
            role: tcb::role(input.role).into(),
            kind: obtained.kind.word().into(),
            size: obtained.size,
            store_path: input.store_path.clone(),
            trust: input.trust.clone(),
            files: obtained.files.iter().map(file).collect(),
        };
        one(name, obtained.sha256, Some(origin))
    });
    let prebuilt = facts.prepared.prebuilt.iter().map(|(name, prebuilt)| {
        let origin = Origin::Prebuilt {
            role: "given".into(),
            size: prebuilt.size,
            step: prebuilt.step.clone(),
            machine: prebuilt.machine.clone(),
        };
        one(name, prebuilt.sha256, Some(origin))
    });
    std::iter::once(plan).chain(inputs).chain(prebuilt).collect()
}

fn file(file: &inputs::FetchedFile) -> File {
    File {
        name: file.name.clone(),
        version: file.version.clone(),
        sha256: file.sha256.clone(),
        size: file.size,
    }
}

fn byproducts(facts: &Facts<'_>, results: &Results) -> Vec<Byproduct> {
    let bad = |(name, reason): &(String, String)| BadInput { name: name.clone(), reason: reason.clone() };
    let report = Report {
        steps: results.steps_of_record(),
        bad_inputs: results.bad_inputs.iter().map(bad).collect(),
        machine_failure: facts.failure.map(str::to_owned),
        unverified_inputs: results.unverified.clone(),
    };
    let text = json!(report).to_string();
    let one = |name: &str, sha256, annotations| Byproduct {
        name: name.into(),
        digest: Digest { sha256 },
        annotations,
    };
    let image = facts.image.map(|image| one("image", image, None));
    image.into_iter().chain([one("report", Sha256::of(text), Some(report))]).collect()
}
