//! What most commands need: policy, catalog and how to print.

use std::cell::OnceCell;
use std::path::PathBuf;

use anyhow::bail;

use crate::catalog::Catalog;
use crate::cli::Global;
use crate::config::{self, Overrides};
use crate::os::home;
use crate::os::machine::Machine;
use crate::policy::{Policy, Retention};
use crate::render::style::Screen;

/// The configuration in force, the catalog and the options of the command line.
pub(super) struct Session {
    pub(super) policy: Policy,
    pub(super) catalog: Catalog,
    /// The catalog with the entries of the person's client configurations, once they were read.
    pub(super) with_configurations: OnceCell<Catalog>,
    pub(super) retention: Retention,
    /// The patterns of --allow.
    pub(super) allow: Vec<String>,
    pub(super) snapshot: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) screen: Screen,
}

impl Session {
    pub(super) fn new(global: &Global) -> anyhow::Result<Session> {
        let mut loaded = config::load(global.config.as_deref())?;
        overrides(global).apply(&mut loaded.policy)?;
        if loaded.policy.all_users && global.snapshot.is_none() && !home::is_root() {
            bail!("--all-users needs root: without it other users' processes can be neither read nor ended");
        }
        let catalog = Catalog::builtin().with_rules(&loaded.policy.servers);
        Ok(Session {
            policy: loaded.policy,
            catalog,
            with_configurations: OnceCell::new(),
            retention: loaded.retention,
            allow: global.allow.clone(),
            snapshot: global.snapshot.clone(),
            json: global.json,
            quiet: global.quiet,
            screen: Screen::of_stdout(global.color),
        })
    }

    /// Bytes of memory of this machine; `None` where a recorded table is judged, which may be of another.
    pub(super) fn memory(&self) -> Option<u64> {
        self.snapshot.is_none().then(Machine::here)?.memory
    }
}

/// The settings that flags override.
pub(super) fn overrides(global: &Global) -> Overrides {
    Overrides {
        grace: global.grace,
        settle: global.settle,
        min_age: global.min_age,
        max_count: global.max_count,
        max_age: global.max_age,
        max_rss: global.max_rss,
        allow: global.allow.clone(),
        detached: global.detached,
        all_users: global.all_users,
    }
}
