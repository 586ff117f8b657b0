//! The rooms of the program `groundup`.
//!
//! | module | subject |
//! |---|---|
//! | [`args`] | the command line |
//! | [`commands`] | one file for each thing that it can ask for |
//! | [`graph`], [`prepare`] | from a file to choices, inputs and plan |
//! | [`drv`] | the same for derivations of Nix and Guix |
//! | [`ahead`], [`unused`], [`cancel`] | what can be known to fail, or to change nothing, before it is begun; being asked to stop |
//! | [`inputs`] | fetching, verifying, caching, unpacking, locking |
//! | [`fetching`], [`running`], [`term`] | what a person sees meanwhile |
//! | [`auto`] | the machine that chooses per step |
//! | [`lane`] | a prepared graph, built once on one machine |
//! | [`lanes`], [`agreement`], [`verdicts`] | several of these side by side, and what they show together |
//! | [`given`], [`resume`] | outputs of earlier runs as inputs |
//! | [`results`], [`record`], [`tools`] | what came of a run, and what ran it |
//! | [`compare`], [`differ`] | what records show together, and where outputs differ |
//! | [`again`] | from a record back to a run |
//! | [`inspect`] | what an image would run and trust
//! | [`script`] | the plan as a shell script |
//! | [`sign`] | who vouches for a record |
//! | [`probe`] | why a step is not reproducible: one thing varied at a time |
//! | [`outputs`], [`nar`] | taking outputs out of the machine |
//! | [`narinfo`] | what a binary cache says of a store path |
//! | [`failure`] | exit statuses |
pub mod again;
pub mod agreement;
pub mod ahead;
pub mod args;
pub mod auto;
pub mod boot;
pub mod cancel;
pub mod commands;
pub mod compare;
pub mod differ;
pub mod drv;
pub mod failure;
pub mod fetching;
pub mod given;
pub mod graph;
pub mod inputs;
pub mod inspect;
pub mod kernel;
pub mod lane;
pub mod lanes;
pub mod nar;
pub mod narinfo;
pub mod outputs;
pub mod prepare;
pub mod probe;
pub mod record;
pub mod results;
pub mod resume;
pub mod running;
pub mod script;
pub mod sign;
pub mod term;
pub mod tools;
pub mod unused;
pub mod verdicts;

use std::process::ExitCode;

/// Does what was asked and says why not.
pub fn main(arguments: args::Arguments) -> ExitCode {
    match commands::perform(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            term::rendered(&failure.render(term::colors()));
            ExitCode::from(failure.status())
        }
    }
}

/// The sha256 of bytes, in hex.
pub fn hash(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
