//! Structs that a caller fills, which begin with their size.
//!
//! A program that was compiled with an older header has smaller structs; one with a newer header has larger ones. So what comes in is
//! copied byte by byte into a struct of today, as far as both go. A copy can't be changed by the caller meanwhile, and it doesn't matter
//! whether the original was aligned.

use crate::status::{Failure, RescorerStatus};

/// No version of a struct will be larger. A larger size is memory that was never set, whose end must not be looked for.
const LARGEST: usize = 4096;

/// A struct that a caller fills.
///
/// # Safety
/// The type is `#[repr(C)]`, its first field is `struct_size: usize`, and all bytes that C can write are a value of it: it has integers,
/// floats and raw pointers, no `bool`, enum, reference or function.
pub unsafe trait FromCaller: Copy {
    /// What messages call it.
    const NAME: &'static str;
    /// The macro of the header that sets its size.
    const MACRO: &'static str;
    /// Its sizes in earlier headers, ascending.
    const EARLIER: &'static [usize];
    /// What fields have that an earlier header did not have.
    fn defaults() -> Self;
}

/// A copy of the struct at a pointer, and its size at the caller.
///
/// # Safety
/// `pointer` is NULL, or as many bytes can be read there as the `struct_size` says that stands there first.
pub unsafe fn read<T: FromCaller>(pointer: *const T) -> Result<(T, usize), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(T::NAME));
    }
    // SAFETY: not NULL, and the caller promised a struct, which begins with its size. Nothing is said about its alignment.
    let stated = unsafe { pointer.cast::<usize>().read_unaligned() };
    let known = size_of::<T>();
    let refused = |reason: &str| {
        let reason = format!("struct_size of {} is {stated}, {reason}", T::NAME);
        Failure::new(RescorerStatus::InvalidArgument, reason)
    };
    let init = T::MACRO;
    if stated == 0 {
        return Err(refused(&format!("so it was not set; begin with {init}")));
    }
    if stated > LARGEST || (stated < known && !T::EARLIER.contains(&stated)) {
        let reason = format!("which no version of rescorer.h has (this one: {known}); begin with {init}");
        return Err(refused(&reason));
    }
    if stated > known {
        // SAFETY: the caller promised `stated` bytes; `known` of them come before.
        let behind = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(known), stated - known) };
        if behind.iter().any(|byte| *byte != 0) {
            let reason = format!(
                "but this library knows {known} bytes, and a field behind them is set; leave it as {init} sets it, or install a \
                 library as new as the header"
            );
            return Err(refused(&reason));
        }
    }
    let mut value = T::defaults();
    // SAFETY: both have as many bytes, `value` is our own, and any bytes are a value of it, as the trait promises.
    unsafe {
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast::<u8>(), stated.min(known));
    }
    Ok((value, stated))
}

/// Copies of the structs of an array, whose distance is the size that the first one states.
///
/// # Safety
/// `pointer` is NULL, or there are `count` structs as [`read`] wants them, of one size.
pub unsafe fn read_array<T: FromCaller, R>(
    pointer: *const T,
    count: usize,
    mut each: impl FnMut(usize, T) -> Result<R, Failure>,
) -> Result<Vec<R>, Failure> {
    // No room is set aside for a count that may be wrong.
    let mut read_so_far = Vec::new();
    let mut distance = size_of::<T>();
    for position in 0..count {
        let at = |failure: Failure| if count == 1 { failure } else { failure.at(&format!("[{position}]")) };
        // SAFETY: `position · distance` is below what was found to fit into memory, and the caller promised as many structs.
        let (value, stated) = unsafe { read(pointer.byte_add(position * distance)) }.map_err(at)?;
        if position == 0 {
            distance = stated;
            if count > isize::MAX as usize / distance {
                let reason =
                    format!("count {count}: so many of {} can't be in memory; is the count set?", T::NAME);
                return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
            }
        } else if stated != distance {
            let name = T::NAME;
            let reason = format!(
                "struct_size of {name} [{position}] is {stated}, that of [0] is {distance}; set all with {}",
                T::MACRO
            );
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        read_so_far.push(each(position, value)?);
    }
    Ok(read_so_far)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: usize = size_of::<usize>();

    /// A struct as it is today: it grew twice.
    #[repr(C)]
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Grown {
        struct_size: usize,
        first: usize,
        second: isize,
        third: usize,
    }

    // SAFETY: integers behind the size.
    unsafe impl FromCaller for Grown {
        const NAME: &'static str = "the sample (Grown)";
        const MACRO: &'static str = "GROWN_INIT";
        const EARLIER: &'static [usize] = &[2 * WORD, 3 * WORD];
        fn defaults() -> Self {
            Self { struct_size: size_of::<Self>(), first: 1, second: -2, third: 3 }
        }
    }

    /// Reads what C would have laid out: a size in words, and words behind it.
    fn grown(words: usize, behind: &[usize]) -> Result<(Grown, usize), Failure> {
        let laid_out = [&[words.wrapping_mul(WORD)], behind].concat();
        // SAFETY: tests state at most what is there, or a size that is refused before it is read.
        unsafe { read(laid_out.as_ptr().cast()) }
    }

    #[test]
    fn older_callers_get_defaults_and_newer_ones_may_leave_fields_unset() {
        let full = Grown { struct_size: 4 * WORD, first: 7, second: 8, third: 9 };
        assert_eq!(grown(4, &[7, 8, 9]).unwrap(), (full, 4 * WORD));
        let oldest = Grown { struct_size: 2 * WORD, second: -2, third: 3, ..full };
        assert_eq!(grown(2, &[7]).unwrap(), (oldest, 2 * WORD));
        assert_eq!(grown(3, &[7, 8]).unwrap().0, Grown { struct_size: 3 * WORD, third: 3, ..full });
        assert_eq!(grown(6, &[7, 8, 9, 0, 0]).unwrap(), (Grown { struct_size: 6 * WORD, ..full }, 6 * WORD));
    }

    #[test]
    fn a_size_that_no_version_had_is_refused() {
        let known = 4 * WORD;
        for (words, message) in [
            (
                0,
                "struct_size of the sample (Grown) is 0, so it was not set; begin with GROWN_INIT".to_owned(),
            ),
            (
                1,
                format!(
                    "is {WORD}, which no version of rescorer.h has (this one: {known}); begin with GROWN_INIT"
                ),
            ),
            (LARGEST, "which no version".to_owned()),
            (usize::MAX / WORD, "which no version".to_owned()),
            (
                5,
                format!(
                    "is {}, but this library knows {known} bytes, and a field behind them is set",
                    5 * WORD
                ),
            ),
        ] {
            let failure = grown(words, &[7, 8, 9, 1]).unwrap_err();
            assert_eq!(failure.status, RescorerStatus::InvalidArgument);
            assert!(failure.message.contains(&message), "{}", failure.message);
        }
        // SAFETY: NULL is refused.
        let failure = unsafe { read(std::ptr::null::<Grown>()) }.unwrap_err();
        assert_eq!(failure.status, RescorerStatus::NullPointer);
    }

    #[test]
    fn arrays_have_the_distance_of_the_caller() {
        let read = |words: &[usize], count| {
            // SAFETY: tests state at most the size of `words`.
            unsafe { read_array(words.as_ptr().cast(), count, |_, grown: Grown| Ok(grown.first)) }
        };
        let [two, three, five] = [2 * WORD, 3 * WORD, 5 * WORD];
        assert_eq!(read(&[two, 7, two, 8, two, 9], 3).unwrap(), [7, 8, 9]);
        assert_eq!(read(&[five, 7, 0, 0, 0, five, 8, 0, 0, 0], 2).unwrap(), [7, 8]);
        assert!(read(&[], 0).unwrap().is_empty());
        let mixed = read(&[two, 7, three, 8, 0], 2).unwrap_err().message;
        assert!(mixed.contains(&format!("[1] is {three}, that of [0] is {two}")), "{mixed}");
        let unset = read(&[two, 7, 0, 0], 2).unwrap_err().message;
        assert!(unset.contains("[1]: struct_size of the sample (Grown) is 0"), "{unset}");
        let many = read(&[two, 7], isize::MAX as usize / two + 1).unwrap_err().message;
        assert!(many.contains("can't be in memory"), "{many}");
    }

    #[test]
    fn a_struct_need_not_be_aligned() {
        let words = [4 * WORD, 7, 8, 9].map(usize::to_ne_bytes).concat();
        let bytes = [&[0], words.as_slice()].concat();
        // SAFETY: four words from the second byte.
        let (value, _) = unsafe { read::<Grown>(bytes[1..].as_ptr().cast()) }.unwrap();
        assert_eq!((value.first, value.third), (7, 9));
    }
}
