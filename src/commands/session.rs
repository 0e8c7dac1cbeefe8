//! What most commands need: policy, catalog, output options, and the path of this program.

use std::cell::OnceCell;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::catalog::Catalog;
use crate::cli::Global;
use crate::clients::ConfiguredServer;
use crate::config;
use crate::os::home;
use crate::os::machine::Machine;
use crate::os::stable_path::{Settled, settle};
use crate::policy::{Policy, Retention};
use crate::render::next::TableSource;
use crate::render::style::Screen;

/// The configuration in force, the catalog and the options of the command line.
pub(super) struct Session {
    pub(super) policy: Policy,
    pub(super) catalog: Catalog,
    /// The servers in the clients' configuration files, and the catalog with them. Filled when they are read.
    pub(super) configurations: OnceCell<(Vec<ConfiguredServer>, Catalog)>,
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
        global.overrides.apply(&mut loaded.policy)?;
        if loaded.policy.all_users && global.snapshot.is_none() && !home::is_root() {
            bail!("--all-users needs root: without it other users' processes can be neither read nor ended");
        }
        let catalog = Catalog::builtin().with_rules(&loaded.policy.servers);
        Ok(Session {
            policy: loaded.policy,
            catalog,
            configurations: OnceCell::new(),
            retention: loaded.retention,
            allow: global.overrides.allow.clone(),
            snapshot: global.snapshot.clone(),
            json: global.json,
            quiet: global.quiet,
            screen: Screen::of_stdout(global.color),
        })
    }

    /// The table that is judged, for hints at further commands.
    pub(super) fn source(&self) -> TableSource {
        TableSource::of(self.snapshot.as_deref())
    }

    /// Bytes of memory of this machine; `None` for a recorded table, which may be from another machine.
    pub(super) fn memory(&self) -> Option<u64> {
        self.snapshot.is_none().then(Machine::here)?.memory
    }
}

/// The path of this program.
pub(super) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("failed to find this program")
}

/// This program by a path that outlasts an upgrade.
pub(super) fn settled_program() -> anyhow::Result<Settled> {
    Ok(settle(&own_program()?, &home::search_path(), &home::temporary()))
}
