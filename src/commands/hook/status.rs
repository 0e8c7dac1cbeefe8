//! `mcp-reap hook status`: will the start or end of a session call this program?

use std::env;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::output::{answer, shown};
use super::super::session::settled_program;
use super::install::file;
use crate::cli::{Global, HookScope, HookTarget};
use crate::exit::Exit;
use crate::hook::install;
use crate::hook::plugin::{self, PluginStatus};
use crate::hook::settings::{HookClient, HookCommand, HookPresence, HookStatus};
use crate::hook::trust::{self, CodexTrust, Trust};
use crate::render::clean::clean;

/// Everything that decides whether a client calls the hook.
pub(crate) struct Hooks {
    client: HookClient,
    file: PathBuf,
    status: HookStatus,
    /// Claude Code only.
    plugin: Option<PluginStatus>,
    /// Codex only.
    trust: Option<CodexTrust>,
}

impl Hooks {
    /// Reads a client's files. `project` is the folder of a project, if its settings are meant.
    pub(crate) fn look(
        file: PathBuf,
        command: &HookCommand,
        project: Option<&Path>,
    ) -> anyhow::Result<Hooks> {
        let status = install::status(&file, command)?;
        let client = command.client();
        let own = || install::SettingsScope::User.file(client, |name| env::var_os(name));
        let (mut plugin, mut trust) = (None, None);
        match client {
            HookClient::ClaudeCode => {
                plugin = plugin::status(own()?.parent().unwrap_or(Path::new("/")), project)?;
            }
            // The answer of a person is in their own configuration, also for a project's hook.
            HookClient::Codex => {
                trust = Some(trust::of_codex(&file, &own()?.with_file_name("config.toml"))?);
            }
            HookClient::GeminiCli | HookClient::Cursor => {}
        }
        Ok(Hooks { client, file, status, plugin, trust })
    }

    pub(crate) fn is_off(&self) -> bool {
        self.status.hooks_disabled || self.trust.as_ref().is_some_and(|trust| trust.hooks_off)
    }

    /// Is there an entry of ours, whatever program it runs?
    pub(crate) fn has_entries(&self) -> bool {
        self.status.events.iter().any(|(_, at)| *at != HookPresence::Absent)
    }

    /// The other program that an entry runs, if one does.
    pub(crate) fn other_program(&self) -> Option<&str> {
        self.status.events.iter().find_map(|(_, at)| match at {
            HookPresence::OtherBinary(program) => Some(program.as_str()),
            _ => None,
        })
    }

    /// The plugin, if its hooks run.
    pub(crate) fn running_plugin(&self) -> Option<&PluginStatus> {
        self.plugin.as_ref().filter(|plugin| plugin.runs())
    }

    /// Is there an entry that Codex ignores?
    pub(crate) fn is_untrusted(&self) -> bool {
        self.trust
            .as_ref()
            .is_some_and(|trust| trust.events.iter().any(|(_, trust)| *trust != Trust::Recorded))
    }

    /// Do the hooks run this program, by the entries or by the plugin?
    pub(crate) fn is_fine(&self) -> bool {
        let installed = self.status.events.iter().all(|(_, at)| *at == HookPresence::Installed);
        !self.is_off() && (installed && !self.is_untrusted() || self.running_plugin().is_some())
    }

    fn trust_of(&self, event: &str) -> Option<Trust> {
        let found = self.trust.as_ref()?.events.iter().find(|(name, _)| *name == event);
        found.map(|(_, trust)| *trust)
    }

    fn json(&self) -> Value {
        let event = |(event, at): &(&'static str, HookPresence)| {
            let mut value = match at {
                HookPresence::Installed => json!({"installed": true}),
                HookPresence::Absent => json!({"installed": false}),
                HookPresence::OtherBinary(program) => json!({"installed": false, "runs": program}),
            };
            if let Some(trust) = self.trust_of(event) {
                value["trust"] = json!(trust);
            }
            ((*event).to_owned(), value)
        };
        let events: serde_json::Map<_, _> = self.status.events.iter().map(event).collect();
        json!({
            "schema": 1, "client": self.client.id(), "file": self.file, "events": events,
            "hooks_disabled": self.is_off(), "plugin": self.plugin, "fine": self.is_fine(),
        })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}:", shown(&self.file))];
        lines.extend(self.status.events.iter().map(|(event, at)| match (at, self.trust_of(event)) {
            (HookPresence::Absent, _) => format!("  {event}: not installed"),
            (HookPresence::OtherBinary(program), _) => {
                format!("  {event}: runs {}, which is not this program", clean(program))
            }
            (HookPresence::Installed, None) => format!("  {event}: installed"),
            (HookPresence::Installed, Some(Trust::Recorded)) => {
                format!("  {event}: installed, and Codex was told to trust it")
            }
            (HookPresence::Installed, Some(Trust::NotAsked)) => {
                format!("  {event}: installed, but Codex passes over it: type /hooks in codex and trust it")
            }
            (HookPresence::Installed, Some(Trust::Off)) => {
                format!("  {event}: installed, but switched off in Codex: /hooks switches it on")
            }
        }));
        lines.extend(self.plugin.as_ref().map(|plugin| format!("  {}", plugin_line(plugin))));
        if self.has_entries() && self.running_plugin().is_some() {
            lines.push("  one of both is enough: `mcp-reap hook uninstall` takes the entries out".to_owned());
        }
        if self.is_off() {
            let switch = match self.client {
                HookClient::Codex => "Codex's config.toml has hooks = false under [features]",
                HookClient::GeminiCli => "hooksConfig has enabled = false, or mcp-reap among those disabled",
                HookClient::ClaudeCode | HookClient::Cursor => "disableAllHooks is true",
            };
            lines.push(format!("  {switch}: no hook runs"));
        }
        lines
    }
}

fn plugin_line(plugin: &PluginStatus) -> String {
    let id = clean(&plugin.id);
    let by = plugin.file.as_ref().map(|file| format!(" by {}", shown(file))).unwrap_or_default();
    match (plugin.enabled, plugin.installed) {
        (true, true) => format!("plugin {id}: enabled{by}, its hooks run"),
        (true, false) => {
            format!("plugin {id}: enabled{by}, but not installed: `claude plugin install {id}` fetches it")
        }
        (false, true) => format!("plugin {id}: installed, not enabled: `claude plugin enable {id}`"),
        (false, false) => format!("plugin {id}: disabled{by}"),
    }
}

/// Prints the state of the hooks. It is fine if all events have an entry that runs this program and is not switched
/// off.
pub(super) fn status(global: &Global, target: HookTarget) -> anyhow::Result<Exit> {
    let file = file(target)?;
    let project = match target.scope {
        HookScope::User => None,
        HookScope::Project => Some(env::current_dir()?),
    };
    let command = HookCommand::new(target.client, &settled_program()?.path)?;
    let hooks = Hooks::look(file, &command, project.as_deref())?;
    let fine = hooks.is_fine();
    if global.json {
        answer(&format!("{:#}", hooks.json()))?;
    } else if !(global.quiet && fine) {
        answer(&hooks.lines().join("\n"))?;
    }
    Ok(Exit::fine_if(fine))
}
