//! `meta`: decides where hosts go from here.

use std::sync::Arc;

use super::batch::Batch;
use super::judge::Verdict;
use super::prepare::{NotYet, Prepared, trouble};
use super::task_run::Ended;
use crate::event::Status;
use crate::map;
use crate::module::Arguments;
use crate::modules::meta::{Action, Args};
use crate::protocol::Position;
use crate::steps::{Step, Work};
use crate::value::Value;

impl Batch<'_> {
    /// Carries out `meta`; it is the host's turn. False: not yet.
    pub fn meta(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        let Work::Call { args, .. } = &step.work else { return true };
        // What concerns all hosts is decided by the first of them alone.
        if self.metas.contains(position) {
            self.scheduler.hosts[host].cursor.advance();
            return true;
        }
        let scope = self.scope_maker(host, step, position, true);
        let bench = self.run.bench(&scope);
        let rendered = bench.arguments(args, &bench.with(&[]));
        let ended = |error| trouble(error).unwrap_or_else(|NotYet| Ended::Skipped(Value::Null));
        let action = match rendered.map(|rendered| Args::read(&rendered)) {
            Ok(Ok(args)) => args.action,
            Ok(Err(error)) => return self.settled(host, step, position, Ended::Failed(Box::new(error.into()))),
            Err(error) => return self.settled(host, step, position, ended(error)),
        };
        let condition = if action.has_condition() { bench.condition(step, &[]) } else { Ok(None) };
        let holds = match condition {
            Ok(condition) => condition.is_none(),
            Err(error) => return self.settled(host, step, position, ended(error)),
        };
        if action.is_for_all() && self.scheduler.in_step() {
            self.metas.insert(position.clone());
        }
        match holds {
            true if !step.lacks.is_empty() => {
                self.settled(host, step, position, Ended::Wrong(Box::new((*step.lacks[0]).clone())))
            }
            true => self.act(host, step, position, action),
            false => {
                self.say_skipped(host, step, position, action);
                self.scheduler.hosts[host].cursor.advance();
                true
            }
        }
    }

    fn act(&mut self, host: usize, step: &Arc<Step>, position: &Position, action: Action) -> bool {
        let name = self.scheduler.hosts[host].name.clone();
        match action {
            Action::FlushHandlers => return self.flush(host),
            Action::Noop => {}
            Action::RefreshInventory => {
                if let Err(failure) = self.run.reload() {
                    return self.settled(host, step, position, Ended::Failed(Box::new(failure)));
                }
            }
            Action::ClearFacts => {
                for host in &self.scheduler.hosts {
                    self.run.table.update(&host.name, |layers| layers.clear_facts());
                }
            }
            Action::ClearHostErrors => {
                self.run.out.clear();
                self.scheduler.clear_errors();
            }
            Action::EndHost => {
                self.run.removed.insert(name);
                self.scheduler.finish(host);
                return true;
            }
            Action::EndBatch | Action::EndPlay => {
                self.scheduler.finish_all();
                self.run.stop |= matches!(action, Action::EndPlay);
                return true;
            }
            Action::EndRole => {
                self.scheduler.hosts[host].cursor.end_role();
                return true;
            }
            Action::ResetConnection => self.run.reset(&name),
        }
        self.scheduler.hosts[host].cursor.advance();
        true
    }

    /// As in Ansible: one whose condition does not hold has a result, which does not count.
    fn say_skipped(&mut self, host: usize, step: &Arc<Step>, position: &Position, action: Action) {
        let name = self.scheduler.hosts[host].name.clone();
        let prepared = Prepared { items: Vec::new(), is_loop: false, trouble: None };
        let Ok(running) = self.task_run(host, step, position, prepared) else { return };
        let reason = action.skip_reason(&name, step.role.as_deref().unwrap_or_default());
        let message = action.message(&name);
        let values = map! { "changed" => false, "skipped" => true, "msg" => message, "skip_reason" => reason };
        self.report(host, &running, Verdict::new(Status::Skipped, values), None, false);
    }
}
