//! All integration tests, in one binary.
#![allow(clippy::disallowed_methods, reason = "tests make the files that they need")]

mod agent;
mod check;
mod cli;
mod dependencies;
mod differential;
mod docs;
mod expressions;
mod faults;
mod filters;
mod fixtures;
mod fuzz;
mod inventory;
mod lab;
mod language;
mod layers;
mod lookups;
mod modules;
mod order;
mod probe;
mod refusal;
mod report;
mod steps;
mod template;
mod trouble;
mod wod;
mod yaml;
