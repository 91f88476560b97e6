//! What an address answers.

use std::time::Duration;

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::failure::plain;
use crate::system::{Machine, Request};
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::controller;
use crate::template::python;

pub const LOOKUPS: &[Lookup] = &[lookup(
    "url",
    "split_lines headers username password force_basic_auth validate_certs timeout use_proxy follow_redirects \
     http_agent ca_path client_cert client_key unix_socket force",
    url,
)
.asking(Asks::ONCE)];

fn url(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for address in asked.texts()? {
        let body = fetched(asked, &address)?;
        if asked.flag("split_lines", true) {
            found.extend(python::split_lines(&body).into_iter().map(Value::from));
        } else {
            found.push(body.into());
        }
    }
    Ok(found)
}

fn fetched(asked: &Asked, address: &str) -> Result<String, Error> {
    let problem = |why: String| wrong(format!("cannot fetch {address}: {why}"));
    let output = controller().download(&request(asked, address)?).map_err(|error| problem(plain(&error)))?;
    let head = output.stdout.windows(4).position(|four| four == b"\r\n\r\n").map_or(output.stdout.len(), |at| at + 4);
    let status = String::from_utf8_lossy(&output.stdout[..head]);
    let code = status.split_whitespace().nth(1).and_then(|code| code.parse::<u16>().ok());
    if !code.is_some_and(|code| (200..300).contains(&code)) {
        return Err(problem(format!("the answer is {}", status.lines().next().unwrap_or("no answer").trim())));
    }
    String::from_utf8(output.stdout[head..].to_vec()).map_err(|_| problem("the answer is not UTF-8".into()))
}

fn request(asked: &Asked, address: &str) -> Result<Request, Error> {
    let mut headers = Vec::new();
    if let Some(given) = asked.option("headers") {
        for (name, value) in python::pairs(given)? {
            headers.push((python::text(&name).into_owned(), python::text(&value).into_owned()));
        }
    }
    headers.push(("User-Agent".into(), asked.text("http_agent").unwrap_or("ansible-httpget".into())));
    if let Some(user) = asked.text("username") {
        use base64::Engine;
        let login = format!("{user}:{}", asked.text("password").unwrap_or_default());
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        headers.push(("Authorization".into(), format!("Basic {login}")));
    }
    let timeout = asked.text("timeout").map_or(Ok(10.0), |text| {
        text.parse::<f64>()
            .ok()
            .filter(|seconds| *seconds > 0.0 && seconds.is_finite())
            .ok_or_else(|| wrong(format!("`timeout` must be a number of seconds, it is `{text}`")))
    })?;
    if asked.flag("force", false) {
        headers.push(("Cache-Control".into(), "no-cache".into()));
    }
    Ok(Request {
        url: address.to_owned(),
        method: "GET".into(),
        headers,
        follow: asked.text("follow_redirects").unwrap_or("urllib2".into()),
        timeout: Some(Duration::from_secs_f64(timeout)),
        validate_certs: asked.flag("validate_certs", true),
        ca_path: asked.text("ca_path").map(Into::into),
        client_cert: asked.text("client_cert").map(|path| (path.into(), asked.text("client_key").map(Into::into))),
        unix_socket: asked.text("unix_socket").map(Into::into),
        use_proxy: asked.flag("use_proxy", true),
        ..Request::default()
    })
}
