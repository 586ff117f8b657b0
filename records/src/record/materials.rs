//! What a record names by hash: texts, inputs and trusted programs.

use formats::digest::Sha256;
use serde::{Deserialize, Serialize};

/// A text, whole: who has the record needs no other copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// Its file's name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// `text/plain`.
    pub media_type: String,
    /// Its bytes in base64.
    pub content: String,
}

/// Something that went into a run. Its digest is of the file, or of the NAR of what is no file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its SHA-256.
    pub digest: Digest,
    /// More about it; nothing for the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Origin>,
}

/// Where an input came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// An input of the graph.
    #[serde(rename_all = "camelCase")]
    Input {
        /// `seed` or `source`.
        role: String,
        /// Its kind of tree.
        kind: String,
        /// Bytes.
        size: u64,
        /// Its path in the store of Nix or Guix.
        store_path: Option<String>,
        /// Who vouches for its hash.
        trust: Option<String>,
        /// The files that it was made of.
        files: Vec<File>,
    },
    /// An output of an earlier run that was taken over.
    Prebuilt {
        /// `given`.
        role: String,
        /// Bytes of its NAR.
        size: u64,
        /// The step that made it.
        step: String,
        /// The machine that ran that step.
        machine: String,
    },
}

/// A file that an input was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A digest set of one digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The SHA-256.
    pub sha256: Sha256,
}

/// A program or firmware that is trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// What it is.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// More about it.
    pub annotations: About,
}

/// More about a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Such as its version.
    pub about: String,
    /// Bytes.
    pub size: u64,
    /// The graph that built it for this run, if one did.
    #[serde(rename = "builtFrom", default, skip_serializing_if = "Option::is_none")]
    pub built_from: Option<BuiltFrom>,
}

/// What a component came of that another graph built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuiltFrom {
    /// The graph's name: the last component of its path.
    pub graph: String,
    /// Of its text.
    pub graph_sha256: Sha256,
    /// Of its plan.
    pub plan_sha256: Sha256,
    /// The output.
    pub output: String,
    /// Of its NAR.
    pub output_sha256: Sha256,
    /// The component's file in it; none if the output is the file.
    pub file: Option<String>,
    /// The machine that built it.
    pub machine: String,
    /// It was taken from the cache, and not built for this run.
    pub from_cache: bool,
}
