//! What came back from an address: the head of an answer, read from a download's output.

use crate::system::Output;

/// An answer over HTTP.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: i64,
    /// Its words, `Not Found`.
    pub reason: String,
    /// Headers in order, names in lower case; those of one name are joined.
    pub headers: Vec<(String, String)>,
    /// Cookies that were set.
    pub cookies: Vec<(String, String)>,
    /// The body, unless it went into a file.
    pub body: Vec<u8>,
    /// The address that answered in the end.
    pub url: String,
    /// Whole seconds until the answer was there.
    pub seconds: i64,
}

impl Answer {
    /// Reads what an `Act::Download` left; `None` if nothing answered, or if the output is not of a download.
    pub fn read(output: &Output) -> Option<Answer> {
        let end = output.stdout.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.strip_prefix("HTTP/")?.splitn(3, ' ');
        let status = words.nth(1)?.parse().ok()?;
        let reason = words.next().unwrap_or_default().to_owned();
        let mut answer = Answer {
            status,
            reason,
            body: output.stdout[end + 4..].to_vec(),
            url: output.errors(),
            seconds: i64::try_from(output.elapsed / 1_000_000_000).unwrap_or(i64::MAX),
            ..Answer::default()
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            answer.add(name.trim().to_lowercase(), value.trim());
        }
        Some(answer)
    }

    fn add(&mut self, name: String, value: &str) {
        if name == "set-cookie"
            && let Some((key, value)) = value.split(';').next().and_then(|pair| pair.split_once('='))
        {
            self.cookies.retain(|(other, _)| other != key.trim());
            self.cookies.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        match self.headers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            None => self.headers.push((name, value.to_owned())),
        }
    }

    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is no refusal and no redirection.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `OK (12 bytes)`, or what was refused.
    pub fn message(&self) -> String {
        match self.ok() {
            true => format!("OK ({} bytes)", self.header("content-length").unwrap_or("unknown")),
            false => format!("HTTP Error {}: {}", self.status, self.reason),
        }
    }

    /// The name that the server gives to the file: in `Content-Disposition`, else the end of the address.
    pub fn file_name(&self) -> Option<String> {
        let given = self.header("content-disposition").and_then(disposition_name);
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        given.or_else(|| Some(path.rsplit('/').next()?.to_owned())).filter(|name| !name.is_empty())
    }
}

/// The last part of `filename` in a `Content-Disposition`: never a path.
fn disposition_name(value: &str) -> Option<String> {
    let parameter = value.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    let name = parameter.trim_matches('"').rsplit(['/', '\\']).next()?;
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str, url: &str) -> Answer {
        let output =
            Output { stdout: head.replace('\n', "\r\n").into_bytes(), stderr: url.into(), ..Output::default() };
        Answer::read(&output).unwrap()
    }

    #[test]
    fn heads() {
        let head = "HTTP/1.1 200 OK\nContent-Length: 2\nX-A: 1\nx-a: 2\nSet-Cookie: s=1; Path=/\n\nhi";
        let answer = read(head, "http://h/a/b.tgz?x=1");
        assert_eq!((answer.status, answer.body.as_slice(), answer.header("x-a")), (200, &b"hi"[..], Some("1, 2")));
        assert_eq!((answer.message().as_str(), answer.file_name().as_deref()), ("OK (2 bytes)", Some("b.tgz")));
        assert_eq!(answer.cookies, [("s".to_owned(), "1".to_owned())]);
        let refusal = read("HTTP/1.1 404 Not Found\n\nno", "http://h/");
        assert_eq!((refusal.message().as_str(), refusal.file_name()), ("HTTP Error 404: Not Found", None));
        assert_eq!(Answer::read(&Output::default()), None);
    }

    #[test]
    fn a_server_names_files_but_not_folders() {
        let name = |header: &str| {
            read(&format!("HTTP/1.1 200 OK\nContent-Disposition: {header}\n\n"), "http://h/x").file_name().unwrap()
        };
        assert_eq!(name("attachment; filename=\"../../etc/passwd\""), "passwd");
        assert_eq!(name("attachment; filename=.."), "x");
    }
}
