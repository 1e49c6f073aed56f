use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Where a user wants the model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceRequest {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU, by its number: CUDA devices (feature `cuda`) before the adapters of wgpu, real adapters before
    /// software ones.
    Gpu(Option<usize>),
}

impl FromStr for DeviceRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            _ => match text.strip_prefix("gpu:").and_then(|number| number.parse().ok()) {
                Some(number) => Ok(Self::Gpu(Some(number))),
                None => Err(Error::Device {
                    requested: text.into(),
                    reason: "a device is auto, cpu, gpu or gpu:NUMBER".into(),
                }),
            },
        }
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(number)) => write!(f, "gpu:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_as_they_are_written() {
        for text in ["auto", "cpu", "gpu", "gpu:3"] {
            assert_eq!(
                text.parse::<DeviceRequest>().map(|request| request.to_string()).ok().as_deref(),
                Some(text)
            );
        }
        assert!("tpu".parse::<DeviceRequest>().is_err());
        assert!("gpu:x".parse::<DeviceRequest>().is_err());
    }
}
