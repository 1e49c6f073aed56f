use std::io::{self, Read};

/// Bytes of a stream that can be looked at before they are taken. It never reserves memory for more than it was given.
pub struct Source<R> {
    input: R,
    /// Read from `input`; those before `start` were taken.
    buffer: Vec<u8>,
    start: usize,
    /// Bytes that were taken.
    at: u64,
}

impl<R: Read> Source<R> {
    const BLOCK: usize = 1 << 16;

    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, at: 0 }
    }

    /// Place of the next byte, from 0.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next `count` bytes, which are not taken; fewer where the stream ends before.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.start < count {
            self.buffer.drain(..self.start);
            self.start = 0;
            let missing = count.max(Self::BLOCK) - self.buffer.len();
            (&mut self.input).take(missing as u64).read_to_end(&mut self.buffer)?;
        }
        let ahead = &self.buffer[self.start..];
        Ok(&ahead[..ahead.len().min(count)])
    }

    /// Takes up to `count` bytes, at most [`Self::BLOCK`], and fewer only where the stream ends.
    pub fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        let count = self.peek(count.min(Self::BLOCK))?.len();
        let start = self.start;
        self.start += count;
        self.at += count as u64;
        Ok(&self.buffer[start..start + count])
    }

    /// Takes `N` bytes; `None` where the stream ends before.
    pub fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        Ok(self.take(N)?.try_into().ok())
    }

    /// Leaves out `count` bytes; false where the stream ends before.
    pub fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let taken = self.take(usize::try_from(count).unwrap_or(usize::MAX))?.len();
            if taken == 0 {
                return Ok(false);
            }
            count -= taken as u64;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_looked_at_and_then_taken() {
        let mut source = Source::new(&b"abcdefgh"[..]);
        assert_eq!(source.peek(3).unwrap(), b"abc");
        assert_eq!(source.array::<2>().unwrap(), Some(*b"ab"));
        assert!(source.skip(1).unwrap());
        assert_eq!((source.at(), source.peek(99).unwrap()), (3, &b"defgh"[..]));
        assert_eq!(source.array::<6>().unwrap(), None);
        assert!(!source.skip(u64::MAX).unwrap());
        assert_eq!((source.at(), source.peek(1).unwrap()), (8, &b""[..]));
    }

    #[test]
    fn more_than_a_block_is_left_out() {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let mut source = Source::new(&bytes[..]);
        assert!(source.skip(150_000).unwrap());
        assert_eq!(source.peek(2).unwrap(), &bytes[150_000..150_002]);
    }
}
