//! Where inputs come from: fetching, verifying, caching, unpacking, locking.
