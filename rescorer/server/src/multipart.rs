//! The parts of a form with files.
//!
//! # Reference
//! RFC 7578 (multipart/form-data) and RFC 2046, section 5.1.1. Browsers, curl and OpenAI's clients write a name and a file name in
//! quotes, and nothing in the body of a part is encoded.

use axum::body::Bytes;

/// A part of a form.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// The name of its file, if it is one.
    pub file_name: Option<String>,
    pub content: Bytes,
}

/// What divides the parts, by the header `Content-Type`; `None` if the body is no form.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    let found = parameter(parameters, "boundary")?;
    (kind.trim().eq_ignore_ascii_case("multipart/form-data") && (1..=70).contains(&found.len()))
        .then_some(found)
}

/// The parts of a body.
///
/// # Errors
/// What is wrong with it.
pub fn parts(body: &Bytes, boundary: &str) -> Result<Vec<Part>, &'static str> {
    let (first, next) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut at = if body.starts_with(first.as_bytes()) {
        first.len()
    } else {
        find(body, 0, next.as_bytes()).ok_or("its boundary is not there")? + next.len()
    };
    let mut parts = Vec::new();
    while !body[at..].starts_with(b"--") {
        let head = find(body, at, b"\r\n").ok_or("it is cut off")? + 2;
        let end = find(body, at, b"\r\n\r\n").ok_or("the head of a part is cut off")?;
        let content = end + 4;
        // A part without a line in its head has no name.
        let head = body.get(head..end).ok_or("a part has no name")?;
        let close = find(body, content, next.as_bytes()).ok_or("a part is cut off")?;
        let head = std::str::from_utf8(head).map_err(|_| "the head of a part is no UTF-8")?;
        let (name, file_name) = names(head).ok_or("a part has no name")?;
        parts.push(Part { name, file_name, content: body.slice(content..close) });
        at = close + next.len();
    }
    Ok(parts)
}

/// The names in the head of a part.
fn names(head: &str) -> Option<(String, Option<String>)> {
    let value = head.split("\r\n").find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, parameters) = value.split_once(';')?;
    let name = parameter(parameters, "name")?;
    kind.trim().eq_ignore_ascii_case("form-data").then(|| (name, parameter(parameters, "filename")))
}

/// The value of a parameter, in quotes or not.
fn parameter(mut rest: &str, name: &str) -> Option<String> {
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if key.trim_matches([' ', ';', '\t']).eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
}

/// Where `needle` begins, at `from` or after.
fn find(body: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(body.get(from..)?, needle).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, file name and content of a part.
    type Shown = (String, Option<String>, &'static str);

    fn read(body: &'static str) -> Result<Vec<Shown>, &'static str> {
        let bytes = Bytes::from_static(body.as_bytes());
        let place = |part: &Part| {
            let at = part.content.as_ptr() as usize - bytes.as_ptr() as usize;
            &body[at..at + part.content.len()]
        };
        Ok(parts(&bytes, "XY")?
            .iter()
            .map(|part| (part.name.clone(), part.file_name.clone(), place(part)))
            .collect())
    }

    #[test]
    fn parts_have_names_and_contents() {
        let body = "preamble\r\n--XY\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--XY\r\n\
            content-type: audio/wav\r\nCONTENT-DISPOSITION: form-data; filename=\"a;b=c.wav\"; name=file\r\n\r\nRI\r\n--FF\r\n\r\n--XY\r\n\
            Content-Disposition: form-data; name=empty\r\n\r\n\r\n--XY--\r\nepilogue";
        let expected = [
            ("model".to_owned(), None, "whisper-1"),
            ("file".to_owned(), Some("a;b=c.wav".to_owned()), "RI\r\n--FF\r\n"),
            ("empty".to_owned(), None, ""),
        ];
        assert_eq!(read(body).unwrap(), expected);
        assert_eq!(read("--XY--\r\n").unwrap(), []);
    }

    #[test]
    fn every_beginning_of_a_form_is_refused() {
        let body =
            "--XY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n--XY--";
        assert_eq!(read(body).unwrap().len(), 1);
        for end in 0..body.len() {
            assert!(read(&body[..end]).is_err(), "{end}");
        }
        for wrong in [
            "--XY\r\n\r\nRIFF\r\n--XY--",
            "--XY\r\nContent-Disposition: form-data\r\n\r\nRIFF\r\n--XY--",
            "--XY\r\nname=a\r\n\r\nb\r\n--XY--",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_boundary_is_in_the_head() {
        assert_eq!(boundary("multipart/form-data; boundary=--x").as_deref(), Some("--x"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"").as_deref(), Some("a b"));
        for none in
            ["", "multipart/form-data", "multipart/form-data; boundary=", "application/json; boundary=x"]
        {
            assert_eq!(boundary(none), None, "{none}");
        }
    }
}
