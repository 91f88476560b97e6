//! What the command line asks for.

use std::sync::Arc;

use crate::vars::Layer;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--start-at-task`; to be cleared once [`started`](super::PlaySteps::started) was true.
    pub start_at_task: Option<String>,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// Layers that names of imported files and roles may use beside the play's variables: extra variables.
    pub early: Vec<Arc<Layer>>,
}
