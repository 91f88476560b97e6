//! Values that must not be shown: whatever a run has learnt to be secret is masked in every event.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::change::diff::Diff;
use crate::event::Event;
use crate::value::{Map, Value};

// One list for the process: a secret must be masked wherever it turns up.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn secrets() -> MutexGuard<'static, Vec<String>> {
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Learns a secret. Very short ones are left: masking them would garble everything and hide nothing.
pub fn learn(secret: &str) {
    if secret.len() >= 4 {
        let mut all = secrets();
        if !all.iter().any(|known| known == secret) {
            all.push(secret.to_owned());
            // A secret that contains another must go first.
            all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }
}

/// The text with every secret in it replaced.
pub fn mask_text(text: &str) -> String {
    let mut masked = text.to_owned();
    for secret in secrets().iter() {
        if masked.contains(secret.as_str()) {
            masked = masked.replace(secret.as_str(), "********");
        }
    }
    masked
}

/// Masks everything that an event shows.
pub fn mask(event: &mut Event) {
    if secrets().is_empty() {
        return;
    }
    match event {
        Event::Result(result) => {
            mask_map(&mut result.values);
            for diff in &mut result.diffs {
                mask_diff(diff);
            }
            for warning in &mut result.warnings {
                *warning = mask_text(warning);
            }
            if let Some(item) = &mut result.item {
                mask_value(item);
            }
        }
        Event::Live { text, .. } | Event::Warning(text) => *text = mask_text(text),
        _ => {}
    }
}

fn mask_map(map: &mut Map) {
    map.values_mut().for_each(mask_value);
}

fn mask_value(value: &mut Value) {
    match value {
        Value::Str(text) => *text = mask_text(text),
        Value::List(items) => items.iter_mut().for_each(mask_value),
        Value::Map(map) => mask_map(map),
        _ => {}
    }
}

fn mask_diff(diff: &mut Diff) {
    match diff {
        Diff::Text { before, after, .. } => {
            for text in [before, after].into_iter().flatten() {
                *text = mask_text(text);
            }
        }
        Diff::Attribute { before, after, .. } => {
            *before = mask_text(before);
            *after = mask_text(after);
        }
        Diff::Run { argv } => argv.iter_mut().for_each(|word| *word = mask_text(word)),
    }
}
