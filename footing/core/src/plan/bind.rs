//! Inputs and outputs in the world of a step. They are frozen: whoever sees them can only read them.

use super::Runner;
use super::references::in_store;
use super::world::{Root, below, decode, folder_below};
use crate::errno::{ENOENT, Errno};
use crate::tree::{Kind, Meta, NodeId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use formats::plan::{Field, RootfsEntry, Source, Step};

impl Runner<'_> {
    /// Makes an input or an output, or what lies below it, visible; a symbolic link is copied.
    pub(super) fn bind(&mut self, root: &Root, source: Source<'_>, path: Field<'_>) -> Result<(), Errno> {
        let path = decode(path);
        let (folder, name) = root.place(self.kernel.tree(), &path)?;
        let (trees, components, source) = match source {
            Source::Input(field) => (&self.inputs, 1, decode(field)),
            Source::Output(field) => (&self.outputs, 2, decode(field)),
        };
        let (name_of, inside) = split(&source, components);
        let node = NodeId(*trees.get(name_of).ok_or(ENOENT)?);
        let node = below(self.kernel.tree(), node, inside)?;
        self.show(root, folder, name, node)
    }

    fn show(&mut self, root: &Root, folder: NodeId, name: &[u8], node: NodeId) -> Result<(), Errno> {
        let tree = self.kernel.tree();
        let Kind::Link(target) = &tree.get(node)?.kind else { return tree.bind(folder, name, node) };
        let target = target.clone();
        let meta = Meta { mode: 0o777, uid: 0, gid: 0, time: root.time };
        tree.add(folder, name, Kind::Link(target), meta).map(drop)
    }

    /// All that the binds directly in the store refer to and that is not there yet.
    pub(super) fn bind_closure(&mut self, root: &Root, step: &Step<'_>) -> Result<(), Errno> {
        let store = decode(step.store);
        for base in step.world().filter_map(|world| in_store(step, world)) {
            let names: Vec<Box<[u8]>> = self.references.of(base).map(Box::from).collect();
            for name in names {
                let tree = self.kernel.tree();
                let folder = folder_below(tree, root.node, &store)?;
                if tree.folder(folder)?.get(&name).is_some() {
                    continue;
                }
                // An input counts, also where a step makes it once more.
                let made = || self.outputs.get(&*[self.references.maker(&name)?, b"/", &name].concat());
                let node = NodeId(*self.inputs.get(&name).or_else(made).ok_or(ENOENT)?);
                self.show(root, folder, &name, node)?;
            }
        }
        Ok(())
    }

    /// The first thing that a step binds and that is neither verified nor built.
    pub(super) fn missing<'p>(&self, step: &Step<'p>) -> Option<&'p [u8]> {
        step.world().find_map(|world| {
            let RootfsEntry::Bind { source, .. } = world else { return None };
            let (trees, components, field) = match source {
                Source::Input(field) => (&self.inputs, 1, field),
                Source::Output(field) => (&self.outputs, 2, field),
            };
            let name = split(field.spelled(), components).0;
            (!trees.contains_key(name)).then_some(name)
        })
    }
}

/// The first components of a path, and what is behind them.
fn split(path: &[u8], components: usize) -> (&[u8], &[u8]) {
    let mut slashes = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at);
    let slash = slashes.nth(components - 1).unwrap_or(path.len());
    (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default())
}
