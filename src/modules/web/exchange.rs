//! An exchange with a server by a module that is asked again after each answer: ask, with the login if the server wants
//! one, and look at the answer.

use super::Login;
use crate::change::answer::Answer;
use crate::change::{Act, Action};
use crate::failure::Failure;
use crate::system::{Output, Request, System};

/// Who we are to the server.
#[derive(Clone, Copy, Debug)]
pub struct Identification<'a> {
    /// A name.
    pub name: &'a Option<String>,
    /// The password that belongs to it.
    pub password: &'a Option<String>,
    /// Send both before the server asks.
    pub at_once: bool,
    /// Take both from `~/.netrc` where none are given.
    pub use_netrc: bool,
}

/// How far an exchange is.
#[derive(Debug)]
pub enum Stage {
    /// This is to be asked.
    Ask(Box<Request>),
    /// This came back.
    Answer(Box<Answer>),
}

/// The outputs of downloads among those of all actions so far.
pub fn downloads(done: &[Output]) -> impl Iterator<Item = &Output> {
    done.iter().filter(|output| output.argv.is_empty() && (output.refused.is_some() || Answer::read(output).is_some()))
}

/// Takes from `downloads` what belongs to this request.
pub fn stage<'a>(
    system: &dyn System,
    mut request: Request,
    who: Identification,
    downloads: &mut impl Iterator<Item = &'a Output>,
) -> Result<Stage, Failure> {
    let found = Login::find(system, who.name, who.password, &request.url, who.use_netrc);
    let at_once = found.as_ref().is_some_and(|found| who.at_once || found.at_once);
    if let Some(found) = found.as_ref().filter(|_| at_once) {
        request.headers.push(found.login.header());
    }
    let Some(first) = downloads.next() else { return Ok(Stage::Ask(Box::new(request))) };
    let answer = read(&request.url, first)?;
    let Some(found) = found.filter(|_| answer.status == 401 && !at_once) else {
        return Ok(Stage::Answer(Box::new(answer)));
    };
    request.headers.push(found.login.header());
    match downloads.next() {
        None => Ok(Stage::Ask(Box::new(request))),
        Some(second) => Ok(Stage::Answer(Box::new(read(&request.url, second)?))),
    }
}

fn read(url: &str, output: &Output) -> Result<Answer, Failure> {
    Answer::read(output).ok_or_else(|| {
        let why = output.refused.as_deref().unwrap_or("the answer is not HTTP");
        Failure::new(format!("Request failed: cannot fetch {}: {why}", super::shown(url)))
            .with("status_code", -1)
            .with("url", super::shown(url))
            .argument("url")
    })
}

/// What a server answers whom we tell no name but that of `.netrc`; or the action that asks it.
pub fn body<'a>(
    system: &dyn System,
    request: Request,
    use_netrc: bool,
    answers: &mut impl Iterator<Item = &'a Output>,
) -> Result<Result<Vec<u8>, Box<Action>>, Failure> {
    let url = request.url.clone();
    let who = Identification { name: &None, password: &None, at_once: false, use_netrc };
    match stage(system, request, who, answers)? {
        Stage::Ask(request) => Ok(Err(Box::new(ask(*request)))),
        Stage::Answer(answer) if answer.ok() => Ok(Ok(answer.body)),
        Stage::Answer(answer) => Err(refusal(&url, &answer)),
    }
}

/// What an answer is worth that is no success.
pub fn refusal(url: &str, answer: &Answer) -> Failure {
    let url = super::shown(url);
    Failure::new(format!("Request failed: {url} answers with {}", answer.message()))
        .with("status_code", answer.status)
        .with("response", answer.message())
        .with("url", url)
        .argument("url")
}

/// A plain request for a file that lies at an address.
pub fn get(url: &str, validate_certs: bool) -> Request {
    Request {
        url: url.to_owned(),
        method: "GET".into(),
        follow: "urllib2".into(),
        timeout: Some(std::time::Duration::from_secs(30)),
        validate_certs,
        use_proxy: true,
        ..Request::default()
    }
}

/// The action that asks.
pub fn ask(request: Request) -> Action {
    Action::housekeeping(Act::Download(Box::new(request)))
}

/// What a plan takes for the answer where the answer itself does not matter.
pub fn planned_answer() -> Output {
    Output { stdout: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), ..Output::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    fn answered(status: u16) -> Output {
        Output { stdout: format!("HTTP/1.1 {status} X\r\n\r\n").into_bytes(), ..Output::default() }
    }

    #[test]
    fn the_login_is_sent_when_it_is_asked_for() {
        let (name, password) = (Some("me".to_owned()), Some("p".to_owned()));
        let who = Identification { name: &name, password: &password, at_once: false, use_netrc: false };
        let fake = Fake::new();
        let stage = |done: &[Output]| stage(&fake, get("http://h/x", true), who, &mut downloads(done)).unwrap();
        assert!(matches!(stage(&[]), Stage::Ask(request) if request.headers.is_empty()));
        assert!(matches!(stage(&[answered(401)]), Stage::Ask(request) if request.headers.len() == 1));
        assert!(matches!(stage(&[answered(401), answered(200)]), Stage::Answer(answer) if answer.ok()));
        assert!(matches!(stage(&[answered(404)]), Stage::Answer(answer) if answer.status == 404));
    }
}
