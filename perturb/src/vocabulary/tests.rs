//! Vocabulary tests.
