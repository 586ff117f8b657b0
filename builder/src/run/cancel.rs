//! Being asked to stop: Ctrl-C, SIGTERM, or a terminal that is closed.
//!
//! Until [`watch`] is called a signal ends the process at once, as it does any other. From then on it sets a flag, so that
//! the machine is ended, the record is written and no file stays behind. A second signal does not wait for that.

use crate::failure::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that a signal sets from now on, instead of ending the process.
pub fn watch() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order, the first signal still finds the flag unset and only sets it.
        signal_hook::flag::register_conditional_shutdown(signal, 3, Arc::clone(&flag))
            .map_err(Failure::machine)?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(Failure::machine)?;
    }
    Ok(flag)
}
