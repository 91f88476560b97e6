//! Small playbooks as data: `cases/AREA.yml` holds them by name, `pairs.yml` the features of which every two meet in one.

use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use serde_yaml::{Mapping, Value};

use super::pairs;
use crate::fixtures;

/// Three names of this machine.
const INVENTORY: &str = "[loc]\nh1\nh2\nh3\n[loc:vars]\nansible_connection=local\n";

/// One playbook with what belongs to it.
pub struct Case {
    /// The file that it comes from.
    pub area: String,
    /// What it shows.
    pub name: String,
    plays: Vec<Value>,
    files: IndexMap<String, String>,
    inventory: String,
    /// Of the command line.
    pub options: Vec<String>,
}

impl Case {
    /// All of them, in order.
    pub fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        fixtures::each("probe/cases", "yml", |path| {
            let area = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let found: IndexMap<String, Value> = read(path);
            cases.extend(found.into_iter().map(|(name, value)| Case::new(&area, name, value)));
        });
        let table = read(&fixtures::dir("probe/pairs.yml"));
        cases.extend(pairs::all(&table).into_iter().map(|(name, play)| Case::new("pairs", name, play)));
        cases
    }

    /// A list of tasks; a play; or `plays`. Beside the keys of a play: `files`, `inventory`, `options`.
    fn new(area: &str, name: String, value: Value) -> Case {
        let mut value = match value {
            Value::Mapping(mapping) => mapping,
            tasks => Mapping::from_iter([("tasks".into(), tasks)]),
        };
        let mut take = |key: &str| value.remove(key);
        let files = take("files").map(parse).unwrap_or_default();
        let inventory = take("inventory").map_or_else(|| INVENTORY.to_owned(), parse);
        let options = take("options").map(parse).unwrap_or_default();
        let plays = match take("plays") {
            Some(plays) => parse(plays),
            None => vec![Value::Mapping(value)],
        };
        let plays = plays.into_iter().map(play).collect();
        Case { area: area.to_owned(), name, plays, files, inventory, options }
    }

    /// `AREA/NAME`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.area, self.name)
    }

    /// Puts it into a folder that is not there yet.
    pub fn write(&self, folder: &Path) {
        let put = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        put("site.yml", &self.playbook());
        put("inventory", &self.inventory);
        put("options", &serde_json::to_string(&self.options).expect("JSON"));
        self.files.iter().for_each(|(name, text)| put(name, text));
    }

    /// What the recorded answer is of: it is stale when this differs.
    pub fn key(&self) -> String {
        let files: String = self.files.iter().map(|(name, text)| format!("{name}\n{text}")).collect();
        let whole = format!("{}{}{files}{:?}", self.playbook(), self.inventory, self.options);
        format!("{:08x}", fnv(&whole) as u32)
    }

    fn playbook(&self) -> String {
        serde_yaml::to_string(&self.plays).expect("a playbook")
    }
}

/// A play on the first host that gathers no facts, unless it says otherwise.
fn play(play: Value) -> Value {
    let Value::Mapping(mut given) = play else { return play };
    if given.contains_key("import_playbook") {
        return Value::Mapping(given);
    }
    let mut play = Mapping::from_iter([("hosts".into(), "h1".into()), ("gather_facts".into(), false.into())]);
    play.extend(std::mem::take(&mut given));
    Value::Mapping(play)
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_yaml::from_value(value).expect("the form that README.md describes")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).expect("a file of cases");
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A hash that is the same everywhere and always.
pub fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
