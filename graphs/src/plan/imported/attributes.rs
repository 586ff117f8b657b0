//! What Nix makes of a derivation's attributes beside variables: files for `passAsFile`, structured attributes as JSON and as
//! shell text, and graphs of references.

use std::collections::{BTreeMap, BTreeSet};

use super::{Given, Source, environment};
use crate::drv::nix32;
use crate::problem::Problem;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Variables, and files below the build directory by name.
#[derive(Default)]
pub(super) struct Made {
    pub env: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
}

pub(super) fn make(source: &Source<'_>, top: &str) -> Result<Made, Box<Problem>> {
    match source.derivation.env.get("__json") {
        Some(text) => structured(source, text, top),
        None => plain(source, top),
    }
}

fn plain(source: &Source<'_>, top: &str) -> Result<Made, Box<Problem>> {
    let env = &source.derivation.env;
    let mut made = Made::default();
    let as_files: BTreeSet<&str> =
        env.get("passAsFile").map(String::as_str).unwrap_or_default().split_whitespace().collect();
    for (name, value) in env {
        if as_files.contains(name.as_str()) {
            let file = format!(".attr-{}", nix32::encode(&Sha256::digest(name)));
            made.env.insert(format!("{name}Path"), format!("{top}/{file}"));
            made.files.insert(file, environment::placeholders(source.derivation, value));
        } else {
            made.env.insert(name.clone(), value.clone());
        }
    }
    let words: Vec<_> =
        env.get("exportReferencesGraph").map(String::as_str).unwrap_or_default().split_whitespace().collect();
    for pair in words.chunks(2) {
        let [file, path] = pair else {
            return Err(problem(source, "exportReferencesGraph is no list of files and paths".into()));
        };
        if file.contains('/') || *file == "." || *file == ".." {
            return Err(problem(source, format!("exportReferencesGraph names the file {file:?}")));
        }
        made.files.insert((*file).to_owned(), registration(source, &closure(source, &[path])?));
    }
    Ok(made)
}

/// What `nix-store --load-db` takes: for each path the path, no deriver, and the paths that it refers to.
fn registration(source: &Source<'_>, closure: &BTreeMap<String, &Given>) -> String {
    let store = &source.closure.store;
    let one = |(name, given): (&String, &&Given)| {
        let references: String = given.direct.iter().map(|name| format!("{store}/{name}\n")).collect();
        format!("{store}/{name}\n\n{}\n{references}", given.direct.len())
    };
    closure.iter().map(one).collect()
}

/// The things at these paths with all that they refer to, by base name. What is still to be built refers to what nobody knows
/// yet.
fn closure<'a>(source: &Source<'a>, paths: &[&str]) -> Result<BTreeMap<String, &'a Given>, Box<Problem>> {
    let store = &source.closure.store;
    let mut found = BTreeMap::new();
    for path in paths {
        let rest =
            path.strip_prefix(store.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        let name = rest.split('/').next().unwrap_or_default();
        let start = given(source, name)?;
        found.insert(name.to_owned(), start);
        for reference in &start.references {
            found.insert(reference.clone(), given(source, reference)?);
        }
    }
    Ok(found)
}

fn given<'a>(source: &Source<'a>, name: &str) -> Result<&'a Given, Box<Problem>> {
    let path = format!("{}/{name}", source.closure.store);
    source.given.get(&path).ok_or_else(|| {
        let problem = Problem::error(format!(
            "{}: it asks for the references of {path}, which is not built yet",
            source.path
        ))
        .help("build that first with --out DIR, then give it: --stop-at NAME --inputs DIR");
        Box::new(problem)
    })
}

fn problem(source: &Source<'_>, what: String) -> Box<Problem> {
    Box::new(Problem::error(format!("{}: {what}", source.path)).help("Nix refuses it too"))
}

fn structured(source: &Source<'_>, text: &str, top: &str) -> Result<Made, Box<Problem>> {
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(text);
    let mut attributes =
        parsed.map_err(|error| problem(source, format!("__json is no JSON object: {error}")))?;
    let outputs = &source.derivation.outputs;
    attributes.insert(
        "outputs".into(),
        outputs.iter().map(|(name, output)| (name.clone(), json!(output.path))).collect(),
    );
    if let Some(Value::Object(graphs)) = attributes.get("exportReferencesGraph").cloned() {
        for (name, paths) in graphs {
            let paths: Vec<&str> = match &paths {
                Value::String(path) => vec![path],
                Value::Array(paths) => paths.iter().filter_map(Value::as_str).collect(),
                _ => return Err(problem(source, "exportReferencesGraph holds what is no path".into())),
            };
            attributes.insert(name, path_info(source, &closure(source, &paths)?));
        }
    }
    let rewritten = |text: String| environment::placeholders(source.derivation, &text);
    let mut made = Made::default();
    made.files.insert(".attrs.json".into(), rewritten(Value::Object(attributes.clone()).to_string()));
    made.files.insert(".attrs.sh".into(), rewritten(shell(&attributes)));
    made.env.insert("NIX_ATTRS_JSON_FILE".into(), format!("{top}/.attrs.json"));
    made.env.insert("NIX_ATTRS_SH_FILE".into(), format!("{top}/.attrs.sh"));
    Ok(made)
}

fn path_info(source: &Source<'_>, closure: &BTreeMap<String, &Given>) -> Value {
    let store = &source.closure.store;
    let full = |names: &BTreeSet<String>| {
        names.iter().map(|name| json!(format!("{store}/{name}"))).collect::<Vec<_>>()
    };
    let size = |given: &Given| {
        let others = given.references.iter().filter_map(|name| source.given.get(&format!("{store}/{name}")));
        others.map(|other| other.nar.1).sum::<u64>()
    };
    let bytes = |given: &Given| crate::hex::decode(&given.nar.0).unwrap_or_default();
    closure
        .iter()
        .map(|(name, given)| {
            let itself = if given.references.contains(name) { 0 } else { given.nar.1 };
            let mut info = json!({
                "path": format!("{store}/{name}"),
                "narHash": format!("sha256:{}", nix32::encode(&bytes(given))),
                "narSize": given.nar.1,
                "references": full(&given.direct),
                "closureSize": size(given) + itself,
            });
            if let Some(ca) = &given.ca {
                info["ca"] = json!(ca);
            }
            info
        })
        .collect()
}

/// The attributes that bash can hold, as declarations. Source: `writeStructuredAttrsShell` in Nix's
/// `src/libstore/parsed-derivations.cc`.
fn shell(attributes: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, value) in attributes.iter().filter(|(name, _)| is_variable(name)) {
        if let Some(value) = simple(value) {
            text += &format!("declare {name}={value}\n");
            continue;
        }
        match value {
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(simple).collect();
                if let Some(items) = items {
                    let items: String = items.into_iter().map(|item| item + " ").collect();
                    text += &format!("declare -a {name}=({items})\n");
                }
            }
            Value::Object(items) => {
                let items: Option<Vec<_>> = items
                    .iter()
                    .map(|(key, value)| Some(format!("[{}]={} ", quoted(key), simple(value)?)))
                    .collect();
                if let Some(items) = items {
                    text += &format!("declare -A {name}=({})\n", items.concat());
                }
            }
            _ => {}
        }
    }
    text
}

fn is_variable(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quoted(text)),
        Value::Null => Some("''".into()),
        Value::Bool(yes) => Some(if *yes { "1".into() } else { String::new() }),
        // Whole numbers alone, and as C's int.
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| number.ceil() == *number)?;
            Some((number as i64 as i32).to_string())
        }
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
