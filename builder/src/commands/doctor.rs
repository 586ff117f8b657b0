//! `groundup doctor`: what works on this host, tried and not guessed, and what to do about the rest.

use crate::args::{self, MachineName};
use crate::audit::health::{self, Check, State};
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use serde_json::json;

/// Tries everything. The inner failure is that the default machine does not work.
pub fn doctor(cache: &args::Cache, json: bool) -> Result<Result<(), Failure>, Failure> {
    let checks = health::checks(cache);
    let default = MachineName::Strict.word();
    let works = health::works(&checks);
    let verdict = match works {
        true => Ok(()),
        false => Err(Failure::Host(format!("the default machine, {default}, does not work here"))),
    };
    if json {
        let value = json!({ "checks": checks, "defaultMachine": default, "defaultMachineWorks": works });
        envelope::print("doctor", verdict.as_ref().copied(), value)?;
        return Ok(verdict);
    }
    let line = |check: &Check| {
        let help = match (&check.help, check.state) {
            (Some(help), state) if state != State::Works => format!("{:21}{help}\n", ""),
            _ => String::new(),
        };
        format!("{:9}  {:10}{}\n{help}", check.state.word(), check.name, check.about)
    };
    term::result(&checks.iter().map(line).collect::<String>())?;
    Ok(verdict)
}
