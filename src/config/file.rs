//! Parses the text of the file: sections and keys become a policy.

use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::error::{ConfigError, Source};
use super::locate::Surroundings;
use super::pidfile;
use super::section::{At, Section};
use crate::pattern::Pattern;
use crate::policy::{AllowRule, CountPer, Expectation, Limits, Policy, ServerRule};
use crate::units::{parse_duration, show_duration};

/// Longer than any server needs to end; more would be a slip (`5m` for `5s` is still allowed).
pub(super) const MAX_GRACE: Duration = Duration::from_mins(10);
/// The second look must come while the first still means something.
const MAX_CONFIRM_AFTER: Duration = Duration::from_mins(1);
/// Other runs wait meanwhile, and a timer's service has a minute beyond the graces.
pub(super) const MAX_SETTLE: Duration = Duration::from_secs(30);
/// A client that reads on for longer than a day is not about to close.
const MAX_LINGER: Duration = Duration::from_hours(24);
/// A century.
const MAX_KEEP_DAYS: i64 = 36_500;

/// `[audit]`: how long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Days for which rotated files are kept.
    pub keep_days: u32,
    /// Bytes at which a file is put aside and a new one begun.
    pub max_size: u64,
}

impl Default for AuditSettings {
    fn default() -> AuditSettings {
        AuditSettings { keep_days: 90, max_size: 50_000_000 }
    }
}

/// `[exec]`: how a guardian goes about its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecSettings {
    /// How long a client may read on after it closed the server's input, before the server is judged as if it did not.
    pub linger: Duration,
}

impl Default for ExecSettings {
    fn default() -> ExecSettings {
        ExecSettings { linger: Duration::from_mins(1) }
    }
}

const DURATION: &str = "a duration such as \"90s\" or \"24h\"";
const PATTERN: &str = "a pattern, as a text";

/// Reads the text of a configuration. `file` is its name, for messages about it.
///
/// # Errors
/// On the first mistake, with its place.
pub(super) fn parse(
    file: &Path,
    text: &str,
    around: &Surroundings,
) -> Result<(Policy, ExecSettings, AuditSettings), ConfigError> {
    let source = Source { file, text };
    let document = DeTable::parse(text)
        .map_err(|error| source.mistake(error.span().unwrap_or(0..0), String::new(), error.message(), ""))?;
    let mut top = Section::new(source, "", document.get_ref(), 0..0);
    let mut policy = Policy::default();
    let mut exec = ExecSettings::default();
    let mut audit = AuditSettings::default();

    if let Some(section) = top.section("reap")? {
        reap(section, &mut policy)?;
    }
    if let Some(section) = top.section("limits")? {
        policy.limits = limits(section)?;
    }
    for section in top.sections("allow")? {
        policy.allow.push(allow(section, file, around)?);
    }
    for section in top.sections("server")? {
        policy.servers.push(server(section, file)?);
    }
    for section in top.sections("expect")? {
        policy.expect.push(expect(section, file)?);
    }
    if let Some(section) = top.section("exec")? {
        exec = exec_settings(section)?;
    }
    if let Some(section) = top.section("audit")? {
        audit = audit_settings(section)?;
    }
    top.finish()?;
    Ok((policy, exec, audit))
}

fn at_most(most: Duration) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| match parse_duration(text) {
        Ok(duration) if duration > most => Err(format!("at most {} is taken", show_duration(most))),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

fn reap(mut section: Section<'_>, policy: &mut Policy) -> Result<(), ConfigError> {
    let value = |at: Option<At<Duration>>, default| at.map_or(default, |at| at.value);
    policy.grace = value(section.parsed("grace", DURATION, at_most(MAX_GRACE))?, policy.grace);
    policy.min_age = value(section.parsed("min_age", DURATION, parse_duration)?, policy.min_age);
    let confirm_after = section.parsed("confirm_after", DURATION, at_most(MAX_CONFIRM_AFTER))?;
    policy.confirm_after = value(confirm_after, policy.confirm_after);
    policy.settle = value(section.parsed("settle", DURATION, at_most(MAX_SETTLE))?, policy.settle);
    policy.detached = section.switch("detached")?.unwrap_or(policy.detached);
    policy.clients = section.switch("clients")?.unwrap_or(policy.clients);
    section.finish()
}

fn limits(mut section: Section<'_>) -> Result<Limits, ConfigError> {
    let max_count = section.number("max_count", 1..=i64::from(u32::MAX))?;
    let count_per = section.parsed("count_per", "\"client\" or \"user\"", |text| match text {
        "client" => Ok(CountPer::Client),
        "user" => Ok(CountPer::User),
        other => Err(format!("`{other}` is neither \"client\" nor \"user\"")),
    })?;
    let max_age = section.parsed("max_age", DURATION, parse_duration)?;
    let max_rss = section.size("max_rss")?;
    // Zero would end everything that is in use; for "off", the line is left out.
    if let Some(At { span, .. }) = max_age.as_ref().filter(|at| at.value.is_zero()) {
        return Err(section.mistake(
            "max_age",
            span.clone(),
            "0 would end every instance; leave it out for no limit",
        ));
    }
    if let Some(At { span, .. }) = max_rss.as_ref().filter(|at| at.value == 0) {
        return Err(section.mistake(
            "max_rss",
            span.clone(),
            "0 would end every instance; leave it out for no limit",
        ));
    }
    section.finish()?;
    Ok(Limits {
        max_count,
        count_per: count_per.map(|at| at.value),
        max_age: max_age.map(|at| at.value),
        max_rss: max_rss.map(|at| at.value),
    })
}

fn allow(mut section: Section<'_>, file: &Path, around: &Surroundings) -> Result<AllowRule, ConfigError> {
    fn value<T>(at: Option<At<T>>) -> Option<T> {
        at.map(|at| at.value)
    }
    // Patterns on paths may begin with `~/`; no process has a tilde there.
    let path = |text: &str| {
        let text = around.expand(text).map_err(|error| error.to_string())?;
        Pattern::parse(&text).map_err(|error| error.to_string())
    };
    let name = value(section.parsed("name", PATTERN, Pattern::parse)?);
    let command = value(section.parsed("command", PATTERN, Pattern::parse)?);
    let exe = value(section.parsed("exe", PATTERN, path)?);
    let cwd = value(section.parsed("cwd", PATTERN, path)?);
    let unit = value(section.parsed("unit", PATTERN, Pattern::parse)?);
    let label = value(section.parsed("label", PATTERN, Pattern::parse)?);
    let port = section.number("port", 1..=65535)?;
    let pid_file =
        value(section.parsed("pid_file", "the path of a pid file", |text| pidfile::read(text, around))?);
    let reason = value(section.parsed("reason", "a text", |text| Ok::<_, String>(text.to_owned()))?);
    let origin = origin(file, &section);
    let rule = AllowRule { name, command, exe, port, pid_file, unit, label, cwd, reason, origin };
    let nothing = section.mistake_here(
        "this [[allow]] entry names nothing: it needs at least one of name, command, exe, port, pid_file, unit, label, cwd",
    );
    // An unknown key first: for `nmae = "x"` the message is to name the misspelt key.
    section.finish()?;
    if rule.asks_something() { Ok(rule) } else { Err(nothing) }
}

/// Where an entry stands, as `config.toml:12`.
fn origin(file: &Path, section: &Section<'_>) -> String {
    format!("{}:{}", file.file_name().unwrap_or(file.as_os_str()).display(), section.line())
}

fn server(mut section: Section<'_>, file: &Path) -> Result<ServerRule, ConfigError> {
    let name = section.parsed("name", "a text", |text| match text.trim() {
        "" => Err("empty, where the name of a server is expected"),
        name => Ok(name.to_owned()),
    })?;
    let program = section.parsed("program", PATTERN, Pattern::parse)?.map(|at| at.value);
    let limits = section.section("limits")?.map(limits).transpose()?.unwrap_or_default();
    let origin = origin(file, &section);
    let nameless = section.mistake_here("this [[server]] entry has no name");
    let idle =
        section.mistake_here("this [[server]] entry does nothing: it needs a program, limits, or both");
    section.finish()?;
    let name = name.ok_or(nameless)?.value;
    if program.is_none() && limits == Limits::default() {
        return Err(idle);
    }
    Ok(ServerRule { name, program, limits, origin })
}

fn expect(mut section: Section<'_>, file: &Path) -> Result<Expectation, ConfigError> {
    let name = section.parsed("name", PATTERN, |text| {
        Pattern::parse(text).map(|pattern| (text.to_owned(), pattern)).map_err(|error| error.to_string())
    })?;
    let min = section.number("min", 0..=i64::from(u32::MAX))?;
    let max = section.number("max", 0..=i64::from(u32::MAX))?;
    // `max` alone may mean "none at all"; an entry with neither wants it to run.
    let min = min.unwrap_or(u32::from(max.is_none_or(|max: u32| max > 0)));
    let origin = origin(file, &section);
    let nameless = section.mistake_here("this [[expect]] entry has no name");
    let crossed = section.mistake_here(format!("min is {min}, more than max allows"));
    section.finish()?;
    let (name, pattern) = name.ok_or(nameless)?.value;
    if max.is_some_and(|max| max < min) {
        Err(crossed)
    } else {
        Ok(Expectation { name, pattern, min, max, origin })
    }
}

fn exec_settings(mut section: Section<'_>) -> Result<ExecSettings, ConfigError> {
    let linger = section.parsed("linger", DURATION, at_most(MAX_LINGER))?;
    section.finish()?;
    Ok(linger.map_or_else(ExecSettings::default, |at| ExecSettings { linger: at.value }))
}

fn audit_settings(mut section: Section<'_>) -> Result<AuditSettings, ConfigError> {
    let default = AuditSettings::default();
    let keep_days = section.number("keep_days", 1..=MAX_KEEP_DAYS)?.unwrap_or(default.keep_days);
    let max_size = section.size("max_size")?;
    if let Some(At { span, .. }) = max_size.as_ref().filter(|at| at.value == 0) {
        return Err(section.mistake(
            "max_size",
            span.clone(),
            "0 leaves no room for a record, and without a record nothing is ended",
        ));
    }
    section.finish()?;
    Ok(AuditSettings { keep_days, max_size: max_size.map_or(default.max_size, |at| at.value) })
}
