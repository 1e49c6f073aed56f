//! Parity with reference implementations and properties across crates.
