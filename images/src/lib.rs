//! The initrd writer and reader, the embedded PID 1, and how a kernel is obtained.
