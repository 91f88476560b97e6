//! All integration tests, in one binary.

mod fixtures;
mod layers;
mod modules;
mod steps;
mod yaml;
