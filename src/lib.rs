//! `wodctl`: push-based, idempotent provisioning in Ansible's language. See `ARCHITECTURE.md` for the whole picture.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make the files that they need"))]

pub mod agent;
pub mod catalog;
pub mod change;
pub mod check;
pub mod cli;
pub mod commands;
pub mod diagnostic;
pub mod event;
pub mod failure;
pub mod inventory;
pub mod module;
pub mod modules;
pub mod playbook;
pub mod probe;
pub mod protocol;
pub mod python_regex;
pub mod report;
pub mod runner;
pub mod source;
pub mod steps;
pub mod system;
pub mod template;
pub mod transport;
pub mod value;
pub mod vars;
pub mod vault;
pub mod words;
pub mod yaml;
