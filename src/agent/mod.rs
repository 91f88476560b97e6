//! The remote loop.

pub mod carry;
