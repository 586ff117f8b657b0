//! Our record of a run: one model, written and read by the same types.
//!
//! An in-toto Statement v1 with SLSA provenance v1. [`crate::read`] takes claims out of it as out of any statement; what runs
//! again or goes on with a run reads this model.
//! Sources: in-toto's `spec/v1/statement.md`, <https://slsa.dev/spec/v1.0/provenance>.

mod materials;

pub use materials::{About, BuiltFrom, Component, Dependency, Digest, File, Origin, Text};

use formats::digest::Sha256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `_type` of a statement.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";
/// `predicateType` of a record.
pub const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// `buildType` of a record.
pub const BUILD_TYPE: &str = "urn:groundup:plan:1";
/// `mediaType` of an output: its digest is that of its NAR.
pub const NAR: &str = "application/x-nix-nar";

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The outputs, those of failed steps too.
    pub subject: Vec<Subject>,
    /// [`PREDICATE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What was built from what, on what.
    pub predicate: Predicate,
}

/// The predicate of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// What was asked for.
    pub build_definition: BuildDefinition,
    /// What ran it, and what came of it.
    pub run_details: RunDetails,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// [`BUILD_TYPE`].
    pub build_type: String,
    /// What the caller chose.
    pub external_parameters: External,
    /// What the machine adds.
    pub internal_parameters: Internal,
    /// The plan and its inputs.
    pub resolved_dependencies: Vec<Dependency>,
}

/// What the caller chose: enough to build again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct External {
    /// The graph's text.
    pub graph: Text,
    /// The text of its lock file, if it has one.
    pub lock: Option<Text>,
    /// The alternative taken for each choice.
    pub choices: BTreeMap<String, String>,
    /// What follows a failed step: `stop` or `continue`.
    pub failure: Option<String>,
    /// The outputs that were asked for; empty means all.
    pub targets: Vec<String>,
}

/// What the machine adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Internal {
    /// The machine's name.
    pub machine: String,
    /// The machine's arguments, without paths of the host.
    pub arguments: Vec<String>,
    /// What a step can see of what ran before it.
    pub carried_over: Vec<String>,
    /// What a machine that runs on the host's processor has of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// How the machine `auto` came to its results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<Auto>,
    /// The steps that were run as units of their own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, Unit>,
}

/// A step that was run as a unit of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// SHA-256 of all that its outputs follow from: its plan with the hashes of its inputs, and what the machine is made of. Only on
    /// a machine that is deterministic, and one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sha256>,
    /// SHA-256 of its plan.
    pub plan: Sha256,
    /// It was not built now: its outputs are those of an earlier run, out of the cache.
    pub taken: bool,
}

/// The host, as far as a step can notice it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// What its kernel says it is: name, release, version, architecture.
    pub kernel: String,
    /// What the machine could not pin.
    pub unpinned: Vec<String>,
}

/// How the machine `auto` came to its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Auto {
    /// SHA-256 of the plan of the run on `native`.
    pub plan: Sha256,
    /// SHA-256 of its image.
    pub image: Option<Sha256>,
    /// By name the steps that were tried there and not built, with the reason.
    pub not_on_native: BTreeMap<String, String>,
    /// The host of that run.
    pub host: Option<Host>,
}

/// What ran a build, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// What ran it.
    pub builder: Builder,
    /// What came of it beside the outputs.
    pub byproducts: Vec<Byproduct>,
}

/// What ran a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// `urn:groundup:machine:` and the machine's name.
    pub id: String,
    /// Versions of groundup and QEMU.
    pub version: BTreeMap<String, String>,
    /// Programs and firmware that are trusted.
    pub builder_dependencies: Vec<Component>,
}

/// What came of a build beside the outputs: `image` with the image's hash, and `report` with the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Byproduct {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Report>,
}

/// What came of the steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Each step that was tried or skipped.
    pub steps: Vec<Step>,
    /// Inputs that were not what the plan says.
    pub bad_inputs: Vec<BadInput>,
    /// Why the machine failed, if it did.
    pub machine_failure: Option<String>,
    /// Inputs whose hashes the machine did not check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified_inputs: Vec<String>,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its name.
    pub name: String,
    /// `built`, `failed`, `skipped` or `given`: taken over.
    pub outcome: String,
    /// Why it failed or was skipped.
    pub reason: Option<String>,
    /// How long it took by the machine's clock.
    pub milliseconds: Option<u64>,
    /// How many system calls it made, where the machine counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// A fingerprint of all of them with their results: 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// System calls that it asked for and footing does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_calls: Vec<String>,
    /// What it printed, which may be kept beside the record; nothing for a step that was not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
}

/// What a step printed: its lines as the console shows them, each with a line break.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Of all of it.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
}

/// An input that was not what the plan says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BadInput {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// SHA-256 of its NAR.
    pub digest: Digest,
    /// [`NAR`].
    pub media_type: String,
    /// More about it.
    pub annotations: Made,
}

/// How an output was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// Bytes of its NAR.
    pub size: u64,
    /// The step that made it.
    pub step: String,
    /// The key of that step.
    pub step_key: Option<Sha256>,
    /// The machine that ran that step.
    pub machine: String,
    /// What Nix and Guix say of it.
    #[serde(flatten)]
    pub store: Option<StorePath>,
}

/// An output as Nix and Guix speak of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorePath {
    /// Its path.
    pub store_path: String,
    /// `sha256:` and the digest of its NAR in base 32.
    pub nar_hash: String,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// The paths that it refers to.
    pub references: Vec<String>,
}

impl Record {
    /// Reads a record. An object with a key that comes twice is refused.
    ///
    /// # Errors
    /// Text that is no JSON, and JSON that is no record of ours.
    pub fn read(text: &str) -> Result<Record, serde_json::Error> {
        serde_json::from_value(crate::read::json::parse(text)?)
    }

    /// What came of the steps.
    pub fn report(&self) -> Option<&Report> {
        self.predicate.run_details.byproducts.iter().find_map(|product| product.annotations.as_ref())
    }

    /// The SHA-256 of a by-product, such as `image`.
    pub fn byproduct(&self, name: &str) -> Option<Sha256> {
        let products = &self.predicate.run_details.byproducts;
        products.iter().find(|product| product.name == name).map(|product| product.digest.sha256)
    }

    /// The SHA-256 of a trusted component, such as `init`.
    pub fn component(&self, name: &str) -> Option<Sha256> {
        let parts = &self.predicate.run_details.builder.builder_dependencies;
        parts.iter().find(|part| part.name == name).map(|part| part.digest.sha256)
    }

    /// Whether outputs of earlier runs were taken over.
    pub fn has_prebuilt(&self) -> bool {
        let origins = self.predicate.build_definition.resolved_dependencies.iter();
        origins.filter_map(|one| one.annotations.as_ref()).any(|one| matches!(one, Origin::Prebuilt { .. }))
    }

    /// What the machine could not pin.
    pub fn unpinned(&self) -> &[String] {
        let host = self.predicate.build_definition.internal_parameters.host.as_ref();
        host.map_or(&[], |host| &host.unpinned)
    }
}
