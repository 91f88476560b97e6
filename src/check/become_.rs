//! `become_user` where nothing says `become`.

use crate::diagnostic::{Diagnostic, kinds};
use crate::steps::Step;

/// Without `become` the user is never changed, and `become_user` does nothing. `given` says that `-b` or the inventory may
/// ask for it.
pub(super) fn check(step: &Step, given: bool, problems: &mut Vec<Diagnostic>) {
    let keywords = &step.keywords;
    let (Some(user), None) = (&keywords.become_user, &keywords.become_) else { return };
    let by_variable = step.layers.iter().any(|layer| layer.values.contains_key("ansible_become"));
    if !given && !by_variable {
        problems.push(
            Diagnostic::warning(user.span, "`become_user` has no effect without `become`")
                .of(&kinds::USELESS_KEYWORD)
                .help("add `become: true`"),
        );
    }
}
