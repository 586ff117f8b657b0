//! The command line program: everything is in the library beside it.
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    builder::main(builder::args::Arguments::parse())
}
