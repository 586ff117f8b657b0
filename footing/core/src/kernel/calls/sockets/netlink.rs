//! What there is of a network, as programs ask for it: one loopback device. Source: netlink(7), rtnetlink(7), netdevice(7).
//!
//! NETLINK_ROUTE answers RTM_GETLINK, RTM_GETADDR and RTM_GETROUTE (no route is known); each other request is the error EOPNOTSUPP.

use super::{INET, INET6, Range, fail};
use crate::errno::{EINVAL, ENODEV, ENOTTY, EOPNOTSUPP, Errno};
use crate::kernel::object::Message;
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;
use alloc::vec::Vec;

pub(super) const NETLINK: u32 = 16;
const HEADER: usize = 16;
const ERROR: u16 = 2;
const END: u16 = 3;
const MULTI: u16 = 2;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;
const LOOPBACK: u16 = 772;
/// IFF_LOOPBACK.
const FLAGS: u32 = 8;
/// IFF_UP, IFF_RUNNING and IFF_LOWER_UP.
const UP: u32 = 0x1_0041;

/// The address of a port: `struct sockaddr_nl`.
pub(super) fn port_address(port: u32) -> Vec<u8> {
    let mut bytes = alloc::vec![NETLINK as u8, 0, 0, 0];
    bytes.extend_from_slice(&port.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend_from_slice(&(value.len() as u16 + 4).to_le_bytes());
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// A `struct ifinfomsg` with the device's name, its MTU and its addresses.
fn link(up: bool) -> Vec<u8> {
    let mut body = alloc::vec![0, 0];
    body.extend_from_slice(&LOOPBACK.to_le_bytes());
    body.extend_from_slice(&1_u32.to_le_bytes());
    body.extend_from_slice(&(FLAGS | if up { UP } else { 0 }).to_le_bytes());
    body.extend_from_slice(&[0; 4]);
    attribute(&mut body, 3, b"lo\0");
    attribute(&mut body, 4, &65536_u32.to_le_bytes());
    attribute(&mut body, 1, &[0; 6]);
    attribute(&mut body, 2, &[0; 6]);
    body
}

/// A `struct ifaddrmsg` with the device's address in a family.
fn host(of: u32) -> Vec<u8> {
    let mut body = alloc::vec![of as u8, if of == INET { 8 } else { 128 }, 0x80, 254, 1, 0, 0, 0];
    if of == INET {
        attribute(&mut body, 1, &[127, 0, 0, 1]);
        attribute(&mut body, 2, &[127, 0, 0, 1]);
        attribute(&mut body, 3, b"lo\0");
    } else {
        let mut address = [0; 16];
        address[15] = 1;
        attribute(&mut body, 1, &address);
    }
    body
}

impl<P: Platform> Kernel<P> {
    /// Takes a request and puts its answer where the same socket reads it.
    pub(super) fn netlink_request(&mut self, id: u32, ranges: &[Range]) -> Done {
        let mut bytes = Vec::new();
        for &(start, length) in ranges {
            if length > 1 << 16 {
                return fail(crate::errno::EMSGSIZE);
            }
            bytes.extend_from_slice(&self.take(start, length)?);
        }
        let half = |at: usize| bytes.get(at..at + 2).map(|part| u16::from_le_bytes([part[0], part[1]]));
        let Some(length) = bytes.get(..4) else { return Ok(bytes.len() as u64) };
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (Some(kind), Some(flags)) = (half(4), half(6)) else { return Ok(bytes.len() as u64) };
        if length < HEADER || length > bytes.len() {
            return Ok(bytes.len() as u64);
        }
        let family = bytes.get(HEADER).copied().unwrap_or(0).into();
        let answers = self.netlink_answers(kind, flags, family);
        let sequence = bytes.get(8..12).unwrap_or_default().to_vec();
        let port = self.netlink_port(id)?;
        let head = bytes.get(..HEADER).unwrap_or_default();
        let mut reply = Vec::new();
        let mut add = |kind: u16, flags: u16, body: &[u8]| {
            reply.extend_from_slice(&((HEADER + body.len()) as u32).to_le_bytes());
            reply.extend_from_slice(&kind.to_le_bytes());
            reply.extend_from_slice(&flags.to_le_bytes());
            reply.extend_from_slice(&sequence);
            reply.extend_from_slice(&port.to_le_bytes());
            reply.extend_from_slice(body);
        };
        let dump = flags & DUMP == DUMP;
        let error = |errno: Errno| [&(-(errno.0 as i32)).to_le_bytes()[..], head].concat();
        match answers {
            Err(errno) => add(ERROR, 0, &error(errno)),
            Ok(answers) => {
                for (kind, body) in answers {
                    add(kind, if dump { MULTI } else { 0 }, &body);
                }
                if dump {
                    add(END, MULTI, &[0; 4]);
                } else if flags & ACKNOWLEDGE != 0 {
                    add(ERROR, 0, &error(Errno(0)));
                }
            }
        }
        let message = Message { bytes: reply, from: port_address(0), opens: Vec::new() };
        self.sockets.get_mut(id)?.messages.push_back(message);
        self.stir_socket(id);
        Ok(bytes.len() as u64)
    }

    /// Types and bodies of what answers a request. EOPNOTSUPP.
    fn netlink_answers(&self, kind: u16, flags: u16, family: u32) -> Result<Vec<(u16, Vec<u8>)>, Errno> {
        let up = self.step.loopback;
        match kind {
            18 => Ok(alloc::vec![(16, link(up))]),
            22 if flags & DUMP == DUMP => {
                let families = [INET, INET6].into_iter().filter(|&of| up && (family == 0 || family == of));
                Ok(families.map(|of| (20, host(of))).collect())
            }
            26 if flags & DUMP == DUMP => Ok(Vec::new()),
            _ => Err(EOPNOTSUPP),
        }
    }

    /// The port of a socket, which it gets when it needs one: the process's number, as Linux gives the first.
    fn netlink_port(&mut self, id: u32) -> Result<u32, Errno> {
        let me = self.me()?.id as u32;
        let taken = self.sockets.numbers().any(|number| {
            number != id
                && self
                    .sockets
                    .get(number)
                    .is_ok_and(|other| other.family == NETLINK && other.address == port_address(me))
        });
        let socket = self.sockets.get_mut(id)?;
        if socket.address.is_empty() {
            socket.address = port_address(if taken { u32::MAX - id } else { me });
        }
        let port = socket.address.get(4..8).unwrap_or_default();
        Ok(port.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    }

    /// bind(2) of netlink's family: a port of the caller's choice, or 0 for any. Groups are taken and nothing is ever sent to them.
    pub(super) fn bind_netlink(&mut self, id: u32, address: &[u8]) -> Done {
        if address.len() < 12 || address.first() != Some(&(NETLINK as u8)) {
            return fail(EINVAL);
        }
        let port = address.get(4..8).unwrap_or_default();
        if port.iter().all(|&byte| byte == 0) {
            self.netlink_port(id)?;
        } else {
            self.sockets.get_mut(id)?.address = address.get(..12).unwrap_or_default().to_vec();
        }
        Ok(0)
    }

    /// ioctl(2) of a socket: SIOCGIFNAME, SIOCGIFINDEX and SIOCGIFFLAGS of the loopback device. ENODEV for others.
    pub(in crate::kernel::calls) fn device_ioctl(&mut self, request: u32, at: u64) -> Done {
        let place = at.wrapping_add(16);
        if request == 0x8910 {
            if self.get32(place)? != 1 {
                return fail(ENODEV);
            }
            self.store(at, b"lo\0")?;
            return Ok(0);
        }
        if !matches!(request, 0x8913 | 0x8933) {
            return fail(ENOTTY);
        }
        if !self.take(at, 16)?.starts_with(b"lo\0") {
            return fail(ENODEV);
        }
        match request {
            0x8913 => {
                let flags = FLAGS | if self.step.loopback { UP & 0xffff } else { 0 };
                self.store(place, &(flags as u16).to_le_bytes())?;
            }
            _ => self.put32(place, 1)?,
        }
        Ok(0)
    }
}
