//! All integration tests, in one binary.

mod agent;
mod check;
mod cli;
mod dependencies;
mod differential;
mod docs;
mod faults;
mod filters;
mod fixtures;
mod inventory;
mod lab;
mod layers;
mod lookups;
mod modules;
mod order;
mod report;
mod steps;
mod template;
mod trouble;
mod yaml;
