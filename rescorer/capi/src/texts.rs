//! Texts as C has them, in one block of memory.

use std::ffi::c_char;

/// Texts that each end with a NUL.
#[derive(Default)]
pub struct Texts {
    bytes: Vec<u8>,
}

/// Where a text begins in its [`Texts`].
#[derive(Debug, Clone, Copy)]
pub struct Start(usize);

impl Texts {
    /// Adds a text. A NUL in it, which would end it there, becomes U+FFFD; no text that came from C has one.
    pub fn add(&mut self, text: &str) -> Start {
        let start = Start(self.bytes.len());
        let mut pieces = text.split('\0');
        self.bytes.extend(pieces.next().unwrap_or_default().bytes());
        for piece in pieces {
            self.bytes.extend("\u{fffd}".bytes().chain(piece.bytes()));
        }
        self.bytes.push(0);
        start
    }

    /// Address of a text. It holds until a text is added or this is dropped; that this is moved doesn't matter.
    pub fn address(&self, start: Start) -> *const c_char {
        self.bytes[start.0..].as_ptr().cast()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "reads the texts as C does")]
    fn each_text_ends_where_it_ended() {
        let given = ["", "the cat", "caf\u{e9}\0bar\0", "x"];
        let mut texts = Texts::default();
        let starts = given.map(|text| texts.add(text));
        let addresses = starts.map(|start| texts.address(start));
        let moved = Box::new(texts);
        // SAFETY: nothing was added since the addresses were taken, and `moved` still holds them.
        let read = addresses.map(|address| unsafe { CStr::from_ptr(address) }.to_str().unwrap());
        assert_eq!(read, ["", "the cat", "caf\u{e9}\u{fffd}bar\u{fffd}", "x"]);
        drop(moved);
    }
}
