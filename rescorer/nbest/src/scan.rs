//! Follows JSON text byte by byte, without parsing it.

/// Follows the quotes of JSON text byte by byte.
#[derive(Default)]
pub(crate) struct Quotes {
    inside: bool,
    escaped: bool,
}

impl Quotes {
    /// Whether the text is inside a string after this byte.
    pub(crate) fn inside_after(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'"' {
            self.inside = !self.inside;
        } else if self.inside && byte == b'\\' {
            self.escaped = true;
        }
        self.inside
    }
}

/// Follows the braces and brackets of JSON text byte by byte.
#[derive(Default)]
pub(crate) struct Depth {
    quotes: Quotes,
    open: u64,
}

impl Depth {
    /// Whether the outermost brace closes with this byte.
    pub(crate) fn closed_by(&mut self, byte: u8) -> bool {
        if self.quotes.inside_after(byte) {
            return false;
        }
        match byte {
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => {
                self.open -= 1;
                return self.open == 0;
            }
            _ => {}
        }
        false
    }
}
