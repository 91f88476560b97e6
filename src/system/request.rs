//! What a machine is asked to fetch.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A request over HTTP, HTTPS, FTP or `file:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The method, `GET` by default.
    pub method: String,
    /// Headers to send.
    pub headers: Vec<(String, String)>,
    /// Names of headers that are not sent on where the answer is a redirection.
    pub first_only: Vec<String>,
    /// A body to send.
    pub body: Vec<u8>,
    /// Follow redirections: `all`, `safe`, `none`, `urllib2` as Ansible's `uri` says.
    pub follow: String,
    /// Give up after this long.
    pub timeout: Option<Duration>,
    /// Check certificates.
    pub validate_certs: bool,
    /// A file with certificates of authorities to trust, besides the system's.
    pub ca_path: Option<PathBuf>,
    /// Client certificate and key files.
    pub client_cert: Option<(PathBuf, Option<PathBuf>)>,
    /// Talk over this Unix socket.
    pub unix_socket: Option<PathBuf>,
    /// Honour `http_proxy` and its kin.
    pub use_proxy: bool,
    /// Where the body of the answer goes; `None`: into the output. The output's `stdout` is the head of the answer
    /// (status line and headers, then an empty line) followed by the body if it was not written to a file; `stderr` is
    /// the address that answered in the end. Only the body of a success is written to the file (mode 0600, truncated).
    /// No answer at all is an error.
    pub to: Option<PathBuf>,
}
