//! Hugging Face folders whose weights were packed by a quantiser: refused by its name.

use std::path::Path;

use serde_json::{Map, Value};

use crate::Error;

/// The file in which older tools say how they packed the weights.
const SIDE_FILE: &str = "quantize_config.json";

/// Refuses a folder whose `config.json`, which has this text, says that its weights are packed.
///
/// # Errors
/// [`Error::Unsupported`] with the name of the quantiser.
pub fn refuse(config: &Path, text: &[u8]) -> Result<(), Error> {
    // Other code says what is wrong with a file that is no JSON.
    let Ok(json) = serde_json::from_slice::<Map<String, Value>>(text) else { return Ok(()) };
    let set = |key: &str| json.get(key).filter(|value| !value.is_null() && **value != Value::Bool(false));
    let found = if let Some(settings) = set("quantization_config") {
        Some((format!("quantization_config: {}", method(settings)), config.to_path_buf()))
    } else if let Some(settings) = set("compression_config") {
        let method = settings.get("quant_method").and_then(Value::as_str).unwrap_or("compressed-tensors");
        Some((format!("compression_config: {method}"), config.to_path_buf()))
    } else if set("quantization").is_some() {
        Some(("quantization: MLX".into(), config.to_path_buf()))
    } else {
        let side = config.with_file_name(SIDE_FILE);
        side.is_file().then(|| (format!("{SIDE_FILE}: GPTQ or AWQ"), side))
    };
    match found {
        Some((what, path)) => Err(Error::Unsupported {
            path,
            what: format!("a folder of packed weights ({what})"),
            supported:
                "F32, F16 and BF16; take the folder of the model that it was made from, or a GGUF file of it"
                    .into(),
        }),
        None => Ok(()),
    }
}

/// What packed the weights, with its bits where they are stated.
fn method(settings: &Value) -> String {
    let is = |key: &str| settings.get(key) == Some(&Value::Bool(true));
    let name = match settings.get("quant_method").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None if is("load_in_4bit") || is("load_in_8bit") => "bitsandbytes".into(),
        None => "an unnamed method".into(),
    };
    let bits = match settings.get("bits").and_then(Value::as_u64) {
        Some(bits) => Some(bits),
        None if is("load_in_4bit") => Some(4),
        None if is("load_in_8bit") => Some(8),
        None => None,
    };
    bits.map_or_else(|| name.clone(), |bits| format!("{name}, {bits} bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rest: &str) -> Option<String> {
        let text = format!(r#"{{"model_type": "llama"{rest}}}"#);
        refuse(Path::new("folder/config.json"), text.as_bytes()).err().map(|error| error.to_string())
    }

    #[test]
    fn quantisers_are_refused_by_name() {
        for (rest, name) in [
            (
                r#", "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}"#,
                "bitsandbytes, 4 bits",
            ),
            (
                r#", "quantization_config": {"load_in_8bit": true, "load_in_4bit": false}"#,
                "bitsandbytes, 8 bits",
            ),
            (
                r#", "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}"#,
                "gptq, 4 bits",
            ),
            (r#", "quantization_config": {"quant_method": "awq", "bits": 4}"#, "awq, 4 bits"),
            (r#", "quantization_config": {"quant_method": "fp8", "fmt": "e4m3"}"#, "fp8"),
            (r#", "quantization_config": {"quant_method": "hqq"}"#, "hqq"),
            (r#", "quantization_config": {"a": 1}"#, "an unnamed method"),
            (r#", "compression_config": {"format": "int-quantized"}"#, "compressed-tensors"),
            (r#", "quantization": {"group_size": 64, "bits": 4}"#, "MLX"),
        ] {
            let error = found(rest).unwrap_or_else(|| panic!("{name} is read"));
            for part in [name, "folder/config.json", "is not supported", "GGUF"] {
                assert!(error.contains(part), "{error}");
            }
        }
    }

    #[test]
    fn folders_that_are_not_packed_are_let_through() {
        for rest in ["", r#", "quantization_config": null"#, r#", "quantization": false"#] {
            assert_eq!(found(rest), None, "{rest}");
        }
        assert!(refuse(Path::new("config.json"), b"no JSON").is_ok());
    }
}
