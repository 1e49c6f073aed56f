//! G.711, the two codes of telephones: 8 bits for 14 (µ-law) or 13 (A-law).

/// A code of µ-law as 16 bits: `±(((2m + 33) << e) − 33) · 4`, with sign, exponent `e` and mantissa `m` in the inverted byte.
///
/// # Reference
/// ITU-T G.711, table 2a.
pub fn mu_law(code: u8) -> i16 {
    let code = !code;
    let (exponent, mantissa) = (code >> 4 & 7, i16::from(code & 15));
    let size = (((2 * mantissa + 33) << exponent) - 33) * 4;
    if code & 0x80 == 0 { size } else { -size }
}

/// A code of A-law as 16 bits: `±((2m + 1) << 3)` for `e = 0`, else `±((2m + 33) << (e + 2))`; every other bit is inverted.
///
/// # Reference
/// ITU-T G.711, table 1a.
pub fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = (code >> 4 & 7, i16::from(code & 15));
    let size = if exponent == 0 { (2 * mantissa + 1) << 3 } else { (2 * mantissa + 33) << (exponent + 2) };
    if code & 0x80 == 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middles_of_the_tables() {
        assert_eq!([0x00, 0x80, 0x7f, 0xff].map(mu_law), [-32_124, 32_124, 0, 0]);
        assert_eq!([0x2a, 0xaa, 0x55, 0xd5].map(a_law), [-32_256, 32_256, -8, 8]);
    }
}
