//! What an ELF file says of where it can be loaded: its machine, and the C library that it was linked against.
//!
//! It is read as the loader reads it, by its program headers (its section headers may have been stripped), and only where
//! that leads: never more than a budget, whatever the file claims. Nothing in it is trusted.

use std::{cell::Cell, fs::File, ops::Range};

use object::{
    Endianness, ReadCache, ReadRef, elf,
    read::elf::{Dyn as _, FileHeader, ProgramHeader as _},
};

/// The most that is read of one file besides its own size, and the most of its own size, in bytes.
const READ_BYTES_MIN: u64 = 64 * 1024;
const READ_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// What a read costs at the least, so that many small ones end too.
const READ_COST_MIN: u64 = 64;
/// The longest name of a library or of a version, in bytes.
const NAME_BYTES_MAX: u64 = 256;

/// A version of glibc, such as 2.36.
pub type GlibcVersion = (u16, u16);

/// What an ELF file says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Elf {
    /// `e_machine`.
    pub machine: u16,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether it is a program or a library, and no object file or memory image.
    pub is_loadable: bool,
    /// The C library that it names.
    pub libc: Option<Libc>,
    /// The newest version of glibc that it needs.
    pub needs: Option<GlibcVersion>,
    /// The newest version of glibc that it defines: it is glibc then.
    pub defines: Option<GlibcVersion>,
}

/// A C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Libc {
    /// GNU's.
    Glibc,
    /// That of Alpine Linux and its kin.
    Musl,
}

/// It claims to be ELF, and is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged;

/// Reads of a file, as long as its budget lasts.
#[derive(Clone, Copy)]
struct Source<'a> {
    cache: &'a ReadCache<File>,
    left: &'a Cell<u64>,
}

impl<'a> ReadRef<'a> for Source<'a> {
    fn len(self) -> Result<u64, ()> {
        self.cache.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.left.set(self.left.get().checked_sub(size.max(READ_COST_MIN)).ok_or(())?);
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let size = range.end.saturating_sub(range.start).min(NAME_BYTES_MAX);
        let bytes = self.read_bytes_at(range.start, size)?;
        let end = bytes.iter().position(|byte| *byte == delimiter).ok_or(())?;
        bytes.get(..end).ok_or(())
    }
}

/// Reads what `file` says of itself.
///
/// # Errors
/// [`Damaged`] if it is no ELF file, or leads nowhere.
pub fn read(file: File) -> Result<Elf, Damaged> {
    let size = file.metadata().map_err(|_| Damaged)?.len();
    let left = Cell::new(READ_BYTES_MIN + size.min(READ_BYTES_MAX));
    let cache = ReadCache::new(file);
    let source = Source { cache: &cache, left: &left };
    let ident = source.read_bytes_at(0, 16).map_err(|()| Damaged)?;
    match (ident.get(..4), ident.get(4)) {
        (Some([0x7f, b'E', b'L', b'F']), Some(1)) => describe::<elf::FileHeader32<Endianness>>(source),
        (Some([0x7f, b'E', b'L', b'F']), Some(2)) => describe::<elf::FileHeader64<Endianness>>(source),
        _ => Err(()),
    }
    .map_err(|()| Damaged)
}

fn describe<H: FileHeader<Endian = Endianness>>(source: Source<'_>) -> Result<Elf, ()> {
    let header = H::parse(source).map_err(drop)?;
    let endian = header.endian().map_err(drop)?;
    let kind = header.e_type(endian);
    let mut found = Elf {
        machine: header.e_machine(endian).0,
        is_64: header.is_type_64(),
        is_loadable: kind == elf::ET_DYN || kind == elf::ET_EXEC,
        ..Elf::default()
    };
    if !found.is_loadable {
        return Ok(found);
    }
    let segments = header.program_headers(endian, source).map_err(drop)?;
    // Where an address lies in the file, and how much follows it there.
    let at = |address: u64| {
        segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
            let (offset, size) = segment.file_range(endian);
            let into = address.checked_sub(segment.p_vaddr(endian).into())?;
            (into < size).then(|| Some((offset.checked_add(into)?, size - into)))?
        })
    };
    let mut dynamic = Dynamic::default();
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, source).map_err(drop)? {
            found.libc = found.libc.or(libc_of(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)));
        }
        if let Some(entries) = segment.dynamic(endian, source).map_err(drop)? {
            dynamic.gather::<H>(entries, endian);
        }
    }
    let Some((strings, strings_size)) = dynamic.strings.and_then(at) else { return Ok(found) };
    let string = |offset: u64| -> Result<&[u8], ()> {
        let start = strings.checked_add(offset).ok_or(())?;
        source.read_bytes_at_until(start..strings.checked_add(strings_size).ok_or(())?, 0)
    };
    for needed in dynamic.needed {
        found.libc = found.libc.or(libc_of(string(needed)?));
    }
    if let Some((offset, count)) = dynamic.verneed {
        let (mut offset, _) = at(offset).ok_or(())?;
        for _ in 0..count {
            let entry: &elf::Verneed<Endianness> = source.read_at(offset)?;
            let mut aux = offset.checked_add(entry.vn_aux.get(endian).into()).ok_or(())?;
            for _ in 0..entry.vn_cnt.get(endian) {
                let version: &elf::Vernaux<Endianness> = source.read_at(aux)?;
                found.needs = found.needs.max(glibc_version(string(version.vna_name.get(endian).into())?));
                aux = aux.checked_add(version.vna_next.get(endian).into()).ok_or(())?;
            }
            offset = offset.checked_add(entry.vn_next.get(endian).into()).ok_or(())?;
        }
    }
    if let Some((offset, count)) = dynamic.verdef {
        let (mut offset, _) = at(offset).ok_or(())?;
        for _ in 0..count {
            let entry: &elf::Verdef<Endianness> = source.read_at(offset)?;
            let aux = offset.checked_add(entry.vd_aux.get(endian).into()).ok_or(())?;
            let version: &elf::Verdaux<Endianness> = source.read_at(aux)?;
            found.defines = found.defines.max(glibc_version(string(version.vda_name.get(endian).into())?));
            offset = offset.checked_add(entry.vd_next.get(endian).into()).ok_or(())?;
        }
    }
    Ok(found)
}

/// The addresses and offsets in a dynamic segment that matter here.
#[derive(Default)]
struct Dynamic {
    strings: Option<u64>,
    needed: Vec<u64>,
    verneed: Option<(u64, u64)>,
    verdef: Option<(u64, u64)>,
}

impl Dynamic {
    fn gather<H: FileHeader<Endian = Endianness>>(&mut self, entries: &[H::Dyn], endian: Endianness) {
        let (mut verneed, mut verneed_count, mut verdef, mut verdef_count) = (None, 0, None, 0);
        for entry in entries {
            let value: u64 = entry.d_val(endian).into();
            match entry.d_tag(endian) {
                elf::DT_NULL => break,
                elf::DT_STRTAB => self.strings = Some(value),
                elf::DT_NEEDED => self.needed.push(value),
                elf::DT_VERNEED => verneed = Some(value),
                elf::DT_VERNEEDNUM => verneed_count = value,
                elf::DT_VERDEF => verdef = Some(value),
                elf::DT_VERDEFNUM => verdef_count = value,
                _ => {}
            }
        }
        self.verneed = verneed.map(|address| (address, verneed_count));
        self.verdef = verdef.map(|address| (address, verdef_count));
    }
}

fn libc_of(library: &[u8]) -> Option<Libc> {
    if library == b"libc.so.6" || library.starts_with(b"ld-linux") {
        Some(Libc::Glibc)
    } else if library.starts_with(b"libc.musl") || library.starts_with(b"ld-musl") {
        Some(Libc::Musl)
    } else {
        None
    }
}

/// The numbers of `GLIBC_2.36` and `GLIBC_2.2.5`; `GLIBC_PRIVATE` and others have none.
fn glibc_version(name: &[u8]) -> Option<GlibcVersion> {
    let mut numbers = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
