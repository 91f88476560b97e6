//! Fetches something over HTTP, HTTPS, a Unix socket, or from a file.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use ureq::http::{self, Response, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Body, Proxy};
use url::{Position, Url};

use super::Request;
use super::local::{Local, door};
use super::{Command, Output, System};

/// As many redirections are followed; Python's number.
const MAX_REDIRECTS: usize = 10;
/// An answer that goes into the output and not into a file is never longer.
const MAX_BODY: u64 = 32 << 20;
/// Where distributions keep the certificates that they trust.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// Carries out `request`, see [`Request::to`] for what the output holds.
pub fn download(local: &Local, request: &Request) -> io::Result<Output> {
    let started = Instant::now();
    let output = fetch(local, request)?;
    Ok(Output { elapsed: u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX), ..output })
}

fn fetch(local: &Local, request: &Request) -> io::Result<Output> {
    match request.url.split_once(':') {
        Some(("file", rest)) => from_file(Path::new(rest.strip_prefix("//").unwrap_or(rest)), request),
        Some(("http" | "https", _)) => over_http(local, request),
        Some((scheme, _)) => Err(invalid(format!("addresses that begin with `{scheme}:` are not supported"))),
        None => Err(invalid("the address has no scheme such as https:".to_owned())),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, message)
}

fn from_file(path: &Path, request: &Request) -> io::Result<Output> {
    let mut source = door::read(path)?;
    let length = source.metadata()?.len();
    let mut stdout = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    keep(&mut source, request, true, &mut stdout)?;
    Ok(Output { stdout, stderr: request.url.clone().into_bytes(), ..Output::default() })
}

/// Writes the body where it goes. The body of a refusal goes into the output, never into the file.
fn keep(body: &mut dyn Read, request: &Request, success: bool, stdout: &mut Vec<u8>) -> io::Result<()> {
    match &request.to {
        Some(path) if success => {
            // A name that nobody else knows; what an earlier attempt left there goes.
            let _ = door::place(path).map(|at| rustix::fs::unlinkat(at.dir, at.name, rustix::fs::AtFlags::empty()));
            io::copy(body, &mut door::create(path, 0o600)?).map(drop)
        }
        _ => {
            let before = stdout.len() as u64;
            body.take(MAX_BODY + 1).read_to_end(stdout)?;
            match stdout.len() as u64 - before > MAX_BODY {
                true => Err(io::Error::other("the answer is too long to be kept in memory")),
                false => Ok(()),
            }
        }
    }
}

fn over_http(local: &Local, request: &Request) -> io::Result<Output> {
    let mut method = if request.method.is_empty() { "GET".to_owned() } else { request.method.to_uppercase() };
    let mut url =
        Url::parse(&request.url).map_err(|error| invalid(format!("`{}` is no address: {error}", request.url)))?;
    let mut body = request.body.as_slice();
    let mut headers = request.headers.clone();
    if let Some(login) = take_login(&mut url).filter(|_| !has(&headers, "authorization")) {
        headers.push(("Authorization".to_owned(), login));
    }
    for _ in 0..=MAX_REDIRECTS {
        let uri = url[..Position::AfterQuery]
            .parse::<Uri>()
            .map_err(|error| invalid(format!("`{url}` is no address: {error}")))?;
        let response = send(local, request, &method, &uri, &headers, body)?;
        let Some((next, next_method)) = redirection(request, &method, &url, &response)? else {
            return finish(request, &url, response);
        };
        if next.origin() != url.origin() {
            // The login is for the first scheme, host and port alone.
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        }
        headers.retain(|(name, _)| !request.first_only.iter().any(|other| other.eq_ignore_ascii_case(name)));
        if next_method != method {
            body = &[];
            headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        }
        (url, method) = (next, next_method);
    }
    Err(io::Error::other(format!("more than {MAX_REDIRECTS} redirections")))
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
}

/// Takes `user:password@` out of an address; the header that says the same.
fn take_login(url: &mut Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut login: Vec<u8> = percent_decode_str(url.username()).collect();
    login.push(b':');
    login.extend(percent_decode_str(url.password().unwrap_or_default()));
    // An address with a host, as those of HTTP are, can always do without a login.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(login)))
}

/// Where the answer sends us and with which method, if it does and if we may go there.
fn redirection(
    request: &Request,
    method: &str,
    url: &Url,
    response: &Response<Body>,
) -> io::Result<Option<(Url, String)>> {
    let status = response.status().as_u16();
    let location = response.headers().get("location").and_then(|value| value.to_str().ok());
    let Some(location) = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) else { return Ok(None) };
    let reads = matches!(method, "GET" | "HEAD");
    let follow = match request.follow.as_str() {
        "none" | "no" => false,
        "all" | "yes" => true,
        "safe" => reads,
        // What Python's own library does: it also turns a POST into a GET.
        _ => reads || (method == "POST" && matches!(status, 301..=303)),
    };
    if !follow {
        return Ok(None);
    }
    let to_get = match status {
        303 => method != "HEAD",
        302 => !matches!(method, "HEAD" | "GET"),
        301 => method == "POST",
        _ => false,
    };
    let next = url.join(location);
    let next = next.map_err(|error| invalid(format!("it redirects to `{location}`, which is no address: {error}")))?;
    Ok(Some((next, if to_get { "GET".to_owned() } else { method.to_owned() })))
}

fn send(
    local: &Local,
    request: &Request,
    method: &str,
    uri: &Uri,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<Response<Body>> {
    let agent = agent(local, request, uri)?;
    let mut built = http::Request::builder().method(method).uri(uri.clone());
    if !has(headers, "user-agent") {
        built = built.header("User-Agent", concat!("wodctl/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in headers {
        built = built.header(name.as_str(), value.as_str());
    }
    let bad = |error: http::Error| invalid(format!("the request is malformed: {error}"));
    let sent = match body.is_empty() && !matches!(method, "POST" | "PUT" | "PATCH") {
        true => agent.run(built.body(()).map_err(bad)?),
        false => agent.run(built.body(body).map_err(bad)?),
    };
    sent.map_err(plain_error)
}

fn plain_error(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        ureq::Error::HostNotFound => io::Error::new(ErrorKind::NotFound, "the name of the host is not known"),
        ureq::Error::Timeout(_) => io::Error::new(ErrorKind::TimedOut, "no answer within the timeout"),
        other => io::Error::other(other.to_string()),
    }
}

fn finish(request: &Request, url: &Url, response: Response<Body>) -> io::Result<Output> {
    let status = response.status();
    let mut stdout = format!("{:?} {} ", response.version(), status.as_u16()).into_bytes();
    stdout.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    stdout.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        stdout.extend_from_slice(name.as_str().as_bytes());
        stdout.extend_from_slice(b": ");
        stdout.extend_from_slice(value.as_bytes());
        stdout.extend_from_slice(b"\r\n");
    }
    stdout.extend_from_slice(b"\r\n");
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    keep(&mut body, request, status.is_success(), &mut stdout)?;
    Ok(Output { stdout, stderr: url[..Position::AfterQuery].as_bytes().to_vec(), ..Output::default() })
}

fn agent(local: &Local, request: &Request, uri: &Uri) -> io::Result<Agent> {
    let timeout = request.timeout;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .accept_encoding("identity")
        .proxy(proxy(local, request, uri)?)
        .timeout_resolve(timeout)
        .timeout_connect(timeout)
        .timeout_recv_response(timeout)
        .timeout_per_read(timeout)
        .tls_config(tls(local, request, uri)?)
        .build();
    Ok(match &request.unix_socket {
        Some(path) => {
            let connector = ().chain(UnixConnector(path.clone())).chain(RustlsConnector::default());
            Agent::with_parts(config, connector, Names(None))
        }
        None => Agent::with_parts(config, DefaultConnector::new(), Names(Some(local.clone()))),
    })
}

/// The proxy that the environment names for this address.
fn proxy(local: &Local, request: &Request, uri: &Uri) -> io::Result<Option<Proxy>> {
    if !request.use_proxy || request.unix_socket.is_some() {
        return Ok(None);
    }
    let either = |name: &str| local.env(name).or_else(|| local.env(&name.to_uppercase())).filter(|it| !it.is_empty());
    let scheme = uri.scheme_str().unwrap_or("http");
    let Some(text) = either(&format!("{scheme}_proxy")).or_else(|| either("all_proxy")) else { return Ok(None) };
    if either("no_proxy").is_some_and(|list| is_excepted(&list, uri.host().unwrap_or_default())) {
        return Ok(None);
    }
    Proxy::new(&text).map(Some).map_err(|error| invalid(format!("`{scheme}_proxy` names no proxy: {error}")))
}

/// Whether `no_proxy` names the host: itself, or a domain above it.
fn is_excepted(list: &str, host: &str) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*" || host == domain || host.ends_with(&format!(".{domain}"))
    })
}

fn tls(local: &Local, request: &Request, uri: &Uri) -> io::Result<TlsConfig> {
    let mut config = TlsConfig::builder().disable_verification(!request.validate_certs);
    if uri.scheme_str() == Some("https") {
        if request.validate_certs {
            config = config.root_certs(roots(local, request)?);
        }
        config = config.client_cert(client(request)?);
    }
    Ok(config.build())
}

/// What the system trusts, and the request's own authorities. A machine without a bundle trusts what browsers do.
fn roots(local: &Local, request: &Request) -> io::Result<RootCerts> {
    let named = local.env("SSL_CERT_FILE").map(PathBuf::from);
    let bundle = named.into_iter().chain(BUNDLES.map(PathBuf::from)).find_map(|path| local.read(&path).ok().flatten());
    let mut certificates = bundle.map(|pem| certificates(&pem)).unwrap_or_default();
    if let Some(path) = &request.ca_path {
        let own = read_named(path)?;
        certificates.extend(self::certificates(&own));
    }
    Ok(match certificates.is_empty() {
        true => RootCerts::WebPki,
        false => RootCerts::new_with_certs(&certificates),
    })
}

fn read_named(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = door::read(path).and_then(|mut file| file.read_to_end(&mut bytes));
    let read = read.map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display())));
    read.map(|_| bytes)
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem).filter_map(Result::ok);
    items.filter_map(|item| if let PemItem::Certificate(it) = item { Some(it) } else { None }).collect()
}

fn client(request: &Request) -> io::Result<Option<ClientCert>> {
    let Some((certificate, key)) = &request.client_cert else { return Ok(None) };
    let chain = certificates(&read_named(certificate)?);
    let file = key.as_ref().unwrap_or(certificate);
    let key = PrivateKey::from_pem(&read_named(file)?)
        .map_err(|error| invalid(format!("{} holds no usable key: {error}", file.display())))?;
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

/// Looks names of hosts up with `getent`, so that no name-service plug-in is loaded into this process. Without a
/// machine to ask (a Unix socket) every name is good.
struct Names(Option<Local>);

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Names")
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let found = match (&self.0, host.parse::<IpAddr>()) {
            (None, _) => vec![IpAddr::from([127, 0, 0, 1])],
            (_, Ok(address)) => vec![address],
            (Some(local), Err(_)) => look_up(local, host),
        };
        if found.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        let mut addresses = self.empty();
        for address in found.into_iter().take(16) {
            addresses.push(SocketAddr::new(address, port));
        }
        Ok(addresses)
    }
}

fn look_up(local: &Local, host: &str) -> Vec<IpAddr> {
    if local.which("getent").is_none() {
        let found = (host, 0).to_socket_addrs();
        return found.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default();
    }
    let mut ask = Command::new(["getent", "ahosts", host]);
    ask.timeout = Some(Duration::from_secs(30));
    let text = local.query(&ask).map(|output| output.text()).unwrap_or_default();
    let mut found = Vec::new();
    for address in text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[derive(Debug)]
struct UnixConnector(PathBuf);

impl<In: Transport> Connector<In> for UnixConnector {
    type Out = UnixTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<In>) -> Result<Option<UnixTransport>, ureq::Error> {
        let stream = UnixStream::connect(&self.0)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(UnixTransport { stream, buffers }))
    }
}

#[derive(Debug)]
struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.set_write_timeout(timeout.not_zero().map(|left| *left))?;
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_read_timeout(timeout.not_zero().map(|left| *left))?;
        let amount = match self.stream.read(self.buffers.input_append_buf()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ureq::Error::Timeout(timeout.reason)),
            read => read?,
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Connections are never used twice.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Machine;
    use crate::system::local::Nothing;
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    /// Answers each connection with the next of `answers`; what was asked.
    fn serve(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 4096];
                let mut text = String::new();
                while !text.contains("\r\n\r\n") {
                    let got = stream.read(&mut buffer).unwrap();
                    text.push_str(&String::from_utf8_lossy(&buffer[..got]));
                }
                log.lock().unwrap().push(text);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (address, asked)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn fetch(request: Request) -> io::Result<Output> {
        Local::new(Arc::new(Nothing), Arc::default()).download(&request)
    }

    #[test]
    fn a_body_goes_into_the_output_or_into_a_file() {
        let (url, asked) = serve(vec![answer("200 OK", "X-A: b\r\n", "hello"), answer("404 Not Found", "", "no")]);
        let output = fetch(Request { url: url.clone(), ..Request::default() }).unwrap();
        let text = output.text();
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("x-a: b\r\n") && text.ends_with("\r\n\r\nhello")
        );
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("f");
        let output = fetch(Request { url, to: Some(to.clone()), ..Request::default() }).unwrap();
        assert!(output.text().ends_with("\r\n\r\nno") && !to.exists(), "a refusal is no content");
        assert!(asked.lock().unwrap()[0].starts_with("GET / HTTP/1.1\r\n"));
    }

    #[test]
    fn redirections_drop_the_login_and_the_body() {
        let (other, asked_other) = serve(vec![answer("200 OK", "", "there")]);
        let moved = answer("302 Found", &format!("Location: {other}/b\r\n"), "");
        let (url, asked) = serve(vec![moved]);
        let url = url.replace("http://", "http://me:p%40ss@");
        let request = Request { url, method: "POST".into(), body: b"x=1".to_vec(), ..Request::default() };
        let output = fetch(request).unwrap();
        assert!(output.text().ends_with("there") && output.errors().ends_with("/b"));
        assert!(asked.lock().unwrap()[0].to_lowercase().contains("authorization: basic bwu6cebzcw=="));
        let asked = asked_other.lock().unwrap()[0].to_lowercase();
        assert!(asked.starts_with("get /b ") && !asked.contains("authorization"), "{asked}");
    }

    #[test]
    fn the_login_stays_with_scheme_host_and_port() {
        let origins = |to: &str| {
            let from = Url::parse("http://example.org/a").unwrap();
            from.join(to).unwrap().origin() == from.origin()
        };
        assert!(origins("/b") && origins("c") && origins("//example.org:80/b") && origins("http://EXAMPLE.org/"));
        assert!(!origins("https://example.org/a") && !origins("//example.org:8080/a") && !origins("//example.com/a"));
        let moved = answer("301 Moved", "Location: b?c#d\r\n", "");
        let (url, asked) = serve(vec![moved, answer("200 OK", "", "here")]);
        let url = url.replace("http://", "http://me:secret@") + "/x/a";
        let output = fetch(Request { url, ..Request::default() }).unwrap();
        assert!(output.text().ends_with("here") && output.errors().ends_with("/x/b?c"), "{}", output.errors());
        let asked = asked.lock().unwrap()[1].to_lowercase();
        assert!(asked.starts_with("get /x/b?c ") && asked.contains("authorization: basic "), "{asked}");
    }

    #[test]
    fn none_follows_nothing() {
        let (url, _) = serve(vec![answer("301 Moved", "Location: /x\r\n", "")]);
        let output = fetch(Request { url, follow: "none".into(), ..Request::default() }).unwrap();
        assert!(output.text().starts_with("HTTP/1.1 301"));
    }

    #[test]
    fn files_and_unix_sockets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "text").unwrap();
        let output = fetch(Request { url: format!("file://{}", path.display()), ..Request::default() }).unwrap();
        assert!(output.text().ends_with("\r\n\r\ntext"));
        let socket = dir.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer("200 OK", "", "by socket").as_bytes()).unwrap();
        });
        let request = Request { url: "http://docker/x".into(), unix_socket: Some(socket), ..Request::default() };
        assert!(fetch(request).unwrap().text().ends_with("by socket"));
    }

    #[test]
    fn what_cannot_be_fetched_says_why() {
        let error = |url: &str| fetch(Request { url: url.into(), ..Request::default() }).unwrap_err().to_string();
        assert!(error("gopher://x").contains("`gopher:`"));
        assert!(error("http://no-such-host.invalid/").contains("not known"));
        assert!(error("plain").contains("no scheme"));
    }

    #[test]
    fn exceptions_from_the_proxy() {
        assert!(is_excepted("localhost, .example.org", "a.example.org") && is_excepted("*", "x"));
        assert!(is_excepted("example.org", "example.org") && !is_excepted("example.org", "badexample.org"));
    }
}
