//! Addresses of sockets, as programs hand them over. Source: unix(7), ip(7), ipv6(7).

use super::{INET, INET6, UNIX};
use crate::errno::{EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH, Errno};
use crate::kernel::Kernel;
use crate::platform::Platform;
use alloc::vec::Vec;

/// `struct sockaddr_storage`.
const LARGEST: u64 = 128;

/// The family of an address.
pub(super) fn family(address: &[u8]) -> u32 {
    match address {
        [low, high, ..] => u32::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    }
}

/// The port of an address of the Internet.
pub(super) fn port(address: &[u8]) -> u16 {
    match address {
        [_, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// The same address with another port.
pub(super) fn with_port(mut address: Vec<u8>, port: u16) -> Vec<u8> {
    if let Some(place) = address.get_mut(2..4) {
        place.copy_from_slice(&port.to_be_bytes());
    }
    address
}

/// The bytes of the host.
pub(super) fn host(address: &[u8]) -> &[u8] {
    match family(address) {
        INET => address.get(4..8).unwrap_or_default(),
        _ => address.get(8..24).unwrap_or_default(),
    }
}

/// An address that stands for all of the machine's.
pub(super) fn any(address: &[u8]) -> bool {
    host(address).iter().all(|&byte| byte == 0)
}

/// The address of no host, with port 0.
pub(super) fn unnamed(family: u32) -> Vec<u8> {
    let mut address = (family as u16).to_le_bytes().to_vec();
    match family {
        INET => address.resize(16, 0),
        INET6 => address.resize(28, 0),
        super::netlink::NETLINK => address.resize(12, 0),
        _ => {}
    }
    address
}

/// The loopback device's address.
pub(super) fn loopback(family: u32, port: u16) -> Vec<u8> {
    let mut address = unnamed(family);
    let place = if family == INET { address.get_mut(4..8) } else { address.get_mut(8..24) };
    if let Some(place) = place {
        if family == INET {
            place.copy_from_slice(&[127, 0, 0, 1]);
        } else if let Some(last) = place.last_mut() {
            *last = 1;
        }
    }
    with_port(address, port)
}

/// Whether a host is the loopback device.
fn local(address: &[u8]) -> bool {
    match (family(address), host(address)) {
        (INET, [127, ..]) => true,
        (INET6, host) => {
            host.split_last().is_some_and(|(last, rest)| *last == 1 && rest.iter().all(|&byte| byte == 0))
        }
        _ => false,
    }
}

impl<P: Platform> Kernel<P> {
    /// An address in a program's memory. EINVAL, EFAULT.
    pub(super) fn address_at(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let length = length & 0xffff_ffff;
        if length > LARGEST {
            return Err(EINVAL);
        }
        self.take(at, length)
    }

    /// Checks an address against a socket's family. EINVAL, EAFNOSUPPORT.
    pub(super) fn check_address(&self, address: &[u8], of: u32) -> Result<Vec<u8>, Errno> {
        let least = match of {
            UNIX => 2,
            INET => 16,
            _ => 24,
        };
        if address.len() < least {
            return Err(EINVAL);
        }
        if family(address) != of {
            return Err(if of == UNIX { EINVAL } else { EAFNOSUPPORT });
        }
        let most = match of {
            UNIX => 110,
            INET => 16,
            _ => 28,
        };
        if of == UNIX && address.len() > most {
            return Err(EINVAL);
        }
        let mut address = address.get(..address.len().min(most)).unwrap_or_default().to_vec();
        if of == INET6 {
            address.resize(28, 0);
        }
        Ok(address)
    }

    /// Whether a socket may be bound to a host. EADDRNOTAVAIL.
    pub(super) fn own_host(&self, address: &[u8]) -> Result<(), Errno> {
        if any(address) || self.step.loopback && local(address) { Ok(()) } else { Err(EADDRNOTAVAIL) }
    }

    /// Whether a host can be reached: the loopback device alone, if it is up. ENETUNREACH.
    pub(super) fn reachable(&self, address: &[u8]) -> Result<(), Errno> {
        if self.step.loopback && (any(address) || local(address)) { Ok(()) } else { Err(ENETUNREACH) }
    }

    /// Stores an address and its length, as accept(2) does. EFAULT, EINVAL.
    pub(super) fn put_address(&mut self, at: u64, length_at: u64, address: &[u8]) -> Result<(), Errno> {
        let room = self.get32(length_at)? as i32;
        if room < 0 {
            return Err(EINVAL);
        }
        let part = address.get(..address.len().min(room as usize)).unwrap_or_default();
        self.store(at, part)?;
        self.put32(length_at, address.len() as u32)
    }
}
