//! The machine: starting and watching QEMU, console events, the export region.
