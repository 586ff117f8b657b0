//! What can be varied.

use super::Alteration as A;
use super::Change::{Machine, Probe, Step};
use super::{Variation, world};

/// Reasons for which builds differ. Source: the names that reproducible-builds.org gives them; the last three are not on its list.
pub const SUBJECTS: [&str; 19] = [
    "archive metadata",
    "architecture information",
    "build ID",
    "build path",
    "build timestamp",
    "file encoding",
    "filesystem ordering",
    "file permission",
    "locale",
    "package dependency",
    "randomness",
    "memory address",
    "snippet encoding",
    "DNS name",
    "uninitialized memory",
    "user information",
    "process ID",
    "file system",
    "resource limit",
];

macro_rules! table {
    ($($name:literal, $subject:literal, $change:expr, $about:literal;)*) => {
        &[$(Variation { name: $name, subject: $subject, about: $about, change: $change }),*]
    };
}

/// All variations, in the order in which they are reported.
pub const VARIATIONS: &[Variation] = table![
    "input-times", "archive metadata", Probe("mtime=5f3a1c00"), "inputs were last changed in 2020, not in 1970";
    "input-owners", "archive metadata", Probe("owner=7b"), "inputs belong to user and group 123, not to root";
    "input-modes", "archive metadata", Probe("mode=80"), "their owner may write inputs";
    "uname", "architecture information", Step(world::uname), "uname says i686 and a kernel 2.6";
    "cpu", "architecture information", Machine(A::Cpu), "another CPU model with other features";
    "board", "architecture information", Machine(A::Board), "another board and chip set";
    "memory-size", "architecture information", Machine(A::Memory), "more memory";
    "kernel", "architecture information", Machine(A::Kernel), "another kernel";
    "build-path", "build path", Step(world::build_path), "another, longer working directory";
    "date", "build timestamp", Step(world::date), "another date and time of day, more than a year later";
    "time-zone", "build timestamp", Step(world::time_zone), "TZ is 13 hours and a half behind";
    "encoding", "file encoding", Step(world::encoding), "the locale C, without UTF-8";
    "entries-reversed", "filesystem ordering", Probe("dents=reversed"), "directories list their entries backwards";
    "entries-shuffled", "filesystem ordering", Probe("dents={}"), "directories list their entries in an order drawn once";
    "umask-002", "file permission", Step(world::umask_002), "umask 002, not 022";
    "umask-077", "file permission", Step(world::umask_077), "umask 077, not 022";
    "locale", "locale", Step(world::locale), "an Estonian locale with UTF-8";
    "seed-version", "package dependency", Machine(A::Seeds), "seeds that float have other versions";
    "undeclared-files", "package dependency", Step(world::undeclared), "files that no input declares are gone: passwd, group and hosts";
    "random-numbers", "randomness", Probe("random={}"), "another seed for random numbers";
    "entropy", "randomness", Machine(A::Entropy), "another seed for those of the kernel itself";
    "scheduling", "randomness", Probe("schedule={}"), "processes held up at other moments";
    "tick", "randomness", Machine(A::Tick), "a look at the clock takes more than a second, and in a machine of its own instructions take twice as long";
    "cpu-count", "randomness", Probe("cpus=4"), "four CPUs may be used";
    "stack-base", "memory address", Probe("stack=5d20"), "another address of the stack";
    "heap-base", "memory address", Probe("heap=1234000"), "another address of the heap";
    "map-base", "memory address", Step(world::map_base), "libraries and mappings lie in the old layout";
    "layout", "memory address", Machine(A::Layout), "addresses drawn at random";
    "host-name", "DNS name", Step(world::host), "another host name";
    "domain-name", "DNS name", Step(world::domain), "another domain name";
    "stack-contents", "uninitialized memory", Probe("fill=a5"), "what lies below the stack before a program starts";
    "heap-contents", "uninitialized memory", Step(world::heap_contents), "what glibc's malloc gives is not zero";
    "user-id", "user information", Step(world::user_id), "another user id";
    "group-id", "user information", Step(world::group_id), "another group id";
    "user-name", "user information", Step(world::user_name), "another user name";
    "home", "user information", Step(world::home), "another home directory";
    "environment", "user information", Step(world::environment), "two variables more";
    "pid", "process ID", Probe("pid=4d2"), "processes have other, higher numbers";
    "inodes", "file system", Probe("inodes=9e3779b1"), "other inode and device numbers";
    "file-system", "file system", Probe("sizes=1"), "larger folders, blocks of files and file systems";
    "limits", "resource limit", Step(world::limits), "other soft limits of resources";
];
