//! `mcp-reap config`: make, find, show and check the configuration file.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::output::{answer, notice, shown};
use crate::catalog::Catalog;
use crate::cli::{ConfigAction, Global};
use crate::config::{self, Loaded, Overrides, Surroundings};
use crate::os::draft::{Access, Draft};
use crate::pattern::Pattern;
use crate::policy::{AllowRule, CountPer, Limits, Policy};
use crate::render::settings::{self, Setting, exact_duration, exact_size};
use crate::render::style::Screen;

pub(super) fn run(action: &ConfigAction, global: &Global) -> anyhow::Result<()> {
    let around = Surroundings::current();
    let path = around.config_path(global.config.as_deref())?;
    match action {
        ConfigAction::Path if global.json => answer(&about(&path, &[])),
        ConfigAction::Path => answer(&path.display().to_string()),
        ConfigAction::Edit => edit(&path, global),
        ConfigAction::Init => {
            let file = shown(&path);
            if !init(&path)? {
                bail!("{file} is there already and was left as it is; `mcp-reap config edit` opens it")
            }
            report(&path, &[("written", true)], &format!("wrote {file}"), global)
        }
        ConfigAction::Show { catalog: true } => answer(Catalog::source()),
        ConfigAction::Show { catalog: false } => {
            show(config::load(global.config.as_deref())?, &around, global)
        }
        ConfigAction::Check => {
            let found = config::load(global.config.as_deref())?.origin.is_some();
            let file = shown(&path);
            let sentence = if found {
                format!("{file} is fine")
            } else {
                format!("there is no {file}; the defaults are in force")
            };
            report(&path, &[("found", found), ("fine", true)], &sentence, global)
        }
    }
}

/// Writes a commented file, unless there is one. Returns whether it was written.
fn init(path: &Path) -> anyhow::Result<bool> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    }
    let written = Draft::beside(path, config::init_text().as_bytes(), Access::Usual)
        .and_then(|draft| draft.create(path));
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        written => written.map(|()| true).with_context(|| format!("failed to write {}", shown(path))),
    }
}

/// Opens the file in the person's editor, and reads it afterwards as a run would.
fn edit(path: &Path, global: &Global) -> anyhow::Result<()> {
    if init(path)? && !global.quiet {
        notice(&format!("wrote {}", shown(path)));
    }
    let named = |name| std::env::var(name).ok().filter(|editor: &String| !editor.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // A shell splits the value into words, as with git and crontab(1): `code --wait`, `emacs -nw`.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(path);
    let ended = command.status().with_context(|| format!("failed to start the editor ({editor})"))?;
    if !ended.success() {
        bail!("the editor ({editor}) ended with {ended}; set $EDITOR to the one you want");
    }
    config::load(global.config.as_deref())?;
    report(path, &[("fine", true)], &format!("{} is fine", shown(path)), global)
}

/// Prints what was done or found, for a program or a person.
fn report(path: &Path, facts: &[(&str, bool)], sentence: &str, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return answer(&about(path, facts));
    }
    if !global.quiet {
        notice(sentence);
    }
    Ok(())
}

/// The file and facts about it, as one JSON object.
fn about(path: &Path, facts: &[(&str, bool)]) -> String {
    let mut object = json!({"schema": 1, "file": path.display().to_string()});
    for (name, fact) in facts {
        object[name] = json!(fact);
    }
    object.to_string()
}

/// Prints the settings in force after file and flags.
fn show(mut loaded: Loaded, around: &Surroundings, global: &Global) -> anyhow::Result<()> {
    global.overrides.apply(&mut loaded.policy)?;
    let settings = all(&loaded, global);
    if global.json {
        let file = loaded.origin.as_ref().map(|file| file.display().to_string());
        return answer(&json!({"schema": 1, "file": file, "settings": settings}).to_string());
    }
    let named_by = match (&global.config, &around.config) {
        (Some(_), _) => " (named by --config)",
        (None, Some(named)) if !named.is_empty() => " (named by $MCP_REAP_CONFIG)",
        _ => "",
    };
    let source = match &loaded.origin {
        Some(file) => format!("{}{named_by}", file.display()),
        None => "no configuration file; the defaults are in force".to_owned(),
    };
    answer(&settings::text(&source, &settings, Screen::of_stdout(global.color)))
}

/// Every value with its origin: a flag, a line of the file, or the default.
fn all(loaded: &Loaded, global: &Global) -> Vec<Setting> {
    let policy = &loaded.policy;
    let file = loaded.origin.as_ref().and_then(|file| file.file_name()).map(|name| name.display());
    let origin = |key: &str, by_flag: bool| match (by_flag, loaded.lines.get(key), &file) {
        (true, ..) => format!("--{}", key.split_once('.').unwrap_or_default().1.replace('_', "-")),
        (false, Some(line), Some(file)) => format!("{file}:{line}"),
        _ => "default".to_owned(),
    };
    let plain = values(loaded, &global.overrides).into_iter().map(|(key, value, by_flag)| Setting {
        key: key.to_owned(),
        value,
        origin: origin(key, by_flag),
    });
    let mut settings: Vec<Setting> = plain.collect();
    let mut entry = |key: &str, value: String, origin: &String| {
        settings.push(Setting { key: key.to_owned(), value: Some(value), origin: origin.clone() });
    };
    for rule in &policy.allow {
        entry("allow", allow(rule), &rule.origin);
    }
    for rule in &policy.servers {
        let program = rule.program.as_ref().map(|program| format!(", program = \"{program}\""));
        let own = if rule.limits == Limits::default() { "" } else { ", limits of its own" };
        let value = format!("name = \"{}\"{}{own}", rule.name, program.unwrap_or_default());
        entry("server", value, &rule.origin);
    }
    for expected in &policy.expect {
        let max = expected.max.map(|max| format!(", max = {max}")).unwrap_or_default();
        let value = format!("name = \"{}\", min = {}{max}", expected.name, expected.min);
        entry("expect", value, &expected.origin);
    }
    settings
}

/// The values that are not lists, each with whether a flag sets it in this run.
fn values(loaded: &Loaded, flags: &Overrides) -> [(&'static str, Option<String>, bool); 13] {
    let Policy { limits, grace, min_age, confirm_after, settle, detached, clients, .. } = &loaded.policy;
    let quoted = |text: String| Some(format!("\"{text}\""));
    let duration = |value: Option<Duration>| value.map(exact_duration).and_then(quoted);
    let per = match limits.count_per.unwrap_or_default() {
        CountPer::Client => "client",
        CountPer::User => "user",
    };
    let max_count = limits.max_count.map(|n| n.to_string());
    let max_rss = limits.max_rss.map(exact_size).and_then(quoted);
    [
        ("reap.grace", duration(Some(*grace)), flags.grace.is_some()),
        ("reap.min_age", duration(Some(*min_age)), flags.min_age.is_some()),
        ("reap.confirm_after", duration(Some(*confirm_after)), false),
        ("reap.settle", duration(Some(*settle)), flags.settle.is_some()),
        ("reap.detached", Some(detached.to_string()), flags.detached),
        ("reap.clients", Some(clients.to_string()), false),
        ("limits.max_count", max_count, flags.max_count.is_some()),
        ("limits.count_per", quoted(per.to_owned()), false),
        ("limits.max_age", duration(limits.max_age), flags.max_age.is_some()),
        ("limits.max_rss", max_rss, flags.max_rss.is_some()),
        ("exec.linger", duration(Some(loaded.policy.linger)), false),
        ("audit.keep_days", Some(loaded.retention.keep_days.to_string()), false),
        ("audit.max_size", quoted(exact_size(loaded.retention.max_size)), false),
    ]
}

/// The fields of an allow rule that are given.
pub(super) fn allow(rule: &AllowRule) -> String {
    let text = |key: &str, value: Option<String>| value.map(|value| format!("{key} = \"{value}\""));
    let pattern = |key, value: &Option<Pattern>| text(key, value.as_ref().map(ToString::to_string));
    let fields = [
        pattern("name", &rule.name),
        pattern("command", &rule.command),
        pattern("exe", &rule.exe),
        rule.port.map(|port| format!("port = {port}")),
        text("pid_file", rule.pid_file.as_ref().map(|(file, _)| file.display().to_string())),
        pattern("unit", &rule.unit),
        pattern("label", &rule.label),
        pattern("cwd", &rule.cwd),
        text("reason", rule.reason.clone()),
    ];
    fields.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
