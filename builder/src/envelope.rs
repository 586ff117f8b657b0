//! The one form of everything that `--json` prints: `docs/json.schema.json` is its schema.
//!
//! ```text
//! { "schema": "groundup/1", "kind": COMMAND or "error" or "version", "status": EXIT-STATUS, … what the kind has … }
//! ```

use crate::failure::Failure;
use crate::ui::term;
use serde_json::{Value, json};

/// The name of the form and its version.
pub const SCHEMA: &str = "groundup/1";
/// The kind of what a command prints that ended before it had a result.
pub const ERROR: &str = "error";

/// Prints what a command found, and the exit status that it will end with.
pub fn print(kind: &str, verdict: Result<(), &Failure>, value: Value) -> Result<(), Failure> {
    term::json(&wrapped(kind, verdict.map_or_else(Failure::status, |()| 0), value))
}

/// Prints why a command has no result; none where the command line is no command.
pub fn print_failure(command: Option<&str>, failure: &Failure) -> Result<(), Failure> {
    let mut value = failure.json();
    value["command"] = json!(command);
    term::json(&wrapped(ERROR, failure.status(), value))
}

/// A value, an object, in its envelope.
pub fn wrapped(kind: &str, status: u8, mut value: Value) -> Value {
    value["schema"] = json!(SCHEMA);
    value["kind"] = json!(kind);
    value["status"] = json!(status);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_failures() {
        let failure = Failure::Differs("x".into());
        let value = wrapped("run", failure.status(), json!({ "outputs": [] }));
        assert_eq!(value, json!({ "schema": "groundup/1", "kind": "run", "status": 1, "outputs": [] }));
    }
}
