//! The graph that a command works on: a file, or the one that is built in.

use crate::args;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::unused::Unused;
use crate::ui::term;
use graphs::{Choices, Graph, Problem, Problems};
use inputs::{Error, InputSpec, Lock, lock, problem};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

/// Bytes of a graph, far above what a person or a program writes.
const LARGEST: u64 = 256 << 20;

/// The default: nothing is downloaded for it.
const SEED: &str = include_str!("../../../graphs/seed.ron");

/// What it is called.
const BUILT_IN: &str = "the seed graph that is built into groundup";

/// A graph's text and where it came from.
pub struct Source {
    /// As it stands in messages.
    pub name: String,
    /// All of it.
    pub text: String,
    /// The file; none for the graph that is built in.
    pub path: Option<PathBuf>,
    /// The lock file's text, if it came with the graph and is not beside it.
    pub lock: Option<String>,
    /// The closure, where it is a derivation of Nix or Guix.
    pub drv: Option<nix::Loaded>,
}

/// The graph that is taken where none is named, if it is there.
const USUAL: &str = "graph.ron";

/// Settles which graph is meant where none is named, and says so: nobody is to take one graph for another.
pub fn settle(path: &mut Option<PathBuf>) {
    if path.is_some() {
        return;
    }
    if Path::new(USUAL).symlink_metadata().is_ok() {
        term::note(&format!("no GRAPH is named: {USUAL} in this folder is taken"));
        *path = Some(USUAL.into());
        return;
    }
    term::note(&format!(
        "warning: no GRAPH is named, and there is no {USUAL} in this folder: this is {BUILT_IN}"
    ));
}

impl Source {
    /// Reads a graph, or a derivation of Nix or Guix with all that it needs.
    pub fn of(graph: &args::Graph) -> Result<Source, Failure> {
        let Some(path) = nix::is(graph) else {
            Unused::default().derivations(&graph.drv).done()?;
            return Source::open(graph.path.as_deref());
        };
        let (loaded, text) = nix::load(path, &graph.drv)?;
        Ok(Source {
            name: path.display().to_string(),
            text,
            path: Some(path.into()),
            lock: None,
            drv: Some(loaded),
        })
    }

    /// Reads the file, or takes the built-in graph.
    pub fn open(path: Option<&Path>) -> Result<Source, Failure> {
        let Some(path) = path else {
            return Ok(Source {
                name: "seed.ron".into(),
                text: SEED.into(),
                path: None,
                lock: None,
                drv: None,
            });
        };
        let name = path.display().to_string();
        let fail = |error: io::Error| unreadable(&name, &error);
        if path.extension().is_some_and(|ending| ending == "drv") {
            return Err(Failure::help(
                format!("{name}: this command does not take derivations of Nix and Guix"),
                "check, show, plan, image, run, tcb and probe do",
            ));
        }
        let mut bytes = Vec::new();
        let size =
            File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(fail)?;
        if size as u64 > LARGEST {
            return Err(Failure::help(
                format!("{name}: more than {} MiB", LARGEST >> 20),
                "name a graph in RON; large sources belong in files of their own",
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| not_text(&name, &error))?;
        if name.ends_with(".lock.ron") {
            let graph = name.replace(".lock.ron", ".ron");
            return Err(Failure::help(format!("{name} is a lock file"), &format!("name its graph, {graph}")));
        }
        Ok(Source { name, text, path: Some(path.into()), lock: None, drv: None })
    }

    /// As results name it: they say when it is the one that is built in.
    pub fn label(&self) -> String {
        match self.path {
            Some(_) => self.name.clone(),
            None => format!("{} ({BUILT_IN})", self.name),
        }
    }

    /// The checked graph; warnings go to standard error.
    pub fn graph(&self) -> Result<Graph, Failure> {
        if self.drv.is_some() {
            return Ok(Graph::default());
        }
        let (graph, warnings) = graphs::load(&self.name, &self.text).map_err(Failure::Problems)?;
        term::rendered(&warnings.render(term::colors()));
        Ok(graph)
    }

    /// What is in its lock file.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let lock = match (&self.lock, &self.path) {
            (Some(text), _) => Lock::read("the lock file in the record", text),
            (None, Some(path)) => Lock::load(path),
            (None, None) => Ok(Lock::default()),
        };
        lock.map_err(|error| match error {
            lock::Error::Text(problems) => Failure::Problems(problems),
            io @ lock::Error::Io { .. } => Failure::help(
                io,
                "make it a file that can be read, or take it away: `groundup lock GRAPH` writes it anew",
            ),
        })
    }

    /// The text of its lock file, if that says anything.
    pub fn lock_text(&self) -> Result<Option<String>, Failure> {
        let lock = self.lock()?;
        Ok((!lock.inputs.is_empty()).then(|| lock.to_text()))
    }

    /// Problems of this graph that came up after its checks.
    pub fn problems(&self, list: Vec<Problem>) -> Failure {
        Failure::Problems(Problems::new(&self.name, &self.text, list))
    }

    /// Inputs that could not be had.
    pub fn input_problems<'a>(&self, graph: &Graph, errors: impl IntoIterator<Item = &'a Error>) -> Failure {
        let (mut list, mut elsewhere) = (Vec::new(), true);
        for error in errors {
            elsewhere &= error.is_elsewhere();
            list.push(problem(graph, error));
        }
        let problems = Problems::new(&self.name, &self.text, list);
        if elsewhere { Failure::Elsewhere(problems) } else { Failure::Problems(problems) }
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

/// The alternatives that were asked for with an option.
pub fn choices(option: &str, graph: &Graph, asked: &[(String, String)]) -> Result<Choices, Failure> {
    let asked = asked.iter().map(|(choice, taken)| (choice.as_str(), taken.as_str()));
    let named =
        |problem: &Problem| Problem { message: format!("{option}: {}", problem.message), ..problem.clone() };
    Choices::new(graph, asked)
        .map_err(|problems| Failure::several(problems.list().iter().map(named).collect()))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::NotFound => {
            "name a graph that is there; without one, the seed graph that is built in is used"
        }
        io::ErrorKind::IsADirectory => "name a graph in it, such as graph.ron",
        io::ErrorKind::PermissionDenied => "let this user read it, or name another",
        _ => "name a file that can be read",
    };
    Failure::help(format!("{name}: {error}"), help)
}

/// Shown with what is wrong replaced, which leaves the place where it is.
fn not_text(name: &str, error: &FromUtf8Error) -> Failure {
    let text = String::from_utf8_lossy(error.as_bytes());
    let start = error.utf8_error().valid_up_to();
    let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
    let problem = Problem::error("this is not UTF-8")
        .help("a graph is a text in UTF-8: convert it, or take the byte out");
    Failure::Problems(Problems::new(name, &text, vec![problem.spanning(start..end)]))
}
