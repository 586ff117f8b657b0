//! What a loader says of the screen to footing: the second module of PVH's start info.
//!
//! Six numbers of 64 bits, little-endian: [`MAGIC`], the kind (1 text, 2 frame buffer), the physical address of its memory, width and
//! height in characters or pixels, and the bytes from one row to the next. A text screen has two bytes for each character, as VGA's
//! text modes have; a frame buffer has four bytes for each pixel, one for each of three colours in any order.
//!
//! A kernel that finds such a module is on bare metal: it halts at the end, so that the screen can be read.

/// How it begins.
pub const MAGIC: u64 = u64::from_le_bytes(*b"gup-scrn");
/// Its size in bytes.
pub const SIZE: usize = 48;

/// How a screen is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is none.
    None,
    /// Characters and their attributes.
    Text,
    /// Pixels.
    Pixels,
}

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// How it is written to.
    pub kind: Kind,
    /// Physical.
    pub address: u64,
    /// In characters or pixels.
    pub width: u64,
    /// In characters or pixels.
    pub height: u64,
    /// Bytes of a row.
    pub pitch: u64,
}

impl Screen {
    /// No screen.
    pub const NONE: Screen = Screen { kind: Kind::None, address: 0, width: 0, height: 0, pitch: 0 };
    /// VGA's text mode 3.
    pub const VGA: Screen = Screen { kind: Kind::Text, address: 0xb8000, width: 80, height: 25, pitch: 160 };

    /// Reads one; none if this is no screen, or one whose rows do not fit.
    pub fn read(bytes: &[u8]) -> Option<Screen> {
        let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at * 8..)?.first_chunk()?));
        if number(0)? != MAGIC {
            return None;
        }
        let (kind, unit) = match number(1)? {
            0 => return Some(Screen::NONE),
            1 => (Kind::Text, 2),
            2 => (Kind::Pixels, 4),
            _ => return None,
        };
        let screen =
            Screen { kind, address: number(2)?, width: number(3)?, height: number(4)?, pitch: number(5)? };
        let fits = screen.width.checked_mul(unit)? <= screen.pitch
            && screen.address.checked_add(screen.pitch.checked_mul(screen.height)?)? < 1 << 52;
        fits.then_some(screen)
    }

    /// Writes it.
    pub fn write(&self) -> [u8; SIZE] {
        let kind = match self.kind {
            Kind::None => 0,
            Kind::Text => 1,
            Kind::Pixels => 2,
        };
        let mut bytes = [0; SIZE];
        let numbers = [MAGIC, kind, self.address, self.width, self.height, self.pitch];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for screen in [Screen::VGA, Screen::NONE, Screen { kind: Kind::Pixels, pitch: 320, ..Screen::VGA }] {
            assert_eq!(Screen::read(&screen.write()), Some(screen));
        }
        assert_eq!(Screen::read(&Screen { kind: Kind::Pixels, ..Screen::VGA }.write()), None);
        assert_eq!(Screen::read(&Screen { height: u64::MAX, ..Screen::VGA }.write()), None);
        assert_eq!(Screen::read(&[0; SIZE]), None);
        assert_eq!(Screen::read(&[]), None);
    }
}
