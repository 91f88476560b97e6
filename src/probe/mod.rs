//! Read-only questions to a machine, one file per tool. A probe first asks what planned steps have settled
//! ([`System::predicted`](crate::system::System::predicted)), then files, and starts a program only if it must.

pub mod addresses;
pub mod apt;
pub mod attributes;
pub mod dpkg;
pub mod expand;
pub mod glob;
pub mod node;
pub mod os;
pub mod passwd;
pub mod paths;
pub mod pgp;
pub mod postgres;
pub mod python;
pub mod rpm;
pub mod stat;
pub mod systemd;
