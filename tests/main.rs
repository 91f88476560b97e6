//! All integration tests, in one binary.

mod check;
mod cli;
mod fixtures;
mod layers;
mod modules;
mod report;
mod steps;
mod yaml;
