//! What a graph mounts from inside its inputs, looked for there: a wrong path is an error before anything runs.

use crate::failure::Failure;
use crate::prepare::Input;
use graphs::plan::{Bind, From, RootfsEntry};
use graphs::{Choices, Graph, Place, Problem, Spot};
use std::collections::BTreeMap;
use std::path::Path;

/// Files that a step misses if this path is not there, by the Debian package that has them.
const PACKAGES: [(&str, &str); 4] =
    [("lib", "libc6"), ("lib64", "libc6"), ("bin/sh", "dash"), ("usr/include", "libc6-dev")];

/// A problem for each mount of a path that its input does not have. Outputs of steps are not there yet: of these, the runner says it.
pub fn missing(
    graph: &Graph,
    choices: &Choices,
    inputs: &BTreeMap<String, Input>,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for step in graphs::plan::steps(graph, choices).map_err(Failure::input)? {
        let step = step.map_err(Failure::input)?;
        for world in &step.world {
            let RootfsEntry::Bind(Bind { path, from: From::Input(name), inside: Some(inside) }) = world
            else {
                continue;
            };
            let Some(input) = inputs.get(name) else { continue };
            if let Some((what, help)) = lacks(&input.obtained.path, name, inside) {
                let problem = Problem::error(format!("{path} comes from the input `{name}`, {what}"));
                let help = help.unwrap_or_else(|| advice(graph, name, inside));
                problems.push(problem.help(help).at(Spot::mount(graph, choices, &step.name, path)));
            }
        }
    }
    Ok(problems)
}

/// What is wrong with a path inside a tree, and what to do where that is clear. No link is followed, as in the step's world.
fn lacks(root: &Path, name: &str, inside: &str) -> Option<(String, Option<String>)> {
    let mut path = root.to_owned();
    let parts: Vec<&str> = inside.split('/').collect();
    for (number, part) in parts.iter().enumerate() {
        if !root.is_dir() {
            // A path inside a file is another problem, which the plan's writer finds.
            return None;
        }
        path.push(part);
        let here = parts[..=number].join("/");
        let Ok(meta) = path.symlink_metadata() else {
            return Some((format!("which has no `{here}`"), None));
        };
        if meta.is_symlink() && number + 1 < parts.len() {
            let target = std::fs::read_link(&path).unwrap_or_default();
            let what = format!("in which `{here}` is a symbolic link to {}", target.display());
            let rest = parts[number + 1..].join("/");
            let folder = parts[..number].join("/");
            let real = Path::new(&folder).join(target).join(rest);
            let real = real.strip_prefix("/").unwrap_or(&real);
            return Some((what, Some(format!("mount what it leads to: `{name}/{}`", real.display()))));
        }
    }
    None
}

/// What may be the reason why a path is not there.
fn advice(graph: &Graph, name: &str, inside: &str) -> String {
    let input = graph.seeds.get(name).or_else(|| graph.sources.get(name));
    let Some(input) = input else { return String::new() };
    let packages = input.from.iter().find_map(|place| match place {
        Place::Debian { packages, dependencies, .. } => Some((packages, *dependencies)),
        _ => None,
    });
    let likely = PACKAGES.iter().find(|(path, _)| *path == inside).map(|(_, package)| *package);
    match (packages, likely) {
        (Some((packages, false)), Some(package)) if !packages.iter().any(|one| one == package) => {
            format!(
                "did the package list leave out {package}? `dependencies: true` takes along all that packages need"
            )
        }
        (Some(_), _)
            if inside.starts_with("lib") || inside.starts_with("bin") || inside.starts_with("sbin") =>
        {
            format!("in Debian 13 and later it is `usr/{inside}`; else name a package that has it")
        }
        _ if !input.pick.is_empty() => "does `pick` leave it out?".to_owned(),
        _ => "write a path that the tree has".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn paths_are_looked_for_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("usr/lib")).unwrap();
        std::os::unix::fs::symlink("usr/lib", folder.path().join("lib")).unwrap();
        let said = |inside| lacks(folder.path(), "tools", inside);
        assert_eq!(said("usr/lib"), None);
        assert_eq!(said("lib"), None);
        assert_eq!(said("bin"), Some(("which has no `bin`".into(), None)));
        assert_eq!(said("usr/bin/cc"), Some(("which has no `usr/bin`".into(), None)));
        let (what, help) = said("lib/x86_64-linux-gnu").unwrap();
        assert_eq!(what, "in which `lib` is a symbolic link to usr/lib");
        assert_eq!(help.unwrap(), "mount what it leads to: `tools/usr/lib/x86_64-linux-gnu`");
    }

    #[test]
    fn a_package_is_named_where_one_is_likely() {
        let text = r#"(seeds: {"tools": (from: [Debian(packages: ["gcc"])])}, derivations: {}, targets: [])"#;
        let graph = graphs::read("x", text).unwrap();
        assert!(advice(&graph, "tools", "lib").starts_with("did the package list leave out libc6?"));
        let all = graphs::read("x", &text.replace("[\"gcc\"])", "[\"gcc\"], dependencies: true)")).unwrap();
        assert!(advice(&all, "tools", "lib").contains("`usr/lib`"));
        assert_eq!(advice(&graph, "tools", "opt"), "write a path that the tree has");
    }
}
