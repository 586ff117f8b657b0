//! What a step sees otherwise than as usual: the `vary` lines of a plan.

macro_rules! vary {
    ($($name:ident: $about:literal;)*) => {
        /// The names, in the order in which a plan has them.
        pub const VARIED: &[&str] = &[$(stringify!($name)),*];

        /// What a plan varies for a step; none of it is as usual.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Vary {
            $(#[doc = $about] pub $name: Option<u64>,)*
        }

        impl Vary {
            /// The value of a number in [`VARIED`].
            pub(super) fn place(&mut self, number: usize) -> Option<&mut Option<u64>> {
                [$(&mut self.$name),*].into_iter().nth(number)
            }
        }
    };
}

vary! {
    random: "Mixed into the seed of random numbers.";
    order: "Which thread runs and for how many calls is drawn from this.";
    look: "Nanoseconds that a look at the clock takes. Other calls take none, unless a timer runs.";
    tick: "Nanoseconds that a look at the clock takes more.";
    cpus: "CPUs that a program may use, from 1 to 64.";
    memory: "Bytes of memory that programs are shown beyond the usual.";
    stack: "Bytes by which the first stack starts below a place that no argument or variable moves, in whole 16.";
    heap: "Bytes by which the heap starts higher, in whole pages.";
    layout: "Addresses of stack, heap, program and mappings are drawn from this.";
    fill: "The byte that lies below the first stack.";
    pid: "So many process ids are skipped before the first that the plan does not fix.";
    inodes: "Inode and device numbers are changed by this.";
    sizes: "Blocks, folders and file systems are so many times as large, from 2 to 16.";
    mtime: "When inputs were last changed, in seconds since 1970.";
    owner: "User and group that inputs belong to.";
    mode: "Mode bits that inputs have more.";
    entries: "0: directories list their entries backwards; else their order is drawn from this.";
}
