//! What is not known yet: planned values, steps that were not judged, other hosts, and warnings.

use std::path::Path;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use wodctl::map;
use wodctl::source::Span;
use wodctl::template::{Binding, HostVars, RenderError, Scope, SearchPath, Templar, TemplateOptions};
use wodctl::value::Value;
use wodctl::yaml::{self, Node};

use super::Vars;

#[derive(Debug)]
struct Hosts;

impl HostVars for Hosts {
    fn hosts(&self) -> Vec<String> {
        vec!["web1".into(), "web2".into()]
    }

    fn scope(&self, host: &str) -> Option<Arc<dyn Scope>> {
        let address = Binding::Template(Arc::new(Node::scalar(Span::default(), "10.0.0.{{ number }}")));
        let number = host.strip_prefix("web")?.parse::<i64>().ok()?;
        Some(vars([("address", address), ("number", Binding::Data(Arc::new(Value::Int(number))))]))
    }
}

fn vars<const N: usize>(values: [(&str, Binding); N]) -> Arc<dyn Scope> {
    let values: IndexMap<String, Binding> =
        values.into_iter().map(|(name, binding)| (name.to_owned(), binding)).collect();
    Arc::new(Vars { values, files: SearchPath::default() })
}

/// `r` is the result of a planned step, `later` of one that was sent; `alias` uses `r`.
fn scope() -> Arc<dyn Scope> {
    let unknown = || Value::Unknown("build".into());
    let result = map! { "changed" => true, "failed" => false, "stdout" => unknown(), "items" => vec![unknown()] };
    vars([
        ("r", Binding::Data(Arc::new(Value::Map(result)))),
        ("later", Binding::Pending),
        ("alias", Binding::Template(Arc::new(Node::scalar(Span::default(), "{{ r.stdout }}")))),
        ("hostvars", Binding::HostVars(Arc::new(Hosts))),
        ("word", Binding::Data(Arc::new("hello".into()))),
        ("data", Binding::Data(Arc::new("{{ 1 + 1 }}".into()))),
    ])
}

#[track_caller]
fn value(text: &str, expected: impl Into<Value>) {
    assert_eq!(Templar::new().planning().render_text(text, Span::default(), &scope()), Ok(expected.into()), "{text}");
}

#[track_caller]
fn unknown(text: &str) {
    let found = Templar::new().planning().render_text(text, Span::default(), &scope());
    assert_eq!(found, Err(RenderError::Unknown("build".into())), "{text}");
}

#[test]
fn what_is_not_known_ends_the_rendering() {
    unknown("{{ r.stdout }}");
    unknown("{{ alias }}");
    unknown("{{ r.stdout | upper }}x");
    unknown("{{ r.stdout == 'a' }}");
    unknown("{{ 'a' in r['items'] }}");
    unknown("{{ r | to_json }}");
    unknown("{{ r.stdout | default('x') }}");
    unknown("x {{ r }}");
    unknown("{% for item in r['items'] %}{{ item }}{% endfor %}");
    unknown("{{ alias | length }}");
}

#[test]
fn what_is_known_of_a_planned_step() {
    value("{{ r is changed }}", true);
    value("{{ r.failed }}", false);
    value("{{ r is defined and r.stdout is defined }}", true);
    value("{{ r.nothing is defined }}", false);
    value("{{ r.changed or r.stdout == 'a' }}", true);
    value("{{ not r.changed and r.stdout == 'a' }}", false);
    value("{{ 'a' if r.changed else r.stdout }}", "a");
}

#[test]
fn a_bare_unknown_in_longer_text_is_named() {
    value("is {{ r.stdout }}.", "is (known after: build).");
    value("is {{ alias }}.", "is (known after: build).");
    let file = Templar::new().planning().render_file(
        Path::new("x.j2"),
        "a {{ r.stdout }}\n",
        &TemplateOptions::default(),
        &scope(),
    );
    assert_eq!(file, Ok("a (known after: build)\n".into()));
    let real = Templar::new().render_text("is {{ r.stdout }}.", Span::default(), &scope());
    assert_eq!(real, Err(RenderError::Unknown("build".into())));
}

#[test]
fn unknown_entries_stand_among_the_others() {
    let node = Node::of(&Value::Map(map! { "a" => "{{ r.stdout }}", "b" => "{{ r.changed }}" }), Span::default());
    let found = Templar::new().planning().render(&node, &scope());
    assert_eq!(found, Ok(Value::Map(map! { "a" => Value::Unknown("build".into()), "b" => true })));
    let whole = Templar::new().render_text("{{ r }}", Span::default(), &scope()).unwrap();
    assert_eq!(whole.unknown(), Some("build"));
}

#[test]
fn what_is_not_judged_yet_is_pending() {
    for text in ["{{ later }}", "{{ later is defined }}", "{{ later.x | default(1) }}", "a {{ later.rc }}"] {
        let found = Templar::new().render_text(text, Span::default(), &scope());
        assert_eq!(found, Err(RenderError::Pending), "{text}");
    }
    value("{{ r.changed or later }}", true);
}

#[test]
fn other_hosts() {
    value("{{ hostvars['web2'].address }}", "10.0.0.2");
    value("{{ hostvars.web1.number }}", 1_i64);
    value("{{ hostvars | list }}", vec!["web1", "web2"]);
    value("{{ hostvars['db'] is defined }}", false);
    value("{{ hostvars | dict2items | map(attribute='value.address') | list }}", vec!["10.0.0.1", "10.0.0.2"]);
    value("{{ ['web1', 'web2'] | map('extract', hostvars, 'number') | list }}", vec![1_i64, 2]);
}

#[test]
fn data_is_never_a_template() {
    value("{{ data }}", "{{ 1 + 1 }}");
    value("[{{ data }}]", "[{{ 1 + 1 }}]");
    value("{{ [data] }}", vec!["{{ 1 + 1 }}"]);
}

#[test]
fn conditions_that_are_none_are_taken_with_a_warning() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let hook = said.clone();
    let templar = Templar::new().on_warning(move |warning| hook.lock().unwrap().push(warning.message));
    let root = yaml::read_text("<test>", "- 5\n- \"{{ r.changed }}\"\n- r.changed\n- \"'{{ word }}' == 'hello'\"\n")
        .unwrap()
        .root
        .unwrap();
    for node in root.as_list().unwrap() {
        assert_eq!(templar.condition(node, &scope()), Ok(true), "{node:?}");
    }
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 3, "{said:?}");
}
