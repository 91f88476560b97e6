//! A role in use: what its tasks see.

use std::path::PathBuf;
use std::sync::Arc;

use super::RoleRun;
use crate::vars::{Layer, magic};

/// A role in use: where it lies and what its tasks see.
#[derive(Debug)]
pub(super) struct InRole {
    pub name: String,
    pub path: PathBuf,
    pub run: Option<RoleRun>,
    /// All layers that its tasks see.
    pub layers: Vec<Arc<Layer>>,
    pub own: Own,
    /// The roles that brought it in, outermost first.
    pub parents: Vec<Arc<InRole>>,
    /// All roles that it depends on, in the order in which they run.
    pub dependencies: Vec<Arc<InRole>>,
}

/// A role's own variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub defaults: Option<Arc<Layer>>,
    pub vars: Option<Arc<Layer>>,
    /// `vars:` where the role is named.
    pub used: Option<Arc<Layer>>,
    pub params: Option<Arc<Layer>>,
}

impl InRole {
    /// The layers that tasks of this role see, those of one level in the order in which later ones win.
    pub fn visible(&self) -> Vec<Arc<Layer>> {
        let (own, parents, inner) = (&self.own, &self.parents, &self.dependencies);
        let defaults = inner.iter().chain(parents).map(|role| &role.own.defaults).chain([&own.defaults]);
        let vars = parents
            .iter()
            .flat_map(|role| [&role.own.used, &role.own.vars])
            .chain(inner.iter().map(|role| &role.own.vars))
            .chain([&own.vars, &own.used]);
        let params = parents.iter().map(|role| &role.own.params).chain([&own.params]);
        let mut layers: Vec<Arc<Layer>> = defaults.chain(vars).chain(params).flatten().cloned().collect();
        layers.push(Arc::new(self.magic()));
        layers
    }

    /// `role_name`, `role_path` and their kin.
    fn magic(&self) -> Layer {
        let parents: Vec<_> = self.parents.iter().rev().map(|role| (role.name.as_str(), role.path.as_path())).collect();
        magic::layer(magic::of_role(&self.name, &self.path, &parents))
    }
}
