//! What Nix makes of a derivation's attributes beside variables: files for `passAsFile`, structured attributes as JSON and as
//! shell text, and graphs of references.

use std::collections::{BTreeMap, BTreeSet};

use super::{PathInfo, Refusal, Source, environment, json as text, platform};
use crate::problem::Problem;
use formats::digest::Sha256;
use formats::store_path::{self, base};
use serde_json::{Map, Value, json};

/// Variables, and files below the build directory by name.
#[derive(Default)]
pub(super) struct Made {
    pub env: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
}

pub(super) fn make(source: &Source<'_>, top: &str) -> Result<Made, Refusal> {
    match source.derivation.env.get("__json") {
        Some(text) => structured(source, text, top),
        None => plain(source, top),
    }
}

fn plain(source: &Source<'_>, top: &str) -> Result<Made, Refusal> {
    let env = &source.derivation.env;
    let mut made = Made::default();
    let as_files: BTreeSet<&str> =
        env.get("passAsFile").map(String::as_str).unwrap_or_default().split_whitespace().collect();
    for (name, value) in env {
        if as_files.contains(name.as_str()) {
            let file = format!(".attr-{}", Sha256::of(name).nix32());
            made.env.insert(format!("{name}Path"), format!("{top}/{file}"));
            made.files.insert(file, environment::placeholders(source.derivation, value));
        } else {
            made.env.insert(name.clone(), value.clone());
        }
    }
    made.files.extend(graphs(source)?);
    Ok(made)
}

/// Files with the references of what `exportReferencesGraph` names: Guix has them, too.
pub(super) fn graphs(source: &Source<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut files = BTreeMap::new();
    let list = source.derivation.env.get("exportReferencesGraph").map(String::as_str).unwrap_or_default();
    for pair in list.split_whitespace().collect::<Vec<_>>().chunks(2) {
        let [file, path] = pair else {
            return Err(problem(source, "exportReferencesGraph is no list of files and paths".into()));
        };
        if !is_file(source, file) {
            return Err(problem(source, format!("exportReferencesGraph names the file {file:?}")));
        }
        files.insert((*file).to_owned(), registration(source, &closure(source, &[path], true)?));
    }
    Ok(files)
}

/// Whether a graph's file may have this name. Source: `initTmpDir` of Nix, `checkStoreName` of Guix.
fn is_file(source: &Source<'_>, name: &str) -> bool {
    if source.closure.store == platform::GUIX_STORE {
        return store_path::is_name(name);
    }
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// What `nix-store --load-db` takes: for each path the path, no deriver, and the paths that it refers to.
fn registration(source: &Source<'_>, closure: &BTreeMap<String, &PathInfo>) -> String {
    let store = &source.closure.store;
    let one = |(name, info): (&String, &&PathInfo)| {
        let references: String = info.direct.iter().map(|name| format!("{store}/{name}\n")).collect();
        format!("{store}/{name}\n\n{}\n{references}", info.direct.len())
    };
    closure.iter().map(one).collect()
}

/// The things at these paths, or around them if they may lie `inside`, with all that they refer to, by base name; a derivation
/// among them brings its outputs along.
fn closure<'a>(
    source: &Source<'a>,
    paths: &[&str],
    inside: bool,
) -> Result<BTreeMap<String, &'a PathInfo>, Refusal> {
    let store = &source.closure.store;
    let mut found = BTreeMap::new();
    for path in paths {
        let rest = path.strip_prefix(store.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let Some(rest) = rest.filter(|rest| inside || !rest.contains('/')) else {
            return Err(problem(
                source,
                format!("exportReferencesGraph names {path}, which is not in {store}"),
            ));
        };
        add(source, rest.split('/').next().unwrap_or_default(), &mut found)?;
    }
    let derivations: Vec<String> = found.keys().filter(|name| name.ends_with(".drv")).cloned().collect();
    for name in derivations {
        let Some(derivation) = source.closure.derivations.get(&format!("{store}/{name}")) else {
            let what = format!("exportReferencesGraph reaches {name}, whose outputs are none of its inputs");
            let help = "Nix tells of them only as far as they happen to be in its store";
            let problem = Problem::error(format!("{}: {what}", source.path)).help(help);
            return Err(Refusal::Never(Box::new(problem)));
        };
        for output in derivation.outputs.values() {
            add(source, base(&output.path), &mut found)?;
        }
    }
    Ok(found)
}

fn add<'a>(
    source: &Source<'a>,
    name: &str,
    found: &mut BTreeMap<String, &'a PathInfo>,
) -> Result<(), Refusal> {
    let start = available(source, name)?;
    found.insert(name.to_owned(), start);
    for reference in &start.references {
        found.insert(reference.clone(), available(source, reference)?);
    }
    Ok(())
}

/// What is still to be built refers to what nobody knows yet.
fn available<'a>(source: &Source<'a>, name: &str) -> Result<&'a PathInfo, Refusal> {
    let path = format!("{}/{name}", source.closure.store);
    source.available.get(&path).ok_or_else(|| {
        let problem = Problem::error(format!(
            "{}: it asks for the references of {path}, which is not built yet",
            source.path
        ));
        match source.closure.makers().contains_key(path.as_str()) {
            true => Refusal::Late(Box::new(problem.help(
                "`groundup run` builds that first, in a run of its own; else give it: --stop-at NAME --inputs DIR",
            ))),
            false => Refusal::Never(Box::new(problem.help("Nix refuses it too: it is none of its inputs"))),
        }
    })
}

fn problem(source: &Source<'_>, what: String) -> Refusal {
    Refusal::Never(Box::new(Problem::error(format!("{}: {what}", source.path)).help("Nix refuses it too")))
}

fn structured(source: &Source<'_>, written: &str, top: &str) -> Result<Made, Refusal> {
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(written);
    let mut attributes =
        parsed.map_err(|error| problem(source, format!("__json is no JSON object: {error}")))?;
    let outputs = &source.derivation.outputs;
    attributes.insert(
        "outputs".into(),
        outputs.iter().map(|(name, output)| (name.clone(), json!(output.path))).collect(),
    );
    if let Some(Value::Object(graphs)) = attributes.get("exportReferencesGraph").cloned() {
        for (name, paths) in graphs {
            let paths: Option<Vec<&str>> = match &paths {
                Value::Null => Some(vec![]),
                Value::Array(paths) => paths.iter().map(Value::as_str).collect(),
                path => path.as_str().map(|path| vec![path]),
            };
            let Some(paths) = paths.filter(|_| name != "outputs") else {
                return Err(problem(source, format!("exportReferencesGraph.{name} is no list of paths")));
            };
            attributes.insert(name, path_info(source, &closure(source, &paths, false)?));
        }
    }
    let rewritten = |text: String| environment::placeholders(source.derivation, &text);
    let mut made = Made::default();
    made.files.insert(".attrs.json".into(), rewritten(text::compact(&Value::Object(attributes.clone()))));
    made.files.insert(".attrs.sh".into(), rewritten(text::shell(&attributes)));
    made.env.insert("NIX_ATTRS_JSON_FILE".into(), format!("{top}/.attrs.json"));
    made.env.insert("NIX_ATTRS_SH_FILE".into(), format!("{top}/.attrs.sh"));
    Ok(made)
}

fn path_info(source: &Source<'_>, closure: &BTreeMap<String, &PathInfo>) -> Value {
    let store = &source.closure.store;
    let full = |names: &BTreeSet<String>| {
        names.iter().map(|name| json!(format!("{store}/{name}"))).collect::<Vec<_>>()
    };
    let size = |info: &PathInfo| {
        let others =
            info.references.iter().filter_map(|name| source.available.get(&format!("{store}/{name}")));
        others.map(|other| other.nar.1).sum::<u64>()
    };
    closure
        .iter()
        .map(|(name, info)| {
            let itself = if info.references.contains(name) { 0 } else { info.nar.1 };
            let mut object = json!({
                "path": format!("{store}/{name}"),
                "narHash": format!("sha256:{}", info.nar.0.nix32()),
                "narSize": info.nar.1,
                "references": full(&info.direct),
                "closureSize": size(info) + itself,
            });
            if let Some(ca) = &info.ca {
                object["ca"] = json!(ca);
            }
            object
        })
        .collect()
}
