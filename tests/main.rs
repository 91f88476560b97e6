//! All integration tests, in one binary.

mod fixtures;
mod modules;
mod yaml;
mod steps;
