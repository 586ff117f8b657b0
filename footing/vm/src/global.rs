//! State of the whole kernel.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;

/// A value that is there once and that only the kernel's one thread uses.
pub struct Global<T>(UnsafeCell<T>);

// SAFETY: there is one CPU and one thread, and no interrupt is taken while the kernel runs.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    /// The value at the start.
    pub const fn new(value: T) -> Global<T> {
        Global(UnsafeCell::new(value))
    }

    /// Its address.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }

    /// Uses the value. Whoever does may not call what uses it too.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: one thread; and no module's closure calls out of what the value's own module offers, so no two references live at a time.
        use_it(unsafe { &mut *self.0.get() })
    }
}
