//! What a task sees: the scope of a step on a host, with the magic variables of the play.

use std::sync::Arc;

use super::batch::Batch;
use super::scheduler::{Host, State};
use super::scope::{TaskScope, Unsettled, layer, magic};
use super::task_run::TaskRun;
use crate::map;
use crate::module::Things;
use crate::protocol::{Mode, Position};
use crate::steps::Step;
use crate::template::Binding;
use crate::value::Value;
use crate::vars::magic::of_place;
use crate::vars::{Layer, Level, Stack};

impl Batch<'_> {
    /// Makes scopes for a step on a host. `in_turn`: everything before it has been taken up, on every host.
    pub fn scope_maker(
        &self,
        host: usize,
        step: &Step,
        position: &Position,
        in_turn: bool,
    ) -> impl Fn(&[Arc<Layer>]) -> TaskScope + 'static {
        let state = &self.scheduler.hosts[host];
        let mut layers: Vec<Arc<Layer>> = Vec::with_capacity(24);
        if let Some(known) = self.run.table.read().get(&state.name) {
            layers.extend(known.all());
        }
        layers.extend(self.play.layers.iter().cloned());
        layers.extend(self.play.host_layers.get(&state.name).into_iter().flatten().cloned());
        layers.extend(step.layers.iter().cloned());
        let unsettled = self.unsettled(host, position, in_turn);
        layers.push(self.play_magic(step));
        layers.push(self.hosts_magic(unsettled.others));
        let (files, table) = (step.files.clone(), self.run.table.clone());
        move |more| TaskScope {
            stack: Stack::new(layers.iter().chain(more).cloned()),
            files: files.clone(),
            unsettled: unsettled.clone(),
            table: table.clone(),
        }
    }

    /// Magic variables of the play and the step.
    fn play_magic(&self, step: &Step) -> Arc<Layer> {
        let mut values = map! {
            "ansible_play_hosts_all" => self.play.listed.clone(),
            "ansible_play_name" => self.play.name.clone(),
            "ansible_check_mode" => self.run.options.mode == Mode::Plan,
            "ansible_diff_mode" => self.run.options.diff,
            "ansible_verbosity" => i64::from(self.run.options.verbosity),
            "ansible_forks" => self.run.options.forks as i64,
            "ansible_run_tags" => self.run.options.tags.clone(),
            "ansible_skip_tags" => self.run.options.skip_tags.clone(),
        };
        values.extend(of_place(&step.files));
        magic(values)
    }

    /// Magic variables that speak of which hosts are left. `pending`: not everybody has come so far.
    fn hosts_magic(&self, pending: bool) -> Arc<Layer> {
        let names = ["ansible_play_batch", "ansible_play_hosts", "play_hosts"];
        if pending {
            let values = names.map(|name| (name.to_owned(), Binding::Pending)).into();
            return Arc::new(layer(Level::Magic, "magic variable", values));
        }
        let key = (self.scheduler.active(), self.run.out.len(), self.run.removed.len());
        if let Some((known, left)) = &*self.hosts_left.borrow()
            && *known == key
        {
            return left.clone();
        }
        let ended = |host: &str| self.run.out.contains_key(host) || self.run.removed.contains(host);
        let takes_part =
            |host: &&Host<TaskRun>| matches!(host.state, State::Active | State::Done) && !ended(&host.name);
        let hosts = self.scheduler.hosts.iter();
        let batch: Vec<String> = hosts.filter(takes_part).map(|host| host.name.clone()).collect();
        let all: Vec<String> = self.play.listed.iter().filter(|host| !ended(host)).cloned().collect();
        let values = [batch.clone(), all, batch].map(Value::from);
        let left = magic(names.into_iter().map(str::to_owned).zip(values).collect());
        self.hosts_left.replace(Some((key, left.clone())));
        left
    }

    /// What a step may not read yet when it is prepared. `in_turn`: everything before it has been concluded, on every host.
    fn unsettled(&self, host: usize, position: &Position, in_turn: bool) -> Unsettled {
        let mut unsettled = Unsettled::default();
        if in_turn {
            return unsettled;
        }
        unsettled.others = !self.scheduler.is_turn(host, position);
        for running in &self.scheduler.hosts[host].running {
            unsettled.names.add(&running.step.effects.sets);
        }
        unsettled.things = self.scheduler.unsettled(host, position, Things::FILES.and(Things::WORLD));
        unsettled
    }
}
