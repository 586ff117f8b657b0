//! A kernel as an output of a graph, as it is asked for: `--kernel OUTPUT@GRAPH`.

use crate::failure::Failure;
use records::record::BuiltFrom;
use std::path::Path;

/// The file that is the kernel where an output is a folder and no file of it is named.
const USUAL: &str = "vmlinux";

/// What was asked for.
pub struct Wish<'a> {
    /// As it stands on the command line.
    pub text: &'a str,
    /// The output's name.
    pub output: &'a str,
    /// The file in it.
    pub file: Option<&'a str>,
    /// The graph's file.
    pub graph: &'a Path,
}

/// What a list of parts says of where a kernel came from.
pub fn about(from: &BuiltFrom) -> String {
    let file = from.file.as_ref().map_or(String::new(), |file| format!("{file} in "));
    let cached = if from.from_cache { ", from the cache and not built again" } else { "" };
    format!(
        "{file}the output {} of {}, built on {} by the plan {}{cached}",
        from.output, from.graph, from.machine, from.plan_sha256
    )
}

/// Whether a kernel's name means the output of a graph: no file has this name.
pub fn is_meant(name: &str) -> bool {
    name.contains('@') && !Path::new(name).exists()
}

impl<'a> Wish<'a> {
    /// Reads what follows `--kernel`.
    pub fn read(text: &'a str) -> Result<Wish<'a>, Failure> {
        let halves = text.split_once('@').filter(|(output, graph)| !output.is_empty() && !graph.is_empty());
        let Some((output, graph)) = halves else {
            let help = "write OUTPUT@GRAPH or OUTPUT/FILE@GRAPH, such as kernel/vmlinux@kernel.ron";
            return Err(Failure::help(format!("--kernel {text}: an output and a graph are needed"), help));
        };
        let (output, file) =
            output.split_once('/').map_or((output, None), |(output, file)| (output, Some(file)));
        if file.is_some_and(|file| file.split('/').any(|part| matches!(part, "" | "." | ".."))) {
            let help = "write the file's path in the output, such as kernel/vmlinux@kernel.ron";
            return Err(Failure::help(format!("--kernel {text}: this names no file in the output"), help));
        }
        Ok(Wish { text, output, file, graph: Path::new(graph) })
    }

    /// The kernel in the output, and its file's name where the output is a folder.
    pub fn find(&self, output: &Path) -> Result<(Option<String>, Vec<u8>), Failure> {
        let file = self.file.or_else(|| output.is_dir().then_some(USUAL)).map(str::to_owned);
        let path = file.as_ref().map_or_else(|| output.to_owned(), |file| output.join(file));
        let help = "name the kernel's file in the output: OUTPUT/FILE@GRAPH";
        // A link could lead out of the output.
        let plain = path.ancestors().take_while(|path| *path != output).all(|path| !path.is_symlink());
        let bytes = std::fs::read(&path).ok().filter(|_| plain);
        let Some(bytes) = bytes else {
            return Err(
                self.fail(format!("the output has no file {}", file.as_deref().unwrap_or(self.output)), help)
            );
        };
        match is_kernel(&bytes) {
            true => Ok((file, bytes)),
            false => Err(self.fail("the output is no kernel for x86 (a bzImage, or an ELF file)", help)),
        }
    }

    /// An error that names the option.
    pub fn fail(&self, what: impl std::fmt::Display, help: &str) -> Failure {
        Failure::help(format!("--kernel {}: {what}", self.text), help)
    }
}

/// That an option names a graph that can be read.
pub fn probe(name: &str) -> Result<(), Failure> {
    let wish = Wish::read(name)?;
    let there = std::fs::File::open(wish.graph).map(drop);
    there.map_err(|error| {
        wish.fail(format!("{}: {error}", wish.graph.display()), "name a graph in RON that is there")
    })
}

/// Whether bytes start as a kernel does: with the boot protocol's magic (the kernel's Documentation/arch/x86/boot.rst), or ELF's.
pub fn is_kernel(start: &[u8]) -> bool {
    let bzimage = start.get(0x1fe..0x200) == Some(&[0x55, 0xaa]) && start.get(0x202..0x206) == Some(b"HdrS");
    bzimage || start.starts_with(b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_has_an_output_a_file_and_a_graph() {
        let read = |text| Wish::read(text).ok().map(|wish| (wish.output, wish.file, wish.graph));
        assert_eq!(read("kernel@kernel.ron"), Some(("kernel", None, Path::new("kernel.ron"))));
        assert_eq!(read("kernel/a/b@../k@.ron"), Some(("kernel", Some("a/b"), Path::new("../k@.ron"))));
        assert!(["@kernel.ron", "kernel@", "kernel/../x@k.ron"].iter().all(|text| read(text).is_none()));
    }
}
