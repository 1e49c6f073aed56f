use super::foreign;

/// Identifiers of WAVE_FORMAT_EXTENSIBLE behind their first four bytes, which are the number of the code.
const STANDARD: [u8; 12] = *b"\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
const AMBISONIC: [u8; 12] = *b"\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00";

const EXTENSIBLE: u16 = 0xfffe;

/// Rates that recordings have. Others come from headers that lie.
pub const RATES: std::ops::RangeInclusive<u32> = 1000..=768_000;

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// A whole number of `bytes` bytes, unsigned if it is one, whose upper `bits` bits count.
    Int { bytes: usize, bits: u16 },
    /// Floating point of so many bytes, 4 or 8.
    Float { bytes: usize },
    /// G.711 of America and Japan.
    MuLaw,
    /// G.711 of Europe.
    ALaw,
}

impl Coding {
    /// Bytes of a sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::Int { bytes, .. } | Self::Float { bytes } => bytes,
            Self::MuLaw | Self::ALaw => 1,
        }
    }
}

/// What the `fmt ` chunk says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub channels: u16,
    pub sample_rate: u32,
    pub coding: Coding,
    pub big_endian: bool,
    /// Channels are a sound field and not loudspeakers.
    pub ambisonic: bool,
}

impl Layout {
    /// Bytes of the chunk that are looked at.
    pub const BYTES: usize = 40;

    /// Reads the chunk.
    ///
    /// # Errors
    /// A reason with what to do: a code that is compressed or not known, numbers that contradict each other.
    pub fn parse(chunk: &[u8], big_endian: bool) -> Result<Self, String> {
        if chunk.len() < 16 {
            return Err(contradiction(&format!("has {} bytes, expected at least 16", chunk.len())));
        }
        let u16_at = |at: usize| {
            let bytes = [chunk[at], chunk[at + 1]];
            if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        let u32_at = |at: usize| {
            let (first, second) = (u32::from(u16_at(at)), u32::from(u16_at(at + 2)));
            if big_endian { first << 16 | second } else { second << 16 | first }
        };
        let (mut tag, channels, sample_rate, block, mut bits) =
            (u16_at(0), u16_at(2), u32_at(4), u16_at(12), u16_at(14));
        let (mut ambisonic, mut container) = (false, None);
        if tag == EXTENSIBLE {
            if chunk.len() < Self::BYTES {
                let count = chunk.len();
                return Err(contradiction(&format!(
                    "has {count} bytes, expected 40 for WAVE_FORMAT_EXTENSIBLE"
                )));
            }
            (tag, ambisonic) = sub_format(chunk, big_endian)?;
            container = Some(bits.div_ceil(8));
            // Some writers leave the number of valid bits out.
            bits = if u16_at(18) == 0 || tag != 1 { bits } else { u16_at(18) };
        }
        if channels == 0 {
            return Err(contradiction("says 0 channels"));
        }
        if !RATES.contains(&sample_rate) {
            let (low, high) = (RATES.start(), RATES.end());
            return Err(contradiction(&format!(
                "says {sample_rate} samples a second, expected {low} to {high}"
            )));
        }
        if !matches!(tag, 1 | 3 | 6 | 7) {
            return Err(unknown(tag));
        }
        let coding = coding(tag, bits, container, block, channels)?;
        Ok(Self { channels, sample_rate, coding, big_endian, ambisonic })
    }

    /// Bytes of a frame.
    pub fn block(&self) -> usize {
        usize::from(self.channels) * self.coding.bytes()
    }
}

fn contradiction(what: &str) -> String {
    format!("its `fmt ` chunk {what}; mend its header, or export it again")
}

fn unknown(tag: u16) -> String {
    match foreign::codec(tag) {
        Some(name) => format!("holds {name}, which is compressed, not PCM; {}", foreign::CONVERT),
        None => format!("holds sound of the unknown format {tag:#06x}, not PCM; {}", foreign::CONVERT),
    }
}

/// The number of the code behind an identifier, and whether its channels are a sound field.
fn sub_format(chunk: &[u8], big_endian: bool) -> Result<(u16, bool), String> {
    let mut id = [0; 16];
    id.copy_from_slice(&chunk[24..40]);
    if big_endian {
        id[..4].reverse();
        id[4..6].reverse();
        id[6..8].reverse();
    }
    let number = u32::from_le_bytes([id[0], id[1], id[2], id[3]]);
    let (standard, ambisonic) = (id[4..] == STANDARD, id[4..] == AMBISONIC);
    match u16::try_from(number) {
        Ok(tag) if standard && tag != EXTENSIBLE => Ok((tag, false)),
        Ok(tag @ (1 | 3)) if ambisonic => Ok((tag, true)),
        _ => {
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let (second, third) = ([id[5], id[4]], [id[7], id[6]]);
            let guid = format!(
                "{number:08x}-{}-{}-{}-{}",
                hex(&second),
                hex(&third),
                hex(&id[8..10]),
                hex(&id[10..])
            );
            Err(format!("holds sound of the unknown format {guid}, not PCM; {}", foreign::CONVERT))
        }
    }
}

fn coding(tag: u16, bits: u16, container: Option<u16>, block: u16, channels: u16) -> Result<Coding, String> {
    let least = bits.div_ceil(8);
    let given = if block.is_multiple_of(channels) { block / channels } else { 0 };
    let stated = container.unwrap_or(least).max(least);
    // 17 to 24 bits in 4 bytes are usual, and often called 24 bits; the block alone tells.
    let wide = tag == 1 && given == 4 && (17..=24).contains(&bits);
    let bytes = if wide { 4 } else { stated };
    let coding = match (tag, bytes, bits) {
        (1, 1..=4, 1..) => Coding::Int { bytes: usize::from(bytes), bits },
        (3, 4 | 8, 32 | 64) => Coding::Float { bytes: usize::from(bytes) },
        (6, 1, 8) => Coding::ALaw,
        (7, 1, 8) => Coding::MuLaw,
        _ => {
            let name = match tag {
                1 => "PCM, expected 1 to 32",
                3 => "floating point, expected 32 or 64",
                _ => "µ-law or A-law, expected 8",
            };
            return Err(contradiction(&format!("says {bits} bits of {name}")));
        }
    };
    if container.is_some_and(|container| container < least) {
        let container = 8 * container.unwrap_or_default();
        return Err(contradiction(&format!("says {bits} valid bits in samples of {container}")));
    }
    if u32::from(block) != u32::from(channels) * u32::from(bytes) {
        let block = format!("says {block} bytes a frame for {channels} channels of {bits} bits");
        return Err(contradiction(&format!("{block}, expected {}", u32::from(channels) * u32::from(bytes))));
    }
    Ok(coding)
}
