//! in-toto statements: ours, with all that they tell of a run, and others', of which the subjects are understood.
//! Sources: in-toto's `spec/v1/statement.md` and `digest_set.md`; <https://slsa.dev/spec/v1.0/provenance>.

use super::claims::{Claims, Form, Method, Of, Output};
use super::{Error, json};
use formats::nix_hash;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
const BUILD_TYPE: &str = "urn:groundup:plan:1";
const NAR: &str = "application/x-nix-nar";

/// Predicates by which somebody says that they built the subjects. Whatever else there is says something of them: that they were
/// looked at (a verification summary, also one that says PASSED), scanned, listed, or never built.
const BUILDS: [&str; 6] = [
    "https://slsa.dev/provenance/v1",
    "https://slsa.dev/provenance/v0.2",
    "https://slsa.dev/provenance/v0.1",
    "https://in-toto.io/Provenance/v0.1",
    "https://in-toto.io/attestation/link/v0.3",
    "https://in-toto.io/Link/v1",
];

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(default, rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
    #[serde(default, rename = "mediaType")]
    media_type: Option<String>,
    #[serde(default)]
    annotations: Value,
}

/// Reads a statement.
pub fn read(text: &str) -> Result<Claims, Error> {
    let statement: Statement =
        json::parse(text).and_then(|_| serde_json::from_str(text)).map_err(|error| Error::json(&error))?;
    if !TYPES.contains(&statement.kind.as_str()) {
        return Err(Error::new("_type", format_args!("{:?} is no statement of in-toto", statement.kind)));
    }
    let definition = &statement.predicate["buildDefinition"];
    let builds = BUILDS.contains(&statement.predicate_type.as_str());
    let ours = builds && definition["buildType"] == BUILD_TYPE;
    let mut claims = Claims::new(if ours { Form::Record } else { Form::Statement });
    claims.no_build = (!builds).then(|| no_build(&statement));
    let taken = taken(&statement.predicate["runDetails"]["byproducts"]);
    for (number, subject) in statement.subject.into_iter().enumerate() {
        let place = format!("subject[{number}]");
        // It is another run's, which would count twice.
        if ours && subject.annotations["step"].as_str().is_some_and(|step| taken.contains(step)) {
            continue;
        }
        let (name, output) = subject.output(&place)?;
        claims.add(&place, name, output)?;
    }
    let parts = &statement.predicate["runDetails"]["builder"]["builderDependencies"];
    for dependency in each(&definition["resolvedDependencies"]).chain(each(parts)) {
        let (Some(name), Some(sha256)) =
            (dependency["name"].as_str(), dependency["digest"]["sha256"].as_str())
        else {
            continue;
        };
        if ours && name == "plan" && claims.plan.is_none() {
            claims.plan = Some(sha256.to_ascii_lowercase());
        } else {
            claims.inputs.insert(name.into(), sha256.to_ascii_lowercase());
        }
    }
    if ours {
        claims.failures = failures(&statement.predicate["runDetails"]["byproducts"]);
    }
    if claims.outputs.is_empty() && !ours {
        return Err(Error::new("subject", "the statement names no output"));
    }
    Ok(claims)
}

/// What a statement says that claims no build.
fn no_build(statement: &Statement) -> String {
    let said = statement.predicate["verificationResult"].as_str();
    match (statement.predicate_type.as_str(), said) {
        ("", _) => "it has no predicateType, and so says nothing of its subjects".into(),
        (kind, Some(result)) => format!("it is a verification ({kind}: {result}), and claims no build"),
        (kind, None) => format!("its predicate is {kind:?}, which claims no build"),
    }
}

impl Subject {
    fn output(self, place: &str) -> Result<(String, Output), Error> {
        let of = if self.media_type.as_deref() == Some(NAR) { Of::Nar } else { Of::File };
        let name = self.annotations["storePath"].as_str().map_or(self.name, str::to_owned);
        if name.is_empty() {
            return Err(Error::new(place, "it has no name"));
        }
        let mut digests = BTreeMap::new();
        for (algorithm, hex) in self.digest {
            if algorithm == "sha256" && nix_hash::hex(&hex, 64).is_none() {
                return Err(Error::new(format_args!("{place}.digest"), format_args!("{hex:?} is no sha256")));
            }
            digests.insert(Method { of, algorithm }, hex.to_ascii_lowercase());
        }
        if digests.is_empty() {
            return Err(Error::new(place, "it has no digest"));
        }
        Ok((name, Output { digests, size: self.annotations["size"].as_u64() }))
    }
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The steps of a record that were not built by its run: their outputs came out of a cache.
fn taken(byproducts: &Value) -> BTreeSet<String> {
    let steps = each(byproducts).flat_map(|product| each(&product["annotations"]["steps"]));
    let taken = steps.filter(|step| step["outcome"] == "taken");
    taken.filter_map(|step| step["name"].as_str().map(str::to_owned)).collect()
}

/// What our records tell beside the outputs: the steps that have none, inputs that were not what the plan says, and a machine
/// that failed.
fn failures(byproducts: &Value) -> BTreeMap<String, String> {
    let mut failures = BTreeMap::new();
    for report in each(byproducts).filter(|product| product["name"] == "report") {
        let report = &report["annotations"];
        let mut add = |name: &Value, how: &str, why: &Value| {
            let (name, why) =
                (name.as_str().unwrap_or_default(), why.as_str().unwrap_or("no reason recorded"));
            failures.insert(name.to_owned(), format!("{how}: {why}"));
        };
        for step in each(&report["steps"]).filter(|step| step["outcome"] != "built") {
            add(&step["name"], step["outcome"].as_str().unwrap_or("not built"), &step["reason"]);
        }
        each(&report["badInputs"]).for_each(|input| add(&input["name"], "bad input", &input["reason"]));
        if report["machineFailure"].is_string() {
            add(&Value::from("machine"), "failed", &report["machineFailure"]);
        }
    }
    failures
}
