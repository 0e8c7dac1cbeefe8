//! `mcp-reap config`: make, find, show and check the configuration file.

use anyhow::Context as _;

use super::{answer, say};
use crate::catalog::Catalog;
use crate::cli::{ConfigAction, Global};
use crate::config::{self, Config};
use crate::exit::Exit;

pub(super) fn run(action: &ConfigAction, global: &Global) -> anyhow::Result<Exit> {
    let path = config::path(global.config.as_deref())?;
    match action {
        ConfigAction::Path => answer(&path.display().to_string())?,
        ConfigAction::Init => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("failed to create {}", folder.display()))?;
            }
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .with_context(|| format!("failed to create {}", path.display()))?;
            std::io::Write::write_all(&mut file, config::init_text().as_bytes())
                .with_context(|| format!("failed to write {}", path.display()))?;
            say(&format!("wrote {}", path.display()));
        }
        ConfigAction::Show { catalog: true } => answer(Catalog::source())?,
        ConfigAction::Show { catalog: false } => {
            let loaded = Config::load(global.config.as_deref())?;
            answer(&config::show(&loaded))?;
        }
        ConfigAction::Check => {
            let loaded = Config::load(global.config.as_deref())?;
            match &loaded.origin {
                Some(file) => say(&format!("{} is fine", file.display())),
                None => say(&format!("there is no {}; the defaults are in force", path.display())),
            }
        }
    }
    Ok(Exit::Fine)
}
