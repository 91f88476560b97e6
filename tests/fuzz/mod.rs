//! Readers of what others write are given broken things: none may panic, hang, or take much memory.
//!
//! Each target has a corpus, whose pieces are changed at random, the same way for the same seed. `cargo test` does that for a
//! second; for longer runs: `WODCTL_FUZZ_SECONDS=600 WODCTL_FUZZ_SEED=7 cargo test --test main fuzz:: -- --test-threads 1`.
//! What was found and mended lies in `found/TARGET/` and is tried first.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wodctl::map;
use wodctl::protocol::{Call, FromAgent, Mode, Outcome, Position, Step, ToAgent, encode, read_frame};
use wodctl::system::fake::Fake;
use wodctl::template::{Binding, Scope, SearchPath, Templar};
use wodctl::value::Value;
use wodctl::{inventory, modules, vault, words, yaml};

/// No input may keep a reader busy for longer, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(10);

/// Numbers that look random, by xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Pieces of the languages that are read, which random bytes would hardly hit.
const WORDS: [&str; 34] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "|",
    "'",
    "\"",
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "&a ",
    "*a",
    "<<: *a",
    "!vault |",
    "!unsafe ",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "\0",
    "\u{feff}",
    "é",
    "[all:vars]",
    "[a:children]",
    "$ANSIBLE_VAULT;1.1;AES256\n",
    "=",
    "[0:9]",
    "\t",
    "\r",
    "~",
];

fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let (at, end) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
        let range = at.min(end)..at.max(end);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.insert(at, random.below(256) as u8),
            2 => drop(bytes.drain(range)),
            3 if range.len() < 4096 => {
                let part = bytes[range].to_vec();
                drop(bytes.splice(at..at, part));
            }
            4 => bytes.truncate(at),
            5 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)],
            6 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                drop(bytes.splice(range, other[from..].iter().copied()));
            }
            _ => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
        }
        bytes.truncate(64 << 10);
    }
    bytes
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Tries a target: what was found before, the corpus as it is, and then changed pieces of it.
fn fuzz(name: &str, corpus: &[Vec<u8>], target: impl Fn(&[u8])) {
    assert!(!corpus.is_empty(), "no corpus for {name}");
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(name);
    let kept =
        std::fs::read_dir(found).into_iter().flatten().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    kept.chain(corpus.iter().cloned()).for_each(|input| attempt(name, &input, &target));
    let mut random = Random(number("WODCTL_FUZZ_SEED", 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let until = Instant::now() + Duration::from_secs(number("WODCTL_FUZZ_SECONDS", 1));
    while Instant::now() < until {
        attempt(name, &mutate(&mut random, corpus), &target);
    }
}

fn attempt(name: &str, input: &[u8], target: &impl Fn(&[u8])) {
    let began = Instant::now();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(input)));
    let slow = began.elapsed() > PATIENCE;
    if ended.is_ok() && !slow {
        return;
    }
    let (mut file, path) = tempfile::Builder::new().prefix(name).tempfile().unwrap().keep().unwrap();
    file.write_all(input).unwrap();
    let what = if slow { "takes too long" } else { "panics" };
    panic!("{name} {what} with what lies in {}: {:?}", path.display(), String::from_utf8_lossy(input));
}

/// All files below a folder of `tests` that are not large.
fn files(folder: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let paths =
        walkdir::WalkDir::new(root).sort_by_file_name().into_iter().flatten().filter(|it| it.file_type().is_file());
    paths.filter_map(|it| std::fs::read(it.path()).ok()).filter(|bytes| bytes.len() < 8192).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn frames() {
    let call = Call {
        module: "copy".into(),
        args: map! { "a" => vec![Value::Int(1), Value::Map(map! { "b" => "c" })] },
        environment: vec![("A".into(), "b".into())],
        diff: true,
        mode: Some(Mode::Plan),
        live: false,
        timeout: 3,
    };
    let position = Position(vec![1, 2, 3]);
    let step = Step { position: position.clone(), lane: 1, identity: None, calls: vec![call], go_on: false };
    let outcome = Outcome {
        changed: true,
        failure: Some(wodctl::failure::Failure::new("no").with("rc", 1)),
        values: map! { "stdout_lines" => vec![Value::from("a"), Value::Null] },
        diffs: Vec::new(),
        warnings: vec!["careful".into()],
        opaque: false,
        micros: 5,
    };
    let corpus = [
        encode(&ToAgent::Step(step)).unwrap(),
        encode(&ToAgent::Piece { hash: [7; 32], data: vec![1; 100] }).unwrap(),
        encode(&FromAgent::Outcome { position, lane: 1, index: 0, outcome: Box::new(outcome) }).unwrap(),
        encode(&FromAgent::Want { hash: [7; 32], offset: 1, length: 2 }).unwrap(),
    ];
    fuzz("frames", &corpus, |bytes| {
        let _ = read_frame::<ToAgent>(&mut &*bytes);
        let _ = read_frame::<FromAgent>(&mut &*bytes);
    });
}

#[test]
fn yaml_documents() {
    fuzz("yaml", &files("yaml/documents"), |bytes| {
        if let Ok(document) = yaml::read_text("<fuzz>", String::from_utf8_lossy(bytes)) {
            let _ = document.root.map(|root| root.to_value());
        }
    });
}

#[test]
fn inventories() {
    let dir = tempfile::tempdir().unwrap();
    let corpus: Vec<Vec<u8>> = files("inventory").into_iter().filter(|bytes| !bytes.starts_with(b"#!")).collect();
    fuzz("inventories", &corpus, |bytes| {
        for name in ["hosts", "hosts.yml"] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let _ = inventory::load(&[path.to_str().unwrap()]).map_err(|problem| problem.render(false));
        }
    });
}

#[test]
fn vaults() {
    let secret = "$ANSIBLE_VAULT;1.2;AES256;dev\n6162\n6364\n";
    let corpus = texts(&[secret, "$ANSIBLE_VAULT;1.1;AES256\n33\n", "  $ANSIBLE_VAULT;1.1;AES256\r\n3331\r\n"]);
    fuzz("vaults", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = (vault::is_encrypted(bytes), vault::id_of(&text), vault::decrypt_with(&text, &[]).is_ok());
    });
}

#[test]
fn key_value_words() {
    let corpus = texts(&["src=a dest='b c' mode=0644", "echo \"a b\" creates=/x \\\\", "a={{ b | default('c d') }}"]);
    fuzz("words", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = (words::first(&text), words::quote(&text));
        if let Ok(split) = words::split(&text) {
            let line: Vec<String> = split.iter().map(|word| words::quote(word)).collect();
            assert_eq!(words::split(&line.join(" ")).as_ref(), Ok(&split), "quoting is undone by splitting");
        }
    });
}

#[derive(Debug)]
struct Nothing(SearchPath);

impl Scope for Nothing {
    fn lookup(&self, name: &str) -> Option<Binding> {
        let value = match name {
            "a" => Value::from("text"),
            "b" => Value::from(vec![Value::Int(1), Value::Int(2)]),
            "c" => Value::Map(map! { "d" => "e" }),
            _ => return None,
        };
        Some(Binding::Data(Arc::new(value)))
    }

    fn names(&self) -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn files(&self) -> &SearchPath {
        &self.0
    }
}

#[test]
fn templates() {
    let corpus = texts(&[
        "{{ a | upper ~ 'x' }} {% for i in b %}{{ loop.index }}{% endfor %}",
        "{% if c.d is defined and b | length > 1 %}{{ c['d'] | replace('e', 'f') }}{% else %}-{% endif %}",
        "{{ b | map('string') | join(',') | regex_replace('(1)', '\\\\1') }}{# no #}",
        "{% set x = {'k': [1, 2.5, true, none]} %}{{ x | to_json }}{{ x.k[1:] }}{{ a[::-1] }}",
        "{% macro m(p, q=1) %}{{ p * q }}{% endmacro %}{{ m('a', q=2) }}{{ '%s %d' | format(a, 3) }}",
        "{{ b | combine({}, recursive=True) if b is mapping else (b | union([3]) | sort(reverse=true) | first) }}",
    ]);
    let (templar, span) = (Templar::new(), yaml::read_text("<fuzz>", "a").unwrap().root.unwrap().span);
    let folder = PathBuf::from("/nonexistent");
    let scope: Arc<dyn Scope> =
        Arc::new(Nothing(SearchPath { roles: Vec::new(), task: folder.clone(), playbook: folder }));
    fuzz("templates", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        // What reaches out of the language is no matter of reading it.
        if !["lookup", "query", "q("].iter().any(|word| text.contains(word)) {
            let _ = templar.expression(&text, span, &scope);
            let _ = templar.render(&yaml::Node::scalar(span, text.as_ref()), &scope);
        }
    });
}

#[test]
fn archives() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in [("d/a", "one"), ("d/b", "two")] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("d/a", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"one").unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let args = map! { "src" => "/archive", "remote_src" => true, "dest" => "/dest" };
    let module = modules::find("unarchive").unwrap().build.unwrap()(&args).unwrap();
    fuzz("archives", &[tar, gzip.finish().unwrap(), zip], |bytes| {
        let fake = Fake::new().dir("/dest").file("/archive", bytes);
        for action in module.plan(&fake, &[]).map(|change| change.actions).unwrap_or_default() {
            assert!(action.act.path().is_none_or(|path| path.starts_with("/dest")), "it leaves its folder: {action}");
        }
    });
}
