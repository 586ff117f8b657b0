//! Inputs: an image is data, not a promise. An input is there for steps once its hash is found right. A plan can say that nobody
//! asks for a hash, which is said in turn.

use super::Runner;
use super::event::event;
use super::reason::{Fault, Place, at};
use super::unpack::Nodes;
use crate::errno::{EEXIST, ENOENT};
use crate::tree::NodeId;
use alloc::vec::Vec;
use formats::plan::{Input, Kind};
use formats::unpack::unpack;

impl Runner<'_> {
    /// Verifies an input and says so.
    pub(super) fn verify(&mut self, input: &Input<'_>) {
        let name = input.name;
        let is_only_read = matches!(input.kind, Kind::File | Kind::Data);
        let volume = if is_only_read { self.volumes.sources } else { self.volumes.inputs };
        let tree = self.kernel.tree();
        let mut nodes = Nodes { tree, volume, root: None, open: Vec::new(), path: Vec::new() };
        let taken = match self.image.input(name.as_bytes()) {
            _ if self.inputs.contains_key(name.as_bytes()) => Err(Fault::System("create", EEXIST)),
            Some(entries) => unpack(entries, input, &mut nodes),
            None if input.kind == Kind::Exec || input.kind == Kind::File => Err(at("chmod")(ENOENT)),
            None => Err(at("lstat")(ENOENT)),
        };
        let Nodes { root, path, .. } = nodes;
        match (taken, root) {
            (Ok(found), Some(root)) if found == input.sha256 || !input.verified => {
                self.kernel.tree().freeze(root, volume);
                self.inputs.insert(name.as_bytes().into(), root.0);
                if input.verified {
                    event!(self.home, "input ", name, " ", &found);
                } else {
                    event!(self.home, "input ", name, " unverified");
                }
            }
            (taken, root) => {
                self.forget_input(name.as_bytes());
                if let Some(root) = root {
                    self.drop_tree(root);
                }
                match taken {
                    Ok(found) => {
                        event!(self.home, "bad-input ", name, " expected ", &input.sha256, ", found ", &found)
                    }
                    Err(fault) => event!(self.home, "bad-input ", name, " ", Place(&path), ": ", fault),
                }
            }
        }
    }

    /// Frees the memory that an input takes.
    pub(super) fn forget_input(&mut self, name: &[u8]) {
        if let Some(root) = self.inputs.remove(name) {
            self.drop_tree(NodeId(root));
        }
    }

    /// Drops a tree, and what the home keeps of its files.
    pub(super) fn drop_tree(&mut self, root: NodeId) {
        for id in self.kernel.tree().drop_tree(root) {
            self.kernel.forget(id);
        }
    }
}
