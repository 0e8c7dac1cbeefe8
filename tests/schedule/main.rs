//! The schedule: what is written, that real parsers read it as it was meant, and that what an
//! install, a status and an uninstall report is what they do, against simulated managers.

#![allow(clippy::unwrap_used)]

mod home;
mod install;
mod launchctl;
#[path = "../limit/mod.rs"]
mod limit;
mod packaged;
mod real;
mod rendered;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../stable_path/mod.rs"]
mod stable_path;
mod status;
mod systemctl;
mod verify;
