//! The schedule: what is written, that real parsers read it as it was meant, and that what an
//! install, a status and an uninstall do is what they say, against managers of paper.

#![allow(clippy::unwrap_used)]

mod home;
mod install;
#[path = "../lasting/mod.rs"]
mod lasting;
mod launchctl;
mod packaged;
mod real;
mod rendered;
mod status;
mod systemctl;
mod verify;
