//! Makes a book that fails small: what can be left out so that it still fails is left out.

use super::book::{Act, Book, Deed, Node, Play, Task};
use super::scenario::{Fate, wrong};

/// The smallest book and fate that still fail, and how.
pub fn smallest(mut book: Book, mut fate: Fate, mut why: String) -> (Book, Fate, String) {
    for _ in 0..200 {
        let simpler = simpler_fates(&fate).into_iter().map(|fate| (book.clone(), fate));
        let candidates = books(&book).into_iter().map(|book| (book, fate.clone())).chain(simpler);
        let found = candidates.into_iter().find_map(|(book, fate)| {
            let wrong = std::panic::catch_unwind(|| wrong(&book, &fate)).unwrap_or(Some("it panics".to_owned()));
            wrong.map(|why| (book, fate, why))
        });
        match found {
            Some(smaller) => (book, fate, why) = smaller,
            None => break,
        }
    }
    (book, fate, why)
}

fn simpler_fates(fate: &Fate) -> Vec<Fate> {
    let plain = Fate { seed: fate.seed, ..Fate::default() };
    let list = [plain, Fate { shared: false, ..fate.clone() }, Fate { breaks: Vec::new(), ..fate.clone() }];
    list.into_iter().filter(|simpler| simpler != fate).collect()
}

/// Books that are a little smaller.
fn books(book: &Book) -> Vec<Book> {
    let mut smaller = Vec::new();
    let mut add = |change: &dyn Fn(&mut Book)| {
        let mut copy = book.clone();
        change(&mut copy);
        if copy != *book {
            smaller.push(copy);
        }
    };
    for play in 0..book.plays.len() {
        if book.plays.len() > 1 {
            add(&|book| drop(book.plays.remove(play)));
        }
        add(&|book| book.plays[play].serial.clear());
        add(&|book| book.plays[play].fatal = false);
        add(&|book| book.plays[play].max_fail = None);
        add(&|book| book.plays[play].free = false);
    }
    add(&|book| book.down.clear());
    add(&|book| book.forks = 5);
    for (index, play) in book.plays.iter().enumerate() {
        for tasks in lists(&play.tasks) {
            let mut copy = book.clone();
            copy.plays[index].tasks = tasks;
            smaller.push(copy);
        }
        for handler in 0..play.handlers.len() {
            let id = play.handlers[handler].task.id;
            if !shown(play).contains(&format!("Name({id})")) && play.handlers[handler].listen.is_none() {
                let mut copy = book.clone();
                copy.plays[index].handlers.remove(handler);
                smaller.push(copy);
            }
            for task in tasks(&play.handlers[handler].task) {
                let mut copy = book.clone();
                copy.plays[index].handlers[handler].task = task;
                smaller.push(copy);
            }
        }
    }
    smaller
}

fn shown(play: &Play) -> String {
    format!("{play:?}")
}

/// Lists that are a little smaller: one node left out, or made simpler.
fn lists(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut smaller = Vec::new();
    for index in 0..nodes.len() {
        let with = |put: Vec<Node>| [&nodes[..index], &put, &nodes[index + 1..]].concat();
        if nodes.len() > 1 {
            smaller.push(with(Vec::new()));
        }
        smaller.extend(simpler(&nodes[index]).into_iter().map(with));
    }
    smaller
}

/// What may stand in the place of a node.
fn simpler(node: &Node) -> Vec<Vec<Node>> {
    match node {
        Node::Task(task) => tasks(task).into_iter().map(|task| vec![Node::Task(Box::new(task))]).collect(),
        Node::Meta(meta, Some(_)) => vec![vec![Node::Meta(*meta, None)]],
        Node::Meta(..) => Vec::new(),
        Node::Include(include) => {
            let mut smaller = vec![include.tasks.clone()];
            let change = |change: &dyn Fn(&mut super::book::Include)| {
                let mut copy = include.clone();
                change(&mut copy);
                (copy != *include).then(|| vec![Node::Include(copy)])
            };
            smaller.extend(change(&|it| (it.items, it.when) = (0, None)));
            smaller.extend(change(&|it| it.when = None));
            smaller.extend(change(&|it| it.role = false));
            let with = |tasks| vec![Node::Include(super::book::Include { tasks, ..include.clone() })];
            smaller.extend(lists(&include.tasks).into_iter().map(with));
            smaller
        }
        Node::Block(block) => {
            let mut smaller = vec![block.main.clone()];
            let mut add = |change: &dyn Fn(&mut super::book::Block)| {
                let mut copy = block.clone();
                change(&mut copy);
                if copy != *block {
                    smaller.push(vec![Node::Block(copy)]);
                }
            };
            add(&|block| block.when = None);
            add(&|block| block.rescue.clear());
            add(&|block| block.always.clear());
            for main in lists(&block.main) {
                add(&|block| block.main.clone_from(&main));
            }
            for rescue in lists(&block.rescue) {
                add(&|block| block.rescue.clone_from(&rescue));
            }
            for always in lists(&block.always) {
                add(&|block| block.always.clone_from(&always));
            }
            smaller
        }
    }
}

/// Tasks with a keyword less.
fn tasks(task: &Task) -> Vec<Task> {
    let mut smaller = Vec::new();
    let mut add = |change: &dyn Fn(&mut Task)| {
        let mut copy = task.clone();
        change(&mut copy);
        if copy != *task {
            smaller.push(copy);
        }
    };
    add(&|task| task.when.clear());
    add(&|task| drop(task.when.pop()));
    add(&|task| task.unloop());
    add(&|task| task.items = task.items.min(1));
    add(&|task| task.register = None);
    add(&|task| task.notify = None);
    add(&|task| task.ignore = false);
    add(&|task| task.ignore_lost = false);
    add(&|task| task.failed_when = None);
    add(&|task| task.changed_when = None);
    add(&|task| task.until = None);
    add(&|task| task.delegate = None);
    add(&|task| task.once = false);
    add(&|task| task.fatal = false);
    add(&|task| {
        if let Act::Command(deeds) = &mut task.act {
            deeds.fill(Deed::Ok);
        }
    });
    // Without its `register` an own result cannot be asked for.
    smaller.retain(|task| {
        task.register.is_some()
            || !format!("{:?}{:?}{:?}", task.failed_when, task.changed_when, task.until).contains("Is(")
    });
    smaller
}
