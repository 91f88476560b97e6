//! How a host is reached and whom a step becomes there: from variables, keywords and the command line.
#![expect(clippy::disallowed_methods, reason = "keys are named relative to the home folder of the operator")]

use std::path::PathBuf;
use std::sync::Arc;

use super::Options;
use crate::diagnostic::Diagnostic;
use crate::module::Arg;
use crate::protocol::Become;
use crate::source::Span;
use crate::steps::Keywords;
use crate::template::Templar;
use crate::template::{Binding, RenderError, Scope};
use crate::transport::Target;
use crate::value::Value;
use crate::words;
use crate::yaml::Node;

/// Renders single values of keywords and connection variables.
pub struct Reader<'a> {
    /// The renderer.
    pub templar: &'a Templar,
    /// Whose variables.
    pub scope: &'a Arc<dyn Scope>,
}

impl Reader<'_> {
    /// A variable, rendered; `None` if it is undefined or null.
    pub fn variable(&self, name: &str) -> Result<Option<Value>, RenderError> {
        let value = match self.scope.lookup(name) {
            None => return Ok(None),
            Some(Binding::Template(node)) => self.templar.render(&node, self.scope)?,
            Some(Binding::Data(value)) => (*value).clone(),
            Some(Binding::Pending) => return Err(RenderError::Pending),
            Some(Binding::HostVars(_)) => return Ok(None),
        };
        Ok((value != Value::Null && !crate::template::is_omit(&value)).then_some(value))
    }

    /// The first of several variables that is defined.
    pub fn first(&self, names: &[&str]) -> Result<Option<Value>, RenderError> {
        for name in names {
            if let Some(value) = self.variable(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The first of several variables, as text.
    pub fn text(&self, names: &[&str]) -> Result<Option<String>, RenderError> {
        Ok(self.first(names)?.map(|value| text_of(&value)))
    }

    /// A keyword, rendered; `None` if it is absent, null or omitted.
    pub fn keyword(&self, node: Option<&Arc<Node>>) -> Result<Option<Value>, RenderError> {
        let Some(node) = node else { return Ok(None) };
        let value = self.templar.render(node, self.scope)?;
        Ok((value != Value::Null && !crate::template::is_omit(&value)).then_some(value))
    }

    /// A keyword of a certain type; what does not fit is an error.
    pub fn typed<T: Arg>(&self, node: Option<&Arc<Node>>) -> Result<Option<T>, RenderError> {
        let Some(value) = self.keyword(node)? else { return Ok(None) };
        let span = node.map_or_else(Span::default, |node| node.span);
        let wrong = |what| RenderError::Wrong(Box::new(Diagnostic::error(span, what)));
        T::read(&value).map(Some).map_err(wrong)
    }

    /// A keyword that is a boolean.
    pub fn flag(&self, node: Option<&Arc<Node>>) -> Result<Option<bool>, RenderError> {
        self.typed(node)
    }
}

/// A value as text.
pub fn text_of(value: &Value) -> String {
    use crate::module::Arg;
    String::read(value).unwrap_or_default()
}

/// Whether a value says yes.
pub fn truth(value: &Value) -> bool {
    use crate::module::Arg;
    bool::read(value).unwrap_or_else(|_| value.is_true())
}

/// How `host` is reached.
pub fn target(host: &str, reader: &Reader, keywords: &Keywords, options: &Options) -> Result<Target, RenderError> {
    let connection = match reader.text(&["ansible_connection"])? {
        Some(name) => Some(name),
        None => reader.keyword(keywords.connection.as_ref())?.map(|value| text_of(&value)),
    };
    match connection.or_else(|| options.connection.clone()).as_deref() {
        Some("local" | "ansible.builtin.local") => {
            return Ok(Target { local: true, address: host.to_owned(), ..Target::default() });
        }
        None | Some("ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ansible.builtin.ssh") => {}
        Some(other) => {
            let message = format!("the connection of {host} is `{other}`, and there are `ssh` and `local`");
            return Err(RenderError::Wrong(Box::new(Diagnostic::error(Span::default(), message))));
        }
    }
    let user = match reader.text(&["ansible_user", "ansible_ssh_user"])? {
        Some(user) => Some(user),
        None => reader.keyword(keywords.remote_user.as_ref())?.map(|value| text_of(&value)),
    };
    let port = match reader.first(&["ansible_port", "ansible_ssh_port"])? {
        Some(port) => Some(port),
        None => reader.keyword(keywords.port.as_ref())?,
    };
    let mut arguments = Vec::new();
    for name in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some(text) = reader.text(&[name])? {
            let wrong = |why| Diagnostic::error(Span::default(), format!("`{name}` of {host} is malformed: {why}"));
            arguments.extend(words::split(&text).map_err(|why| RenderError::Wrong(Box::new(wrong(why))))?);
        }
    }
    let check = reader.first(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"])?;
    let timeout = reader.first(&["ansible_timeout", "ansible_ssh_timeout"])?;
    let password = reader.text(&["ansible_password", "ansible_ssh_password", "ansible_ssh_pass"])?;
    let key = reader.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?;
    if let Some(password) = &password {
        super::secrets::learn(password);
    }
    Ok(Target {
        local: false,
        address: reader.text(&["ansible_host", "ansible_ssh_host"])?.unwrap_or_else(|| host.to_owned()),
        port: port.and_then(|value| text_of(&value).parse().ok()),
        user: user.or_else(|| options.remote_user.clone()),
        key: key.map(|path| expand_home(&path)).or_else(|| options.private_key.clone()),
        password: password.or_else(|| options.ssh_password.clone()),
        arguments,
        check_host_key: check.is_none_or(|value| truth(&value)),
        timeout: timeout.and_then(|value| text_of(&value).parse().ok()).unwrap_or(options.timeout),
    })
}

fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Whom a step becomes; `None` for the login user. Variables win over keywords, keywords over the command line.
/// `variables` are those of the host that carries the step out, `task` renders the keywords.
pub fn identity(
    variables: &Reader,
    task: &Reader,
    keywords: &Keywords,
    options: &Options,
) -> Result<Option<Become>, RenderError> {
    let wanted = match variables.first(&["ansible_become"])? {
        Some(value) => truth(&value),
        None => task.flag(keywords.become_.as_ref())?.unwrap_or(options.become_),
    };
    if !wanted {
        return Ok(None);
    }
    let pick = |names: &[&str], keyword: Option<&Arc<Node>>| -> Result<Option<String>, RenderError> {
        match variables.text(names)? {
            Some(text) => Ok(Some(text)),
            None => Ok(task.keyword(keyword)?.map(|value| text_of(&value))),
        }
    };
    let user = pick(&["ansible_become_user"], keywords.become_user.as_ref())?;
    let method = pick(&["ansible_become_method"], keywords.become_method.as_ref())?;
    let exe = pick(&["ansible_become_exe"], keywords.become_exe.as_ref())?;
    let flags = pick(&["ansible_become_flags"], keywords.become_flags.as_ref())?;
    let method = method.unwrap_or_else(|| "sudo".to_owned());
    let password = variables.text(&["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"])?;
    if let Some(password) = &password {
        super::secrets::learn(password);
    }
    Ok(Some(Become {
        user: user.or_else(|| options.become_user.clone()).unwrap_or_else(|| "root".to_owned()),
        method: method.rsplit('.').next().unwrap_or("sudo").to_owned(),
        exe,
        flags,
        password: password.or_else(|| options.become_password.clone()),
    }))
}
