//! The form that a recording comes in, as OpenAI's clients send it.

use axum::body::Bytes;

use crate::error::ApiError;
use crate::multipart::{self, Part};

/// What the answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseFormat {
    /// `{"text": ...}`
    #[default]
    Json,
    /// The text alone.
    Text,
    /// With the pieces of the recording.
    Verbose,
}

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Form {
    pub file: Bytes,
    /// The name of the file, for messages.
    pub name: String,
    pub format: ResponseFormat,
    /// Text that the model reads before each piece.
    pub prompt: Option<String>,
    pub language: Option<String>,
}

impl Form {
    /// Reads a body whose parts are divided by `boundary`.
    ///
    /// # Errors
    /// A body that is no form; a field that there is not, or that asks for what can't be done; no file.
    pub fn read(body: &Bytes, boundary: &str) -> Result<Self, ApiError> {
        let parts = multipart::parts(body, boundary).map_err(|reason| {
            let remedy = "send multipart/form-data, as curl -F does";
            ApiError::bad_request(format!("the form is damaged: {reason}; {remedy}"))
        })?;
        let (mut form, mut file) = (Self::default(), None);
        for Part { name, file_name, content } in parts {
            if name == "file" {
                form.name = file_name.unwrap_or_else(|| "recording.wav".to_owned());
                file = Some(content);
                continue;
            }
            let value = String::from_utf8(content.into())
                .map_err(|_| ApiError::bad_request(format!("field {name:?} is no UTF-8; send text")))?;
            form.set(&name, value)?;
        }
        form.file = file.ok_or_else(|| {
            ApiError::bad_request(
                "the form has no field `file`; send a WAV file in it: curl -F file=@talk.wav",
            )
        })?;
        Ok(form)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        let only = |what: &str| {
            Err(ApiError::bad_request(format!("field {name:?}: {value:?} can't be had; {what}")))
        };
        match name {
            "response_format" => match value.as_str() {
                "json" => self.format = ResponseFormat::Json,
                "text" => self.format = ResponseFormat::Text,
                "verbose_json" => self.format = ResponseFormat::Verbose,
                _ => return only("ask for json, text or verbose_json"),
            },
            "prompt" => self.prompt = Some(value).filter(|prompt| !prompt.trim().is_empty()),
            "language" => self.language = Some(value).filter(|language| !language.is_empty()),
            // OpenAI's clients have to name one, and here there is one.
            "model" => {}
            "temperature" if value.parse::<f64>().is_ok_and(|temperature| temperature != 0.0) => {
                return only("leave it out, the recogniser takes its most probable texts");
            }
            "temperature" => {}
            "stream" if value == "false" => {}
            "stream" => return only("leave it out, the answer comes whole"),
            "timestamp_granularities[]" if value == "segment" => {}
            "timestamp_granularities[]" => return only("ask for segment"),
            _ => {
                let known = "file, model, response_format, prompt, language and temperature";
                return Err(ApiError::bad_request(format!("there is no field {name:?}; known are {known}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form of these fields, the file's value being a file.
    fn read(fields: &[(&str, &str)]) -> Result<Form, ApiError> {
        let mut body = String::new();
        for (name, value) in fields {
            let file = if *name == "file" { "; filename=\"talk.wav\"" } else { "" };
            body +=
                &format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
        }
        body += "--X--\r\n";
        Form::read(&body.into(), "X")
    }

    #[test]
    fn fields_are_read() {
        let form = read(&[("model", "whisper-1"), ("file", "RIFF"), ("temperature", "0")]).unwrap();
        assert_eq!(
            (&form.file[..], form.name.as_str(), form.format),
            (&b"RIFF"[..], "talk.wav", ResponseFormat::Json)
        );
        assert_eq!((form.prompt, form.language), (None, None));
        let form =
            read(&[("file", ""), ("response_format", "text"), ("prompt", "a pencil"), ("language", "en")])
                .unwrap();
        assert_eq!(
            (form.format, form.prompt.as_deref(), form.language.as_deref()),
            (ResponseFormat::Text, Some("a pencil"), Some("en"))
        );
    }

    #[test]
    fn what_can_not_be_had_is_named() {
        for (name, value, remedy) in [
            ("response_format", "srt", "json, text or verbose_json"),
            ("temperature", "0.5", "leave it out"),
            ("stream", "true", "leave it out"),
            ("timestamp_granularities[]", "word", "segment"),
            ("speed", "2", "known are file"),
        ] {
            let message = read(&[("file", ""), (name, value)]).unwrap_err().message;
            assert!(message.contains(name) && message.contains(remedy), "{message}");
        }
        assert!(read(&[("model", "whisper-1")]).unwrap_err().message.contains("no field `file`"));
    }
}
