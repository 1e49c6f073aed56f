use std::fmt;

/// How a file stores a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Integers of 8, 16, 24 or 32 bits.
    Int(u16),
    /// Floating point of 32 bits.
    Float,
}

impl SampleFormat {
    /// Bytes of a sample.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Int(bits) => u64::from(bits.div_ceil(8)),
            Self::Float => 4,
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(bits) => write!(f, "{bits}-bit PCM"),
            Self::Float => f.write_str("32-bit float"),
        }
    }
}

/// A recording in memory: samples from −1 to 1, those of a frame side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub(super) samples: Vec<f32>,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    pub(super) format: SampleFormat,
    /// How it was stored, where it is not written so.
    pub(super) stored: Option<String>,
    /// What was odd about its file.
    pub(super) remarks: Vec<String>,
}

impl Audio {
    /// A recording of interleaved samples; what is left of an unfinished frame is dropped. At least one channel is assumed.
    #[must_use]
    pub fn new(mut samples: Vec<f32>, channels: u16, sample_rate: u32, format: SampleFormat) -> Self {
        let channels = channels.max(1);
        samples.truncate(samples.len() / usize::from(channels) * usize::from(channels));
        Self { samples, channels, sample_rate, format, stored: None, remarks: Vec::new() }
    }

    /// The format that it is written in. A file whose own can't be written gets the next better: µ-law and A-law 16-bit PCM, floating
    /// point of 64 bits that of 32, integers the next whole byte.
    #[must_use]
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// How its file stored it, where [`Audio::write`] writes it otherwise: `8-bit µ-law`, `RF64 16-bit PCM`.
    #[must_use]
    pub fn stored_as(&self) -> Option<&str> {
        self.stored.as_deref()
    }

    /// What was odd about its file: bytes that are no sound or no whole frame and were left out, valid bits in another place.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Its samples, those of a frame side by side.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Its channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        usize::from(self.channels)
    }

    /// Frames a second.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Samples of every channel.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// Its length.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate)
    }

    /// Mean of the squared samples, over all channels.
    #[must_use]
    pub fn power(&self) -> f64 {
        mean_square(&self.samples)
    }

    /// The largest sample without its sign.
    #[must_use]
    pub fn peak(&self) -> f32 {
        self.samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }
}

/// Mean of the squared samples: their power.
pub(super) fn mean_square(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    sum / samples.len().max(1) as f64
}
