//! `mcp-reap config`: make, find, show and check the configuration file.

use anyhow::Context as _;

use super::{answer, say};
use crate::catalog::Catalog;
use crate::cli::{ConfigAction, Global};
use crate::config::{self, Surroundings};
use crate::exit::Exit;

pub(super) fn run(action: &ConfigAction, global: &Global) -> anyhow::Result<Exit> {
    let path = Surroundings::current().config_path(global.config.as_deref())?;
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
            let loaded = config::load(global.config.as_deref())?;
            answer(&show(&loaded))?;
        }
        ConfigAction::Check => {
            let loaded = config::load(global.config.as_deref())?;
            match &loaded.origin {
                Some(file) => say(&format!("{} is fine", file.display())),
                None => say(&format!("there is no {}; the defaults are in force", path.display())),
            }
        }
    }
    Ok(Exit::Fine)
}

/// What is in force, as the file would say it.
fn show(loaded: &config::Loaded) -> String {
    use crate::units::{show_duration, show_size};
    let policy = &loaded.policy;
    let origin =
        loaded.origin.as_ref().map_or("built-in defaults".to_owned(), |file| file.display().to_string());
    let or_off = |value: Option<String>| value.unwrap_or_else(|| "off".to_owned());
    let mut lines = vec![
        format!("# from {origin}, then flags"),
        format!("grace = {}", show_duration(policy.grace)),
        format!("min_age = {}", show_duration(policy.min_age)),
        format!("confirm_after = {}", show_duration(policy.confirm_after)),
        format!("detached = {}", policy.detached),
        format!("clients = {}", policy.clients),
        format!("max_count = {}", or_off(policy.limits.max_count.map(|n| n.to_string()))),
        format!("max_age = {}", or_off(policy.limits.max_age.map(show_duration))),
        format!("max_rss = {}", or_off(policy.limits.max_rss.map(show_size))),
        format!("keep_days = {}", loaded.audit.keep_days),
        format!("max_size = {}", show_size(loaded.audit.max_size)),
    ];
    lines.extend(policy.allow.iter().map(|rule| format!("allow ({})", rule.origin)));
    lines.extend(policy.servers.iter().map(|rule| format!("server {}", rule.name)));
    lines.join("\n")
}
