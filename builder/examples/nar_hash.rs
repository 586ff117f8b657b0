//! Prints the sha256 of a path's NAR, for measuring: `nar_hash PATH`.

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).expect("usage: nar_hash PATH");
    println!("{}", inputs::nar(path.as_ref())?.0);
    Ok(())
}
