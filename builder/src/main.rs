//! The command line program: everything is in the library beside it.
use builder::args::{Arguments, Version};
use std::process::ExitCode;

/// The commit, where whoever builds says it: `GROUNDUP_COMMIT=$(git rev-parse HEAD) cargo build`, as `./start` does. It is in this file
/// alone, so that another commit is no other library, and no other PID 1.
const COMMIT: Option<&str> = option_env!("GROUNDUP_COMMIT");
/// In an archive that git made, the commit; elsewhere the pattern that git replaces.
const ARCHIVED: &str = include_str!("commit.txt");

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some((first, stage)) = arguments.get(1..).and_then(<[_]>::split_first) {
        if first == host::STAGE {
            return host::stage(stage);
        }
        if first == footing_native::machine::STAGE {
            return footing_native::machine::stage(stage);
        }
    }
    let version = Version::new(COMMIT.filter(|commit| !commit.is_empty()), ARCHIVED);
    match Arguments::read(&arguments, &version) {
        Ok(arguments) => builder::main(arguments),
        Err(error) => builder::refuse(&arguments, &version, &error),
    }
}
