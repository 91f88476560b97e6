//! What a text needs, and what happens once however often it is rendered.

use std::path::Path;
use std::sync::Arc;

use wodctl::source::Span;
use wodctl::template::{Asks, Binding, Memo, Needs, Reading, Scope, SearchPath, Templar, TemplateOptions};
use wodctl::value::Value;
use wodctl::yaml::Node;

use super::Vars;

fn scope(vars: &[(&str, &str)]) -> Arc<dyn Scope> {
    let node = |text: &str| Binding::Template(Arc::new(Node::scalar(Span::default(), text)));
    let values = vars.iter().map(|(name, text)| ((*name).to_owned(), node(text))).collect();
    Arc::new(Vars { values, files: SearchPath { playbook: "/".into(), ..SearchPath::default() } })
}

fn needs(text: &str) -> Needs {
    Templar::new().needs(&Node::scalar(Span::default(), text), Reading::Text)
}

#[test]
fn names_are_found_wherever_they_stand() {
    let found =
        needs("{{ a.b[c] if d is defined else lookup('vars', 'e') }}{% for x in f | map('extract', g) %}{% endfor %}");
    for name in ["a", "c", "d", "e", "f", "g"] {
        assert!(found.names.contains(name), "{name}: {found:?}");
    }
    assert!(!found.any_name && found.asks == Asks::NOTHING, "{found:?}");
    assert!(needs("{{ vars[x] }}").any_name);
    assert!(needs("{{ lookup('vars', x) }}").any_name);
    assert!(needs("{% include 'x.j2' %}").any_name);
}

#[test]
fn what_is_asked_is_declared() {
    for (text, asks) in [
        ("{{ lookup('file', x) }}", Asks::FILES),
        ("{{ query('ansible.builtin.fileglob', '*') }}", Asks::FILES),
        ("{{ '/etc' is directory }}", Asks::FILES),
        ("{{ ['/etc'] | select('ansible.builtin.exists') | list }}", Asks::FILES),
        ("{{ lookup('pipe', 'date') }}", Asks::ONCE),
        ("{{ now().year }}", Asks::ONCE),
        ("{{ lookup('env', 'HOME') }}", Asks::WORLD),
        ("{{ hostvars['x'].y }}", Asks::HOSTS),
        ("{{ 5 | random }}", Asks::CHANCE),
        ("{{ [5] | map('random') | list }}", Asks::CHANCE),
        ("{{ 5 | random(seed='x') }}", Asks::NOTHING),
        ("{{ 'x' | password_hash('sha512', 'salt') }}", Asks::NOTHING),
        ("{{ 'x' | password_hash }}", Asks::CHANCE),
        ("{{ lookup(name, 1) }}", Asks::ANYTHING),
        ("no template", Asks::NOTHING),
    ] {
        assert_eq!(needs(text).asks, asks, "{text}");
    }
}

#[test]
fn variables_bring_what_they_need() {
    let scope = scope(&[("a", "{{ b }}"), ("b", "{{ a }}{{ lookup('file', c) }}"), ("unused", "{{ now() }}")]);
    let node = Node::scalar(Span::default(), "a == 1");
    let found = Templar::new().needs_in(&node, Reading::Expression, &*scope);
    assert_eq!(found.names.iter().copied().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(found.asks, Asks::FILES);
    let options = TemplateOptions::default();
    let of_file = Templar::new().needs_of_file(Path::new("x.j2"), "{{ b }}", &options, &*scope);
    assert!(of_file.names.contains("a") && of_file.asks == Asks::FILES, "{of_file:?}");
}

/// A loop draws several times, and the same again when the text is rendered again.
#[test]
fn once_for_a_memo() {
    let text = Node::scalar(
        Span::default(),
        "{% for i in range(8) %}{{ 1000000 | random }} {% endfor %}{{ lookup('pipe', 'date +%N') }}",
    );
    let scope = scope(&[]);
    let memo: Arc<Memo> = Arc::default();
    let templar = Templar::new();
    let draw = |templar: &Templar| match templar.render(&text, &scope).expect("it renders") {
        Value::Str(text) => text,
        other => panic!("{other:?}"),
    };
    let first = draw(&templar.remembering(&memo));
    assert_ne!(first, draw(&templar.remembering(&memo)), "without a rewind it goes on");
    memo.rewind();
    assert_eq!(first, draw(&templar.remembering(&memo)));
    assert_ne!(first, draw(&templar));
    let words: Vec<&str> = first.split(' ').collect();
    assert!(words[..8].iter().any(|word| *word != words[0]), "each time has a value of its own: {first}");
}
