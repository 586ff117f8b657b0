//! What both loaders have: a console, and the way from what is loaded to the kernel.

mod leave;
pub mod serial;
mod start;
#[path = "../../../vm/src/strings.rs"]
mod strings;

pub use start::{Loaded, Room};

use core::sync::atomic::{AtomicPtr, Ordering};

/// What writes to the screen and to the serial port.
type Console = fn(&[u8]);

static CONSOLE: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// From now on what is said goes there, and not to the serial port alone.
pub fn set_console(console: Console) {
    CONSOLE.store(console as *mut (), Ordering::Relaxed);
}

/// Says something.
pub fn say(text: &str) {
    let console = CONSOLE.load(Ordering::Relaxed);
    if console.is_null() {
        serial::write(text.as_bytes());
    } else {
        // SAFETY: nothing but such a function is ever stored.
        let console: Console = unsafe { core::mem::transmute(console) };
        console(text.as_bytes());
    }
}

/// Says why nothing can be started, and halts.
pub fn fatal(why: &str) -> ! {
    say("@ fatal the loader: ");
    say(why);
    say("\n");
    leave::halt()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    fatal("it panicked")
}
