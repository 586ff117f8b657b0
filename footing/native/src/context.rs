//! Threads' registers, wherever they are.

use std::cell::RefCell;
use std::rc::Rc;

use footing_core::platform::Registers;

use crate::Native;
use crate::space::{self, Context, Space, Thread};
use crate::trace::{self, Gone};

/// Bytes that FXSAVE stores.
const LEGACY: usize = 512;
/// In XSAVE's header: which parts are not in their initial state.
const PARTS: usize = 512;

impl Native {
    pub(crate) fn new_context(&self, registers: &Registers) -> Context {
        let mut here = trace::empty();
        space::store(registers, &mut here);
        let vectors = Some(self.first.vectors.clone());
        Context(Rc::new(RefCell::new(Thread { registers: here, known: true, vectors, result: None })))
    }

    /// Makes the registers of a thread known.
    pub(crate) fn know(space: &mut Space, context: &Context) -> Result<(), Gone> {
        if context.0.borrow().known || !space.is_live(context) {
            return Ok(());
        }
        space.halt()?;
        if !context.0.borrow().known {
            space.know(trace::registers(space.pid)?);
        }
        Ok(())
    }

    /// The vectors' state of a thread, all of it.
    pub(crate) fn all_vectors(&self, space: &mut Space, context: &Context) -> Result<Vec<u8>, Gone> {
        if let Some(vectors) = &context.0.borrow().vectors {
            return Ok(vectors.clone());
        }
        if !space.is_live(context) {
            return Ok(self.first.vectors.clone());
        }
        space.halt()?;
        trace::vectors(space.pid)
    }

    /// As a signal's frame holds them: the part that a program shown footing's processor can know of, else all.
    pub(crate) fn shown_vectors(&self, space: &mut Space, context: &Context) -> Vec<u8> {
        let mut all = self.all_vectors(space, context).unwrap_or_else(|Gone| self.first.vectors.clone());
        // Linux's own, for programs.
        all[464..LEGACY].fill(0);
        if self.first.cpuid {
            all.truncate(LEGACY);
        }
        all
    }

    /// Takes them back. What they do not hold stays.
    pub(crate) fn replace_vectors(&self, space: &mut Space, context: &Context, to: &[u8]) {
        let fresh = &self.first.vectors;
        let new = match to.len() {
            LEGACY => self.all_vectors(space, context).map(|mut all| {
                all[..LEGACY].copy_from_slice(to);
                // x87 and SSE.
                all[PARTS] |= 3;
                all
            }),
            length if length == fresh.len() => Ok(to.to_vec()),
            _ => Ok(fresh.clone()),
        };
        context.0.borrow_mut().vectors = Some(new.unwrap_or_else(|Gone| fresh.clone()));
    }
}
