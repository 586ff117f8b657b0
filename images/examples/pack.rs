//! Packs a folder as an input into an image: `pack FOLDER IMAGE`. For benchmarks, which have no plan.

use std::error::Error;
use std::fs::File;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(image)) = (arguments.next(), arguments.next()) else {
        return Err("usage: pack FOLDER IMAGE".into());
    };
    let inputs =
        vec![images::Input { name: "tree".to_owned(), kind: images::Kind::Tree, path: folder.into() }];
    let summary = images::write(
        &images::Image { init: b"", shell: None, plan: b"", inputs },
        &mut File::create(image)?,
    )?;
    println!("{} entries, {} bytes", summary.entries, summary.bytes);
    Ok(())
}
