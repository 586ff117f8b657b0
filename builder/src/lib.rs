//! The rooms of the program `groundup`.
//!
//! | module | subject |
//! |---|---|
//! | [`args`] | the command line |
//! | [`commands`] | one file for each thing that it can ask for |
//! | [`ui`] | what a person sees meanwhile |
//! | [`prepare`] | from a file to choices, inputs and plan |
//! | [`nix`] | the same for derivations of Nix and Guix |
//! | [`run`] | a prepared graph, built once on one machine, and its results and record |
//! | [`ddc`] | several runs side by side, and what they show together |
//! | [`probe`] | why a step is not reproducible: one thing varied at a time |
//! | [`audit`] | what is trusted, what an image would run, the plan as a shell script, a record built again |
//! | [`compare`] | what records show together, and where outputs differ |
//! | [`draw`] | pictures of graphs |
//! | [`failure`] | exit statuses |
//! | [`envelope`] | what all that `--json` prints has in common |
//!
//! Crates of their own: `inputs` fetches and locks, `records` reads, compares and signs, `diff` finds where outputs differ.
pub mod args;
pub mod audit;
pub mod commands;
pub mod compare;
pub mod ddc;
pub mod draw;
pub mod envelope;
pub mod failure;
pub mod nix;
pub mod prepare;
pub mod probe;
pub mod run;
pub mod ui;

use args::{Arguments, Version};
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does what was asked and says why not.
pub fn main(arguments: Arguments) -> ExitCode {
    match commands::perform(arguments.command, arguments.json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            ui::term::rendered(&failure.render(ui::term::colors()));
            ExitCode::from(failure.status())
        }
    }
}

/// Says why a command line is refused, or prints the help or the version that it asks for.
pub fn refuse(words: &[OsString], version: &Version, error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let json = Arguments::wants_json(words);
    let printed = match error.kind() {
        ErrorKind::DisplayVersion if json => envelope::print("version", Ok(()), version.json()),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away has what it wanted.
            let _ = error.print();
            Ok(())
        }
        _ => {
            let _ = error.print();
            let text = error.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            let failure = Failure::Input(text.to_owned());
            let printed = if json { envelope::print_failure(None, &failure) } else { Ok(()) };
            printed.and(Err(failure))
        }
    };
    ExitCode::from(printed.map_or_else(|failure| failure.status(), |()| 0))
}

/// The sha256 of bytes, in hex.
pub fn hash(bytes: &[u8]) -> String {
    formats::digest::Sha256::of(bytes).to_string()
}
