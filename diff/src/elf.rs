//! The sections and symbols of an ELF file, as far as they can be read. Pure.

use object::read::elf::ElfFile;
use object::read::{Object, ObjectSection, ObjectSymbol};
use object::{Endianness, elf};
use std::ops::Range;

/// A section that has bytes in the file.
pub struct Section {
    pub name: String,
    /// In the file.
    pub range: Range<usize>,
    address: u64,
    index: usize,
}

struct Symbol {
    name: String,
    address: u64,
    size: u64,
    section: usize,
}

/// An ELF file.
pub struct Elf {
    pub sections: Vec<Section>,
    symbols: Vec<Symbol>,
}

impl Elf {
    /// Of 64 or 32 bits; `None` of anything else, or if it is broken.
    pub fn read(bytes: &[u8]) -> Option<Elf> {
        // The fifth byte is the class. Source: System V ABI, chapter 4.
        match bytes.get(..5)? {
            [0x7f, b'E', b'L', b'F', 2] => {
                read(&ElfFile::<elf::FileHeader64<Endianness>>::parse(bytes).ok()?, bytes.len())
            }
            [0x7f, b'E', b'L', b'F', 1] => {
                read(&ElfFile::<elf::FileHeader32<Endianness>>::parse(bytes).ok()?, bytes.len())
            }
            _ => None,
        }
    }

    /// The symbol that an offset into a section lies in, or the last one before it, and how far behind its start.
    pub fn symbol(&self, section: &Section, offset: u64) -> Option<(String, u64)> {
        let address = section.address.wrapping_add(offset);
        let before = self.symbols.iter().filter(|symbol| {
            symbol.section == section.index && symbol.address <= address && !symbol.name.is_empty()
        });
        let holds = |symbol: &Symbol| address - symbol.address < symbol.size;
        let best = before.max_by_key(|symbol| (holds(symbol), symbol.address, symbol.size))?;
        Some((best.name.clone(), address - best.address))
    }
}

fn read<'a>(file: &impl Object<'a>, length: usize) -> Option<Elf> {
    let mut sections = Vec::new();
    for section in file.sections() {
        let Some((start, size)) = section.file_range() else { continue };
        let range = usize::try_from(start).ok()?..usize::try_from(start.checked_add(size)?).ok()?;
        if range.end > length {
            return None;
        }
        let name = section.name().unwrap_or("?").to_owned();
        sections.push(Section { name, range, address: section.address(), index: section.index().0 });
    }
    let symbols = file.symbols().filter_map(|symbol| {
        let name = symbol.name().ok()?.to_owned();
        let section = symbol.section_index()?.0;
        Some(Symbol { name, address: symbol.address(), size: symbol.size(), section })
    });
    Some(Elf { sections, symbols: symbols.collect() })
}
