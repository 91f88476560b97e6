//! The form of a fixture, and the machine that it describes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use indexmap::IndexMap;
use serde::Deserialize;
use wodctl::module::{Origin, Source, TreeEntry, TreeKind};
use wodctl::system::fake::{self, Answer, Effect, Fake};
use wodctl::system::{Identity, Output};
use wodctl::value::{Map, Value};

/// One fixture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(default)]
    args: IndexMap<String, serde_json::Value>,
    #[serde(default)]
    system: Before,
    pub expect: Expect,
    pub plan: Option<Expect>,
    #[serde(default)]
    pub repeats: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Before {
    user: Option<Identity>,
    users: Vec<String>,
    env: BTreeMap<String, String>,
    now: Option<f64>,
    programs: Vec<String>,
    files: IndexMap<String, Thing>,
    commands: Vec<Script>,
    urls: BTreeMap<String, Page>,
    ports: BTreeMap<std::net::SocketAddr, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    run: Words,
    #[serde(default)]
    rc: i32,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    then: Then,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Then {
    files: IndexMap<String, Option<Thing>>,
    commands: Vec<Script>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Words {
    Line(String),
    List(Vec<String>),
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Page {
    Body(String),
    Full {
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        headers: IndexMap<String, String>,
        #[serde(default)]
        body: String,
        /// A body that is no text.
        #[serde(default)]
        base64: Option<String>,
    },
}

fn ok() -> u16 {
    200
}

impl Page {
    fn make(self) -> fake::Page {
        match self {
            Page::Body(body) => fake::Page { status: 200, headers: Vec::new(), body: body.into_bytes() },
            Page::Full { status, headers, body, base64 } => {
                let decode = |text| base64::engine::general_purpose::STANDARD.decode(text).expect("base64 of a body");
                let body = base64.map_or_else(|| body.into_bytes(), decode);
                fake::Page { status, headers: headers.into_iter().collect(), body }
            }
        }
    }
}

/// What is compared afterwards.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    pub changed: bool,
    pub opaque: Option<bool>,
    pub failure: Option<String>,
    pub argument: Option<String>,
    pub actions: Option<Vec<String>>,
    #[serde(deserialize_with = "values")]
    pub values: Map,
    pub warnings: Option<Vec<String>>,
    pub diff: Option<String>,
    pub files: IndexMap<String, Option<Thing>>,
}

fn values<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
    let json = IndexMap::<String, serde_json::Value>::deserialize(from)?;
    Ok(json.into_iter().map(|(key, value)| (key, Value::from(value))).collect())
}

/// A file, directory or link; text alone is a file's content.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "ThingForm")]
pub struct Thing {
    pub content: Option<String>,
    pub base64: Option<String>,
    pub link: Option<PathBuf>,
    pub dir: bool,
    pub mode: Option<String>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mtime: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ThingForm {
    Text(String),
    Full(FullThing),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullThing {
    content: Option<String>,
    base64: Option<String>,
    link: Option<PathBuf>,
    #[serde(default)]
    dir: bool,
    mode: Option<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<f64>,
}

impl From<ThingForm> for Thing {
    fn from(form: ThingForm) -> Self {
        match form {
            ThingForm::Text(text) => Thing { content: Some(text), ..Thing::default() },
            ThingForm::Full(FullThing { content, base64, link, dir, mode, uid, gid, mtime }) => {
                Thing { content, base64, link, dir, mode, uid, gid, mtime }
            }
        }
    }
}

impl Thing {
    /// The content, where one is named.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let decoded = self.base64.as_ref().map(|text| base64::engine::general_purpose::STANDARD.decode(text));
        decoded.map(|bytes| bytes.expect("base64")).or_else(|| self.content.clone().map(String::into_bytes))
    }

    /// The permissions, where they are named.
    pub fn bits(&self) -> Option<u32> {
        self.mode.as_ref().map(|mode| u32::from_str_radix(mode, 8).expect("an octal mode"))
    }

    fn make(&self) -> fake::Thing {
        fake::Thing {
            content: self.bytes().unwrap_or_default(),
            link: self.link.clone(),
            dir: self.dir,
            mode: self.bits(),
            uid: self.uid.unwrap_or(0),
            gid: self.gid.unwrap_or(0),
            mtime: self.mtime.unwrap_or(0.0),
        }
    }
}

impl Words {
    fn list(&self) -> Vec<String> {
        match self {
            Words::Line(line) => line.split_whitespace().map(str::to_owned).collect(),
            Words::List(words) => words.clone(),
        }
    }
}

impl Script {
    fn answer(&self) -> Answer {
        let output = Output {
            rc: self.rc,
            stdout: self.stdout.clone().into_bytes(),
            stderr: self.stderr.clone().into_bytes(),
            ..Output::default()
        };
        let files = self.then.files.iter().map(|(path, thing)| match thing {
            Some(thing) => Effect::Put(path.into(), thing.make()),
            None => Effect::Gone(path.into()),
        });
        let commands = self.then.commands.iter().map(|script| Effect::Say(script.run.list(), script.answer()));
        Answer { output, then: files.chain(commands).collect() }
    }
}

impl Case {
    /// Reads a fixture; the error is for people.
    pub fn load(path: &Path) -> Result<Case, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        serde_yaml::from_str(&text).map_err(|error| format!("the fixture is malformed: {error}"))
    }

    /// The machine before, and the arguments.
    pub fn machine(&self) -> (Fake, Map) {
        let before = &self.system;
        let mut fake = Fake::new();
        for user in &before.users {
            let (name, uid) = user.split_once(':').expect("name:uid");
            fake = fake.user(name, uid.parse().expect("a uid"));
        }
        for program in &before.programs {
            fake = fake.program(program);
        }
        for (at, says) in &before.ports {
            fake = fake.listens(*at, says);
        }
        for (url, page) in &before.urls {
            fake = fake.serves(url, page.clone().make());
        }
        for (path, thing) in &before.files {
            fake.put(path, thing.make());
        }
        for script in &before.commands {
            fake.say(script.run.list(), script.answer());
        }
        for (name, value) in &before.env {
            fake.set_env(name, value);
        }
        if let Some(now) = before.now {
            fake.set_now(now);
        }
        let args = self.args.iter().map(|(key, value)| (key.clone(), argument(&mut fake, value))).collect();
        if let Some(identity) = &before.user {
            fake = fake.acting(identity.clone());
        }
        (fake, args)
    }
}

/// An argument as it arrives at the agent: files of the controller have become blobs.
fn argument(fake: &mut Fake, value: &serde_json::Value) -> Value {
    let text = |key: &str, or: &str| value.get(key).and_then(|it| it.as_str()).unwrap_or(or).to_owned();
    if let Some(content) = value.get("$file").and_then(|it| it.as_str()) {
        let blob = fake.blob(content.as_bytes());
        return Source::File { name: text("name", "file"), mode: octal(&text("mode", "0644")), blob }.to_value();
    }
    let Some(tree) = value.get("$tree").and_then(|it| it.as_object()) else { return Value::from(value.clone()) };
    let entries = tree.iter().map(|(path, thing)| {
        let link = thing.get("link").and_then(|it| it.as_str());
        let content = thing.as_str().unwrap_or_default();
        let (mode, kind) = match link {
            Some(target) => (0o777, TreeKind::Link(target.into())),
            None if path.ends_with('/') => (octal(content), TreeKind::Dir),
            None => (0o644, TreeKind::File(fake.blob(content.as_bytes()))),
        };
        let origin = value.get("mtime").and_then(|it| it.as_f64()).map(|mtime| Origin {
            mtime,
            uid: 1000,
            gid: 1000,
            owner: value.get("owner").and_then(|it| it.as_str()).map(str::to_owned),
            group: None,
        });
        TreeEntry { path: path.trim_start_matches("./").trim_end_matches('/').into(), mode, kind, origin }
    });
    Source::Tree { entries: entries.collect(), name: text("name", "") }.to_value()
}

fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).expect("an octal mode")
}
