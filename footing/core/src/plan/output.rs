//! What a step made: found, hashed, exported, made canonical for later steps, and held against what was expected.

use super::Runner;
use super::canonical::{contents, keep, write};
use super::event::event;
use super::export::{Export, Spot};
use super::reason::{Fault, Place, at};
use super::references::Known;
use super::world::below;
use crate::errno::{EISDIR, ELOOP, ENOENT, Errno};
use crate::tree::{Kind, NodeId, Tree};
use alloc::vec::Vec;
use formats::canonical::{Allowed, SetIdPolicy};
use formats::hex::Digest;
use formats::nar::Sha256;
use formats::plan::{Expected, Output, Rules, Step};
use formats::say;
use formats::say::{LineBuf, Text};
use formats::scan::Scan;

/// An output that stands.
struct Taken {
    found: Digest,
    size: u64,
    spot: Spot,
    /// Of a plain file's bytes, where that is what is expected.
    flat: Option<Digest>,
}

impl Runner<'_> {
    /// Takes all outputs of a step whose processes are gone. Every output is reported, also when another is wrong; what is wrong is
    /// written to `words`, and nothing else.
    pub(super) fn collect(&mut self, step: &Step<'_>, store: Option<NodeId>, words: &mut LineBuf) {
        let mut known = step.closure.then(|| self.references.known(step));
        for output in step.outputs() {
            let mut path = Vec::new();
            let result = self.take(step, &output, store, &mut known, &mut path);
            if let Ok(Some(taken)) = &result {
                event!(
                    self.home,
                    "output ",
                    output.name,
                    " ",
                    &taken.found,
                    " ",
                    taken.size,
                    " ",
                    taken.spot
                );
            }
            if !words.is_empty() {
                continue;
            }
            let name = output.name;
            match (result, output.expected) {
                (Ok(Some(taken)), expected) => {
                    let found = taken.flat.unwrap_or(taken.found);
                    if let Some(Expected::Nar(expected) | Expected::Flat(expected)) = expected
                        && found != expected
                    {
                        say!(words, "output ", name, ": expected ", &expected, ", found ", &found);
                    } else {
                        self.files(step, &output, words);
                    }
                }
                (Ok(None), _) => say!(words, "output ", name, " was not made"),
                (Err(Fault::Refused(what)), _) => {
                    say!(words, "output ", name, ", ", Place(&path), ": ", what, " is not allowed");
                }
                (Err(fault), _) => say!(words, "output ", name, ", ", Place(&path), ": ", fault),
            }
        }
        if step.closure && words.is_empty() {
            self.references.close(step);
        }
    }

    /// Takes one output; nothing if it was not made.
    fn take(
        &mut self,
        step: &Step<'_>,
        output: &Output<'_>,
        store: Option<NodeId>,
        known: &mut Option<Known>,
        path: &mut Vec<u8>,
    ) -> Result<Option<Taken>, Fault> {
        let ours = step.rules == Rules::Groundup;
        let base = output.base.as_bytes();
        let tree = self.kernel.tree();
        let Some(root) = store.and_then(|store| tree.folder(store).ok()?.get(base)) else { return Ok(None) };
        let node = tree.get(root).map_err(at("lstat"))?;
        if !ours && node.mode & 0o022 != 0 && !matches!(node.kind, Kind::Link(_)) {
            return Err(Fault::Refused("that its group or others may write it"));
        }
        let special = if ours { SetIdPolicy::Refused } else { SetIdPolicy::Stripped };
        let mut allowed = Allowed { special, left: step.space_limit };
        let mut export = Export::new(self.home, self.exported);
        let (found, size) = match known {
            Some(known) => {
                known.take();
                write(tree, root, &mut allowed, &mut Scan::new(known, &mut export), path)?
            }
            None => write(tree, root, &mut allowed, &mut export, path)?,
        };
        let kept = keep(tree, root, self.volumes.outputs)?;
        let spot = export.keep(&mut self.exported);
        self.outputs.insert([step.name.as_bytes(), b"/", base].concat().into(), kept.0);
        if let Some(known) = known {
            for name in known.take() {
                event!(self.home, "reference ", output.name, " ", Text(&name));
                self.references.add(base, &name);
            }
            self.references.made(base, step.name.as_bytes());
        }
        let flat = match output.expected {
            Some(Expected::Flat(_)) => Some(flat(self.kernel.tree(), kept, ours)?),
            _ => None,
        };
        Ok(Some(Taken { found, size, spot, flat }))
    }

    /// Holds the files inside an output against the plan; the first that is wrong is written to `words`.
    fn files(&mut self, step: &Step<'_>, output: &Output<'_>, words: &mut LineBuf) {
        for (path, expected) in output.files() {
            let name = [step.name.as_bytes(), b"/", output.base.as_bytes()].concat();
            let kept = self.outputs.get(&*name);
            let inside: Vec<u8> = path.bytes().collect();
            let tree = self.kernel.tree();
            let node = kept.ok_or(ENOENT).and_then(|&kept| below(tree, NodeId(kept), &inside));
            let found = node.map_err(at("open")).and_then(|node| bytes(tree, node));
            if found.as_ref().is_ok_and(|found| *found == expected) {
                continue;
            }
            say!(words, "output ", output.name, ", ", Text(path.spelled()), ": expected ", &expected, ", ");
            return match found {
                Ok(found) => say!(words, "found ", &found),
                Err(fault) => say!(words, fault),
            };
        }
    }
}

/// The sha256 of a plain file's bytes.
fn bytes(tree: &Tree, node: NodeId) -> Result<Digest, Fault> {
    match &tree.get(node).map_err(at("open"))?.kind {
        Kind::File(file) => {
            let mut hash = Sha256::new();
            contents(file, &mut |bytes| hash.update(bytes));
            Ok(hash.finalize())
        }
        Kind::Folder(_) => Err(Fault::System("read", EISDIR)),
        Kind::Link(_) => Err(Fault::System("open", ELOOP)),
        _ => Err(Fault::System("open", Errno(6))),
    }
}

/// The same of an output that is expected to be a plain file.
fn flat(tree: &Tree, kept: NodeId, ours: bool) -> Result<Digest, Fault> {
    let node = tree.get(kept).map_err(at("lstat"))?;
    if !matches!(node.kind, Kind::File(_)) || node.mode & 0o111 != 0 && !ours {
        let what = if ours {
            "anything but a plain file"
        } else {
            "anything but a plain file that is not executable"
        };
        return Err(Fault::Refused(what));
    }
    bytes(tree, kept)
}
