use std::io::Read;

use super::chunks::{self, CUT_OFF, Container, Extent};
use super::layout::{Coding, Layout};
use super::samples::Decoder;
use super::source::Source;
use crate::audio::recording::{Audio, SampleFormat};

/// Bytes that are decoded at a time, or a frame where that is more.
const BLOCK: usize = 1 << 15;

/// Reads a recording to the end of its file.
pub fn read(input: impl Read) -> Result<Audio, String> {
    let mut source = Source::new(input);
    let header = chunks::read_header(&mut source)?;
    let layout = header.layout;
    let mut sound = Sound {
        decoder: Decoder::new(layout),
        samples: Vec::new(),
        block: layout.block(),
        left: 0,
        bytes: 0,
    };
    match header.extent {
        Extent::Bytes(size) => {
            if !sound.read(&mut source, size)? {
                let bytes = layout.coding.bytes() as u64;
                let (read, all) = (sound.bytes / bytes, size / bytes);
                return Err(format!("ends after {read} of {all} samples: {CUT_OFF}"));
            }
        }
        Extent::Open(size) => {
            // Whole frames, so that what follows goes on with the first channel.
            let size = size / sound.block as u64 * sound.block as u64;
            if sound.read(&mut source, size)? && !chunks::is_over(&mut source).map_err(chunks::io_reason)? {
                sound.read(&mut source, u64::MAX)?;
            }
        }
    }
    let odd = sound.bytes % 2 == 1;
    let rest = chunks::read_rest(&mut source, layout.big_endian, odd)?;
    if sound.samples.is_empty() {
        return Err("has no frames; record it again".into());
    }
    let unfinished = (sound.left > 0).then(|| {
        let Sound { left, block, .. } = sound;
        format!("{left} of the {block} bytes of its last frame are there; they were left out")
    });
    let mut samples = sound.samples;
    let low = sound.decoder.finish(&mut samples);
    let (format, stored) = formats(header.container, &layout);
    let remarks = [rest, unfinished, low].into_iter().flatten().collect();
    Ok(Audio { samples, channels: layout.channels, sample_rate: layout.sample_rate, format, stored, remarks })
}

/// The samples so far.
struct Sound {
    decoder: Decoder,
    samples: Vec<f32>,
    /// Bytes of a frame.
    block: usize,
    /// Bytes of an unfinished frame at the end.
    left: usize,
    bytes: u64,
}

impl Sound {
    /// Reads up to `size` bytes more; false where the file ends before.
    fn read<R: Read>(&mut self, source: &mut Source<R>, size: u64) -> Result<bool, String> {
        let at_a_time = BLOCK.max(self.block) / self.block * self.block;
        let mut remaining = size;
        while remaining > 0 {
            let count = at_a_time.min(usize::try_from(remaining).unwrap_or(usize::MAX));
            let bytes = source.take(count).map_err(chunks::io_reason)?;
            self.left = bytes.len() % self.block;
            self.decoder.push(&bytes[..bytes.len() - self.left], &mut self.samples)?;
            self.bytes += bytes.len() as u64;
            remaining -= bytes.len() as u64;
            if bytes.len() < count {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The format that a recording is written in, and what it was where that is another.
fn formats(container: Container, layout: &Layout) -> (SampleFormat, Option<String>) {
    let (format, name) = match layout.coding {
        Coding::MuLaw => (SampleFormat::Int(16), Some("8-bit µ-law".to_owned())),
        Coding::ALaw => (SampleFormat::Int(16), Some("8-bit A-law".to_owned())),
        Coding::Float { bytes } => (SampleFormat::Float, (bytes == 8).then(|| "64-bit float".to_owned())),
        Coding::Int { bytes, bits } => {
            let format = SampleFormat::Int(bits.next_multiple_of(8));
            let container = 8 * bytes;
            let plain = usize::from(bits) == container;
            (format, (!plain).then(|| format!("{bits}-bit PCM in {container} bits")))
        }
    };
    let around = match container {
        Container::Riff if layout.ambisonic => Some("ambisonic"),
        Container::Riff => None,
        Container::Rifx => Some("big-endian (RIFX)"),
        Container::Rf64 => Some("RF64"),
    };
    let stored = match (around, name) {
        (None, name) => name,
        (Some(around), Some(name)) => Some(format!("{around} {name}")),
        (Some(around), None) => Some(format!("{around} {format}")),
    };
    (format, stored)
}
