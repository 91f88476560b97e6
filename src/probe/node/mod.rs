//! What is installed for Node, read from `node_modules`: no Node is started.

pub mod lock;
pub mod range;
pub mod tree;
