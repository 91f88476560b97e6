//! The keywords that say how the result of a step is taken.

use super::connection::Reader;
use super::prepare::{NotYet, trouble};
use super::task_run::Ended;
use crate::steps::Keywords;
use crate::template::RenderError;

/// What the keywords of a step say, settled for one host.
#[derive(Debug, Default)]
pub struct Flags {
    /// Errors are ignored.
    pub ignore_errors: bool,
    /// A host that cannot be reached goes on all the same.
    pub ignore_unreachable: bool,
    /// A failure ends the play for all hosts.
    pub any_errors_fatal: bool,
    /// Nothing of it is shown.
    pub no_log: bool,
    /// Facts that it returns go to the delegate.
    pub delegate_facts: bool,
    /// At most so many hosts do it at the same time.
    pub throttle: Option<usize>,
    /// One of these cannot be settled: the step fails instead of being carried out.
    pub trouble: Option<Ended>,
}

impl Flags {
    /// Settles them. Where `no_log` cannot be told nothing is shown.
    pub fn of(reader: &Reader, keywords: &Keywords) -> Result<Self, NotYet> {
        let mut trouble = None;
        let mut settle = |flag: Result<Option<bool>, RenderError>, otherwise: bool| match flag {
            Ok(flag) => Ok(flag.unwrap_or(false)),
            Err(error) => {
                let ended = self::trouble(error)?;
                trouble.get_or_insert(ended);
                Ok(otherwise)
            }
        };
        let flags = Flags {
            no_log: settle(reader.flag(keywords.no_log.as_ref()), true)?,
            // As in Ansible: a text that is no boolean counts as one here.
            ignore_errors: settle(reader.flag(keywords.ignore_errors.as_ref()), true)?,
            ignore_unreachable: settle(reader.flag(keywords.ignore_unreachable.as_ref()), false)?,
            any_errors_fatal: settle(reader.flag(keywords.any_errors_fatal.as_ref()), false)?,
            delegate_facts: settle(reader.flag(keywords.delegate_facts.as_ref()), false)?,
            throttle: None,
            trouble: None,
        };
        settle(reader.flag(keywords.run_once.as_ref()), false)?;
        settle(reader.typed::<i64>(keywords.port.as_ref()).map(|_| None), false)?;
        let throttle = reader.typed::<i64>(keywords.throttle.as_ref());
        let most = throttle.as_ref().ok().copied().flatten().and_then(|most| usize::try_from(most).ok());
        settle(throttle.map(|_| None), false)?;
        Ok(Flags { trouble, throttle: most.filter(|most| *most > 0), ..flags })
    }
}
