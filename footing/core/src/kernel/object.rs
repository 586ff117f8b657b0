//! What descriptors stand for.

use super::process::Alarm;
use crate::map::Map;
use crate::tree::NodeId;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fd {
    pub(crate) open: u32,
    pub(crate) cloexec: bool,
}

/// A table of descriptors.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) users: u32,
    pub(crate) fds: Vec<Option<Fd>>,
}

/// What is open.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// A file, directory or device.
    Node(NodeId),
    /// Text of `/proc` as it was when it was read from its start.
    Text(NodeId, Box<[u8]>),
    /// An end of a pipe: it reads, it writes.
    Pipe(u32, bool, bool),
    /// The step's log.
    Log,
    Socket(u32),
    Event(u32),
    Timer(u32),
    /// signalfd: these signals.
    Signal(u64),
    Epoll(u32),
    /// pidfd_open.
    Process(i32),
}

/// An open file description.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) users: u32,
    pub(crate) object: Object,
    /// O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH and the like.
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    /// The entry of a directory that was read last.
    pub(crate) last: Option<Box<[u8]>>,
    /// By which path it was opened.
    pub(crate) path: Box<[u8]>,
}

/// A pipe, or one direction of a stream.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) bytes: VecDeque<u8>,
    pub(crate) size: usize,
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// The node, if it has a name.
    pub(crate) node: Option<NodeId>,
    pub(crate) inode: u32,
}

/// An eventfd.
#[derive(Debug)]
pub(crate) struct EventFd {
    pub(crate) count: u64,
    pub(crate) semaphore: bool,
}

/// A timerfd.
#[derive(Debug, Default)]
pub(crate) struct TimerFd {
    pub(crate) clock: u32,
    pub(crate) alarm: Alarm,
    pub(crate) fired: u64,
}

/// An epoll instance: for each descriptor and description the events asked for and the user's data.
#[derive(Debug, Default)]
pub(crate) struct Epoll {
    pub(crate) entries: Map<(u32, u32), Interest>,
}

/// What is asked of a descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest {
    pub(crate) events: u32,
    pub(crate) data: u64,
    /// What was reported last, for EPOLLET and EPOLLONESHOT.
    pub(crate) last: u32,
    pub(crate) off: bool,
}

/// What a socket is up to.
#[derive(Debug)]
pub(crate) enum SocketState {
    New,
    /// It listens: connections that wait, and how many may.
    Listen(VecDeque<u32>, usize),
    /// Pipes to read from and to write to, the peer.
    Connected {
        input: u32,
        output: u32,
        peer: Option<u32>,
    },
    /// Messages that wait, each with where it came from.
    Datagram {
        peer: Option<u32>,
    },
}

/// A message with its sender's address and the descriptions it carries.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) from: Vec<u8>,
    pub(crate) opens: Vec<u32>,
}

/// A socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// AF_UNIX, AF_INET or AF_INET6.
    pub(crate) family: u32,
    /// SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
    pub(crate) kind: u32,
    pub(crate) state: SocketState,
    /// As bind(2) had it: a `struct sockaddr`.
    pub(crate) address: Vec<u8>,
    pub(crate) peer_address: Vec<u8>,
    /// Of datagrams and packets.
    pub(crate) messages: VecDeque<Message>,
    /// Descriptions sent over a stream, and before which of its bytes.
    pub(crate) passed: VecDeque<(u64, Vec<u32>)>,
    /// Bytes received so far.
    pub(crate) received: u64,
    pub(crate) node: Option<NodeId>,
    /// shutdown(2): 1 no more is read, 2 no more is written.
    pub(crate) shut: u8,
    /// The peer went without reading all: ECONNRESET, once.
    pub(crate) reset: bool,
    /// SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds; 0 is never.
    pub(crate) timeouts: [u64; 2],
}

/// What a lock is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    Node(NodeId),
    Pipe(u32),
    Socket(u32),
    Log,
    /// All descriptors of events, timers, signals and epoll together, as they share one inode on Linux.
    Anonymous,
}

impl Object {
    /// What a lock of this is on.
    pub(crate) fn locked(&self) -> Locked {
        match *self {
            Object::Node(node) | Object::Text(node, _) => Locked::Node(node),
            Object::Pipe(pipe, ..) => Locked::Pipe(pipe),
            Object::Socket(socket) => Locked::Socket(socket),
            Object::Log => Locked::Log,
            Object::Event(_)
            | Object::Timer(_)
            | Object::Signal(_)
            | Object::Epoll(_)
            | Object::Process(_) => Locked::Anonymous,
        }
    }
}

/// A lock of flock(2) or fcntl(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) on: Locked,
    /// The description of a lock of flock(2) or OFD, or the process of one of fcntl(2).
    pub(crate) owner: Result<u32, i32>,
    pub(crate) write: bool,
    /// flock(2)'s and fcntl(2)'s do not see each other.
    pub(crate) whole: bool,
    pub(crate) start: u64,
    /// Exclusive.
    pub(crate) end: u64,
}
