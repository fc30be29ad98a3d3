//! Tokens that cannot be read.
