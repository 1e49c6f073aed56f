//! WAV headers that lie, and what is said about them.
#![cfg(feature = "audio")]
#![allow(clippy::unwrap_used)]

use rescorer_perturb::{Audio, Error, SampleFormat};

/// A file with a `fmt ` chunk of these numbers (format, channels, rate, bytes a frame, bits) and 40 bytes of sound.
fn file(tag: u16, channels: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
    let mut fmt = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    fmt.extend(rate.to_le_bytes());
    fmt.extend(rate.wrapping_mul(u32::from(block)).to_le_bytes());
    fmt.extend([block.to_le_bytes(), bits.to_le_bytes()].concat());
    riff(&[chunk(b"fmt ", &fmt), chunk(b"data", &[7; 40])])
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_le_bytes();
    [&name[..], &size, body, &[0][..body.len() % 2]].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &body].concat()
}

fn read(bytes: &[u8]) -> Result<Audio, Error> {
    Audio::from_reader(bytes, "a.wav")
}

#[track_caller]
fn refused(bytes: &[u8], parts: &[&str]) {
    let error = read(bytes).unwrap_err().to_string();
    let parts = ["a.wav: ", ""].iter().chain(parts);
    parts.for_each(|part| assert!(error.contains(part), "{error}\nlacks {part:?}"));
}

#[test]
fn what_is_no_wav_file() {
    refused(b"", &["is empty; record or copy it again"]);
    refused(b"RI", &["is no WAV file but text: it begins with \"RI\""]);
    refused(b"RIFF\x40\0\0\0", &["ends after 8 bytes, inside its header", "cut off"]);
    refused(b"RIFF\x40\0\0\0AVI LIST", &["is an AVI file, not a WAV file; convert it with `ffmpeg"]);
    refused(b"RIFF\x40\0\0\0WEBPVP8 ", &["is a RIFF file without sound"]);
    refused(
        b"<!DOCTYPE html>\n<p>Not found",
        &["but text: it begins with \"<!DOCTYPE html>\\n\"; give the recording"],
    );
    refused(
        &[1, 0, 255, 3, 0, 0],
        &["begins with \"\\x01\\x00\\xff\\x03\\x00\\x00\"", "if it is raw PCM, use `ffmpeg -f s16le"],
    );
}

#[test]
fn numbers_that_contradict_each_other() {
    assert_eq!(read(&file(1, 2, 8000, 4, 16)).unwrap().frames(), 10);
    refused(&file(1, 0, 8000, 2, 16), &["says 0 channels", "mend its header"]);
    refused(&file(1, 1, 0, 2, 16), &["says 0 samples a second, expected 1000 to 768000"]);
    refused(&file(1, 1, u32::MAX, 2, 16), &["says 4294967295 samples a second"]);
    refused(&file(1, 2, 8000, 2, 16), &["says 2 bytes a frame for 2 channels of 16 bits, expected 4"]);
    refused(&file(1, 1, 8000, 0, 16), &["says 0 bytes a frame", "expected 2"]);
    refused(&file(1, 1, 8000, 4, 16), &["says 4 bytes a frame", "expected 2"]);
    refused(&file(1, u16::MAX, 8000, 2, 16), &["2 bytes a frame for 65535 channels"]);
    refused(&file(1, 1, 8000, 0, 0), &["says 0 bits of PCM, expected 1 to 32"]);
    refused(&file(1, 1, 8000, 8, 64), &["says 64 bits of PCM, expected 1 to 32"]);
    refused(&file(3, 1, 8000, 2, 16), &["says 16 bits of floating point, expected 32 or 64"]);
    refused(&file(7, 1, 8000, 2, 16), &["says 16 bits of µ-law or A-law, expected 8"]);
}

#[test]
fn chunks_that_are_missing_or_twice() {
    let fmt = file(1, 1, 8000, 2, 16)[12..36].to_vec();
    let data = chunk(b"data", &[7; 40]);
    refused(
        &riff(&[data.clone(), fmt.clone()]),
        &["its `data` chunk before its `fmt ` chunk", "export it again"],
    );
    refused(&riff(&[fmt.clone(), fmt.clone(), data.clone()]), &["second `fmt ` chunk at byte 36"]);
    refused(
        &riff(&[fmt.clone(), data.clone(), data.clone()]),
        &["second `data` chunk at byte 84", "join them"],
    );
    let whole = riff(&[fmt.clone(), data.clone()]);
    refused(&[&whole[..], &whole].concat(), &["followed by another WAV file, from byte 84 on"]);
    refused(&riff(&[fmt.clone(), chunk(b"data", &[])]), &["has no frames; record it again"]);
    refused(&riff(&[fmt.clone(), chunk(b"data", &[]), chunk(b"LIST", b"INFO")]), &["has no frames"]);
    refused(&riff(&[fmt.clone(), chunk(b"data", &[7])]), &["has no frames"]);
    refused(&riff(std::slice::from_ref(&fmt)), &["ends after 36 bytes, before its `data` chunk", "cut off"]);
    refused(&riff(&[chunk(b"fmt ", &[1, 0, 1, 0]), data.clone()]), &["has 4 bytes, expected at least 16"]);
    refused(&riff(&[fmt, vec![0; 40]]), &["no chunk at byte 36 but \"\\x00\\x00\\x00\\x00\"", "damaged"]);
}

#[test]
fn extensible_headers_that_lie() {
    let extensible = |container: u16, valid: u16, more: &[u8]| {
        let plain = file(0xfffe, 1, 8000, container / 8, container);
        let fmt = [&plain[20..36], &22u16.to_le_bytes(), &valid.to_le_bytes(), &[0; 4], more].concat();
        riff(&[chunk(b"fmt ", &fmt), chunk(b"data", &[7; 40])])
    };
    let pcm = b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    assert_eq!(read(&extensible(32, 24, pcm)).unwrap().stored_as(), Some("24-bit PCM in 32 bits"));
    refused(&extensible(16, 24, pcm), &["says 24 valid bits in samples of 16"]);
    refused(&extensible(16, 16, b""), &["has 24 bytes, expected 40 for WAVE_FORMAT_EXTENSIBLE"]);
    let itself = b"\xfe\xff\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    refused(&extensible(16, 16, itself), &["unknown format 0000fffe-0000-0010-8000-00aa00389b71"]);
    let mp3 = b"\x55\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    refused(&extensible(16, 16, mp3), &["holds MP3", "ffmpeg -i FILE -c:a pcm_s16le NEW.wav"]);
}

#[test]
fn a_plausible_size_that_the_file_has_not_is_an_error() {
    let whole = file(1, 1, 8000, 2, 16);
    let with_size = |size: u32| {
        let mut lying = whole.clone();
        lying[40..44].copy_from_slice(&size.to_le_bytes());
        lying
    };
    refused(&with_size(44), &["ends after 20 of 22 samples", "cut off", "copy it again", "ffmpeg"]);
    refused(&with_size(1 << 30), &["ends after 20 of 536870912 samples"]);
    refused(&with_size(0x7fff_0000), &["ends after 20 of"]);
    refused(&with_size(0xf000_0000), &["ends after 20 of"]);
    for size in [0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ff00, u32::MAX] {
        assert_eq!(read(&with_size(size)).unwrap().frames(), 20, "{size:#x}");
    }
}

#[test]
fn what_costs_a_few_bytes_is_remarked() {
    let whole = file(1, 2, 8000, 4, 16);
    assert!(read(&whole).unwrap().remarks().is_empty());
    let mut pipe = whole.clone();
    pipe[40..44].fill(0xff);
    let audio = read(&pipe[..pipe.len() - 1]).unwrap();
    assert_eq!((audio.frames(), audio.remarks().len()), (9, 1));
    assert_eq!(audio.remarks()[0], "3 of the 4 bytes of its last frame are there; they were left out");
    let audio = read(&[&whole[..], b"\x01\x02 and so on"].concat()).unwrap();
    assert_eq!(audio.remarks(), ["what follows its sound, from byte 84 on, is no chunk and was left out"]);
    // Zeros fill up a block of a disk.
    assert!(read(&[&whole[..], &[0; 9999]].concat()).unwrap().remarks().is_empty());
    let audio = read(&[&whole[..], &[0; 9999], &[1, 0]].concat()).unwrap();
    assert_eq!(audio.remarks(), ["what follows its sound, from byte 10083 on, is no chunk and was left out"]);
}

#[test]
fn valid_bits_at_the_bottom_are_found_there() {
    let mut bytes = file(1, 1, 8000, 4, 24);
    let values = [1i32 << 22, -(1 << 22), 12_345, -1, 0, 1, 2, 3, 4, 5];
    values
        .iter()
        .enumerate()
        .for_each(|(n, value)| bytes[44 + 4 * n..48 + 4 * n].copy_from_slice(&value.to_le_bytes()));
    let audio = read(&bytes).unwrap();
    assert_eq!(audio.samples()[..3], [0.5, -0.5, 12_345.0 / (1 << 23) as f32]);
    assert!(audio.remarks()[0].contains("24 valid bits lie at the bottom of 32"), "{:?}", audio.remarks());
}

#[test]
fn what_is_written_is_said_where_it_differs() {
    let stored = |bytes: &[u8]| {
        let audio = read(bytes).unwrap();
        (audio.stored_as().map(str::to_owned), audio.format())
    };
    assert_eq!(stored(&file(1, 1, 8000, 2, 16)), (None, SampleFormat::Int(16)));
    assert_eq!(stored(&file(7, 1, 8000, 1, 8)), (Some("8-bit µ-law".into()), SampleFormat::Int(16)));
    assert_eq!(stored(&file(3, 1, 8000, 8, 64)), (Some("64-bit float".into()), SampleFormat::Float));
    assert_eq!(
        stored(&file(1, 1, 8000, 2, 12)),
        (Some("12-bit PCM in 16 bits".into()), SampleFormat::Int(16))
    );
    let mut rf64 = file(1, 1, 8000, 2, 16);
    rf64[..4].copy_from_slice(b"RF64");
    assert_eq!(stored(&rf64), (Some("RF64 16-bit PCM".into()), SampleFormat::Int(16)));
}
