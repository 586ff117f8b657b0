//! The graph that a command works on: a file, or the one that is built in.

use crate::failure::Failure;
use crate::inputs::{InputSpec, Lock};
use crate::term;
use graphs::{Choices, Graph, Problems};
use std::path::{Path, PathBuf};

/// The default: nothing is downloaded for it.
const SEED: &str = include_str!("../../graphs/seed.ron");

/// A graph's text and where it came from.
pub struct Source {
    /// As it stands in messages.
    pub name: String,
    /// All of it.
    pub text: String,
    /// The file; none for the graph that is built in.
    pub path: Option<PathBuf>,
}

impl Source {
    /// Reads the file, or takes the built-in graph.
    pub fn open(path: Option<&Path>) -> Result<Source, Failure> {
        let Some(path) = path else {
            return Ok(Source { name: "seed.ron".into(), text: SEED.into(), path: None });
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Failure::input(format!("{name}: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let (offset, text) = (error.utf8_error().valid_up_to(), error.into_bytes());
            let line = text[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Failure::input(format!("{name}:{line}: byte {offset} is not UTF-8; a graph is a text in UTF-8"))
        })?;
        Ok(Source { name, text, path: Some(path.into()) })
    }

    /// The checked graph; warnings go to standard error.
    pub fn graph(&self) -> Result<Graph, Failure> {
        let (graph, warnings) = graphs::load(&self.name, &self.text).map_err(problems)?;
        term::note(&warnings.render(term::colors()));
        Ok(graph)
    }

    /// What is in its lock file.
    pub fn lock(&self) -> Result<Lock, Failure> {
        self.path.as_deref().map_or_else(|| Ok(Lock::default()), Lock::load).map_err(Failure::input)
    }

    /// The specs of all its inputs, seeds and sources.
    pub fn all_inputs(&self, graph: &Graph) -> Vec<InputSpec> {
        let inputs = graph.seeds.iter().chain(graph.sources.iter());
        inputs.map(|(name, input)| InputSpec::new(name, input, self.folder())).collect()
    }

    /// The folder that `File` places are beside.
    pub fn folder(&self) -> &Path {
        let folder = self.path.as_deref().and_then(Path::parent);
        folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// The alternatives that were asked for.
pub fn choices(graph: &Graph, asked: &[(String, String)]) -> Result<Choices, Failure> {
    let asked = asked.iter().map(|(choice, taken)| (choice.as_str(), taken.as_str()));
    Choices::new(graph, asked).map_err(problems)
}

/// Problems as the failure that they are.
pub fn problems(problems: Problems) -> Failure {
    Failure::Input(problems.render(term::colors()).trim_end().to_owned())
}
