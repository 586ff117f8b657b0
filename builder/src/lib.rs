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
//! | [`failure`] | exit statuses |
//!
//! Crates of their own: `inputs` fetches and locks, `records` reads, compares and signs, `diff` finds where outputs differ.
pub mod args;
pub mod audit;
pub mod commands;
pub mod compare;
pub mod ddc;
pub mod failure;
pub mod nix;
pub mod prepare;
pub mod probe;
pub mod run;
pub mod ui;

use std::process::ExitCode;

/// Does what was asked and says why not.
pub fn main(arguments: args::Arguments) -> ExitCode {
    match commands::perform(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            ui::term::rendered(&failure.render(ui::term::colors()));
            ExitCode::from(failure.status())
        }
    }
}

/// The sha256 of bytes, in hex.
pub fn hash(bytes: &[u8]) -> String {
    formats::digest::Sha256::of(bytes).to_string()
}
