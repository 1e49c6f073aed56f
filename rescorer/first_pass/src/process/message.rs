use serde::Deserialize;
use serde_json::{Map, Value};

/// A line that a recogniser's process writes: JSON with one key, which says what it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Message {
    /// It can be asked.
    Ready(Ready),
    /// It lacks a package.
    Missing(Missing),
    /// It can't begin, for another reason.
    Fatal(String),
    /// What it heard.
    Heard(Heard),
    /// It can't do what it was asked, but other things.
    Refused(Refused),
}

impl Message {
    /// What it is, for a complaint about one that was not asked for.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Ready(_) => "\"ready\"".into(),
            Self::Missing(_) => "\"missing\"".into(),
            Self::Fatal(reason) => format!("\"fatal\": {reason}"),
            Self::Heard(heard) => format!("an answer to request {}", heard.number),
            Self::Refused(refused) => format!("a refusal of request {}", refused.number),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ready {
    pub(crate) model: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Missing {
    pub(crate) package: String,
    pub(crate) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heard {
    pub(crate) number: u64,
    pub(crate) hypotheses: Vec<HeardText>,
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
}

/// What else a process says of a hypothesis travels along.
#[derive(Debug, Deserialize)]
pub(crate) struct HeardText {
    pub(crate) text: String,
    pub(crate) score: f64,
    #[serde(flatten)]
    pub(crate) extra: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) number: u64,
    pub(crate) reason: String,
}

/// A line `{"number": N, "samples": COUNT}` and the samples as little-endian 32-bit floats.
pub(crate) fn request(number: u64, samples: &[f32]) -> Vec<u8> {
    let mut bytes = format!("{{\"number\": {number}, \"samples\": {}}}\n", samples.len()).into_bytes();
    bytes.reserve(4 * samples.len());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_line_and_the_samples() {
        let bytes = request(7, &[1.0, -0.5]);
        let (line, samples) = bytes.split_at(bytes.len() - 8);
        assert_eq!(line, b"{\"number\": 7, \"samples\": 2}\n");
        assert_eq!(samples, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf]);
    }
}
