//! How a command ends when it does not end well: a message and the documented exit status.

use graphs::{Problem, Problems, Severity};
use serde_json::{Value, json};
use std::fmt::Display;
use std::io;
use std::path::Path;

/// What is said of a run that a signal ended.
pub const CANCELLED: &str = "cancelled by a signal";

/// Why, by exit status.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Results differ, or a question that was asked has no answer. The message is empty where the results already say it.
    #[error("{0}")]
    Differs(String),
    /// The build failed.
    #[error("{0}")]
    Build(String),
    /// The input is wrong.
    #[error("{0}")]
    Input(String),
    /// The input is wrong, and each problem says what to do about it.
    #[error("{0}")]
    Problems(Problems),
    /// The machine failed.
    #[error("{0}")]
    Machine(String),
    /// This host can't make such a machine: a program is missing, or its kernel forbids something.
    #[error("{0}")]
    Host(String),
    /// Nothing that was asked for is wrong: a server, the network or a disk failed, and another time or place may help.
    #[error("{0}")]
    Elsewhere(Problems),
}

impl Failure {
    /// `result.map_err(Failure::input)`
    pub fn input(what: impl Display) -> Failure {
        Failure::Input(what.to_string())
    }

    /// `result.map_err(Failure::machine)`
    pub fn machine(what: impl Display) -> Failure {
        Failure::Machine(what.to_string())
    }

    /// Why there is no machine, or why it ended.
    pub fn of_machine(error: qemu::Error) -> Failure {
        use qemu::Error::{Cancelled, Host, Missing, Start};
        match error {
            Cancelled => Failure::machine(CANCELLED),
            Missing(_) | Start { .. } | Host(_) => Failure::Host(error.to_string()),
            other => Failure::machine(other),
        }
    }

    /// Whether it says nothing of the build, only of the machine.
    pub fn is_of_machine(&self) -> bool {
        matches!(self, Failure::Machine(_) | Failure::Host(_))
    }

    /// A wrong input that has nothing to do with the text of a graph, and what to do about it.
    pub fn help(what: impl Display, help: &str) -> Failure {
        Failure::several(vec![Problem::error(what.to_string()).help(help)])
    }

    /// Several of these.
    pub fn several(list: Vec<Problem>) -> Failure {
        Failure::Problems(Problems::new("", "", list))
    }

    /// Something that could not be written: where there was no room, the folder and what did not fit are said.
    pub fn written(path: &Path, what: &str, error: &io::Error) -> Failure {
        if !inputs::is_full(error) {
            return Failure::input(format!("{}: {error}", path.display()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let text = format!("no room in {} for {what}: {error}", folder.display());
        let help = "make room there, or name another folder";
        Failure::lacking(vec![Problem::error(text).help(help)], true)
    }

    /// What could not be had, as problems without a text; `elsewhere` says whether trying elsewhere may help.
    pub fn lacking(list: Vec<Problem>, elsewhere: bool) -> Failure {
        let problems = Problems::new("", "", list);
        if elsewhere { Failure::Elsewhere(problems) } else { Failure::Problems(problems) }
    }

    /// The cache could not be used.
    pub fn cache(error: &inputs::Error) -> Failure {
        let help = "make it a folder that this user can write to, or name another with --cache DIR";
        Failure::lacking(vec![Problem::error(error.to_string()).help(help)], error.is_elsewhere())
    }

    /// The exit status that `--help` documents.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Differs(_) => 1,
            Failure::Input(_) | Failure::Problems(_) => 2,
            Failure::Machine(_) | Failure::Elsewhere(_) => 3,
            Failure::Build(_) => 4,
            Failure::Host(_) => 5,
        }
    }

    /// As a person reads it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Failure::Problems(problems) | Failure::Elsewhere(problems) => problems.render(color),
            Failure::Differs(text)
            | Failure::Build(text)
            | Failure::Input(text)
            | Failure::Machine(text)
            | Failure::Host(text) => match text.is_empty() {
                true => String::new(),
                false => format!("error: {}\n", graphs::words::shown_lines(text)),
            },
        }
    }

    /// As a program reads it, where there is no other result.
    pub fn json(&self) -> Value {
        let (said, problems) = match self {
            Failure::Problems(problems) | Failure::Elsewhere(problems) => {
                let said: Vec<_> = problems.list().iter().map(|problem| problem.message.as_str()).collect();
                (said.join("; "), list(problems))
            }
            other => (other.to_string(), vec![]),
        };
        json!({ "error": said, "problems": problems })
    }
}

/// Problems as JSON.
pub fn list(problems: &Problems) -> Vec<Value> {
    let one = |(problem, place): (&Problem, Option<(usize, usize)>)| {
        json!({
            "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "message": problem.message,
            "help": problem.help,
            "file": Some(problems.name()).filter(|name| !name.is_empty()),
            "line": place.map(|(line, _)| line),
            "column": place.map(|(_, column)| column),
        })
    };
    problems.list().iter().zip(problems.places()).map(one).collect()
}
