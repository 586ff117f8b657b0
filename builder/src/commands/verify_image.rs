//! `groundup verify-image`: what an image by anyone would run and trust, without running it.

use crate::audit::inspect::{Inspection, Known, inspect};
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Bytes of an archive that are read, packed or not.
const LARGEST: u64 = 8 << 30;
/// How an xz file begins. Source: the .xz file format, 2.1.1.1.
const XZ: &[u8] = b"\xfd7zXZ\0";

/// Lists what stands in the image. A finding makes the exit status 1.
pub fn verify_image(path: &Path, as_json: bool) -> Result<Result<(), Failure>, Failure> {
    let fail = |error: &dyn std::fmt::Display| {
        Failure::help(
            format!("{}: {error}", path.display()),
            "name an image, plain or compressed with xz, or a disk of `image --usb`",
        )
    };
    let file = bytes(path).map_err(|error| fail(&error))?;
    let (mut unpacked, mut behind) = (Vec::new(), &file[..]);
    let disk = match images::disk::is_disk(&file) {
        true => Some(images::disk::read(&file).ok_or_else(|| fail(&"the disk's header makes no sense"))?),
        false => None,
    };
    let archive = if let Some(disk) = &disk {
        behind = &[];
        disk.image
    } else if file.starts_with(XZ) {
        // In proportion to what it is packed in: some kilobytes of xz may claim to be anything.
        let bound = inputs::bound(file.len() as u64, LARGEST);
        let read = formats::compression::xz(&mut behind)
            .and_then(|from| from.take(bound + 1).read_to_end(&mut unpacked));
        if read.map_err(|error| fail(&error))? as u64 > bound {
            return Err(fail(&format_args!("more than {bound} bytes unpacked")));
        }
        &unpacked[..]
    } else {
        behind = &[];
        &file[..]
    };
    if images::read::entries(archive).next().is_none_or(|entry| entry.is_err()) {
        return Err(fail(&"this is no newc archive"));
    }
    let mut found = inspect(archive);
    if !behind.is_empty() {
        let many = term::count(behind.len(), "byte");
        found
            .findings
            .push(format!("{many} behind the end of xz: a kernel would unpack what is in them, too"));
    }
    if disk.as_ref().is_some_and(|disk| !disk.ours) {
        found
            .findings
            .push("the disk's loaders or its file system are not as this groundup writes them".into());
    }
    let sha256 = crate::hash(&file);
    let kernel = disk.map(|disk| (crate::hash(disk.kernel), disk.kernel == images::FOOTING));
    let many = term::count(found.findings.len(), "finding");
    let verdict = if found.findings.is_empty() { Ok(()) } else { Err(Failure::Differs(many)) };
    if as_json {
        let mut value = value(&sha256, &found);
        if let Some((sha256, footing)) = kernel {
            value["kernel"] = json!({ "sha256": sha256, "footing": footing });
        }
        envelope::print("verify-image", verdict.as_ref().copied(), value)?
    } else {
        let kernel = kernel.map(|(sha256, footing)| {
            let known = if footing { "footing, as this groundup has it" } else { "unknown" };
            format!("kernel {sha256}  {known}\n")
        });
        term::result(&(kernel.unwrap_or_default() + &text(&sha256, &found)))?
    }
    Ok(verdict)
}

/// All of a file or a pipe: a device would have no end.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() && !meta.file_type().is_fifo() {
        return Err(io::Error::other("neither a file nor a pipe"));
    }
    let mut bytes = Vec::new();
    if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
        return Err(io::Error::other(format!("more than {LARGEST} bytes")));
    }
    Ok(bytes)
}

fn known(known: Known) -> &'static str {
    match known {
        Known::Ours => "the PID 1 of this groundup",
        Known::Script => "the shell script of this plan, as this groundup writes it",
        Known::Unknown => "unknown",
    }
}

fn text(sha256: &str, found: &Inspection) -> String {
    let mut text = format!("image  {sha256}\n");
    if let Some((hash, what)) = &found.init {
        text += &format!("init   {hash}  {}\n", known(*what));
    }
    if let Some(plan) = &found.plan {
        text += &format!("plan   {plan}  {}\n", term::count(found.steps.len(), "step"));
    }
    text += "\nInputs. A plan does not tell seeds from sources: what a builder lies in is run for sure, and what is only\n\
             seen may be run too.\n";
    for input in &found.inputs {
        let actual = match &input.actual {
            Some(actual) if *actual == input.declared => "as declared".to_owned(),
            Some(actual) => format!("NOT AS DECLARED, but {actual}"),
            None => "NOT THERE".to_owned(),
        };
        text +=
            &format!("{:>12}  {}  {} ({})  {actual}\n", input.size, input.declared, input.name, input.kind);
        for (how, steps) in [("run by", &input.runs), ("seen by", &input.seen)] {
            if !steps.is_empty() {
                text += &format!("{:>14}{how} {}\n", "", steps.join(", "));
            }
        }
    }
    text += "\nSteps:\n";
    for step in &found.steps {
        text += &format!("  {}: {} {}\n", step.name, step.builder, step.args[1..].join(" "));
        for output in &step.outputs {
            let expected = output.expected.as_deref().unwrap_or("any hash");
            text += &format!("    makes {}, {expected}\n", output.name);
            for (path, hash) in &output.files {
                text += &format!("      in it {path}, {hash}\n");
            }
        }
    }
    if !found.others.is_empty() {
        text += "\nOther files, of which the plan says nothing:\n";
        for (path, size, hash) in &found.others {
            text += &format!("{size:>12}  {hash}  {path}\n");
        }
    }
    for finding in &found.findings {
        text += &format!("\nfinding: {finding}");
    }
    text + if found.findings.is_empty() { "\nNo findings.\n" } else { "\n" }
}

fn value(sha256: &str, found: &Inspection) -> serde_json::Value {
    let inputs = found.inputs.iter().map(|input| {
        json!({
            "name": input.name, "kind": input.kind, "declared": input.declared, "actual": input.actual,
            "size": input.size, "runBy": input.runs, "seenBy": input.seen,
        })
    });
    let steps = found.steps.iter().map(|step| {
        let outputs = step.outputs.iter().map(|output| {
            let files: std::collections::BTreeMap<_, _> = output.files.iter().cloned().collect();
            json!({ "name": output.name, "expected": output.expected, "files": files })
        });
        json!({
            "name": step.name, "builder": step.builder, "args": step.args, "outputs": outputs.collect::<Vec<_>>(),
        })
    });
    let others =
        found.others.iter().map(|(path, size, hash)| json!({ "path": path, "size": size, "sha256": hash }));
    json!({
        "image": sha256,
        "init": found.init.as_ref().map(|(hash, what)| json!({
            "sha256": hash, "known": *what != Known::Unknown, "what": known(*what),
        })),
        "plan": found.plan,
        "inputs": inputs.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
        "others": others.collect::<Vec<_>>(),
        "findings": found.findings,
    })
}
