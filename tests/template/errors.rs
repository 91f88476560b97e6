//! What is said about wrong templates: `errors/cases.yml`, and the whole rendered output beside it.

use std::path::Path;
use std::sync::Arc;

use wodctl::template::{Binding, RenderError, Scope, SearchPath, Templar};
use wodctl::yaml;

use super::Vars;
use crate::fixtures;

#[test]
fn errors_point_at_the_place() {
    let folder = Path::new("tests/template/errors");
    let root = yaml::read_file(&folder.join("cases.yml")).unwrap().root.unwrap();
    let vars = root.get("vars").and_then(|vars| vars.as_map()).unwrap();
    let values =
        vars.iter().map(|(name, entry)| (name.clone(), Binding::Template(Arc::new(entry.value.clone())))).collect();
    let scope: Arc<dyn Scope> = Arc::new(Vars { values, files: SearchPath::default() });
    let templar = Templar::new();
    let mut said = String::new();
    for case in root.get("cases").and_then(|cases| cases.as_list()).unwrap() {
        match templar.render(case, &scope) {
            Err(RenderError::Undefined(problem) | RenderError::Wrong(problem)) => said += &problem.render(false),
            other => panic!("{case:?} gives {other:?}"),
        }
        said.push('\n');
    }
    fixtures::compare(&folder.join("cases.txt"), &said);
}
