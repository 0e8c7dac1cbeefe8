//! `mcp-reap config`: make, find, show and check the configuration file.

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use super::output::{answer, notice};
use super::session::overrides;
use crate::catalog::Catalog;
use crate::cli::{ConfigAction, Global};
use crate::config::{self, Loaded, Surroundings};
use crate::exit::Exit;
use crate::os::draft::{Access, Draft};
use crate::policy::{CountPer, Limits, Policy};
use crate::render::clean::clean;
use crate::render::settings::{self, Setting, exact_duration, exact_size};
use crate::render::style::Screen;

pub(super) fn run(action: &ConfigAction, global: &Global) -> anyhow::Result<Exit> {
    let around = Surroundings::current();
    let path = around.config_path(global.config.as_deref())?;
    let shown = clean(&path.display().to_string());
    match action {
        ConfigAction::Path if global.json => answer(&about(&path, &json!({})))?,
        ConfigAction::Path => answer(&path.display().to_string())?,
        ConfigAction::Edit => edit(&path, global)?,
        ConfigAction::Init => {
            if !init(&path)? {
                anyhow::bail!(
                    "{shown} is there already and was left as it is; `mcp-reap config edit` opens it"
                )
            }
            if global.json {
                answer(&about(&path, &json!({"written": true})))?;
            } else if !global.quiet {
                notice(&format!("wrote {shown}"));
            }
        }
        ConfigAction::Show { catalog: true } => answer(Catalog::source())?,
        ConfigAction::Show { catalog: false } => {
            let loaded = config::load(global.config.as_deref())?;
            show(loaded, &around, global)?;
        }
        ConfigAction::Check => {
            let loaded = config::load(global.config.as_deref())?;
            match &loaded.origin {
                found if global.json => {
                    answer(&about(&path, &json!({"found": found.is_some(), "fine": true})))?;
                }
                _ if global.quiet => {}
                Some(_) => notice(&format!("{shown} is fine")),
                None => notice(&format!("there is no {shown}; the defaults are in force")),
            }
        }
    }
    Ok(Exit::Fine)
}

/// Writes a commented file; returns whether there was none before.
fn init(path: &Path) -> anyhow::Result<bool> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    }
    let written = Draft::beside(path, config::init_text().as_bytes(), Access::Usual)
        .and_then(|draft| draft.create(path));
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        written => {
            let shown = clean(&path.display().to_string());
            written.map(|()| true).with_context(|| format!("failed to write {shown}"))
        }
    }
}

/// Opens the file in the person's editor, and reads it afterwards as a run would.
fn edit(path: &Path, global: &Global) -> anyhow::Result<()> {
    if init(path)? && !global.quiet {
        notice(&format!("wrote {}", clean(&path.display().to_string())));
    }
    let named = |name| std::env::var(name).ok().filter(|editor: &String| !editor.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // A shell reads the words of it, as git and crontab(1) do: `code --wait`, `emacs -nw`.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(path);
    let ended = command.status().with_context(|| format!("failed to start the editor ({editor})"))?;
    if !ended.success() {
        anyhow::bail!("the editor ({editor}) ended with {ended}; set $EDITOR to the one you want");
    }
    config::load(global.config.as_deref())?;
    if global.json {
        answer(&about(path, &json!({"fine": true})))?;
    } else if !global.quiet {
        notice(&format!("{} is fine", clean(&path.display().to_string())));
    }
    Ok(())
}

/// The file and more about it, as one JSON object.
fn about(path: &Path, more: &serde_json::Value) -> String {
    let mut object = json!({"schema": 1, "file": path.display().to_string()});
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    object.to_string()
}

/// What is in force after file and flags.
fn show(mut loaded: Loaded, around: &Surroundings, global: &Global) -> anyhow::Result<()> {
    overrides(global).apply(&mut loaded.policy)?;
    let settings = all(&loaded, global);
    if global.json {
        let file = loaded.origin.as_ref().map(|file| file.display().to_string());
        return answer(&serde_json::json!({"schema": 1, "file": file, "settings": settings}).to_string());
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

/// Every value with where it comes from: flag, line of the file, or default.
fn all(loaded: &Loaded, global: &Global) -> Vec<Setting> {
    let policy = &loaded.policy;
    let name =
        loaded.origin.as_ref().and_then(|file| file.file_name()).map(|name| name.display().to_string());
    let origin = |key: &str, flag: Option<&str>| match (flag, loaded.lines.get(key), &name) {
        (Some(flag), ..) => flag.to_owned(),
        (None, Some(line), Some(file)) => format!("{file}:{line}"),
        _ => "default".to_owned(),
    };
    let plain = values(loaded, global).into_iter();
    let plain =
        plain.map(|(key, value, flag)| Setting { key: key.to_owned(), value, origin: origin(key, flag) });
    let entry = |key: &str, value, origin: &String| Setting {
        key: key.to_owned(),
        value: Some(value),
        origin: origin.clone(),
    };
    let allow = policy.allow.iter().map(|rule| entry("allow", allow(rule), &rule.origin));
    let servers = policy.servers.iter().map(|rule| {
        let program = rule.program.as_ref().map(|program| format!(", program = \"{program}\""));
        let own = if rule.limits == Limits::default() { "" } else { ", limits of its own" };
        let value = format!("name = \"{}\"{}{own}", rule.name, program.unwrap_or_default());
        entry("server", value, &rule.origin)
    });
    let expect = policy.expect.iter().map(|expected| {
        let max = expected.max.map(|max| format!(", max = {max}")).unwrap_or_default();
        let value = format!("name = \"{}\", min = {}{max}", expected.name, expected.min);
        entry("expect", value, &expected.origin)
    });
    plain.chain(allow).chain(servers).chain(expect).collect()
}

/// The values that are no lists, each with the flag that sets it in this run.
fn values(loaded: &Loaded, global: &Global) -> [(&'static str, Option<String>, Option<&'static str>); 13] {
    let Policy { limits, grace, min_age, confirm_after, settle, detached, clients, .. } = &loaded.policy;
    let given = |given: bool, flag: &'static str| given.then_some(flag);
    let quoted = |text: String| Some(format!("\"{text}\""));
    let duration = |value: Option<std::time::Duration>| value.map(exact_duration).and_then(quoted);
    let per = match limits.count_per.unwrap_or_default() {
        CountPer::Client => "client",
        CountPer::User => "user",
    };
    let max_count = limits.max_count.map(|n| n.to_string());
    let max_rss = limits.max_rss.map(exact_size).and_then(quoted);
    [
        ("reap.grace", duration(Some(*grace)), given(global.grace.is_some(), "--grace")),
        ("reap.min_age", duration(Some(*min_age)), given(global.min_age.is_some(), "--min-age")),
        ("reap.confirm_after", duration(Some(*confirm_after)), None),
        ("reap.settle", duration(Some(*settle)), given(global.settle.is_some(), "--settle")),
        ("reap.detached", Some(detached.to_string()), given(global.detached, "--detached")),
        ("reap.clients", Some(clients.to_string()), None),
        ("limits.max_count", max_count, given(global.max_count.is_some(), "--max-count")),
        ("limits.count_per", quoted(per.to_owned()), None),
        ("limits.max_age", duration(limits.max_age), given(global.max_age.is_some(), "--max-age")),
        ("limits.max_rss", max_rss, given(global.max_rss.is_some(), "--max-rss")),
        ("exec.linger", duration(Some(loaded.policy.linger)), None),
        ("audit.keep_days", Some(loaded.retention.keep_days.to_string()), None),
        ("audit.max_size", quoted(exact_size(loaded.retention.max_size)), None),
    ]
}

/// The fields of an allow rule that are given.
pub(super) fn allow(rule: &crate::policy::AllowRule) -> String {
    let text = |key: &str, value: Option<String>| value.map(|value| format!("{key} = \"{value}\""));
    let pattern =
        |key, value: &Option<crate::pattern::Pattern>| text(key, value.as_ref().map(ToString::to_string));
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
