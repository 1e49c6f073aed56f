//! The keys of JSON text of which only the beginning may be there.

/// The keys of JSON text with the paths that lead to them, as far as the text goes: `results[].alternatives`. A list around
/// documents is left out.
pub(crate) struct Keys<'a> {
    text: &'a [u8],
    at: usize,
    stack: Vec<Open>,
    key_next: bool,
    /// Documents that have ended.
    pub(crate) documents: usize,
}

/// An object with the key that is read, or a list.
enum Open {
    Object(String),
    List,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, stack: Vec::new(), key_next: false, documents: 0 }
    }

    /// The string that starts at the quote at `at`; `None` if it does not end in the text.
    fn string(&mut self) -> Option<String> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.text.get(end)? {
                b'\\' => end += 2,
                b'"' => break,
                _ => end += 1,
            }
        }
        self.at = end;
        Some(String::from_utf8_lossy(&self.text[start..end]).into_owned())
    }

    /// The path to the key that is read.
    fn path(&self) -> String {
        let around = usize::from(matches!(self.stack.first(), Some(Open::List)));
        let mut path = String::new();
        for open in &self.stack[around..] {
            match open {
                Open::Object(key) if path.is_empty() => path.push_str(key),
                Open::Object(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Open::List => path.push_str("[]"),
            }
        }
        path
    }
}

impl Iterator for Keys<'_> {
    type Item = String;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'{' => {
                    self.stack.push(Open::Object(String::new()));
                    self.key_next = true;
                }
                b'[' => {
                    self.stack.push(Open::List);
                    self.key_next = false;
                }
                b'}' | b']' => {
                    self.stack.pop();
                    self.key_next = false;
                    let around = usize::from(matches!(self.stack.first(), Some(Open::List)));
                    self.documents += usize::from(self.stack.len() <= around);
                }
                b',' => self.key_next = matches!(self.stack.last(), Some(Open::Object(_))),
                b'"' => {
                    let string = self.string()?;
                    if std::mem::take(&mut self.key_next)
                        && let Some(Open::Object(key)) = self.stack.last_mut()
                    {
                        *key = string;
                        self.at += 1;
                        return Some(self.path());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        None
    }
}

/// The first byte of the element that follows a string in a list; inner `None` where the list ends, `None` if the text does.
pub(crate) fn behind_string(text: &[u8]) -> Option<Option<u8>> {
    let mut keys = Keys::new(text);
    keys.string()?;
    let rest = text[keys.at + 1..].trim_ascii_start();
    match rest.first()? {
        b',' => rest[1..].trim_ascii_start().first().map(|byte| Some(*byte)),
        _ => Some(None),
    }
}
