//! Headers whose numbers lie: lengths, counts, extents and offsets beyond the file or beyond arithmetic.

use super::gguf_bytes::Bytes;
use super::gguf_file::{ARRAY, GgufFile, STRING};
use super::{DAMAGED, fixture, load, refused, scratch};

fn one_value(kind: u32) -> Bytes {
    Bytes::header(3, 0, 1).string("some.key").u32(kind)
}

fn one_tensor(axes: &[u64], kind: u32, offset: u64) -> Bytes {
    Bytes::header(3, 1, 0).tensor("some.weight", axes, kind, offset).raw(&[0; 256])
}

fn check(cases: Vec<(&str, Bytes, &[&str])>) {
    for (change, bytes, parts) in cases {
        let (_folder, path) = scratch(&bytes.0);
        refused(&path, change, parts);
    }
}

#[test]
fn other_versions() {
    let supported = &["is not supported", "little-endian GGUF 2 and 3"][..];
    check(vec![
        ("version 1", Bytes::header(1, 0, 0), supported),
        ("version 4", Bytes::header(4, 0, 0), &["GGUF version 4"]),
        ("big-endian", Bytes::header(3u32.swap_bytes(), 0, 0), supported),
    ]);
}

#[test]
fn lengths_of_metadata() {
    let huge = u64::MAX;
    check(vec![
        ("no counts", Bytes(b"GGUF\x03\0\0\0".to_vec()), &["tensor count", DAMAGED]),
        ("huge number of values", Bytes::header(3, 0, huge), &["metadata key", DAMAGED]),
        (
            "huge key",
            Bytes::header(3, 0, 1).u64(huge),
            &["metadata key claims 18446744073709551615", DAMAGED],
        ),
        (
            "key a byte too long",
            Bytes::header(3, 0, 1).u64(4).raw(b"abc"),
            &["4 × 1 bytes, 3 are left", DAMAGED],
        ),
        ("huge string", one_value(STRING).u64(huge), &["some.key claims", DAMAGED]),
        ("string of 2^63", one_value(STRING).u64(1 << 63).raw(b"text"), &["some.key claims", DAMAGED]),
        ("huge array of u8", one_value(ARRAY).u32(0).u64(huge), &["some.key claims", DAMAGED]),
        ("array whose bytes overflow", one_value(ARRAY).u32(10).u64(1 << 61), &["some.key claims", DAMAGED]),
        (
            "array of strings cut short",
            one_value(ARRAY).u32(STRING).u64(2).string("12345678"),
            &["some.key", DAMAGED],
        ),
        (
            "array in an array",
            one_value(ARRAY).u32(ARRAY).u64(1).u32(0).u64(1),
            &["array of unknown type 9", DAMAGED],
        ),
        ("array of type 99", one_value(ARRAY).u32(99).u64(1), &["array of unknown type 99", DAMAGED]),
        ("value of type 13", one_value(13).u64(0), &["unknown value type 13", DAMAGED]),
        ("value that is not there", one_value(12), &["some.key claims", DAMAGED]),
        (
            "key that is not UTF-8",
            Bytes::header(3, 0, 1).u64(2).raw(b"\xFF\xFE"),
            &["metadata key is not UTF-8", DAMAGED],
        ),
        (
            "a key twice",
            Bytes::header(3, 0, 2).string("k").u32(4).u32(1).string("k").u32(4).u32(2),
            &["metadata key k stands twice", DAMAGED],
        ),
    ]);
}

/// Many small values where the array says how many: memory is bounded before they are read.
#[test]
fn an_array_longer_than_any_vocabulary() {
    let count = (4 << 20) + 1;
    let bytes = one_value(ARRAY).u32(0).u64(count as u64).raw(&vec![0; count]);
    check(vec![("4 Mi + 1 bytes", bytes, &["some.key: array of 4194305 values", DAMAGED])]);
}

#[test]
fn tensors_that_cannot_be() {
    let huge = u64::MAX;
    let name = &["some.weight", DAMAGED][..];
    check(vec![
        ("huge number of tensors", Bytes::header(3, huge, 0), &["tensor name", DAMAGED]),
        ("huge name", Bytes::header(3, 1, 0).u64(huge), &["tensor name claims", DAMAGED]),
        ("no axes", one_tensor(&[], 0, 0), &["some.weight has 0 axes", DAMAGED]),
        ("five axes", one_tensor(&[1; 5], 0, 0), &["some.weight has 5 axes", DAMAGED]),
        ("2^32 - 1 axes", Bytes::header(3, 1, 0).string("some.weight").u32(u32::MAX), name),
        ("extents that overflow", one_tensor(&[1 << 32, 1 << 32], 0, 0), &["does not fit F32", DAMAGED]),
        ("bytes that overflow", one_tensor(&[1 << 62], 0, 0), &["does not fit F32", DAMAGED]),
        ("huge extent", one_tensor(&[huge], 0, 0), name),
        ("a row of half a block", one_tensor(&[16, 2], 8, 0), &["shape [2, 16] does not fit Q8_0", DAMAGED]),
        (
            "a row of 300 values",
            one_tensor(&[300, 2], 12, 0),
            &["some.weight: shape [2, 300] does not fit Q4_K, whose rows are multiples of 256", DAMAGED],
        ),
        (
            "rows of half a block",
            one_tensor(&[128, 4], 14, 0),
            &["shape [4, 128] does not fit Q6_K, whose", DAMAGED],
        ),
        (
            "a block cut short",
            one_tensor(&[512], 13, 0),
            &["some.weight: offset 0 with 352 bytes leaves", DAMAGED],
        ),
        ("a byte too many", one_tensor(&[65], 0, 0), &["leaves the file", DAMAGED]),
        ("offset behind the file", one_tensor(&[4], 0, 1 << 40), &["offset 1099511627776", DAMAGED]),
        ("offset that overflows", one_tensor(&[4], 0, huge), &["leaves the file", DAMAGED]),
        ("end that overflows", one_tensor(&[4], 0, huge - 100), &["leaves the file", DAMAGED]),
        (
            "a tensor twice",
            Bytes::header(3, 2, 0).tensor("t", &[1], 0, 0).tensor("t", &[1], 0, 0).raw(&[0; 64]),
            &["tensor t stands twice", DAMAGED],
        ),
    ]);
}

#[test]
fn alignments_that_cannot_be() {
    for alignment in [0, u32::MAX] {
        let mut file = GgufFile::tiny();
        file.set_u32("general.alignment", alignment);
        let (_folder, path) = scratch(&file.to_bytes());
        refused(&path, "alignment", &["general.alignment is", &alignment.to_string(), DAMAGED]);
    }
    let mut file = GgufFile::tiny();
    file.set_string("general.alignment", "32");
    let (_folder, path) = scratch(&file.to_bytes());
    refused(&path, "alignment in words", &["general.alignment is", DAMAGED]);
}

/// Bytes between the lengths that are tried; a prime, so that all residues come up.
const STEP: usize = 61;

#[test]
fn a_file_cut_short_anywhere() {
    let bytes = std::fs::read(fixture("tiny-llama.gguf")).unwrap();
    let (_, header, end) = GgufFile::parse(&bytes);
    let (_folder, path) = scratch(&[]);
    // Every STEP-th length, all of the first ones, and those around the two borders.
    let borders = (header - 40..header + 40).chain(end - 3..end);
    for len in (0..end).step_by(STEP).chain(0..64).chain(borders) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        let Err(message) = load(&path, &format!("{len} bytes")) else {
            panic!("{len} of {end} bytes were loaded")
        };
        let expected = if len < 4 { "does not begin with GGUF" } else { DAMAGED };
        assert!(message.contains(expected) && message.contains("hostile.gguf"), "{len} bytes: {message}");
    }
}
