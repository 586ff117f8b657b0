//! Things by small numbers, which are used again once they are free.

use crate::errno::{EBADF, ENFILE, Errno};
use alloc::vec::Vec;

/// Things by number. Which number a thing gets depends on nothing but the order of calls.
pub(crate) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Slab<T> {
        Slab { items: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn add(&mut self, item: T) -> Result<u32, Errno> {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.items.get_mut(number as usize)
        {
            *place = Some(item);
            return Ok(number);
        }
        let number = u32::try_from(self.items.len()).map_err(|_| ENFILE)?;
        self.items.push(Some(item));
        Ok(number)
    }

    pub(crate) fn get(&self, number: u32) -> Result<&T, Errno> {
        self.items.get(number as usize).and_then(Option::as_ref).ok_or(EBADF)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Result<&mut T, Errno> {
        self.items.get_mut(number as usize).and_then(Option::as_mut).ok_or(EBADF)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let item = self.items.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(item)
    }

    /// Every number from 0 on that may be in use.
    pub(crate) fn numbers(&self) -> core::ops::Range<u32> {
        0..self.items.len() as u32
    }

    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.free.clear();
    }
}
