//! `action: "{{ name }} …"`: a module whose name is a template. Which one is meant is known when the task is run.

use crate::module::{Effects, ModuleSpec, Place, Things};
use crate::yaml::{Node, NodeKind};

/// The argument that holds the name. No module has one that is called so.
pub const NAME: &str = " module";

/// Stands for the module. It is not in the registry: nobody can name it.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "action",
    collection: "",
    aliases: &[],
    doc: || "",
    params: || &[],
    free_form: Some("_raw_params"),
    any_arguments: true,
    place: Place::Target,
    // Whatever it turns out to be.
    effects: |_| Effects::world().reading(Things::FILES.and(Things::INVENTORY)).setting_any(),
    once: false,
    build: None,
};

/// Whether a task's module is named by a template.
pub fn is_named_later(spec: &ModuleSpec) -> bool {
    std::ptr::eq(spec, &SPEC)
}

/// The module of this name, and the task's arguments as it takes them; none where there is no such module.
pub fn named(name: &str, args: &Node) -> Option<(&'static ModuleSpec, Node)> {
    let spec = crate::modules::find(name)?;
    let mut args = args.clone();
    if let NodeKind::Map(entries) = &mut args.kind {
        entries.shift_remove(NAME);
        if let (Some(free_form), Some(raw)) = (spec.free_form, entries.shift_remove("_raw_params")) {
            entries.insert(free_form.to_owned(), raw);
        }
    }
    Some((spec, args))
}
