use std::io::{Cursor, Write};
use std::path::Path;

use hound::{WavSpec, WavWriter};
use rescorer_nbest::OutputFile;

use crate::Error;
use crate::audio::recording::{Audio, SampleFormat};

/// Bytes of samples that a WAV file can hold, its header left aside.
const MOST: u64 = u32::MAX as u64 - 128;

impl Audio {
    /// Writes a WAV file in the format of the recording, [`Audio::format`]; it appears when it is whole.
    ///
    /// # Errors
    /// [`Error::Audio`] where it can't be written, or is larger than the 4 GiB that a WAV file can hold.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let fail = |reason: String| Error::Audio { path: path.display().to_string(), reason };
        let bytes = self.samples.len() as u64 * self.format.bytes();
        if bytes > MOST {
            let reason = format!("{bytes} bytes of sound; a WAV file holds 4 GiB: cut the recording");
            return Err(fail(reason));
        }
        let mut bytes = Cursor::new(Vec::new());
        self.encode(&mut bytes).map_err(|e| fail(e.to_string()))?;
        let mut output = OutputFile::create(path).map_err(|e| fail(e.to_string()))?;
        output.write_all(bytes.get_ref()).map_err(|e| fail(e.to_string()))?;
        output.commit().map_err(|e| fail(e.to_string()))
    }

    pub(super) fn encode(&self, bytes: &mut Cursor<Vec<u8>>) -> Result<(), hound::Error> {
        let (bits_per_sample, sample_format) = match self.format {
            SampleFormat::Int(bits) => (bits, hound::SampleFormat::Int),
            SampleFormat::Float => (32, hound::SampleFormat::Float),
        };
        let Self { channels, sample_rate, .. } = *self;
        let mut writer =
            WavWriter::new(bytes, WavSpec { channels, sample_rate, bits_per_sample, sample_format })?;
        match self.format {
            SampleFormat::Float => {
                for &sample in &self.samples {
                    writer.write_sample(sample)?;
                }
            }
            SampleFormat::Int(bits) => {
                let scale = 2f64.powi(i32::from(bits) - 1);
                for &sample in &self.samples {
                    let value = (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0);
                    writer.write_sample(value as i32)?;
                }
            }
        }
        writer.finalize()
    }
}
