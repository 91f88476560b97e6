//! Where a host stands in a play: a stack of lists, because blocks, includes and handlers nest.

use std::sync::Arc;

use crate::protocol::Position;
use crate::steps::{Block, Item, Step, Work};

/// A place in a play. Cheap to clone, so that a host can be sent back.
#[derive(Clone, Debug)]
pub struct Cursor {
    frames: Vec<Frame>,
    /// Blocks with a `rescue` section that were left without one, since somebody asked.
    left: Vec<Position>,
}

#[derive(Clone, Debug)]
struct Frame {
    items: Items,
    index: usize,
    base: Position,
}

#[derive(Clone, Debug)]
enum Items {
    /// The play itself.
    Play(Arc<Vec<Item>>),
    /// What an include brought, and the place of each item among all that any host includes there. `alone`: other hosts do
    /// not walk this list, so nothing in it may be looked at ahead of them.
    Included { items: Arc<Vec<Item>>, places: Arc<[u32]>, alone: bool },
    /// Handlers of a flush.
    Handlers(Arc<Vec<Item>>),
    /// A section of a block.
    Section { block: Arc<Block>, section: Section, failed: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Main,
    Rescue,
    Always,
}

impl Frame {
    fn list(&self) -> &[Item] {
        match &self.items {
            Items::Play(items) | Items::Included { items, .. } | Items::Handlers(items) => items,
            Items::Section { block, section: Section::Main, .. } => &block.main,
            Items::Section { block, section: Section::Rescue, .. } => &block.rescue,
            Items::Section { block, section: Section::Always, .. } => &block.always,
        }
    }

    /// The position of the current item.
    fn position(&self) -> Position {
        let place = match &self.items {
            Items::Included { places, .. } => places.get(self.index).copied(),
            _ => None,
        };
        self.base.inside(place.unwrap_or(self.index as u32))
    }
}

/// What a failure comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// The host goes on, in a `rescue` or an `always` section.
    Continues,
    /// The host is out of the play.
    Ends,
}

impl Cursor {
    /// At the beginning of a play, whose position is `base`.
    pub fn new(items: Arc<Vec<Item>>, base: Position) -> Self {
        let mut cursor = Cursor { frames: Vec::new(), left: Vec::new() };
        cursor.push(Items::Play(items), base);
        cursor
    }

    fn push(&mut self, items: Items, base: Position) {
        self.frames.push(Frame { items, index: 0, base });
    }

    /// The step to be done next, with its position; `None` at the end. Enters blocks and leaves what is finished.
    /// The error: an `always` section has ended behind a failure that nothing rescues.
    pub fn step(&mut self) -> Result<Option<(Arc<Step>, Position)>, AfterFailure> {
        loop {
            let Some(frame) = self.frames.last_mut() else { return Ok(None) };
            match frame.list().get(frame.index) {
                Some(Item::Step(step)) => {
                    return Ok(Some((step.clone(), frame.position())));
                }
                Some(Item::Block(block)) => {
                    let (block, base) = (block.clone(), frame.position().inside(0));
                    self.push(Items::Section { block, section: Section::Main, failed: false }, base);
                }
                None => self.leave()?,
            }
        }
    }

    /// The positions of blocks that were left without their `rescue` section since this was asked last.
    pub fn take_left(&mut self) -> Vec<Position> {
        std::mem::take(&mut self.left)
    }

    /// Goes on behind the current step.
    pub fn advance(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
        }
    }

    /// Opens what an include brought, at the current step, each item with its place. The step itself counts as done.
    pub fn include(&mut self, placed: Vec<(u32, Item)>, alone: bool) {
        let (places, items): (Vec<u32>, Vec<Item>) = placed.into_iter().unzip();
        self.open(Items::Included { items: Arc::new(items), places: places.into(), alone });
    }

    /// Opens the list of handlers at the current step, a flush. It is gone through once, as in Ansible: what a handler
    /// notifies that stands before it waits for the next flush.
    pub fn handlers(&mut self, items: Arc<Vec<Item>>) {
        self.open(Items::Handlers(items));
    }

    fn open(&mut self, items: Items) {
        let Some(frame) = self.frames.last_mut() else { return };
        let base = frame.position();
        self.push(items, base);
    }

    /// Whether other hosts do not walk here.
    pub fn is_alone(&self) -> bool {
        self.frames.iter().any(|frame| match &frame.items {
            Items::Play(_) => false,
            Items::Included { alone, .. } => *alone,
            Items::Handlers(_) => true,
            Items::Section { section, .. } => *section == Section::Rescue,
        })
    }

    /// Whether handlers are running.
    pub fn in_handlers(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame.items, Items::Handlers(_)))
    }

    /// The place of the current step, which stands at `position`, in the list of handlers. `None` for what a handler has
    /// included, and outside the list.
    pub fn handler_at(&self, position: &Position) -> Option<usize> {
        self.frames.last().filter(|frame| matches!(frame.items, Items::Handlers(_)))?;
        position.0.last().map(|index| *index as usize)
    }

    /// Whether a failure here would be taken up by a `rescue`.
    pub fn is_rescued(&self) -> bool {
        self.frames.iter().any(
            |frame| matches!(&frame.items, Items::Section { block, section: Section::Main, .. } if block.has_rescue),
        )
    }

    /// The current step has failed: goes to the nearest `rescue` or `always`. `times`: as in Ansible one that fails again
    /// before it does anything misses the next section of the innermost block too.
    pub fn fail(&mut self, times: u32) -> AfterFailure {
        let is_block = |frame: &Frame| matches!(frame.items, Items::Included { .. } | Items::Section { .. });
        let innermost = self.frames.iter().rposition(is_block);
        let mut after = self.fall();
        for _ in 1..times {
            if innermost.is_none_or(|place| place + 1 != self.frames.len()) {
                break;
            }
            after = self.fall();
        }
        after
    }

    fn fall(&mut self) -> AfterFailure {
        while let Some(mut frame) = self.frames.pop() {
            let Items::Section { block, section, .. } = &frame.items else { continue };
            let next = match section {
                Section::Main if block.has_rescue => Some((Section::Rescue, false)),
                Section::Main | Section::Rescue if !block.always.is_empty() => Some((Section::Always, true)),
                _ => None,
            };
            if let Some((section, failed)) = next {
                frame.enter(section, failed);
                self.frames.push(frame);
                return AfterFailure::Continues;
            }
        }
        AfterFailure::Ends
    }

    /// Forgets that `always` sections stand behind a failure.
    pub fn clear_errors(&mut self) {
        for frame in &mut self.frames {
            if let Items::Section { failed, .. } = &mut frame.items {
                *failed = false;
            }
        }
    }

    /// Goes to the end of the play.
    pub fn finish(&mut self) {
        self.frames.clear();
    }

    /// Whether there is nothing more to do, by [`Cursor::finish`].
    pub fn is_over(&self) -> bool {
        self.frames.is_empty()
    }

    /// Goes on behind the end of the current role: to the next [`Work::RoleEnd`] of it in a list that is open.
    pub fn end_role(&mut self) {
        let ends = |item: &Item| matches!(item, Item::Step(step) if matches!(step.work, Work::RoleEnd));
        while let Some(frame) = self.frames.last_mut() {
            if let Some(offset) = frame.list()[frame.index.min(frame.list().len())..].iter().position(ends) {
                frame.index += offset;
                return;
            }
            self.frames.pop();
        }
    }

    /// Leaves the innermost list, which is at its end.
    fn leave(&mut self) -> Result<(), AfterFailure> {
        let Some(mut frame) = self.frames.pop() else { return Ok(()) };
        match &frame.items {
            Items::Section { block, section: section @ (Section::Main | Section::Rescue), .. } => {
                if *section == Section::Main && block.has_rescue {
                    // The base is the block's position and the number of the section.
                    self.left.push(Position(frame.base.0[..frame.base.0.len() - 1].to_vec()));
                }
                frame.enter(Section::Always, false);
                self.frames.push(frame);
            }
            Items::Section { section: Section::Always, failed: true, .. } => {
                return match self.fall() {
                    AfterFailure::Continues => Ok(()),
                    AfterFailure::Ends => Err(AfterFailure::Ends),
                };
            }
            Items::Section { .. } | Items::Play(_) | Items::Included { .. } | Items::Handlers(_) => self.advance(),
        }
        Ok(())
    }
}

impl Frame {
    /// Goes to another section of the block.
    fn enter(&mut self, to: Section, failure: bool) {
        if let Items::Section { section, failed, .. } = &mut self.items {
            (*section, *failed) = (to, failure);
        }
        self.index = 0;
        if let Some(last) = self.base.0.last_mut() {
            *last = to as u32;
        }
    }
}
