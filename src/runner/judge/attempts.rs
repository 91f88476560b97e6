//! How often a step is tried.

use std::sync::Arc;

use crate::runner::connection::Reader;
use crate::runner::prepare::Bench;
use crate::steps::Step;
use crate::template::RenderError;
use crate::vars::Layer;

/// How often a step is tried, and how many seconds are waited in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempts {
    /// The first one and all that may follow.
    pub most: u32,
    /// Seconds between two.
    pub delay: f64,
}

impl Attempts {
    /// What a step asks for. `retries` come on top of the first attempt; `until` alone means three of them; `retries`
    /// alone try until it does not fail.
    pub fn of(bench: &Bench, step: &Step, layers: &[Arc<Layer>]) -> Result<Self, RenderError> {
        let keywords = &step.keywords;
        if keywords.retries.is_none() && keywords.until.is_empty() {
            return Ok(Attempts { most: 1, delay: 0.0 });
        }
        let scope = bench.with(layers);
        let reader = Reader { templar: bench.templar, scope: &scope };
        let default = if keywords.until.is_empty() { 0 } else { 3 };
        let retries: i64 = reader.typed(keywords.retries.as_ref())?.unwrap_or(default);
        let delay: f64 = reader.typed(keywords.delay.as_ref())?.unwrap_or(5.0);
        let most = u32::try_from(retries.max(0)).unwrap_or(u32::MAX).saturating_add(1);
        Ok(Attempts { most, delay: if delay < 0.0 { 1.0 } else { delay } })
    }
}
