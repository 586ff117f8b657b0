//! How sockets end. Source: shutdown(2), close(2).

use super::{Arguments, DATAGRAM, LOST, PACKETS, UNIX, fail};
use crate::errno::{EINVAL, ENOTCONN};
use crate::kernel::{Done, Kernel, SocketState};
use crate::platform::Platform;
use alloc::vec::Vec;

impl<P: Platform> Kernel<P> {
    /// The last description of a socket is gone.
    pub(crate) fn release_socket(&mut self, id: u32) {
        let Some(socket) = self.sockets.remove(id) else { return };
        let unread = match socket.state {
            SocketState::Connected { input, .. } => {
                self.pipes.get(input).is_ok_and(|pipe| !pipe.bytes.is_empty())
            }
            _ => !socket.messages.is_empty(),
        };
        match socket.state {
            SocketState::Connected { input, output, .. } => {
                if socket.shut & 1 == 0 {
                    self.release_pipe(input, true, false);
                }
                if socket.shut & 2 == 0 {
                    self.release_pipe(output, false, true);
                }
                self.stir(input);
                self.stir(output);
            }
            SocketState::Listen(queue, _) => {
                for waiting in queue {
                    self.release_socket(waiting);
                }
            }
            SocketState::New | SocketState::Datagram { .. } => {}
        }
        if let Some(node) = socket.node {
            if let Ok(node) = self.tree.get_mut(node)
                && matches!(node.kind, crate::tree::Kind::Socket(_))
            {
                node.kind = crate::tree::Kind::Socket(None);
            }
            self.release_node(node);
        }
        for number in self.sockets.numbers() {
            let Ok(other) = self.sockets.get_mut(number) else { continue };
            match &mut other.state {
                SocketState::Connected { peer, .. } | SocketState::Datagram { peer } if *peer == Some(id) => {
                    *peer = None;
                    other.shut |= match other.kind {
                        DATAGRAM => LOST,
                        PACKETS => LOST | 3,
                        _ => 0,
                    };
                    other.reset |= unread && other.family == UNIX && other.kind != DATAGRAM;
                    self.stir_socket(number);
                }
                _ => {}
            }
        }
        let opens = socket.messages.into_iter().flat_map(|message| message.opens);
        self.doom(opens.chain(socket.passed.into_iter().flat_map(|passed| passed.1)).collect());
    }

    /// Lets go of descriptions that a message carried. What they carried themselves follows; nothing is called by itself.
    pub(super) fn doom(&mut self, opens: Vec<u32>) {
        if let Some(doomed) = &mut self.doomed {
            doomed.extend(opens);
            return;
        }
        self.doomed = Some(opens);
        while let Some(open) = self.doomed.as_mut().and_then(Vec::pop) {
            self.release_open(open);
        }
        self.doomed = None;
    }

    /// shutdown(2).
    pub(crate) fn sys_shutdown(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let how = match a[1] as u32 {
            0 => 1,
            1 => 2,
            2 => 3,
            _ => return fail(EINVAL),
        };
        let socket = self.sockets.get_mut(id)?;
        let before = socket.shut;
        match socket.state {
            SocketState::Connected { input, output, .. } => {
                socket.shut |= how;
                if how & !before & 1 != 0 {
                    self.release_pipe(input, true, false);
                }
                if how & !before & 2 != 0 {
                    self.release_pipe(output, false, true);
                }
                self.stir(input);
                self.stir(output);
                Ok(0)
            }
            SocketState::Datagram { peer } if socket.family == UNIX || peer.is_some() => {
                socket.shut |= how;
                if let Some(number) = peer
                    && let Ok(peer) = self.sockets.get_mut(number)
                    && peer.kind == PACKETS
                {
                    // What one does not read any more the other can't write, and the other way round.
                    peer.shut |= (how & 1) << 1 | how >> 1;
                    self.stir_socket(number);
                }
                self.stir_socket(id);
                Ok(0)
            }
            SocketState::New if socket.family == UNIX => {
                socket.shut |= how;
                Ok(0)
            }
            SocketState::Listen(..) if how & 1 != 0 => {
                socket.shut |= how;
                self.stir_socket(id);
                Ok(0)
            }
            _ => fail(ENOTCONN),
        }
    }
}
