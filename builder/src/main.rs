//! The command line program: everything is in the library beside it.
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [first, stage @ ..] = &arguments[..]
        && first == host::STAGE
    {
        return host::stage(stage);
    }
    if let [first, stage @ ..] = &arguments[..]
        && first == footing_native::machine::STAGE
    {
        return footing_native::machine::stage(stage);
    }
    builder::main(builder::args::Arguments::parse())
}
