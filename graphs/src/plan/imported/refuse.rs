//! Derivations that are not built: those that Nix refuses, and those that ask for what no machine here has. Source:
//! `parsed-derivations.cc` and `derivation-goal.cc` in Nix's `src/libstore`.

use super::{checks, platform};
use crate::drv::{Closure, Derivation};
use crate::problem::Problem;
use serde_json::Value;

/// What Nix has by default, but for `kvm`, of which no machine here has anything.
const FEATURES: [&str; 3] = ["benchmark", "big-parallel", "nixos-test"];

const GIVE: &str = "give its output: --stop-at NAME, with the content from --inputs";
const TOO: &str = "Nix refuses it too";

/// The first reason why a derivation is not built, if there is one.
pub(super) fn refuse(closure: &Closure, path: &str, derivation: &Derivation) -> Result<(), Box<Problem>> {
    let result = machine(derivation).and_then(|()| match closure.store.as_str() {
        platform::GUIX_STORE => Ok(()),
        _ => nix(derivation),
    });
    result
        .and_then(|()| checks::wrong(closure, derivation).map_or(Ok(()), |what| Err((what, TOO))))
        .map_err(|(what, help)| Box::new(Problem::error(format!("{path}: {what}")).help(help)))
}

/// What is wrong, and what to do.
type Reason = (String, &'static str);

fn machine(derivation: &Derivation) -> Result<(), Reason> {
    let builder = &derivation.builder;
    if builder.starts_with("builtin:") {
        return Err((format!("its builder is the daemon's own {builder}"), GIVE));
    }
    if !matches!(derivation.platform.as_str(), "x86_64-linux" | "i686-linux") {
        let what =
            format!("it is to be built on {}, and machines here are x86_64-linux", derivation.platform);
        return Err((what, GIVE));
    }
    if !builder.starts_with('/') {
        return Err((format!("its builder, {builder}, is no absolute path"), GIVE));
    }
    Ok(())
}

fn nix(derivation: &Derivation) -> Result<(), Reason> {
    let attributes = attributes(derivation)?;
    let value = |name: &str| match &attributes {
        Some(attributes) => attributes.get(name).cloned(),
        None => Some(Value::from(derivation.env.get(name)?.as_str())),
    };
    match (value("__noChroot"), &attributes) {
        (Some(Value::Bool(false)) | None, _) => {}
        (Some(Value::String(text)), None) if text != "1" => {}
        (Some(Value::Bool(true) | Value::String(_)), _) => {
            let help = "Nix refuses it too where `sandbox` is true";
            return Err(("it asks for no sandbox (__noChroot)".into(), help));
        }
        _ => return Err(("__noChroot is no Boolean".into(), TOO)),
    }
    let words = |name: &str| match (value(name), &attributes) {
        (None, _) => Ok(vec![]),
        (Some(Value::String(text)), None) => Ok(text.split_whitespace().map(str::to_owned).collect()),
        (Some(value), _) => strings(&value).ok_or_else(|| (format!("{name} is no list of strings"), TOO)),
    };
    let features = words("requiredSystemFeatures")?;
    if let Some(feature) = features.iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
        return Err((format!("it needs the feature {feature}, which no machine here has"), GIVE));
    }
    match words("__impureHostDeps")?.first() {
        Some(path) => Err((format!("it asks for {path} of the host (__impureHostDeps)"), TOO)),
        None => Ok(()),
    }
}

/// The structured attributes, where there are any.
fn attributes(derivation: &Derivation) -> Result<Option<Value>, Reason> {
    let Some(text) = derivation.env.get("__json") else { return Ok(None) };
    let parsed = serde_json::from_str(text);
    parsed.map(Some).map_err(|error| (format!("__json is no JSON: {error}"), TOO))
}

/// What a list holds, if that is strings alone.
fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| Some(one.as_str()?.to_owned())).collect()
}
