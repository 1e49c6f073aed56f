use std::io::{self, Read};

use super::foreign;
use super::layout::Layout;
use super::source::Source;

/// Chunks that are known by their names, so that what follows a chunk of unknown or odd size can be told from sound.
const KNOWN: &[&[u8; 4]] = &[
    b"fmt ", b"data", b"fact", b"LIST", b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"cue ", b"id3 ",
    b"ID3 ", b"PEAK", b"iXML", b"axml", b"smpl", b"inst", b"note", b"labl", b"plst", b"acid", b"cart",
    b"chna", b"_PMX", b"levl", b"minf", b"elm1", b"regn", b"umid", b"afsp", b"LGWV", b"DISP",
];

/// Sizes that writers put down before they know the size: those of a pipe. With each come those a header or a frame below it.
const UNKNOWN_SIZES: [u32; 3] = [0x7fff_ffff, 0x8000_0000, u32::MAX];

/// What to do about a recording that ends too early.
pub const CUT_OFF: &str =
    "it is cut off; copy it again, or write what is there to a new file with `ffmpeg -i FILE NEW.wav`";

/// The container of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Little-endian, sizes of 32 bits.
    Riff,
    /// Big-endian.
    Rifx,
    /// Sizes of 64 bits.
    Rf64,
}

/// How far the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// So many bytes.
    Bytes(u64),
    /// So many bytes and, unless a known chunk follows, on to the end of the file, which may come earlier too.
    Open(u64),
}

/// What stands before the sound.
pub struct Header {
    pub container: Container,
    pub layout: Layout,
    pub extent: Extent,
}

/// Reads on to the first byte of sound.
///
/// # Errors
/// A reason with what to do.
pub fn read_header<R: Read>(source: &mut Source<R>) -> Result<Header, String> {
    let container = container(source)?;
    let big_endian = container == Container::Rifx;
    let (mut layout, mut long) = (None, None);
    loop {
        let at = source.at();
        let Some((id, size)) = chunk(source, big_endian).map_err(io_reason)? else {
            return Err(format!("ends after {} bytes, before its `data` chunk: {CUT_OFF}", source.at()));
        };
        match (&id, layout) {
            (b"data", None) => {
                return Err("has its `data` chunk before its `fmt ` chunk; export it again".into());
            }
            (b"data", Some(layout)) => {
                return Ok(Header { container, layout, extent: extent(size, long) });
            }
            (b"fmt ", Some(_)) => {
                return Err(format!("has a second `fmt ` chunk at byte {at}; export it again"));
            }
            (b"fmt ", None) => {
                let bytes = body(source, id, size, Layout::BYTES)?;
                layout = Some(Layout::parse(&bytes, big_endian)?);
            }
            (b"ds64", _) if container == Container::Rf64 => {
                let bytes = body(source, id, size, 16)?;
                let bytes = bytes.get(8..16).and_then(|bytes| bytes.try_into().ok());
                long =
                    Some(u64::from_le_bytes(bytes.ok_or("its `ds64` chunk is too short; export it again")?));
            }
            (id, _) if !is_name(*id) => {
                let id = id.escape_ascii();
                return Err(format!(
                    "has no chunk at byte {at} but \"{id}\": its header is damaged; copy it again"
                ));
            }
            (_, _) => left_out(source, id, u64::from(size), size % 2 == 1)?,
        }
    }
}

/// Looks through what follows the sound; says what is no chunk.
///
/// # Errors
/// More sound, which would be lost.
pub fn read_rest<R: Read>(
    source: &mut Source<R>,
    big_endian: bool,
    odd: bool,
) -> Result<Option<String>, String> {
    pad(source, odd).map_err(io_reason)?;
    loop {
        zeros(source).map_err(io_reason)?;
        let at = source.at();
        let next = source.peek(8).map_err(io_reason)?;
        if next.is_empty() {
            return Ok(None);
        }
        if next.starts_with(b"data") {
            return Err(format!("has a second `data` chunk at byte {at}; join them in an audio editor"));
        }
        if next.starts_with(b"RIFF") || next.starts_with(b"RIFX") {
            return Err(format!(
                "is followed by another WAV file, from byte {at} on; give them as two files"
            ));
        }
        if next.first_chunk().is_none_or(|id| !is_name(*id)) {
            return Ok(Some(format!(
                "what follows its sound, from byte {at} on, is no chunk and was left out"
            )));
        }
        let Some((_, size)) = chunk(source, big_endian).map_err(io_reason)? else { return Ok(None) };
        // A chunk of text that is cut off costs no sound.
        if !source.skip(u64::from(size)).map_err(io_reason)? {
            return Ok(None);
        }
        pad(source, size % 2 == 1).map_err(io_reason)?;
    }
}

/// Whether a chunk that is known, or the end of the file, comes next.
pub fn is_over<R: Read>(source: &mut Source<R>) -> io::Result<bool> {
    let next = source.peek(8)?;
    Ok(next.is_empty() || next.len() == 8 && is_known(&next[..4]))
}

/// A reason for what the system says.
pub fn io_reason(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "is a folder; give the WAV files in it".into(),
        _ => error.to_string(),
    }
}

fn container<R: Read>(source: &mut Source<R>) -> Result<Container, String> {
    let start = source.peek(64).map_err(io_reason)?;
    let container = match start.first_chunk() {
        Some(b"RIFF") => Container::Riff,
        Some(b"RIFX") => Container::Rifx,
        Some(b"RF64" | b"BW64") => Container::Rf64,
        _ => return Err(foreign::describe(start)),
    };
    match start.get(8..12) {
        Some(b"WAVE") => {
            source.take(12).map_err(io_reason)?;
            Ok(container)
        }
        Some(_) => Err(foreign::describe(start)),
        None => Err(format!("ends after {} bytes, inside its header: {CUT_OFF}", start.len())),
    }
}

/// Takes the name and the size of a chunk; `None` where the file ends.
fn chunk<R: Read>(source: &mut Source<R>, big_endian: bool) -> io::Result<Option<([u8; 4], u32)>> {
    let Some([a, b, c, d, size @ ..]) = source.array::<8>()? else { return Ok(None) };
    let size = if big_endian { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
    Ok(Some(([a, b, c, d], size)))
}

/// The first bytes of a chunk, at most `most`; the rest is left out.
fn body<R: Read>(source: &mut Source<R>, id: [u8; 4], size: u32, most: usize) -> Result<Vec<u8>, String> {
    let count = most.min(size as usize);
    let bytes = source.take(count).map_err(io_reason)?.to_vec();
    left_out(source, id, u64::from(size) - bytes.len() as u64, size % 2 == 1)?;
    Ok(bytes)
}

/// Takes the rest of a chunk and its pad byte.
fn left_out<R: Read>(source: &mut Source<R>, id: [u8; 4], rest: u64, odd: bool) -> Result<(), String> {
    if !source.skip(rest).map_err(io_reason)? {
        let id = id.escape_ascii();
        return Err(format!(
            "ends after {} bytes, inside its `{id}` chunk and before any sound: {CUT_OFF}",
            source.at()
        ));
    }
    pad(source, odd).map_err(io_reason)
}

/// Takes the byte that fills up a chunk of odd size, unless the writer forgot it: then the next name begins at once.
fn pad<R: Read>(source: &mut Source<R>, odd: bool) -> io::Result<()> {
    if odd {
        let next = source.peek(5)?;
        let forgotten = !next.get(1..5).is_some_and(is_known) && next.get(..4).is_some_and(is_known);
        if !next.is_empty() && !forgotten {
            source.take(1)?;
        }
    }
    Ok(())
}

/// Takes the zeros that fill up a block of a disk.
fn zeros<R: Read>(source: &mut Source<R>) -> io::Result<()> {
    loop {
        let ahead = source.peek(4096)?;
        let count = ahead.iter().take_while(|&&byte| byte == 0).count();
        if count == 0 {
            return Ok(());
        }
        source.take(count)?;
    }
}

fn is_known(id: &[u8]) -> bool {
    KNOWN.iter().any(|known| id == *known)
}

fn is_name(id: [u8; 4]) -> bool {
    id.iter().all(|byte| (0x20..0x7f).contains(byte))
}

fn extent(size: u32, long: Option<u64>) -> Extent {
    match long {
        Some(0 | u64::MAX) if size == u32::MAX || size == 0 => Extent::Open(0),
        Some(long) if size == u32::MAX => Extent::Bytes(long),
        _ if size == 0 || is_unknown(size) => Extent::Open(u64::from(size)),
        _ => Extent::Bytes(u64::from(size)),
    }
}

/// Whether a size is one of those of pipes, or less than a header of 4 KiB below it.
fn is_unknown(size: u32) -> bool {
    UNKNOWN_SIZES.iter().any(|&unknown| (unknown - 4096..=unknown).contains(&size))
}
