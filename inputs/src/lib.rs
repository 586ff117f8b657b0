//! Where inputs come from: fetched, verified, cached, unpacked, picked, merged, locked.
//!
//! Nothing here is trusted but the hashes that the graph or its lock file states. A place (a mirror, a cache, a file
//! beside the graph) may lie, vanish or stop halfway; what it gave is hashed before anything else looks at it, and
//! hashed again each time it leaves the cache. Layers, the upper ones without I/O:
//!
//! | module | subject |
//! |---|---|
//! | `spec`, `pick`, `control` | pure: what an input is, path patterns, Debian stanzas |
//! | `lock` | pure but for two functions: the lock file's text and how it is renewed |
//! | `error`, `explain` | pure: what went wrong, and the same as a problem of the graph |
//! | `hash`, `tree`, `unpack` | files and archives on disk |
//! | `local`, `http`, `apt`, `debian`, `wheel` | one kind of place each |
//! | `hosts`, `pace`, `child` | hosts that are out of reach, servers and programs that are too slow to be waited for |
//! | `cache`, `store` | the folder that holds everything, and the way through all of the above |
//!
//! Other programs that are run: `apt-get`, `apt-cache`, `apt-helper` and `pip`; they read the machine's own
//! configuration (mirrors, proxies, certificates). Host names of ours there are none.

mod apt;
mod beside;
mod cache;
mod child;
mod control;
mod debian;
mod discard;
mod error;
mod explain;
mod hash;
mod hosts;
mod http;
mod local;
pub mod lock;
mod pace;
mod pick;
mod progress;
mod restore;
mod spec;
mod store;
mod tree;
mod unpack;
mod usage;
mod wheel;

pub use beside::missing;
pub use cache::default_folder;
pub use discard::discard;
pub use error::{Attempt, Error, Reason, is_full};
pub use explain::problem;
pub use hash::file as hash_file;
pub use http::Limits as FetchLimits;
pub use lock::Lock;
pub use progress::{Event, Progress, Silent};
pub use restore::restore;
pub use spec::{InputSpec, describe};
pub use store::{FetchedFile, InputCache, Obtained};
pub use tree::nar;
pub use tree::nar_to;
pub use unpack::{Limits as UnpackLimits, bound};
pub use usage::{Usage, shrink, usage};
