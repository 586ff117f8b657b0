//! How a command ends when it does not end well: a message and the documented exit status.

use graphs::{Problem, Problems, Severity};
use serde_json::{Value, json};
use std::fmt::Display;

/// Why, by exit status.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The build failed or results differ. The message is empty where the results already say it.
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

    /// A wrong input that has nothing to do with the text of a graph, and what to do about it.
    pub fn help(what: impl Display, help: &str) -> Failure {
        Failure::several(vec![Problem::error(what.to_string()).help(help)])
    }

    /// Several of these.
    pub fn several(list: Vec<Problem>) -> Failure {
        Failure::Problems(Problems::new("", "", list))
    }

    /// The exit status that `--help` documents.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Build(_) => 1,
            Failure::Input(_) | Failure::Problems(_) => 2,
            Failure::Machine(_) => 3,
        }
    }

    /// As a person reads it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Failure::Problems(problems) => problems.render(color),
            Failure::Build(text) | Failure::Input(text) | Failure::Machine(text) if text.is_empty() => {
                String::new()
            }
            Failure::Build(text) | Failure::Input(text) | Failure::Machine(text) => {
                format!("error: {text}\n")
            }
        }
    }

    /// As a program reads it, where there is no other result.
    pub fn json(&self) -> Value {
        let (said, problems) = match self {
            Failure::Problems(problems) => {
                let said: Vec<_> = problems.list().iter().map(|problem| problem.message.as_str()).collect();
                (said.join("; "), list(problems))
            }
            other => (other.to_string(), vec![]),
        };
        json!({ "error": said, "status": self.status(), "problems": problems })
    }
}

/// Problems as JSON.
pub fn list(problems: &Problems) -> Vec<Value> {
    let one = |problem: &Problem| {
        let place = problems.line_and_column(problem);
        json!({
            "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "message": problem.message,
            "help": problem.help,
            "line": place.map(|(line, _)| line),
            "column": place.map(|(_, column)| column),
        })
    };
    problems.list().iter().map(one).collect()
}
