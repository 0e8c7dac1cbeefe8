//! Allow rules that match nothing: a run reports those of its flags, and with `--verbose` those of the file, as `doctor`
//! does.

use super::Session;
use super::look::JudgedLook;
use super::output;
use crate::classify;
use crate::clients;
use crate::instance::Instance;
use crate::policy::AllowRule;
use crate::render::clean::clean;
use crate::render::doctor::DoctorLine;

fn idle<'s>(session: &'s Session, judged: &JudgedLook<'_>) -> Vec<&'s AllowRule> {
    let instances: Vec<&Instance<'_>> =
        judged.judgement.findings.iter().map(|finding| &finding.instance).collect();
    classify::idle_rules(&instances, &judged.look, &session.policy.allow)
}

/// Reports patterns of `--allow` that match nothing, which is mostly a slip; with `--verbose` also rules of the file.
pub(super) fn notice(session: &Session, judged: &JudgedLook<'_>) {
    let idle = idle(session, judged);
    log_of_the_file(&idle);
    for text in &session.allow {
        // Each pattern makes two rules: one for the name, one for the command.
        let is = |rule: &&&AllowRule| {
            let patterns = [&rule.name, &rule.command].into_iter().flatten();
            rule.origin == "--allow" && patterns.map(ToString::to_string).any(|pattern| pattern == *text)
        };
        if idle.iter().filter(is).count() == 2 {
            output::notice(&format!(
                "--allow {}: no server that runs has such a name or command",
                clean(text)
            ));
        }
    }
}

/// Logs the rules of the file that match nothing, for `--verbose` only: that a server does not run at the moment is nothing
/// unusual.
fn log_of_the_file(idle: &[&AllowRule]) {
    for rule in idle.iter().filter(|rule| rule.origin != "--allow") {
        tracing::debug!("{}", clean(&found(rule)));
    }
}

fn found(rule: &AllowRule) -> String {
    format!("{}: {} matches nothing that runs", rule.origin, super::config::allow(rule))
}

/// Allow rules of the file that match no running process and no configured server, which is mostly a slip.
pub(super) fn of_the_file(session: &Session, judged: &JudgedLook<'_>) -> Vec<DoctorLine> {
    let idle = idle(session, judged);
    if idle.is_empty() {
        return Vec::new();
    }
    let entries: Vec<String> = clients::Places::from_env()
        .map(|places| clients::read(&places).servers.into_iter().map(|server| server.entry).collect())
        .unwrap_or_default();
    let configured = |rule: &&&AllowRule| {
        rule.name.as_ref().is_some_and(|name| entries.iter().any(|entry| name.matches(entry)))
    };
    // A pattern of `--allow` makes two rules, and one of them may match nothing. The run reports patterns.
    let idle = idle.iter().filter(|rule| rule.origin != "--allow" && !configured(rule));
    idle.map(|rule| {
        DoctorLine::note(
            "allow rule",
            found(rule),
            "a slip, or its server is not running: `mcp-reap list` shows the names",
        )
    })
    .collect()
}
