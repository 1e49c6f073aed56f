//! Buffered input that counts lines and never reads further ahead than it is asked to.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use memchr::memchr;

use crate::Error;

/// Bytes asked for in one read.
const CHUNK: usize = 64 * 1024;

/// An input and the bytes of it that are read but not yet consumed.
pub(crate) struct Source {
    name: Arc<str>,
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    ended: bool,
}

impl Source {
    pub(crate) fn new(name: &str, input: impl Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            input: Box::new(input),
            buffer: Vec::new(),
            start: 0,
            line: 1,
            ended: false,
        }
    }

    /// The name of the input, for messages.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The line of the next byte, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes that are read but not consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads once more; false at the end of the input.
    pub(crate) fn fill(&mut self) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(count) => {
                self.ended = count == 0;
                Ok(count > 0)
            }
            Err(source) => Err(Error::Read { path: self.name.to_string(), line: self.line, source }),
        }
    }

    /// Unpacks the input from here on, if it is gzip.
    pub(crate) fn unpack(&mut self) -> Result<(), Error> {
        const MARK: &[u8] = b"\x1F\x8B";
        while self.unread().len() < MARK.len() && MARK.starts_with(self.unread()) && self.fill()? {}
        if self.unread().starts_with(MARK) {
            let start = Cursor::new(self.buffer.split_off(self.start));
            let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
            self.input = Box::new(MultiGzDecoder::new(start.chain(input)));
            (self.buffer, self.start, self.ended) = (Vec::new(), 0, false);
        }
        Ok(())
    }

    /// Skips a UTF-8 byte order mark, if the input begins with one.
    pub(crate) fn skip_byte_order_mark(&mut self) -> Result<(), Error> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.unread().len() < MARK.len() && MARK.starts_with(self.unread()) && self.fill()? {}
        if self.unread().starts_with(MARK) {
            self.start += MARK.len();
        }
        Ok(())
    }

    /// Consumes the blank lines that come first. The white space that the next line begins with stays.
    pub(crate) fn skip_blank_lines(&mut self) -> Result<(), Error> {
        loop {
            let white = self.unread().iter().position(|byte| !byte.is_ascii_whitespace());
            let line =
                self.unread()[..white.unwrap_or(self.unread().len())].iter().rposition(|&byte| byte == b'\n');
            self.skip(line.map_or(0, |end| end + 1));
            if white.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The first line that is not blank, or its first 64 KB, without consuming it.
    pub(crate) fn first_line(&mut self) -> Result<Vec<u8>, Error> {
        self.skip_blank_lines()?;
        let end = |unread: &[u8]| unread.iter().position(|&byte| byte == b'\n');
        while end(self.unread()).is_none() && self.unread().len() < CHUNK && self.fill()? {}
        let unread = self.unread();
        Ok(unread[..end(unread).unwrap_or(unread.len()).min(CHUNK)].to_vec())
    }

    /// Consumes white space and returns the next byte without consuming it; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            match self.unread().iter().position(|b| !b.is_ascii_whitespace()) {
                Some(count) => {
                    self.skip(count);
                    return Ok(self.unread().first().copied());
                }
                None => self.skip(self.unread().len()),
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Consumes `count` bytes of the unread ones.
    pub(crate) fn skip(&mut self, count: usize) {
        let end = self.start + count;
        self.line += self.buffer[self.start..end].iter().filter(|&&b| b == b'\n').count() as u64;
        self.start = end;
    }

    /// Consumes and returns `count` bytes of the unread ones.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        let taken = self.unread()[..count].to_vec();
        self.skip(count);
        taken
    }

    /// Consumes and returns the next line with the newline at its end, if it has one; `None` at the end of the input.
    pub(crate) fn take_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut looked = 0;
        loop {
            let unread = self.unread();
            if let Some(found) = memchr(b'\n', &unread[looked..]) {
                let line = unread[..=looked + found].to_vec();
                self.start += line.len();
                self.line += 1;
                return Ok(Some(line));
            }
            looked = unread.len();
            if !self.fill()? {
                return Ok((looked > 0).then(|| self.take(looked)));
            }
        }
    }

    /// Number of bytes up to and with the first at which `stop` says true; `None` if the input ends before.
    /// It reads on while there is none.
    pub(crate) fn find(&mut self, mut stop: impl FnMut(u8) -> bool) -> Result<Option<usize>, Error> {
        let mut looked = 0;
        loop {
            if let Some(found) = self.unread()[looked..].iter().position(|&b| stop(b)) {
                return Ok(Some(looked + found + 1));
            }
            looked = self.unread().len();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Consumes up to and with the first byte at which `stop` says true, without keeping it; false if the input ends
    /// before.
    pub(crate) fn skip_to(&mut self, mut stop: impl FnMut(u8) -> bool) -> Result<bool, Error> {
        loop {
            if let Some(found) = self.unread().iter().position(|&b| stop(b)) {
                self.skip(found + 1);
                return Ok(true);
            }
            self.skip(self.unread().len());
            if !self.fill()? {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a read, with interruptions, and counts the reads.
    struct Drip(&'static [u8], bool);

    impl Read for Drip {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            to[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn a_line_is_there_as_soon_as_it_ends() {
        let mut source = Source::new("x", Drip(b"\xEF\xBB\xBFab\ncd", false));
        source.skip_byte_order_mark().unwrap();
        assert_eq!(source.find(|b| b == b'\n').unwrap(), Some(3));
        assert_eq!(source.unread(), b"ab\n");
        assert_eq!((source.take(3), source.line()), (b"ab\n".to_vec(), 2));
        assert_eq!(source.find(|b| b == b'\n').unwrap(), None);
        assert_eq!(source.unread(), b"cd");
    }

    #[test]
    fn half_a_mark_is_content() {
        let mut source = Source::new("x", Drip(b"\xEF\xBBa", false));
        source.skip_byte_order_mark().unwrap();
        assert_eq!(source.unread(), b"\xEF\xBBa");
    }

    #[test]
    fn the_first_line_keeps_its_start() {
        let mut source = Source::new("x", Drip(b" \r\n\n\tid\ttext\nrest", false));
        assert_eq!((source.first_line().unwrap(), source.line()), (b"\tid\ttext".to_vec(), 3));
        assert_eq!(source.take(8), b"\tid\ttext".to_vec());
        let mut source = Source::new("x", Drip(b"\n  ", false));
        assert_eq!((source.first_line().unwrap(), source.line()), (b"  ".to_vec(), 2));
    }

    #[test]
    fn peek_skips_white_space_and_counts_lines() {
        let mut source = Source::new("x", Drip(b" \r\n\n\t7", false));
        assert_eq!((source.peek().unwrap(), source.line()), (Some(b'7'), 3));
        source.skip(1);
        assert_eq!(source.peek().unwrap(), None);
    }
}
