//! Arrow files (Feather) and streams (the caches of Hugging Face `datasets`): a row is an utterance, a column a
//! field of one of the JSON formats.
//!
//! A file is a stream between two marks, with an index behind it that is not needed here. One record batch is
//! held in memory, as large as whoever wrote it made it. See [`columns`](crate::columns) for what the columns
//! are.
//!
//! # Reference
//! Apache Arrow, "Columnar Format", serialization and interprocess communication.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use arrow_ipc::reader::StreamReader;
use arrow_ipc::{CompressionType, Message, RecordBatch, root_as_message};

use crate::batches::Batches;
use crate::spec::Spec;

/// How a file begins, and how it ends.
const FILE: &[u8; 6] = b"ARROW1";
/// Where the stream of a file begins.
const STREAM_OF_FILE: u64 = 8;
/// What says that a message follows; so a stream begins.
const MESSAGE: [u8; 4] = [0xFF; 4];

pub(super) const SPEC: Spec =
    Spec::Columns { marker: |start| start.starts_with(FILE) || start.starts_with(&MESSAGE), open };

fn open(mut file: File) -> Result<Batches, String> {
    let start = start(&mut file).map_err(|error| error.to_string())?;
    file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    let reader = StreamReader::try_new_buffered(file, None).map_err(|error| error.to_string())?;
    let schema = reader.schema();
    let batches = reader.map(|batch| batch.map_err(|error| error.to_string()));
    Ok(Batches { schema, batches: Box::new(batches) })
}

/// Where the stream begins, once its sizes are found to be possible.
fn start(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut mark = *b"      ";
    file.read_exact(&mut mark)?;
    let mut start = 0;
    if &mark == FILE {
        start = STREAM_OF_FILE;
        file.seek(SeekFrom::End(-(FILE.len() as i64)))?;
        file.read_exact(&mut mark)?;
        if &mark != FILE || size < start + FILE.len() as u64 {
            return Err(broken("its end is missing"));
        }
    }
    check(&mut BufReader::new(file), start, size)?;
    Ok(start)
}

/// Looks at the sizes that the messages state. The reader allocates what they say, and no memory is large
/// enough for those of a broken file; all else it finds out itself.
fn check(file: &mut (impl Read + Seek), mut at: u64, size: u64) -> io::Result<()> {
    while at + 4 <= size {
        file.seek(SeekFrom::Start(at))?;
        let mut word = [0; 4];
        file.read_exact(&mut word)?;
        at += 4;
        if word == MESSAGE {
            file.read_exact(&mut word)?;
            at += 4;
        }
        let length = u32::from_le_bytes(word);
        if length == 0 {
            return Ok(());
        }
        if u64::from(length) > size - at {
            return Err(broken("a message reaches beyond its end"));
        }
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text)?;
        at += u64::from(length);
        let message = root_as_message(&text).map_err(|error| broken(&error.to_string()))?;
        let body = u64::try_from(message.bodyLength()).ok().filter(|body| *body <= size - at);
        let body = body.ok_or_else(|| broken("a message reaches beyond its end"))?;
        if let Some(batch) = batch(&message) {
            check_buffers(file, batch, at, body)?;
        }
        at += body;
    }
    Ok(())
}

fn batch<'a>(message: &Message<'a>) -> Option<RecordBatch<'a>> {
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    message.header_as_record_batch().or_else(of_dictionary)
}

/// A packed buffer begins with its size when it is unpacked.
fn check_buffers(file: &mut (impl Read + Seek), batch: RecordBatch, at: u64, body: u64) -> io::Result<()> {
    let Some(compression) = batch.compression() else { return Ok(()) };
    // No more can come out of a byte.
    let most = if compression.codec() == CompressionType::LZ4_FRAME { 255 } else { 50_000 };
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (buffer.offset(), buffer.length());
        if length < 8 {
            continue;
        }
        let offset = u64::try_from(offset).ok().filter(|offset| *offset <= body);
        let offset = offset.ok_or_else(|| broken("a buffer reaches beyond its message"))?;
        let mut unpacked = [0; 8];
        file.seek(SeekFrom::Start(at + offset))?;
        file.read_exact(&mut unpacked)?;
        if i64::from_le_bytes(unpacked) > length.saturating_mul(most) {
            return Err(broken("a buffer would be larger than it can be"));
        }
    }
    Ok(())
}

fn broken(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
