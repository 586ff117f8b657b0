//! The screen of a machine of bare metal: the console's text, and at the end a QR code beside it.
//!
//! The loader says what there is ([`formats::screen`]); in a virtual machine there is none. The memory of a screen is slow to
//! read, so what stands on it is kept, and only what changes is written.
#![allow(unsafe_code)]

use crate::cpu;
use crate::direct::map_device;
use crate::global::Global;
use crate::layout::PAGE;
use crate::serial;
use alloc::vec;
use alloc::vec::Vec;
use font8x8::legacy::BASIC_LEGACY;
use formats::qr::{QUIET, Rows, SIZE};
use formats::screen::{Kind, Screen};

/// Modules of a code with the light ones around it.
const SIDE: usize = SIZE + 2 * QUIET;
/// Pixels of a character before they are scaled.
const CHARACTER: (usize, usize) = (8, 16);
/// White on black, and the two colours of pixels.
const ATTRIBUTE: u16 = 0x0f00;
const LIGHT: u32 = 0x00ff_ffff;
const DARK: u32 = 0;

struct Text {
    screen: Screen,
    memory: *mut u8,
    /// Pixels of a dot of a character.
    scale: usize,
    /// Characters of a row, and rows.
    size: (usize, usize),
    /// How many of a row are used.
    width: usize,
    cells: Vec<u8>,
    /// Column and row of the next character.
    at: (usize, usize),
}

static TEXT: Global<Option<Text>> = Global::new(None);

/// Takes over the screen; the machine will halt at the end, so that it can be read.
pub(crate) fn start(screen: Screen) {
    cpu::halt_at_end();
    let bytes = screen.pitch * screen.height;
    if screen.kind == Kind::None || bytes == 0 {
        return;
    }
    let first = screen.address & !(PAGE - 1);
    let mapped = map_device(first..(screen.address + bytes).next_multiple_of(PAGE), true);
    let memory = (mapped + screen.address % PAGE) as *mut u8;
    let (width, height) = (screen.width as usize, screen.height as usize);
    let (scale, size) = match screen.kind {
        Kind::Pixels => {
            let scale = (width / 800).max(1);
            (scale, (width / (CHARACTER.0 * scale), height / (CHARACTER.1 * scale)))
        }
        _ => (1, (width, height)),
    };
    let cells = vec![0; size.0 * size.1];
    let mut text = Text { screen, memory, scale, size, width: size.0, cells, at: (0, 0) };
    text.clear();
    TEXT.with(|place| *place = Some(text));
    serial::also(write);
}

/// Writes on the console's screen, if there is one.
fn write(bytes: &[u8]) {
    TEXT.with(|text| {
        if let Some(text) = text {
            bytes.iter().for_each(|&byte| text.put(byte));
        }
    });
}

/// Clears the screen and draws a code in its upper right corner. Text has the rest from now on.
pub fn code(rows: &Rows) {
    TEXT.with(|text| {
        if let Some(text) = text {
            text.clear();
            text.code(rows);
        }
    });
}

impl Text {
    fn clear(&mut self) {
        (0..self.screen.height as usize).for_each(|y| match self.screen.kind {
            Kind::Pixels => (0..self.screen.width as usize).for_each(|x| self.pixel(x, y, DARK)),
            _ => (0..self.screen.width as usize).for_each(|x| self.character(x, y, b' ')),
        });
        self.cells.fill(b' ');
        self.at = (0, 0);
    }

    fn put(&mut self, byte: u8) {
        let (columns, rows) = (self.width, self.size.1);
        if columns == 0 || rows == 0 {
            return;
        }
        if byte == b'\n' || self.at.0 == columns {
            self.at = (0, self.at.1 + 1);
        }
        if self.at.1 == rows {
            self.at.1 = rows - 1;
            for row in 1..rows {
                for column in 0..columns {
                    self.cell(column, row - 1, self.cells[row * self.size.0 + column]);
                }
            }
            (0..columns).for_each(|column| self.cell(column, rows - 1, b' '));
        }
        if byte != b'\n' {
            let byte = if byte.is_ascii_graphic() { byte } else { b' ' };
            self.cell(self.at.0, self.at.1, byte);
            self.at.0 += 1;
        }
    }

    /// Draws a character if another is there.
    fn cell(&mut self, column: usize, row: usize, byte: u8) {
        let place = &mut self.cells[row * self.size.0 + column];
        if *place == byte {
            return;
        }
        *place = byte;
        if self.screen.kind != Kind::Pixels {
            return self.character(column, row, byte);
        }
        let glyph = BASIC_LEGACY[usize::from(byte) % BASIC_LEGACY.len()];
        for (y, line) in glyph.iter().enumerate() {
            for x in 0..CHARACTER.0 {
                let colour = if line >> x & 1 == 1 { LIGHT } else { DARK };
                // Each dot is as wide as high, and twice that: characters are twice as high as wide.
                let (wide, high) = (self.scale, 2 * self.scale);
                let (left, top) = ((column * CHARACTER.0 + x) * wide, (row * 8 + y) * high);
                self.block((left, top), (wide, high), colour);
            }
        }
    }

    fn code(&mut self, rows: &Rows) {
        let light = |x: usize, y: usize| {
            let row = y.checked_sub(QUIET).and_then(|y| rows.get(y)).copied().unwrap_or(0);
            x.checked_sub(QUIET).is_none_or(|x| x >= SIZE || row >> x & 1 == 0)
        };
        let (width, height) = (self.screen.width as usize, self.screen.height as usize);
        if self.screen.kind != Kind::Pixels {
            // A character is two modules, one above the other: of code page 437 all, the upper, the lower half, nothing.
            if width < SIDE || height < SIDE.div_ceil(2) {
                return;
            }
            self.width = width - SIDE;
            for row in 0..SIDE.div_ceil(2) {
                for x in 0..SIDE {
                    let byte = match (light(x, 2 * row), light(x, 2 * row + 1)) {
                        (true, true) => 0xdb,
                        (true, false) => 0xdf,
                        (false, true) => 0xdc,
                        (false, false) => b' ',
                    };
                    self.character(self.width + x, row, byte);
                }
            }
            return;
        }
        let module = usize::min(width / 2, height * 3 / 4) / SIDE;
        if module == 0 {
            return;
        }
        let left = width - module * SIDE;
        self.width = left / (CHARACTER.0 * self.scale);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let colour = if light(x, y) { LIGHT } else { DARK };
                self.block((left + x * module, y * module), (module, module), colour);
            }
        }
    }

    fn block(&self, (left, top): (usize, usize), (wide, high): (usize, usize), colour: u32) {
        for y in top..top + high {
            (left..left + wide).for_each(|x| self.pixel(x, y, colour));
        }
    }

    fn character(&self, x: usize, y: usize, byte: u8) {
        if x < self.screen.width as usize && y < self.screen.height as usize {
            let place = self.memory.wrapping_add(y * self.screen.pitch as usize + 2 * x).cast::<u16>();
            // SAFETY: inside of the screen's memory, which is mapped and nobody else's.
            unsafe { place.write_volatile(ATTRIBUTE | u16::from(byte)) }
        }
    }

    fn pixel(&self, x: usize, y: usize, colour: u32) {
        if x < self.screen.width as usize && y < self.screen.height as usize {
            let place = self.memory.wrapping_add(y * self.screen.pitch as usize + 4 * x).cast::<u32>();
            // SAFETY: as above.
            unsafe { place.write_volatile(colour) }
        }
    }
}
