//! One seed: a book, what befalls it, and whether everything happens as the model says.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::book::{Act, Book, HOSTS, Node, Notify, Task, Text};
use super::dice::Dice;
use super::history::{Effect, History, in_order};
use super::machine::{BASE, Machines};
use super::model::{self, World};
use super::network::Network;
use super::seen::Seen;
use super::time::pass;
use super::{generate, yaml};
use wodctl::playbook::Project;
use wodctl::runner::{Hosts, Options, PlayContext, Run, batches, magic};
use wodctl::steps;
use wodctl::template::Templar;
use wodctl::transport::Blobs;
use wodctl::value::{Map, Value};
use wodctl::vars::Layer;

/// Longer than anything takes, in ticks.
const FOREVER: u64 = 300_000;

/// What befalls a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fate {
    /// The seed of all delays.
    pub seed: u64,
    /// All hosts are one machine.
    pub shared: bool,
    /// Connections that break after so many frames.
    pub breaks: Vec<(usize, u64)>,
    /// The run ends early, and is started again.
    pub stop: Option<Stop>,
}

/// How a run ends early, after so many ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// The operator interrupts it.
    Interrupt(u64),
    /// The controller dies.
    Crash(u64),
}

/// The book of a seed, and its fate.
pub fn of_seed(seed: u64) -> (Book, Fate) {
    let mut book = generate::book(seed);
    let mut dice = Dice::new(!seed);
    let mut fate = Fate { seed, shared: dice.chance(15), ..Fate::default() };
    match dice.roll(10) {
        // One that goes alone is some steps ahead of its answers, and nobody can tell from outside which it has done.
        0 | 1 if !goes_alone(&book) => {
            fate.breaks = vec![(dice.roll(book.hosts as u64) as usize, dice.roll(40))];
            // Where a loop was cut cannot be told from outside.
            each_task(&mut book, &mut |task| {
                task.unloop();
                task.until = None;
            });
        }
        2 => fate.stop = Some(Stop::Interrupt(dice.roll(400))),
        3 => fate.stop = Some(Stop::Crash(dice.roll(400))),
        _ => {}
    }
    avoid(&mut book);
    (book, fate)
}

/// Leaves out what the runner does otherwise than Ansible, each with a line that goes when it is mended.
fn avoid(book: &mut Book) {
    // A file of the controller that is not there is missed before the host is asked.
    if !book.down.is_empty() {
        each_task(book, &mut |task| {
            if let Act::Copy(_, _, to) = task.act {
                task.act = Act::Write(to, Text::Plain("p0".to_owned()));
            }
        });
    }
    for play in &mut book.plays {
        // Ansible runs a handler that notifies itself once more at the next flush under `free`, and not under `linear`.
        let free = play.free;
        for handler in &mut play.handlers {
            let own = |notify: &Notify| match *notify {
                Notify::Name(id) => id == handler.task.id,
                Notify::Topic(topic) => handler.listen == Some(topic),
            };
            if free && handler.task.notify.as_ref().is_some_and(own) {
                handler.task.notify = None;
            }
        }
    }
}

/// Whether a host goes at its own pace: under `free`, and in a batch of one host.
fn goes_alone(book: &Book) -> bool {
    book.hosts == 1 || book.plays.len() > 1 || book.plays[0].free || !book.plays[0].serial.is_empty()
}

/// Changes all tasks of a book.
fn each_task(book: &mut Book, change: &mut dyn FnMut(&mut Task)) {
    for play in &mut book.plays {
        nodes(&mut play.tasks, change);
        play.handlers.iter_mut().for_each(|handler| change(&mut handler.task));
    }
}

fn nodes(list: &mut [Node], change: &mut dyn FnMut(&mut Task)) {
    for node in list {
        match node {
            Node::Task(task) => change(task),
            Node::Block(block) => {
                [&mut block.main, &mut block.rescue, &mut block.always]
                    .into_iter()
                    .for_each(|list| nodes(list, change));
            }
            Node::Include(include) => nodes(&mut include.tasks, change),
            Node::Meta(..) => {}
        }
    }
}

/// Plays a book; what is wrong, if anything is.
pub fn wrong(book: &Book, fate: &Fate) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in yaml::files(book, BASE) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let machines = Machines::new(fate.shared, folder.path().to_owned());
    let local = tokio::task::LocalSet::new();
    let once = |fate: &Fate| {
        let world = World {
            shared: fate.shared,
            files: machines.files(),
            here: machines.here(),
            effects: machines.effects.borrow().clone(),
            ..World::default()
        };
        let ended = local.block_on(&runtime, play(book, fate, &machines));
        compare(book, fate, world, &machines, ended)
    };
    let first = once(fate);
    if first.is_some() || fate.stop.is_none() {
        return first;
    }
    let again = Fate { stop: None, ..fate.clone() };
    once(&again).map(|wrong| format!("when it was started again, {wrong}"))
}

/// How a run ended.
enum Ended {
    Well(Box<Seen>),
    Stopped,
    Hangs,
    Wrong(String),
}

fn compare(book: &Book, fate: &Fate, mut world: World, machines: &Machines, ended: Ended) -> Option<String> {
    let before = world.effects.len();
    let did = machines.effects.borrow()[before..].to_vec();
    let seen = match ended {
        Ended::Hangs => return Some("it hangs".to_owned()),
        Ended::Wrong(why) => return Some(why),
        Ended::Stopped => {
            let (expected, _) = model::play(book, world);
            return beginning(&expected, &did, book);
        }
        Ended::Well(seen) => seen,
    };
    if let Err(wrong) = breaks(fate, &seen, &did, &mut world) {
        return Some(wrong);
    }
    let (expected, after) = model::play(book, world);
    let history = History { effects: did.iter().map(Effect::to_string).collect(), ..seen.history };
    let free = book.plays.iter().any(|play| play.free);
    let mut text = difference(&expected, &history, free);
    for (name, one, other) in [
        ("files", format!("{:?}", after.files), format!("{:?}", machines.files())),
        ("files of the controller", format!("{:?}", after.here), format!("{:?}", machines.here())),
    ] {
        if one != other {
            text += &format!("{name}:\n  model {one}\n  seen  {other}\n");
        }
    }
    (!text.is_empty()).then_some(text)
}

/// What differs between two histories.
pub fn difference(expected: &History, seen: &History, free: bool) -> String {
    let lists = |history: &History| (in_order(&history.effects, free), in_order(&history.results, free));
    let (expected_lists, seen_lists) = (lists(expected), lists(seen));
    let mut text = String::new();
    for (name, one, other) in [
        ("effects", format!("{:?}", expected_lists.0), format!("{:?}", seen_lists.0)),
        ("results", format!("{:?}", expected_lists.1), format!("{:?}", seen_lists.1)),
        ("recap", format!("{:?}", expected.recap), format!("{:?}", seen.recap)),
        ("values", format!("{:?}", expected.values), format!("{:?}", seen.values)),
    ] {
        if one != other {
            text += &format!("{name}:\n  model {one}\n  seen  {other}\n");
        }
    }
    text
}

/// Where connections broke is chance, and the model is told. Everything else follows from it.
fn breaks(fate: &Fate, seen: &Seen, did: &[Effect], world: &mut World) -> Result<(), String> {
    for (task, host, nth) in &seen.lost {
        let done = did.iter().filter(|effect| (effect.task, effect.host) == (*task, *host)).count();
        world.breaks.insert((*task, *host, *nth), done >= *nth);
    }
    if fate.breaks.is_empty() {
        world.breaks.clear();
    }
    Ok(())
}

/// A run that ended early has done the first part of what is to be done: whole steps, and a part of the last one.
fn beginning(expected: &History, did: &[Effect], book: &Book) -> Option<String> {
    let free = book.plays.iter().any(|play| play.free);
    let did: Vec<String> = in_order(&did.iter().map(Effect::to_string).collect::<Vec<_>>(), free);
    let expected = in_order(&expected.effects, free);
    let is_part = match free {
        true => HOSTS.iter().all(|host| {
            let of = |list: &[String]| -> Vec<String> {
                list.iter().filter(|it| it.split(' ').nth(1) == Some(host)).cloned().collect()
            };
            of(&expected).starts_with(&of(&did))
        }),
        false => {
            let task = |entry: &String| entry.split(' ').next().map(str::to_owned);
            let steps = |list: &[String]| -> Vec<Vec<String>> {
                list.chunk_by(|one, next| task(one) == task(next)).map(<[String]>::to_vec).collect()
            };
            let (expected, did) = (steps(&expected), steps(&did));
            did.iter().enumerate().all(|(index, step)| match expected.get(index) {
                Some(whole) if index + 1 < did.len() => whole == step,
                Some(whole) => step.iter().all(|entry| whole.contains(entry)),
                None => false,
            })
        }
    };
    (!is_part)
        .then(|| format!("it was stopped, and did what does not come first:\n  model {expected:?}\n  did   {did:?}"))
}

struct Names(usize);

impl Hosts for Names {
    fn add_host(&mut self, _: &str, _: &[String], _: &Map) -> bool {
        false
    }
    fn group_by(&mut self, _: &str, _: &str, _: &[String]) -> bool {
        false
    }
    fn layers(&self, name: &str) -> Vec<Arc<Layer>> {
        vec![magic(wodctl::map! { "inventory_hostname" => name })]
    }
    fn names(&self) -> Vec<String> {
        HOSTS[..self.0].iter().map(|name| (*name).to_owned()).collect()
    }
}

async fn play(book: &Book, fate: &Fate, machines: &Rc<Machines>) -> Ended {
    let blobs = Blobs::default();
    let network = Network {
        machines: machines.clone(),
        blobs: blobs.clone(),
        down: book.down.clone(),
        breaks: fate.breaks.clone(),
        dice: RefCell::new(Dice::new(fate.seed)),
    };
    let seen = Rc::new(RefCell::new(Seen::default()));
    let note = seen.clone();
    let options = Options { forks: book.forks, ..Options::default() };
    let report = Box::new(move |event| note.borrow_mut().event(&event));
    let names = Box::new(Names(book.hosts));
    let mut run = Run::new(options, Templar::new(), blobs, Box::new(network), names, report);
    let crash = match fate.stop {
        Some(Stop::Crash(ticks)) => ticks,
        Some(Stop::Interrupt(ticks)) => {
            let interrupt = run.interrupt.clone();
            tokio::task::spawn_local(async move {
                pass(ticks).await;
                interrupt.notify_one();
            });
            FOREVER
        }
        None => FOREVER,
    };
    let ended = tokio::select! {
        biased;
        ended = plays(&mut run, book, &machines.folder) => Some(ended),
        () = pass(crash) => None,
    };
    let ended = match ended {
        None if crash == FOREVER => Ended::Hangs,
        None | Some(Err(None)) => Ended::Stopped,
        Some(Err(Some(why))) => Ended::Wrong(why),
        Some(Ok(())) => {
            let mut seen = seen.take();
            seen.close(&run, book.hosts);
            Ended::Well(Box::new(seen))
        }
    };
    drop(run);
    // The agents come to their end before anybody looks at what they did.
    pass(2_000).await;
    ended
}

/// Plays all plays. An error without a text: it was interrupted.
async fn plays(run: &mut Run, book: &Book, folder: &Path) -> Result<(), Option<String>> {
    let path = folder.join(yaml::PLAYBOOK);
    let project = Arc::new(Project::around(&path));
    let options = steps::Options::default();
    let (plays, problems) = steps::plays(&path, &project, &options);
    if let Some(problem) = problems.first() {
        return Err(Some(problem.render(false)));
    }
    for (number, (play, written)) in plays.iter().zip(&book.plays).enumerate() {
        let steps = steps::expand(play, &project, &options);
        let steps = steps.map_err(|problems| problems.first().map(|problem| problem.render(false)))?;
        let serial: Vec<Value> = written.serial.iter().map(|size| Value::Int(*size as i64)).collect();
        let context = PlayContext {
            name: "play".into(),
            items: Arc::new(steps.items.clone()),
            hosts: HOSTS[..book.hosts].iter().map(|name| (*name).to_owned()).collect(),
            listed: HOSTS[..book.hosts].iter().map(|name| (*name).to_owned()).collect(),
            keywords: play.base.keywords.clone(),
            layers: steps.layers.clone(),
            host_layers: Default::default(),
            free: written.free,
            max_fail_percentage: written.max_fail.map(f64::from),
            gather: None,
            needs_hosts: PlayContext::reaches_hosts(&steps.items),
            handlers: RefCell::new(steps.handlers.clone()),
            published: RefCell::default(),
            steps,
        };
        let serial = batches(&serial, book.hosts);
        run.play(&context, &serial, number as u32).await.map_err(|_| None)?;
        if !run.go_on() {
            break;
        }
    }
    Ok(())
}
