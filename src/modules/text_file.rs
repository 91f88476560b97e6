//! A file of text that a module reads as a whole and writes as a whole where it differs.

use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::system::{Content, System};

/// A file and what it holds now.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Where. A link is replaced: give the real path to keep it.
    pub path: PathBuf,
    /// What it holds; `None` if there is no such file.
    pub text: Option<String>,
}

impl TextFile {
    /// Reads it.
    pub fn read(system: &dyn System, path: &Path) -> Result<TextFile, Failure> {
        let bytes = system.read(path).during(|| format!("read {}", path.display()))?;
        let text = bytes.map(String::from_utf8).transpose();
        let text = text.map_err(|_| Failure::new(format!("{} is no text (UTF-8)", path.display())).argument("path"))?;
        Ok(TextFile { path: path.to_owned(), text })
    }

    /// What it holds; nothing if it is not there.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The action that makes it hold `text`, if it does not. A file that is not there is made even if `text` is empty.
    pub fn write(&self, text: &str) -> Option<Action> {
        self.write_with(text, Attributes::default())
    }

    /// The same with owner, group and permissions, which are set only where the text differs.
    pub fn write_with(&self, text: &str, attributes: Attributes) -> Option<Action> {
        if self.text.as_deref() == Some(text) {
            return None;
        }
        Some(Action::change(Act::WriteFile(Box::new(WriteFile {
            path: self.path.clone(),
            content: Content::Bytes(text.as_bytes().to_vec()),
            attributes,
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: true,
        }))))
    }
}
