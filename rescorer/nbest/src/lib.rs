//! N-best lists of speech recognisers: types and file formats.
