//! The program groundup: arguments, inputs, progress, records.
fn main() {}
