//! Names of what is no WAV file, or no PCM.

/// How a file of another kind is turned into one that is read.
pub const CONVERT: &str = "convert it with `ffmpeg -i FILE -c:a pcm_s16le NEW.wav`";

/// Beginnings of files: where, the bytes, the name.
const BEGINNINGS: &[(usize, &[u8], &str)] = &[
    (0, b"fLaC", "a FLAC file"),
    (0, b"OggS", "an Ogg file (Opus or Vorbis)"),
    (0, b"ID3", "an MP3 file (it begins with an ID3 tag)"),
    (4, b"ftyp", "an MP4 file (m4a, AAC)"),
    (0, b"riff\x2e\x91\xcf\x11", "a Wave64 file"),
    (8, b"AIF", "an AIFF file"),
    (0, b"FORM", "an IFF file"),
    (0, b"Creative Voice File", "a Creative Voice file"),
    (0, b".snd", "an AU file"),
    (0, b"caff", "a Core Audio file"),
    (0, b"\x1a\x45\xdf\xa3", "a WebM or Matroska file"),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (8, b"AVI ", "an AVI file"),
    (0, b"RIFF", "a RIFF file without sound"),
];

/// What a file is by its first bytes, and what to do with it.
pub fn describe(start: &[u8]) -> String {
    if start.is_empty() {
        return "is empty; record or copy it again".into();
    }
    if start.starts_with(b"NIST_1A") {
        return "is a NIST SPHERE file; convert it with `sph2pipe -f wav FILE NEW.wav` or `sox FILE NEW.wav`"
            .into();
    }
    if start.starts_with(b"version https://git-lfs") {
        return "is a Git LFS pointer, not the recording; fetch the recording with `git lfs pull`".into();
    }
    if matches!(start, [0x1f, 0x8b, ..]) || start.starts_with(b"PK\x03\x04") {
        return "is a compressed archive; unpack it first".into();
    }
    let known = |&&(at, bytes, _): &&(usize, &[u8], &str)| {
        start.get(at..).is_some_and(|rest| rest.starts_with(bytes))
    };
    if let Some((_, _, name)) = BEGINNINGS.iter().find(known) {
        return format!("is {name}, not a WAV file; {CONVERT}");
    }
    // Frames without a header: eleven bits of ones, then version and layer.
    match start {
        [0xff, second, ..] if second & 0xf6 == 0xf0 => format!("is an AAC file, not a WAV file; {CONVERT}"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => format!("is an MP3 file, not a WAV file; {CONVERT}"),
        _ => unknown(start),
    }
}

fn unknown(start: &[u8]) -> String {
    let shown = start[..start.len().min(16)].escape_ascii();
    let is_text = |&byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if start.iter().all(is_text) {
        return format!("is no WAV file but text: it begins with \"{shown}\"; give the recording");
    }
    let raw = "if it is raw PCM, use `ffmpeg -f s16le -ar 16000 -ac 1 -i FILE NEW.wav`";
    format!("is no WAV file: it begins with \"{shown}\", not with RIFF; {CONVERT}; {raw}")
}

/// The name of a compressed code by its number in the `fmt ` chunk.
///
/// # Reference
/// RFC 2361 and `mmreg.h`.
pub fn codec(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x0002 => "Microsoft ADPCM",
        0x0005 => "IBM CVSD",
        0x0008 => "DTS",
        0x0010 => "OKI ADPCM",
        0x0011 => "IMA ADPCM",
        0x0014 => "G.723 ADPCM",
        0x0017 => "Dialogic OKI ADPCM",
        0x0020 => "Yamaha ADPCM",
        0x0022 => "TrueSpeech",
        0x0031 => "GSM 06.10",
        0x0038 => "NMS ADPCM",
        0x0040 => "G.721 ADPCM",
        0x0041 => "G.728",
        0x0042 => "G.723.1",
        0x0045 => "G.726 ADPCM",
        0x0050 => "MPEG layer 1 or 2",
        0x0055 => "MP3",
        0x0057 | 0x0058 => "AMR",
        0x0064 => "G.726 ADPCM",
        0x0065 => "G.722 ADPCM",
        0x0069 => "IMA ADPCM",
        0x0083 => "G.729",
        0x00ff | 0x1600..=0x1602 | 0xa106 => "AAC",
        0x0130 => "Sipro ACELP",
        0x0160..=0x0163 => "Windows Media Audio",
        0x0270 => "ATRAC3",
        0x2000 => "AC-3",
        0x566f | 0x674f..=0x6751 | 0x676f..=0x6771 => "Vorbis",
        0x7000 | 0x704f => "Opus",
        0xa109 => "Speex",
        0xf1ac => "FLAC",
        _ => return None,
    })
}
