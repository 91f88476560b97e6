//! What can be seen from outside: the answers of the three services, and the ports that nobody may reach.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::hazards::Findings;
use super::site::{API_DB, BACKEND, FRONTEND, Site};

/// A client that neither goes through a proxy nor follows to other pages.
fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
    config.timeout_global(Some(Duration::from_secs(30))).build().into()
}

fn url(site: &Site, machine: &str, path: &str) -> String {
    let port = if machine == API_DB { 8021 } else { 8000 };
    format!("http://{}:{port}{path}", site.address(machine))
}

fn get(site: &Site, machine: &str, path: &str, header: (&str, &str)) -> (u16, String) {
    let request = client().get(url(site, machine, path)).header(header.0, header.1);
    let mut answer = request.call().unwrap_or_else(|error| panic!("{path} of {machine}: {error}"));
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn post(site: &Site, path: &str, body: &Json) -> (u16, Json) {
    let request = client().post(url(site, API_DB, path)).header("Content-Type", "application/json");
    let mut answer = request.send(body.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

fn secret(site: &Site, name: &str) -> String {
    std::fs::read_to_string(site.path("inventory.secrets").join(name)).unwrap().trim().to_owned()
}

/// How many rows the API answers with.
fn count(site: &Site, path: &str, token: &str) -> Option<usize> {
    let (_, text) = get(site, API_DB, path, ("x-access-token", token));
    Some(serde_json::from_str::<Json>(&text).ok()?.as_array()?.len())
}

/// As many rows as repositories and inventory ask for, and pages that show the workshops on offer.
pub fn offer(site: &Site, students: usize, findings: &mut Findings) {
    let login = json!({"username": "moderator", "password": secret(site, "api-moderator-password")});
    let (_, user) = post(site, "/api/login", &login);
    let token = user["accessToken"].as_str().unwrap_or_default();
    for (path, wanted) in [
        ("/api/workshops?active=true", 3),
        ("/api/workshops", 4),
        ("/api/special-badges", 2),
        ("/api/locations", 1),
        ("/api/students", students),
        ("/api/users", 2),
    ] {
        let found = count(site, path, token);
        findings.hold(16, found == Some(wanted), || format!("{path}: {found:?} rows, expected {wanted}"));
    }
    let (_, page) = get(site, FRONTEND, "/workshops", ("Accept", "text/html"));
    let shown = ["Ports101", "Tabs101", "Own101"].iter().all(|name| page.contains(name)) && !page.contains("Later101");
    findings.hold(16, shown, || format!("the site shows {page}"));
    let (_, page) = get(site, FRONTEND, "/", ("Accept", "text/html"));
    findings.hold(16, page.contains("Our own brand"), || format!("the variables of wod-private take no part: {page}"));
}

/// Constants that anybody can read in the repositories open nothing; database and adminer cannot be reached.
pub fn closed(site: &Site, findings: &mut Findings) {
    let make = "cd /home/wodadmin/wod-api-db && node -p 'require(\"./modules/token\").make({id: 2})'";
    let (status, _) = get(site, API_DB, "/api/users", ("x-access-token", site.root(API_DB, make).trim()));
    findings.hold(15, status == 401, || format!("a token with the repository's secret: {status}"));
    let hub =
        |token: &str| get(site, BACKEND, "/hub/api/users/student1", ("Authorization", &format!("token {token}"))).0;
    let (theirs, ours) = (hub("public-token-of-the-hub"), hub(&secret(site, "hub-token")));
    findings
        .hold(15, theirs == 403 && ours == 200, || format!("the hub: {theirs} for the public token, {ours} for ours"));
    let vault = site.root(BACKEND, "cat /home/wodadmin/wod-private/ansible/vault_secret");
    findings.hold(15, !vault.contains("public"), || "the vault has the public password".to_owned());
    for port in [5432, 8083] {
        let address = SocketAddr::from((site.address(API_DB), port));
        let open = TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        findings.hold(15, !open, || format!("port {port} is open"));
    }
    let listening = site.root(API_DB, "ss -Hltn | grep -E ':(5432|8083) ' | grep -vE '127.0.0.1|\\[::1\\]'; true");
    findings.hold(15, listening.is_empty(), || format!("not only on the loopback interface: {listening}"));
}

/// A booking ends with the workshop in the student's home, and with what the workshop's own script writes there.
pub fn booking(site: &Site, location: &str, workshop: &str, written: &str, findings: &mut Findings) {
    let booking = json!({"name": "Somebody", "email": "somebody@example.org", "company": "none", "title": workshop,
        "notebook": workshop, "sessionType": "Workshops-on-Demand", "proxy": "wod", "location": location});
    let (status, customer) = post(site, "/api/customer", &booking);
    findings.hold(16, status == 200, || format!("a booking: {status} {customer}"));
    let student = customer["studentId"].as_u64().unwrap_or_default();
    let script = format!("cd /student/student{student}; cat {workshop}/wod.yml welcome 2>/dev/null; true");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if site.root(BACKEND, &script).ends_with(written) {
            return;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    let why = site
        .root(BACKEND, "tail -n 5 /home/wodadmin/.mail/from; journalctl -u 'postfix*' -o cat --no-pager | tail -n 5");
    findings.hold(16, false, || format!("the folder of student {student} was not filled: {why}"));
}

/// A student's session at the hub: the cookie that tells it.
pub fn log_in(site: &Site) -> String {
    let request = client().post(url(site, BACKEND, "/hub/login"));
    let answer = request.send_form([("username", "student1"), ("password", "a password")]).expect("the hub answers");
    let cookies = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    cookies.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

pub fn session(site: &Site, cookie: &str, findings: &mut Findings) {
    let (status, _) = get(site, BACKEND, "/hub/home", ("Cookie", cookie));
    findings.hold(5, status == 200, || format!("the student's session at the hub: {status}"));
}
