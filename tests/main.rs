//! All integration tests, in one binary.

mod check;
mod fixtures;
mod layers;
mod modules;
mod steps;
mod yaml;
