use std::fmt;
use std::str::FromStr;

use super::precision::Precision;
use crate::Error;

/// Arithmetic that a user asks for. [`ComputeDevice::precision`](crate::ComputeDevice::precision) tells what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrecisionRequest {
    /// The fastest that keeps the scores nearly the same: int8 on the CPU; on a GPU f16, or f32 where it has no 16-bit arithmetic.
    #[default]
    Auto,
    /// This precision, or an error.
    Exactly(Precision),
}

impl PrecisionRequest {
    /// What the CPU computes in; `None` where it can't.
    pub(crate) fn on_cpu(self) -> Option<Precision> {
        match self {
            Self::Auto => Some(Precision::Quantized),
            Self::Exactly(Precision::F16) => None,
            Self::Exactly(precision) => Some(precision),
        }
    }
}

impl From<Precision> for PrecisionRequest {
    fn from(precision: Precision) -> Self {
        Self::Exactly(precision)
    }
}

impl FromStr for PrecisionRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Precision::F32.into()),
            "f16" => Ok(Precision::F16.into()),
            "int8" => Ok(Precision::Quantized.into()),
            _ => Err(Error::PrecisionName { requested: text.into() }),
        }
    }
}

impl fmt::Display for PrecisionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Exactly(precision) => precision.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_as_they_are_written() {
        for text in ["auto", "f32", "f16", "int8"] {
            let request: PrecisionRequest = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
        }
        for text in ["f64", "INT8", ""] {
            let error = text.parse::<PrecisionRequest>().unwrap_err().to_string();
            assert!(error.contains("auto, f32, int8 or f16"), "{error}");
        }
    }

    #[test]
    fn the_cpu_computes_in_what_it_can() {
        assert_eq!(PrecisionRequest::Auto.on_cpu(), Some(Precision::Quantized));
        assert_eq!(PrecisionRequest::from(Precision::F32).on_cpu(), Some(Precision::F32));
        assert_eq!(PrecisionRequest::from(Precision::F16).on_cpu(), None);
    }
}
