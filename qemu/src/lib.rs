//! The machine: starting and watching QEMU, console events, the export region.
//!
//! [`machine`] says what each machine is, flag by flag; [`host`] is the one without QEMU; [`run()`] starts it, follows its console and ends it;
//! [`console`] turns the console's bytes into typed lines; [`region`] is the memory through which outputs leave;
//! [`kvm`] tells whether this host's KVM really works.
//!
//! # Nothing of the host gets in
//! The console is an unlinked file that QEMU inherits as its standard output, not a pipe: a pipe that is full makes
//! the serial port wait, and then a slow reader could be seen in the guest's clock. The export region is an unlinked
//! file that QEMU inherits as its standard input. Neither has a name that could stay behind, or hold a comma.

pub mod console;
mod error;
mod event;
pub mod kvm;
pub mod machine;
pub mod region;
mod run;
mod watch;

pub use console::Line;
pub use error::Error;
pub use event::{Event, Place};
pub use machine::{Altered, Inputs, Machine, Profile, version};
pub use region::Region;
pub use run::{Ending, run};
