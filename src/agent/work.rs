//! Works on one step: its calls in order, as the user that it is for.

use std::time::{Duration, Instant};

use super::carry::carry_out;
use super::child;
use super::hub::Hub;
use super::identity::{Identities, Route};
use crate::change::perform::{Leave, Watch};
use crate::failure::Failure;
use crate::module::Module;
use crate::modules;
use crate::probe::dpkg;
use crate::probe::passwd::{self, IdKind};
use crate::protocol::{Call, FromAgent, Mode, Outcome, Step};
use crate::system::local::Local;
use crate::system::predicted::Predicted;
use crate::system::users::{self, User};
use crate::system::{Stream, System};

/// Carries a step out and sends the outcomes of its calls; whether one failed.
pub fn step(hub: &Hub, identities: &Identities, step: &Step) -> bool {
    caught(|| carried_out(hub, identities, step)).unwrap_or_else(|said| no_identity(hub, step, bug("wodctl", &said)))
}

fn carried_out(hub: &Hub, identities: &Identities, step: &Step) -> bool {
    if let Some(why) = hub.hold.take(&hub.local, &hub.running) {
        return no_identity(hub, step, why.to_owned());
    }
    match identities.route(hub, step.identity.as_ref()) {
        Ok(Route::Own) => calls(hub, identities, step, None),
        Ok(Route::User(name)) => match find_user(hub, &name) {
            Some((user, groups)) => calls(hub, identities, step, Some((&user, &groups))),
            None => no_identity(hub, step, format!("there is no user `{name}` on this host")),
        },
        Ok(Route::Child(child)) => child::forward(hub, &child, step),
        Err(why) => no_identity(hub, step, why),
    }
}

fn no_identity(hub: &Hub, step: &Step, why: String) -> bool {
    hub.answer(FromAgent::NoIdentity { position: step.position.clone(), lane: step.lane, why });
    true
}

/// A user of the machine as the run sees it: in plan mode also one whom an earlier step would have made.
fn find_user(hub: &Hub, name: &str) -> Option<(User, Vec<u32>)> {
    let find = |system: &dyn System| {
        let by_id = || name.parse().ok().and_then(|uid| users::user_by_id(system, uid));
        let user = users::user(system, name).or_else(by_id)?;
        let groups = users::groups_of(system, &user);
        Some((user, groups))
    };
    match &hub.predicted {
        Some(predicted) => {
            let machine = predicted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            find(&*machine).or_else(|| brought_by_a_package(&*machine, name))
        }
        None => find(&hub.local),
    }
}

/// A user whom a package that is only planned may well bring (`postgres`): a system account with ids that are free.
fn brought_by_a_package(system: &dyn System, name: &str) -> Option<(User, Vec<u32>)> {
    if !dpkg::has_planned(system) || name.parse::<u32>().is_ok() {
        return None;
    }
    let user = User {
        name: name.to_owned(),
        uid: passwd::next_id(system, IdKind::Uid, true).ok()?,
        gid: passwd::next_id(system, IdKind::Gid, true).ok()?,
        gecos: String::new(),
        home: "/nonexistent".into(),
        shell: "/usr/sbin/nologin".to_owned(),
    };
    let groups = vec![user.gid];
    Some((user, groups))
}

type Whom<'a> = Option<(&'a User, &'a [u32])>;

/// Carries out the calls of a step in this process.
fn calls(hub: &Hub, identities: &Identities, step: &Step, whom: Option<(&User, &Vec<u32>)>) -> bool {
    let whom: Whom = whom.map(|(user, groups)| (user, groups.as_slice()));
    let is_planned = |call: &Call| hub.predicted.is_some() && call.mode.unwrap_or(hub.mode) == Mode::Plan;
    let mut index = 0;
    let mut failed = false;
    for group in step.calls.chunk_by(|one, next| is_planned(one) == is_planned(next)) {
        let first = index;
        index += group.len() as u32;
        failed |= match whom {
            // What really happens as another user is done by a thread that has become that user for good.
            Some((user, groups)) if !is_planned(&group[0]) => {
                let work = || match hub.local.as_user(user, groups.to_vec()) {
                    Ok(local) => run_calls(hub, identities, step, group, first, &local, None),
                    Err(error) => no_identity(hub, step, format!("cannot become {}: {error}", user.name)),
                };
                std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or(true)
            }
            whom => run_calls(hub, identities, step, group, first, &hub.local, whom),
        };
        if hub.lock().is_cancelled(step.lane) {
            break;
        }
    }
    failed
}

/// Carries out some calls with the rights of the calling thread; whether one failed.
fn run_calls(
    hub: &Hub,
    identities: &Identities,
    step: &Step,
    calls: &[Call],
    first: u32,
    local: &Local,
    whom: Whom,
) -> bool {
    let mut failed = false;
    for (index, call) in (first..).zip(calls) {
        // A module that panics fails its call, and nothing else.
        let outcome = caught(|| self::call(hub, step, call, local, whom))
            .unwrap_or_else(|said| Some(Outcome::failed(Failure::new(bug(&call.module, &said)), true)));
        let Some(outcome) = outcome else { return failed };
        failed |= outcome.failure.is_some();
        if outcome.changed {
            identities.remember(hub, step);
        }
        if hub.lock().is_cancelled(step.lane) {
            return failed;
        }
        let (position, outcome) = (step.position.clone(), Box::new(outcome));
        hub.answer(FromAgent::Outcome { position, lane: step.lane, index, outcome });
    }
    failed
}

/// What comes of some work, or what it said when it panicked.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic may leave half-done is this step's own, or behind locks that are taken all the same.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
    })
}

fn bug(whose: &str, said: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "`{whose}` has a bug and stopped: {said}. What it had done until then stays done. Please report this with the task and \
         the version, wodctl {version}"
    )
}

/// Carries out one call. `None`: it was taken back while it waited.
fn call(hub: &Hub, step: &Step, call: &Call, local: &Local, whom: Whom) -> Option<Outcome> {
    let module = match build(call) {
        Ok(module) => module,
        Err(failure) => return Some(Outcome::failed(failure, false)),
    };
    let timeout = (call.timeout > 0).then(|| Duration::from_secs(call.timeout));
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mode = call.mode.unwrap_or(hub.mode);
    let mut watch = Watcher { hub, step, live: call.live, deadline, must_ask: mode == Mode::Apply };
    let prepared = |local: &Local| {
        let mut local = local.clone();
        local.set_environment(&call.environment);
        local.set_deadline(deadline);
        local
    };
    let outcome = match (mode, &hub.predicted) {
        (Mode::Apply, _) => carry_out(&*module, &mut prepared(local), call.diff, &mut watch),
        (Mode::Plan, Some(predicted)) => {
            let mut machine = predicted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *machine.base_mut() = match whom {
                Some((user, groups)) => prepared(&hub.local.planning_for(user, groups.to_vec())),
                None => prepared(local),
            };
            carry_out(&*module, &mut *machine, call.diff, &mut watch)
        }
        (Mode::Plan, None) => carry_out(&*module, &mut Predicted::new(prepared(local)), call.diff, &mut watch),
    };
    let mut outcome = outcome?;
    if deadline.is_some_and(|deadline| deadline <= Instant::now())
        && let Some(failure) = &mut outcome.failure
    {
        failure.message = format!("its time was over after {} seconds: {}", call.timeout, failure.message);
    }
    Some(outcome)
}

fn build(call: &Call) -> Result<Box<dyn Module>, Failure> {
    let spec =
        modules::find(&call.module).ok_or_else(|| Failure::new(format!("there is no module `{}`", call.module)))?;
    let build = spec.build.ok_or_else(|| Failure::new(format!("`{}` is not carried out on a host", call.module)))?;
    Ok(build(&call.args)?)
}

struct Watcher<'a> {
    hub: &'a Hub,
    step: &'a Step,
    live: bool,
    deadline: Option<Instant>,
    must_ask: bool,
}

impl Watch for Watcher<'_> {
    fn ask(&mut self) -> Leave {
        match self.must_ask {
            true => self.hub.ask(self.step.lane, &self.step.position),
            false => Leave::Now,
        }
    }

    fn live(&mut self, stream: Stream, bytes: &[u8]) {
        if self.live {
            let (position, data) = (self.step.position.clone(), bytes.to_vec());
            self.hub.answer(FromAgent::Live { position, lane: self.step.lane, stream, data });
        }
    }

    fn stopped(&self) -> Option<&'static str> {
        match self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            true => Some("no further action was begun"),
            false => self.hub.running.is_stopped().then_some("the connection to the controller has ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Machine;
    use crate::system::fake::Fake;

    #[test]
    fn a_panic_is_told() {
        let said = caught(|| -> bool { panic!("index {} out of range", 3) }).unwrap_err();
        let message = bug("copy", &said);
        assert!(message.starts_with("`copy` has a bug and stopped: index 3 out of range."), "{message}");
        assert_eq!(caught(|| 5), Ok(5));
    }

    #[test]
    fn a_planned_package_may_bring_a_user() {
        let mut plan = Fake::new().plan();
        assert!(brought_by_a_package(&plan, "postgres").is_none());
        plan.settle(dpkg::planned_subject(), true.into());
        let (user, groups) = brought_by_a_package(&plan, "postgres").unwrap();
        assert_eq!((user.uid, groups), (999, vec![999]));
        assert!(brought_by_a_package(&plan, "70000").is_none());
    }
}
