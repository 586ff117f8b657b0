//! How a command ends when it does not end well: a message and the documented exit status.

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

    /// The exit status that `--help` documents.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Build(_) => 1,
            Failure::Input(_) => 2,
            Failure::Machine(_) => 3,
        }
    }
}
